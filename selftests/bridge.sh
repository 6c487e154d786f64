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
	: >"$WORK/progress"
	bg hostA "$TOP/selftests/traffic.py" tcp-fetch "$(addr hostA x)" "$(addr hostB x)" $PORT $BYTES \
		>"$WORK/fetch" 2>"$WORK/progress"
	client=$BG
	wait_until 20000 has_bytes "$WORK/progress" 16 || return 1
	cut ispX
	wait_until 5000 moved_from x both || { log "nobody moved"; return 1; }
	wait "$client"; result=$?
	log "$(cat "$WORK/fetch")"
	[ $result -eq 0 ] && stall_below "$WORK/fetch" 1.5 && expect_more hostA rx_restored "$restored" 50
}

modprobe -qa bridge br_netfilter || :
if [ ! -e /proc/sys/net/bridge/bridge-nf-call-ip6tables ]; then
	echo "1..0 # SKIP this kernel has no br_netfilter"
	exit 4
fi
lib_init
ktap_begin 4
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
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
