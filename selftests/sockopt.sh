#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs sockopt.c, as a program of 64 bits and as one of 32: first without a context,
# then with one, then with one that dies meanwhile.
. "$(dirname "$0")/lib.sh"

A_X=; A_Y=; B_X=; B_Y=

# table PROGRAM FIXTURE...: its tests, which are counted one by one.
table() {
	local program=$1 filter=() fixture; shift
	for fixture; do filter+=(-f "$fixture"); done
	on hostA env LOCAL="$A_X $A_Y" PEER="$B_X $B_Y" FORGET="$SHIMCTL hba remove $WORK/hba.hostA" \
		"$program" "${filter[@]}" 2>&1 | sed 's/^/    /'
	return "${PIPESTATUS[0]}"
}

addresses() {
	local host
	for host in hostA hostB; do
		shim_addresses $host
		shim_sysctl $host prefer_interval_ms 1000
	done
}

# width BITS PROGRAM
width() {
	table "$2" global tcp without_context
	ktap_result $? "$1 bits: without a context"
	reach_all || die "no context"
	table "$2" with_context
	ktap_result $? "$1 bits: with a context"
	table "$2" after_context
	ktap_result $? "$1 bits: after it died"
}

lib_init
ktap_begin 7
topology_up
module_load
addresses
A_X=$(addr hostA x) A_Y=$(addr hostA y) B_X=$(addr hostB x) B_Y=$(addr hostB y)
on hostA sysctl -qw net.ipv4.ping_group_range="0 0"
bg hostB ncat -6 -k -l "$B_X" 7 >/dev/null
width 64 "$TOP/build/selftests/sockopt"
module_unload || die "rmmod"
module_load
addresses
width 32 "$TOP/build/selftests/32/sockopt"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
