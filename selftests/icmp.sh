#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ICMPv6 errors about packets that a payload header carried are told to programs as if
# there were none (RFC 5533 section 8): ping, traceroute and tracepath show the routers of
# the path in use, and the identifiers; the path MTU is 8 less.
. "$(dirname "$0")/lib.sh"

A= B=	# the identifiers

# The first router of hostA's way, at its address on that link.
router() { prefix hostA "$1" | sed 's/$/1/'; }

# A router tells, with its own address, that hop 1 was one too many; the program does
# not see that it passed another provider than the identifiers name.
test_time_exceeded() {
	local had; had=$(counter hostA icmp_translated)
	on hostA ping -n -c 2 -i 0.3 -W $((5 * SLOW)) -t 1 -I "$A" "$B" >"$WORK/ttl"
	grep -q "From $(router y).* Time exceeded" "$WORK/ttl" || { log "$(cat "$WORK/ttl")"; return 1; }
	expect_more hostA icmp_translated "$had" 1
}

test_echo() {
	on "$1" ping -n -c 5 -i 0.2 -W $((5 * SLOW)) -I "$2" "$3" >"$WORK/echo" && grep -q "from $3" "$WORK/echo" &&
		! grep -q DUP "$WORK/echo"
}
test_ping() { test_echo hostA "$A" "$B" && test_echo hostB "$B" "$A"; }

# trace PMTU: tracepath's hops, end, and path MTU.
trace() {
	on hostA tracepath -6 -n -m 6 "$B" >"$WORK/trace"
	grep -qE "^ 1: +$(router y) " "$WORK/trace" && grep -qE " $B .*reached" "$WORK/trace" &&
		grep -q "Resume: pmtu $1 " "$WORK/trace" && return
	log "$(cat "$WORK/trace")"
	return 1
}
test_trace() { trace 1492; }

# hop_told HOPS KIND INFO: routers of the path in use tell a program of a datagram that it
# sent with Hop-by-Hop Options, and of its octets as it sent them; INFO is what they add.
hop_told() {
	on hostA timeout $((30 * SLOW)) python3 - "$A" "$B" "$@" <<-'PY'
	import select, socket, struct, sys
	HOPOPTS, RECVERR, UNICAST_HOPS, MTU_DISCOVER, DO = 54, 25, 16, 23, 2
	local, peer, hops, kind, info = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
	sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
	for option, value in ((RECVERR, 1), (UNICAST_HOPS, hops), (MTU_DISCOVER, DO)):
	    sock.setsockopt(socket.IPPROTO_IPV6, option, value)
	sock.setsockopt(socket.IPPROTO_IPV6, HOPOPTS, bytes([0, 0, 0x1e, 4, 1, 2, 3, 4]))
	sock.bind((local, 0))
	sock.connect((peer, 9))
	sent = bytes(i % 251 for i in range(1400))
	sock.send(sent)
	poll = select.poll()
	poll.register(sock, select.POLLERR)
	if not poll.poll(20000):
	    sys.exit("nothing told")
	data, control, _, about = sock.recvmsg(2000, 1000, socket.MSG_ERRQUEUE)
	error = next(v for level, t, v in control if (level, t) == (socket.IPPROTO_IPV6, RECVERR))
	got = struct.unpack_from("=IBBBxI", error)
	if got[1:3] != (3, kind) or got[4] != info or not data or data != sent[:len(data)] or about[0] != peer:
	    sys.exit(f"told {got} about {about} and {len(data)} octets")
	PY
}
# That header stands before the shim's, so the shim's is not where it is else.
test_hop_by_hop() {
	local had; had=$(counter hostA icmp_translated)
	hop_told 1 3 0 || return 1
	ip -n ispY link set dev toB mtu 1450
	hop_told 64 2 1442 && expect_more hostA icmp_translated "$had" 2
}

# The second link of the path carries less, and its router says so.
test_small() {
	local had; had=$(counter hostA icmp_translated)
	ip -n ispY link set dev toB mtu 1400
	trace 1392 && expect_more hostA icmp_translated "$had" 1
}

