#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# After a rehoming, what else is in a packet's header arrives as it was sent, and stands on
# the wire where RFC 5533 section 4.6 wants it: extension headers, fragments, the traffic
# class, the flow label, a jumbogram's. What the shim has no business with is untouched.
. "$(dirname "$0")/lib.sh"

PORT=9004
BYTES=$((32 << 20))

# send SIZE [WISH...]: one datagram from host A's identifier to host B's.
send() { on hostA "$TOP/selftests/headers.py" send "$(addr hostA x)" "$(addr hostB x)" $PORT "$@"; }

lines() { wc -l <"$WORK/sink"; }
has_lines() { [ "$(lines)" -ge "$1" ]; }

# arrives PATTERN SIZE [WISH...]: as such a line.
arrives() {
	local had pattern=$1; shift
	had=$(lines)
	[ "$(send "$@")" = sent ] || { log "not sent"; return 1; }
	wait_until 5000 has_lines $((had + 1)) || { log "did not arrive"; return 1; }
	tail -1 "$WORK/sink" | grep -q "\"size\": $1, \"equal\": true, $pattern" && return
	log "arrived as $(tail -1 "$WORK/sink")"
	return 1
}

# on_wire FILTER COUNT: so many packets of the capture, or more.
seen() { tcpdump -r "$WORK/y.pcap" -n "$1" 2>/dev/null | wc -l; }
has_seen() { [ "$(seen "$1")" -ge "$2" ]; }
on_wire() { wait_until 5000 has_seen "$1" "$2" || { log "$(seen "$1") of $2: $1"; return 1; }; }

capture_y() {
	capture ispY toA "$WORK/y.pcap" ip6
	CAPTURE=$BG
}

# stays_on_y: a context is on provider Y and stays there; provider X works again.
stays_on_y() {
	shim_sysctl hostA prefer_interval_ms 3600000
	shim_sysctl hostB prefer_interval_ms 3600000
	bg hostB python3 "$TOP/demo/udp.py" echo "$(addr hostB x)" 9000 >"$WORK/echo"
	wait_until 10000 grep -q ready "$WORK/echo" && establish || return 1
	ping_start
	cut ispX
	wait_until 10000 both_on y || { log "nobody moved"; return 1; }
	heal ispX
}

HOP=00001e0401020304 DST=00003e0405060708
# NEXT, which the sender's kernel fills in, follows there, and not the shim's header.
UDP=11 DESTINATION=3c
hop() { echo "\"hop\": \"$1${HOP:2}\""; }
dst() { echo "\"dst\": \"$UDP${DST:2}\""; }

test_hop() {
	arrives "$(hop $UDP), \"dst\": null" 100 hop &&
		on_wire 'ip6[6] = 0 and ip6[40] = 140 and ip6[48] = 17' 1
}
test_dst() {
	arrives "\"hop\": null, $(dst)" 100 dst &&
		on_wire 'ip6[6] = 140 and ip6[40] = 60 and ip6[48] = 17' 1
}
test_both() {
	arrives "$(hop $DESTINATION), $(dst)" 100 hop dst &&
		on_wire 'ip6[6] = 0 and ip6[40] = 140 and ip6[48] = 60 and ip6[56] = 17' 1
}

# IPsec is asked about the locators of what the shim finds behind other headers.
test_policy() {
	local before slow status
	slow=$(counter hostB rx_slow)
	arrives "$(hop $UDP)" 100 hop && expect_more hostB rx_slow "$slow" 1 || return 1
	before=$(counter hostB rx_policy)
	ip -n hostB xfrm policy add src "$(addr hostA y)" dst "$(addr hostB y)" dir in action block || return 1
	[ "$(send 100 hop)" = sent ] && wait_until 5000 risen hostB rx_policy "$before"
	status=$?
	ip -n hostB xfrm policy flush
	[ $status -eq 0 ] && arrives "$(hop $UDP)" 100 hop
}

