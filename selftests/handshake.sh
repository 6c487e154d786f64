#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A context is set up by the traffic of unmodified programs: started by either
# host, by both at once, and after one of them has lost its state.
. "$(dirname "$0")/lib.sh"

# talk FROM TO: pings with FROM as the client; its pid is in $PING.
talk() {
	bg "$1" python3 "$TOP/demo/udp.py" ping "$(addr "$1" x)" "$(addr "$2" x)" 9000 20 >"$WORK/ping.$1"
	PING=$BG
}

echo_server() {
	bg "$1" python3 "$TOP/demo/udp.py" echo "$(addr "$1" x)" 9000 >"$WORK/echo.$1"
	wait_until 10000 grep -q ready "$WORK/echo.$1" || die "echo server"
}

# one_context HOST: exactly one, whatever way it came to be.
one_context() { [ "$(contexts "$1" | wc -l)" -eq 1 ]; }

# tags_agree: what one calls its tag is what the other puts into its packets.
first_tag() { shimctl "$1" context list --json | sed -n "s/.*\"$2\": \"\\(.*\\)\".*/\\1/p" | head -1; }
tags_agree() {
	[ -n "$(first_tag hostA local_tag)" ] &&
		[ "$(first_tag hostA local_tag)" = "$(first_tag hostB peer_tag)" ] &&
		[ "$(first_tag hostB local_tag)" = "$(first_tag hostA peer_tag)" ]
}

# patient HOST: does not begin a context in this test.
patient() { shim_sysctl "$1" setup_packets 1000000; }

test_initiator() { # INITIATOR RESPONDER
	fresh
	patient "$2"
	local i1; i1=$(counter "$1" tx_i1)
	talk "$1" "$2"
	wait_until 15000 both_established; local status=$?
	stop "$PING"
	[ $status -eq 0 ] && one_context hostA && one_context hostB && tags_agree &&
		expect_more "$1" tx_i1 "$i1" 1 && expect_more "$2" tx_r2 0 1 &&
		expect_same "$2" tx_i1 0
}

test_simultaneous() {
	fresh
	# Both see their threshold reached at the first packet, and the I1 of each is
	# on the way (10 ms) when that of the other leaves.
	talk hostA hostB
	local one=$PING
	talk hostB hostA
	wait_until 15000 both_established; local status=$?
	stop "$PING"; stop "$one"
	[ $status -eq 0 ] && one_context hostA && one_context hostB && tags_agree
}

# The peer restarts: RFC 5533 7.17, it answers with R1bis what refers to a
# context it does not have, and the context is recovered.
test_lost_state() {
	fresh
	talk hostA hostB
	local ping=$PING
	wait_until 15000 both_established || { stop "$ping"; return 1; }
	cut ispX
	wait_until 10000 on_pair hostA "$(addr hostA y)" "$(addr hostB y)" || { stop "$ping"; heal ispX; return 1; }
	forget hostB
	shim_host hostB
	wait_until 20000 both_established; local status=$?
	stop "$ping"
	heal ispX
	[ $status -eq 0 ] && tags_agree && expect_more hostB tx_r1bis 0 1
}

lib_init
# What a host may have of one site is capped; it goes on with what it has, and says why.
test_cap() {
	fresh
	patient hostB
	shim_sysctl hostB max_contexts_per_prefix 1
	talk hostA hostB
	wait_until 15000 both_established || return 1
	# From the same address of hostA to the other one of hostB.
	bg hostA ping -q -i 0.1 -I "$(addr hostA x)" "$(addr hostB y)" >/dev/null
	local other=$BG
	wait_until 15000 expect_more hostB prefix_limit 0 1 >/dev/null; local status=$?
	stop "$other"; stop "$PING"
	[ $status -eq 0 ] && one_context hostB &&
		dmesg_new | grep -q 'shim6: net.shim6.max_contexts_per_prefix is reached'
}

ktap_begin 6
topology_up
shim_up
shape 100mbit 10ms
echo_server hostA; echo_server hostB
test_initiator hostA hostB; ktap_result $? "hostA initiates"
test_initiator hostB hostA; ktap_result $? "hostB initiates"
test_simultaneous; ktap_result $? "both initiate, one context results"
test_lost_state; ktap_result $? "a peer that lost its context recovers it"
test_cap; ktap_result $? "no more contexts with one site than allowed, and the log says so"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