# refused HOST LOCAL PEER [HOPS]: nobody is at that port of the peer, who says so; HOPS with
# Hop-by-Hop Options.
refused() {
	on "$1" timeout $((30 * SLOW)) python3 - "${@:2}" <<-'PY'
	import socket, sys
	sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
	if len(sys.argv) > 3:
	    sock.setsockopt(socket.IPPROTO_IPV6, 54, bytes([0, 0, 0x1e, 4, 1, 2, 3, 4]))
	sock.settimeout(20)
	sock.bind((sys.argv[1], 0))
	sock.connect((sys.argv[2], 9))
	sock.send(b"nobody is there")
	try:
	    sock.recv(1)
	except ConnectionRefusedError:
	    sys.exit(0)
	sys.exit("no error")
	PY
}
# The error itself comes over the other pair too: it is data between the identifiers.
test_refused() {
	local a b; a=$(counter hostA rx_restored); b=$(counter hostB rx_restored)
	refused hostA "$A" "$B" && refused hostB "$B" "$A" &&
		expect_more hostA rx_restored "$a" 2 && expect_more hostB rx_restored "$b" 2 &&
		refused hostA "$A" "$B" hops && refused hostB "$B" "$A" hops
}

# told CASE TAG FROM TO: a router of the other path tells host A of a packet.
told() {
	on ispY "$TOP/selftests/packet.py" "$(router y)" "$(addr hostA y)" "$@"
}

# Nobody ends a path by telling of packets that never were: from another address than the
# error goes to, with a wrong check sum, or with a tag that is not the context's.
test_forged() {
	local a b tag malformed unknown absorbed
	a=$(addr hostA y) b=$(addr hostB y) tag=$(tag_of hostB "$B" "$A")
	malformed=$(counter hostA icmp_malformed) unknown=$(counter hostA icmp_unknown)
	absorbed=$(counter hostA icmp_absorbed)
	told error "$tag" "$A" "$B" && told damaged "$tag" "$a" "$b" && told error 1 "$a" "$b" || return 1
	wait_until 5000 risen hostA icmp_unknown "$unknown" &&
		expect_more hostA icmp_malformed "$malformed" 2 && expect_same hostA icmp_absorbed "$absorbed" || return 1
	# What a router does tell of that packet is heard.
	told error "$tag" "$a" "$b" && wait_until 5000 risen hostA icmp_absorbed "$absorbed"
}

# Everybody knows which addresses talk; only their packets tell the tag.
test_tagless() {
	local hint unknown
	hint=$(counter hostA hint) unknown=$(counter hostA icmp_unknown)
	on ispX "$TOP/selftests/packet.py" "$(router x)" "$A" tagless 0 "$A" "$B" &&
		wait_until 5000 risen hostA icmp_unknown "$unknown" && expect_same hostA hint "$hint"
}

lib_init
ktap_begin 10
topology_up
shim_up
A=$(addr hostA x) B=$(addr hostB x)
for host in "${HOSTS[@]}"; do
	shim_sysctl "$host" prefer_interval_ms 3600000
done
bg hostB python3 "$TOP/demo/udp.py" echo "$B" 9000 >"$WORK/echo.out"
wait_until 10000 grep -q ready "$WORK/echo.out" || die "echo server"
ping_start
wait_until 20000 established hostA "$A" "$B" && test_tagless
ktap_result $? "what is told of the identifiers, without the tag, is no hint"
ping_outlives_cut; ktap_result $? "a context is on the other path"
test_ping; ktap_result $? "ping is answered, both ways"
test_time_exceeded; ktap_result $? "a router of the path in use says: time exceeded"
test_trace; ktap_result $? "tracepath shows that router, and room for 8 octets less"
test_hop_by_hop; ktap_result $? "errors about a datagram with Hop-by-Hop Options are told too"
test_small; ktap_result $? "and a smaller MTU behind it"
test_refused; ktap_result $? "a closed port is told, both ways"
test_forged; ktap_result $? "what is told of packets that never were changes nothing"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
