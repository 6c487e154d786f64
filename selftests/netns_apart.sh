#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What belongs to one network namespace is not seen in another, and dies with it.
. "$(dirname "$0")/lib.sh"

test_apart() {
	[ "$(contexts hostA)" != "$(contexts hostB)" ] &&
		[ -z "$(contexts ispX)" ] &&
		[ -z "$(shimctl ispX hba list)" ] &&
		[ "$(counter ispX tx_i1)" -eq 0 ]
}

test_sysctls_apart() {
	shim_sysctl hostA send_timeout_ms 2345
	[ "$(on hostA sysctl -n net.shim6.send_timeout_ms)" = 2345 ] &&
		[ "$(on hostB sysctl -n net.shim6.send_timeout_ms)" = 1000 ] &&
		[ "$(on ispX sysctl -n net.shim6.send_timeout_ms)" = 15000 ]
}

# A namespace with contexts goes while its peer talks to it; then all of them, and
# the module can be unloaded.
test_dies() {
	bg hostA python3 "$TOP/demo/udp.py" ping "$(addr hostA x)" "$(addr hostB x)" 9000 5 >"$WORK/ping"
	wait_until 10000 echoes_above "$WORK/ping" 50 || return 1
	stop "$ECHO"
	ip netns del hostB
	wait_until 10000 exploring hostA || { log "hostA did not notice"; return 1; }
	stop "$BG"
	topology_down
	module_unload
}

exploring() { contexts "$1" | grep -q ' exploring'; }

lib_init
ktap_begin 5
topology_up
shim_up
bg hostB python3 "$TOP/demo/udp.py" echo "$(addr hostB x)" 9000 >"$WORK/echo"
ECHO=$BG
wait_until 10000 grep -q ready "$WORK/echo" || die "echo server"
establish; ktap_result $? "a context between two namespaces"
test_apart; ktap_result $? "a third namespace sees nothing of it"
test_sysctls_apart; ktap_result $? "sysctls are per namespace"
test_dies; ktap_result $? "namespaces go with their contexts under traffic, the module unloads"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
