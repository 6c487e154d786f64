#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Uplinks that belong to a VRF, as on hosts whose management has a routing table of its own: the
# VRF's programs are multihomed, and nothing of theirs goes by the main table.
. "$(dirname "$0")/lib.sh"

BYTES=$((24 << 20))
RATE=$((3 << 20))
PORT=8080
VRF=uplinks
TABLE=1001
MANY=50

# into_vrf: host A's uplinks are a VRF's, and its main table knows another way only.
into_vrf() {
	local dev
	ip -n hostA link add $VRF type vrf table $TABLE || return 1
	ip -n hostA link set dev $VRF up
	for dev in x y; do
		ip -n hostA link set dev $dev master $VRF
		ip -6 -n hostA route add "$(prefix hostA $dev)/64" dev $dev table $TABLE
		ip -6 -n hostA route add default from "$(prefix hostA $dev)/64" \
			via "$(prefix hostA $dev)1" dev $dev table $TABLE
	done
	ip -6 -n hostA route add default via "$(prefix hostA x)1" dev x table $TABLE
	ip -6 -n hostA rule del pref 101
	ip -6 -n hostA rule del pref 102
	link_up hostA office ispX office
	ip -6 -n hostA route add default via fe80::1 dev office
	on hostA nft -f - <<-NFT
	table netdev office {
		chain out {
			type filter hook egress device office priority 0
			ip6 saddr 2001:db8::/32 counter
		}
	}
	NFT
}

# in_vrf CMD...: as bg, for a program of the VRF.
in_vrf() { bg hostA ip vrf exec $VRF "$@"; }

strayed() { on hostA nft list table netdev office | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }

# A set of uplinks that are not of one VRF is refused, and nothing is left of it.
test_refused() {
	shim_generate hostA "$WORK/hba.hostA"
	shimctl hostA hba apply --nodad "$WORK/hba.hostA" dev=x dev=office 2>"$WORK/said" && return 1
	log "$(cat "$WORK/said")"
	grep -q 'x and office are not of one VRF' "$WORK/said" || return 1
	ip -n hostA link add shim0 type dummy
	shimctl hostA hba apply --nodad "$WORK/hba.hostA" dev=x dev=y 2>"$WORK/said" && return 1
	log "$(cat "$WORK/said")"
	grep -q 'not of one VRF' "$WORK/said" || return 1
	ip -n hostA link del shim0
	! ip -6 -n hostA -o addr | grep -q "$(addr hostA x)"
}

test_set_up() {
	local status
	in_vrf python3 "$TOP/demo/udp.py" ping "$(addr hostA x)" "$(addr hostB x)" 9000 20 >"$WORK/ping"
	wait_until 30000 both_established
	status=$?
	stop "$BG"
	return $status
}

# test_once SENT RECEIVED: the hooks see each packet of a VRF twice; these counters count it once.
test_once() {
	local sent received
	sent=$(counter hostA "$1") received=$(counter hostA "$2")
	on hostA ip vrf exec $VRF python3 - "$(addr hostA x)" "$(addr hostB x)" $MANY <<-'PY' || return 1
	import socket, sys
	local, peer, count = sys.argv[1:]
	with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
	    sock.bind((local, 0))
	    sock.settimeout(10)
	    for _ in range(int(count)):
	        sock.sendto(b"one", (peer, 9000))
	        sock.recvfrom(16)
	PY
	sent=$(($(counter hostA "$1") - sent)) received=$(($(counter hostA "$2") - received))
	[ "$sent $received" = "$MANY $MANY" ] || { log "$1 rose by $sent, $2 by $received"; return 1; }
}

