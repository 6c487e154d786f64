#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Uplinks that are bridges, with br_netfilter, as on hosts of containers: netfilter's hooks see a
# packet in the bridge, where a locator becomes an identifier and looks like destination NAT.
. "$(dirname "$0")/lib.sh"

BYTES=$((24 << 20))
RATE=$((3 << 20))
PORT=8080

# bridged HOST: its links to both providers become ports of bridges that have their names.
bridged() {
	local dev
	for dev in x y; do
		ip -n "$1" link set dev $dev down
		ip -n "$1" link set dev $dev name port-$dev
		ip -n "$1" link add $dev type bridge forward_delay 0
		ip -n "$1" link set dev port-$dev master $dev
		ip -n "$1" link set dev port-$dev up
		ip -n "$1" link set dev $dev up
		provider_routes "$1" $dev
	done
	[ "$(on "$1" sysctl -n net.bridge.bridge-nf-call-ip6tables)" = 1 ]
}

test_rehoming() {
	local client result restored
	restored=$(counter hostA rx_restored)
	fetch_into_cut || return 1
	client=$BG
	wait_until 5000 moved_from x both || { log "nobody moved"; return 1; }
	wait "$client"; result=$?
	log "$(cat "$WORK/fetch")"
	[ $result -eq 0 ] && stall_below "$WORK/fetch" 1.5 && expect_more hostA rx_restored "$restored" 50
}

# What has a Routing header stays on the path of the identifiers, super-packets as well, which
# are cut for a bridge if they are rehomed.
test_routing_header() {
	local before cut sink dev
	before=$(counter hostA tx_routing_header) cut=$(counter hostA tx_segmented)
	heal ispX
	for dev in all x; do on hostB sysctl -qw net.ipv6.conf.$dev.seg6_enabled=1; done
	bg hostB socat -u "TCP6-LISTEN:9002,bind=[$(addr hostB x)]" "OPEN:$WORK/routed,creat"
	sink=$BG
	wait_until 10000 eval "on hostB ss -Hnlt sport = :9002 | grep -q ." || return 1
	on hostA timeout 60 python3 - "$(addr hostA x)" "$(addr hostB x)" <<-'PY' || return 1
	import socket, sys
	local, peer = sys.argv[1:]
	with socket.socket(socket.AF_INET6) as sock:
	    sock.bind((local, 0))
	    header = bytes([0, 2, 4, 0, 0, 0, 0, 0]) + socket.inet_pton(socket.AF_INET6, peer)
	    sock.setsockopt(socket.IPPROTO_IPV6, 57, header)  # IPV6_RTHDR
	    sock.connect((peer, 9002))
	    sock.sendall(bytes(1 << 20))
	PY
	wait_until 10000 eval '[ "$(stat -c %s "$WORK/routed")" = $((1 << 20)) ]' ||
		{ log "$(stat -c %s "$WORK/routed") octets came"; return 1; }
	stop "$sink"
	expect_more hostA tx_routing_header "$before" 20 && expect_same hostA tx_segmented "$cut"
}

modprobe -qa bridge br_netfilter || :
if [ ! -e /proc/sys/net/bridge/bridge-nf-call-ip6tables ]; then
	echo "1..0 # SKIP this kernel has no br_netfilter"
	exit 4
fi
lib_init
ktap_begin 5
topology_up
bridged hostA; ktap_result $? "links are bridges, whose packets netfilter sees"
shim_up
for host in "${HOSTS[@]}"; do
	shim_sysctl "$host" prefer_interval_ms 3600000
done
bg hostB "$TOP/selftests/traffic.py" tcp-serve "$(addr hostB x)" $PORT $BYTES $RATE >"$WORK/serve"
wait_until 30000 grep -q ready "$WORK/serve" || die "server"
establish_tcp $PORT $BYTES; ktap_result $? "a context is set up"
test_rehoming; ktap_result $? "TCP outlives its path"
test_routing_header; ktap_result $? "super-packets with a Routing header stay as they are"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
