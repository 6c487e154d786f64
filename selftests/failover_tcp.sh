#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A TCP transfer outlives its path: provider X silently drops everything, or one
# direction alone, and the bytes go on over another pair, all of them and equal.
# Then the first path comes back and is used again.
. "$(dirname "$0")/lib.sh"

BYTES=$((12 << 20))
RATE=$((3 << 20))
PORT=8080
# Send Timeout 1 s: the budget of a silent cut is 1.5 s.
STALL_LIMIT=1.5

test_cut() { # both|AB|BA
	local before_tx before_rx kicked client result
	home || return 1
	before_tx=$(counter hostB tx_rewritten)
	before_rx=$(counter hostA rx_restored)
	kicked=$(counter hostB tcp_kicked)
	: >"$WORK/progress"
	bg hostA "$TOP/selftests/traffic.py" tcp-fetch "$(addr hostA x)" "$(addr hostB x)" $PORT $BYTES \
		>"$WORK/fetch" 2>"$WORK/progress"
	client=$BG
	wait_until 20000 has_bytes "$WORK/progress" 16 || { log "no transfer"; return 1; }
	cut ispX "$1"
	wait "$client"; result=$?
	log "$(cat "$WORK/fetch")"
	heal ispX
	[ $result -eq 0 ] || return 1
	stall_below "$WORK/fetch" $STALL_LIMIT || return 1
	# The bytes came behind the payload header, not over some other way. A packet is
	# one of up to 64 KiB here.
	if [ "$1" != AB ]; then
		expect_more hostB tcp_kicked "$kicked" 1 && expect_more hostB tx_rewritten "$before_tx" 100 &&
			expect_more hostA rx_restored "$before_rx" 100
	fi
}

lib_init
ktap_begin 5
topology_up
shim_up
bg hostB "$TOP/selftests/traffic.py" tcp-serve "$(addr hostB x)" $PORT $BYTES $RATE >"$WORK/serve"
wait_until 10000 grep -q ready "$WORK/serve" || die "server"
establish; ktap_result $? "a context is set up by the traffic"
for direction in both AB BA; do
	test_cut $direction
	ktap_result $? "TCP outlives a cut of provider X, direction $direction"
done
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