# fetch CMD...: a transfer, in the middle of which CMD is run and succeeds.
fetch() {
	local client status
	in_vrf "$TOP/selftests/traffic.py" tcp-fetch "$(addr hostA x)" "$(addr hostB x)" $PORT $BYTES \
		>"$WORK/fetch" 2>"$WORK/progress"
	client=$BG
	wait_until 20000 has_bytes "$WORK/progress" 16 && "$@" || return 1
	wait "$client"; status=$?
	log "$(cat "$WORK/fetch")"
	[ $status -eq 0 ] && stall_below "$WORK/fetch" 1.5
}

rehomes() { cut ispX && wait_until 10000 moved_from x both || { log "nobody moved"; return 1; }; }

# What routers say of a locator pair's MTU is kept where its route is.
test_mtu() {
	local status
	ip -n ispY link set dev toB mtu 1400
	on hostA ip vrf exec $VRF python3 - "$(addr hostA x)" "$(addr hostB x)" <<-'PY'
	import socket, sys
	local, peer = sys.argv[1:]
	with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
	    sock.bind((local, 0))
	    sock.sendto(bytes(1432), (peer, 9000))
	PY
	wait_until 5000 eval "ip -6 -n hostA route get $(addr hostB y) from $(addr hostA y) oif $VRF | grep -q 'mtu 1400'"
	status=$?
	ip -n ispY link set dev toB mtu 1500
	return $status
}

# A VRF with a queueing discipline looks up a route for its packets again.
queued() { tc -n hostA qdisc add dev $VRF root pfifo && test_once tx_rewritten rx_restored; }

# Whether nothing of the uplinks' addresses left by the main table's way.
test_apart() {
	local strayed
	strayed=$(strayed)
	[ "$strayed" = 0 ] || { log "$strayed packets went by the main table"; return 1; }
}

# is_usable ADDRESS: so host A says.
is_usable() { shimctl hostA hba list | grep -q " $1 .* usable"; }

# An address of an interface that leaves the VRF is no locator any more.
test_left() {
	is_usable "$(addr hostA y)" || return 1
	ip -n hostA link set dev y nomaster
	ip -n hostA -6 addr replace "$(addr hostA y)/64" dev y nodad
	wait_until 5000 eval '! is_usable "$(addr hostA y)"' || { shimctl hostA hba list | sed 's/^/# /'; return 1; }
	ip -n hostA link set dev y master $VRF
	ip -n hostA -6 addr replace "$(addr hostA y)/64" dev y nodad
	wait_until 5000 is_usable "$(addr hostA y)"
}

modprobe -q vrf || :
lib_init
if ! ip link add shim6-vrf type vrf table 9 2>/dev/null; then
	echo "1..0 # SKIP this kernel has no VRFs"
	exit 4
fi
ip link del shim6-vrf
ktap_begin 11
topology_up
module_load
into_vrf || die "no VRF"
test_refused; ktap_result $? "a set's interfaces are of one VRF, or it is refused"
shim_up
for host in "${HOSTS[@]}"; do
	shim_sysctl "$host" prefer_interval_ms 3600000
done
bg hostB python3 "$TOP/demo/udp.py" echo "$(addr hostB x)" 9000 >"$WORK/echo"
bg hostB "$TOP/selftests/traffic.py" tcp-serve "$(addr hostB x)" $PORT $BYTES $RATE >"$WORK/serve"
wait_until 30000 grep -q ready "$WORK/echo" && wait_until 30000 grep -q ready "$WORK/serve" || die "server"
test_set_up; ktap_result $? "a program of the VRF gets a context"
test_once tx_context rx_context; ktap_result $? "each packet between identifiers counts once"
fetch rehomes; ktap_result $? "TCP outlives its path"
test_once tx_rewritten rx_restored; ktap_result $? "each packet is translated once"
queued; ktap_result $? "also with a queueing discipline"
test_mtu; ktap_result $? "the path's MTU is learned"
fetch ip -n hostA link set dev x down; ktap_result $? "it outlives the link of its identifier"
test_left; ktap_result $? "what leaves the VRF is no locator"
test_apart; ktap_result $? "nothing goes by the main table"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