# Its segments are not identifiers of ours: it goes as it is.
test_route() {
	local before dev; before=$(counter hostA tx_routing_header)
	for dev in all x; do on hostB sysctl -qw net.ipv6.conf.$dev.seg6_enabled=1; done
	arrives '"hop": null' 100 route && expect_more hostA tx_routing_header "$before" 1
}

test_class_and_flow() {
	arrives '"hop": null, "dst": null, "class": 184, "flow": 74565' 100 class=184 flow=74565 &&
		on_wire "ip6[6] = 140 and ip6[0:4] = 0x6b812345" 1
}

# cut_up SIZE [WISH...]: in pieces, and whole again.
cut_up() {
	local before; before=$(counter hostA tx_fragments)
	arrives '"hop"' "$@" && expect_more hostA tx_fragments "$before" 2
}

# The fragments are the endpoint sublayer's: inside.
test_fragments() {
	cut_up 1452 && cut_up 20000 && cut_up 60000 dst && cut_up 30000 hop &&
		on_wire 'ip6[6] = 140 and ip6[40] = 44' 15 &&
		on_wire 'ip6[6] = 140 and ip6[40] = 60 and ip6[48] = 44' 40 &&
		on_wire 'ip6[6] = 0 and ip6[40] = 140 and ip6[48] = 44' 10
}

# It fits to the octet: 1500 less 40, 8 and 8.
test_exact() {
	local before; before=$(counter hostA tx_fragments)
	arrives '"hop"' 1444 && arrives '"hop"' 1444 whole && expect_same hostA tx_fragments "$before"
}

# Datagrams of a super-packet, each of which is too long with the header: cut here.
test_segments() {
	local before had
	before=$(counter hostA tx_segmented) had=$(lines)
	[ "$(send 4356 segment=1452)" = sent ] || return 1
	wait_until 5000 has_lines $((had + 3)) || { log "$(($(lines) - had)) arrived"; return 1; }
	[ "$(tail -3 "$WORK/sink" | grep -c '"size": 1452')" = 3 ] && expect_more hostA tx_segmented "$before" 1 || return 1
	# The path MTU that the shim has told goes with the route.
	provider_routes hostA x
}

# refused SIZE: EMSGSIZE.
refused() {
	local said; said=$(send "$1" whole)
	[ "$said" = EMSGSIZE ] || { log "$1 octets: $said"; return 1; }
}

test_too_big() {
	local before; before=$(counter hostA tx_too_big)
	refused 1445 && expect_more hostA tx_too_big "$before" 1 || return 1
	# From now on the route knows.
	before=$(counter hostA tx_too_big)
	refused 1445 && expect_same hostA tx_too_big "$before"
}

# No packet of the least MTU there is has room for a payload header.
test_least_mtu() {
	local dev host size
	for dev in toA toB; do ip -n ispY link set dev $dev mtu 1280; done
	for host in "${HOSTS[@]}"; do ip -n "$host" link set dev y mtu 1280; done
	for size in 1200 1224 1225 1232 1233 5000 40000; do
		arrives '"hop"' $size || { log "$size octets"; return 1; }
	done
	arrives '"hop"' 1224 whole
}

# What was made for 1280 octets, the sender not knowing of the shim, and is 8 too long.
test_longest_of_1280() {
	stop "$CAPTURE" INT
	capture_y
	cut_up 1232 && on_wire 'ip6[6] = 140 and ip6[40] = 44' 2 &&
		[ "$(tcpdump -r "$WORK/y.pcap" -n 'ip6 and greater 1295' 2>/dev/null | wc -l)" = 0 ]
}

