#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A processor remembers the hashes of some pairs of addresses only (sys/hash.rs). While many more
# come and go than it remembers, in several processes at once, every packet of a context is known
# as its packet, on its way out and on its way in.
. "$(dirname "$0")/lib.sh"

PORT=9100
OTHERS=3000
SENDERS=4
EACH=1000

# All those addresses are on hostB, and differ from its own in their last octets only.
others_up() {
	OF_OTHERS=$(prefix hostB x)
	OF_OTHERS=${OF_OTHERS%:}abc::
	ip -6 -n hostB route add local "$OF_OTHERS/80" dev lo &&
		ip -6 -n ispX route add "$OF_OTHERS/80" via "$(addr hostB x)" dev toB &&
		bg hostB "$TOP/selftests/traffic.py" udp-sink :: $PORT >"$WORK/sink" &&
		wait_until 30000 grep -q ready "$WORK/sink"
}

# Nobody is asked for a context because of these packets.
no_setup() { local host; for host in "${HOSTS[@]}"; do shim_sysctl "$host" setup_packets 1000000; done; }

# send_all: SENDERS * EACH datagrams to hostB's own address, and more to the others.
send_all() {
	local sender pids=() status=0
	for ((sender = 0; sender < SENDERS; sender++)); do
		bg hostA "$TOP/selftests/pairs.py" "$(addr hostA x)" "$(addr hostB x)" "$OF_OTHERS" $OTHERS $PORT $EACH
		pids+=("$BG")
	done
	for sender in "${pids[@]}"; do wait "$sender" || status=1; done
	return $status
}

# The others are remembered before the context is there.
test_before() {
	local rx; rx=$(counter hostB rx_context)
	send_all && expect_same hostB rx_context "$rx"
}

test_all_known() {
	local tx rx status=0
	tx=$(counter hostA tx_context) rx=$(counter hostB rx_context)
	send_all || return 1
	expect_same hostA tx_context $((tx + SENDERS * EACH)) || status=1
	wait_until 10000 risen hostB rx_context $((rx + SENDERS * EACH - 1))
	expect_same hostB rx_context $((rx + SENDERS * EACH)) || status=1
	return $status
}

lib_init
ktap_begin 4
topology_up
shim_up
no_setup
others_up || die "no others"
test_before; ktap_result $? "$OTHERS others without a context"
for host in "${HOSTS[@]}"; do quick_timers "$host"; done
establish && no_setup; ktap_result $? "a context is set up"
test_all_known; ktap_result $? "every packet of the context is known, among the others"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