# Super-packets of more than 64 KiB, which have a jumbo payload length.
test_jumbo() {
	local host dev ok=0
	for host in "${HOSTS[@]}"; do for dev in x y; do
		ip -n "$host" link set dev $dev mtu 9000 gso_max_size 196608 gro_max_size 196608 || ok=1
	done; done
	for host in "${ISPS[@]}"; do for dev in toA toB; do
		ip -n "$host" link set dev $dev mtu 9000 gso_max_size 196608 gro_max_size 196608 || ok=1
	done; done
	[ $ok -eq 0 ] || return 1
	bg hostB "$TOP/selftests/traffic.py" tcp-serve "$(addr hostB x)" 8080 $BYTES 0 >"$WORK/serve"
	wait_until 10000 grep -q ready "$WORK/serve" || return 1
	local before; before=$(counter hostB tx_rewritten)
	on hostA "$TOP/selftests/traffic.py" tcp-fetch "$(addr hostA x)" "$(addr hostB x)" 8080 $BYTES >"$WORK/fetch" 2>/dev/null || return 1
	log "$(cat "$WORK/fetch")"
	before=$(($(counter hostB tx_rewritten) - before))
	log "$((BYTES / before)) octets a packet"
	on_pair hostB "$(addr hostB y)" "$(addr hostA y)" && expect_same hostB tx_malformed 0
}

# chatter DESTINATION: twenty datagrams from host A's identifier to there.
chatter() {
	on hostA python3 - "$(addr hostA x)" "$1" <<-'PYTHON'
	import socket, sys
	sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
	link = socket.if_nametoindex("x")
	if not sys.argv[2].startswith("fe80"):
	    sock.bind((sys.argv[1], 0))
	sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, link)
	scope = link if sys.argv[2].startswith(("fe80", "ff")) else 0
	for _ in range(20):
	    try:
	        sock.sendto(b"x" * 64, (sys.argv[2], 7, 0, scope))
	    except ConnectionRefusedError:
	        pass
	PYTHON
}

# Twenty packets are more than the threshold; none of these pairs gets a context.
test_untouched() {
	local created begun link to
	created=$(counter hostA context_created)
	begun=$(counter hostA tx_i1)
	link=$(ip -n ispX -o -6 addr show dev toA scope link | grep -o 'fe80[^/]*')
	capture ispX toA "$WORK/y.pcap" 'ip6 and udp port 7'
	CAPTURE=$BG
	for to in ff02::1234 ff0e::1234 "$link" ::1 "$(addr hostA x)" "$(addr hostA y)"; do
		chatter "$to" || { log "$to"; return 1; }
	done
	on_wire 'dst host ff02::1234 and ip6[6] = 17' 20 && on_wire 'dst host ff0e::1234 and ip6[6] = 17' 20 &&
		on_wire "dst host $link and ip6[6] = 17" 20 || return 1
	expect_same hostA context_created "$created" && expect_same hostA tx_i1 "$begun"
}

lib_init
ktap_begin 16
topology_up
shim_up
stays_on_y; ktap_result $? "a context is on the other path"
capture_y
bg hostB "$TOP/selftests/headers.py" sink "$(addr hostB x)" $PORT >"$WORK/sink"
wait_until 10000 grep -q ready "$WORK/sink" || die "no sink"
test_hop; ktap_result $? "the payload header stands behind a Hop-by-Hop Options header"
test_dst; ktap_result $? "and before a Destination Options header"
test_both; ktap_result $? "and between the two"
test_policy; ktap_result $? "IPsec policy may forbid it"
test_route; ktap_result $? "a packet with a Routing header is left alone"
test_class_and_flow; ktap_result $? "the traffic class and the flow label are kept"
test_exact; ktap_result $? "what fits to the octet is not cut"
test_segments; ktap_result $? "datagrams of a super-packet that do not fit are cut"
test_too_big; ktap_result $? "what may not be cut and does not fit is EMSGSIZE"
test_fragments; ktap_result $? "fragments are made inside, and are whole again"
test_least_mtu; ktap_result $? "a path of 1280 octets carries all sizes"
test_longest_of_1280; ktap_result $? "and nothing longer than 1280"
stop "$CAPTURE" INT
test_jumbo; ktap_result $? "TCP with super-packets of more than 64 KiB"
stop "$PING"
test_untouched; ktap_result $? "multicast, link-local, loopback and its own addresses are untouched"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
