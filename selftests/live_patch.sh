#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A live patch has functions to itself that the module wants. What needs them fails, with an
# error and one line in the log that names the function; the rest works, and all of it soon
# after the patch is gone.
. "$(dirname "$0")/lib.sh"

TAKER=${SHIM6_KO%/*}/taker/taker.ko

# nobody: what a test that failed left taken is free again.
nobody() { ! grep -q '^taker ' /proc/modules || give_back; }
take() { nobody; insmod "$TAKER" function="$1" || die "cannot take $1()"; } # FUNCTION
give_back() { rmmod taker || die "rmmod taker"; }

# said FUNCTION: how often the log says that it is somebody else's.
said() { dmesg_new | grep -cF "shim6: cannot watch $1(): error -16, somebody else (a live patch?) has it"; }

# option ARGS...: an option of a connected socket.
option() { on hostA "$TOP/selftests/option.py" "$(addr hostA x)" "$(addr hostB x)" "$@" >"$WORK/option"; }

# works: the other options do.
works() { option set HOT_STANDBY 0 && option get ASSOCIATED || { log "$(cat "$WORK/option")"; return 1; }; }

# busy OPTION: nobody gets it.
busy() {
	option set "$1" 1 && { log "$1 was set"; return 1; }
	grep -qx EBUSY "$WORK/option" || { log "$1: $(cat "$WORK/option")"; return 1; }
}

# The module loads with all it needs at once, or not at all.
test_load() {
	local function
	for function in sock_common_setsockopt sock_common_getsockopt; do
		take $function
		if insmod "$SHIM6_KO" 2>"$WORK/insmod"; then
			log "loaded without $function()"
			return 1
		fi
		grep -q 'resource busy' "$WORK/insmod" && [ "$(said $function)" -eq 1 ] || { log "$(cat "$WORK/insmod")"; return 1; }
		give_back
	done
}

# refused KIND VALUE: an object of a message is looked at, and wrong.
refused() {
	on hostA "$TOP/selftests/message.py" try "$(addr hostA x)" "$(addr hostB x)" "$@" >"$WORK/try"
	grep -qx EINVALIDLOCATOR "$WORK/try"
}

test_send() {
	take inet6_sendmsg
	works || return 1
	refused PEER 2001:db8:ffff::1 && { log "somebody looked at the message"; return 1; }
	[ "$(said inet6_sendmsg)" -eq 1 ] || { log "said $(said inet6_sendmsg) times"; return 1; }
	give_back
	wait_until 20000 refused PEER 2001:db8:ffff::1 || { log "$(cat "$WORK/try")"; return 1; }
}

test_receive() {
	take inet6_recvmsg
	busy LOC_LOCAL_RECV && busy LOC_PEER_RECV && busy IF_RECV && works || return 1
	[ "$(said inet6_recvmsg)" -eq 1 ] || { log "said $(said inet6_recvmsg) times"; return 1; }
	give_back
	wait_until 20000 option set LOC_LOCAL_RECV 1 || { log "$(cat "$WORK/option")"; return 1; }
	told
}

# Who came first keeps it.
test_first() {
	local function
	for function in sock_common_setsockopt sock_common_getsockopt inet6_sendmsg inet6_recvmsg; do
		if insmod "$TAKER" function=$function 2>"$WORK/insmod"; then
			log "$function() was taken"
			return 1
		fi
		grep -q 'resource busy' "$WORK/insmod" || { log "$(cat "$WORK/insmod")"; return 1; }
	done
	told
}

# told: a datagram comes with the locators that it came by.
told() {
	bg hostB "$TOP/selftests/message.py" receive "$(addr hostB x)" "$(addr hostA x)" 7000 1 >"$WORK/receive"
	wait_until 30000 grep -q ready "$WORK/receive" || { log "no receiver"; return 1; }
	on hostA "$TOP/selftests/message.py" send-plain "$(addr hostA x)" "$(addr hostB x)" 7000
	wait_until 10000 grep -qE '^plain [0-9a-f:]+ [0-9a-f:]+ [0-9]+$' "$WORK/receive" ||
		{ log "$(cat "$WORK/receive")"; return 1; }
}

lib_init
ktap_begin 5
test_load; ktap_result $? "the module does not load, and says which function is not free"
topology_up
shim_up
establish || die "no context"
test_send; ktap_result $? "functions that send are another's: options work, ancillary data when it is gone"
test_receive; ktap_result $? "functions that receive are another's: EBUSY, until it is gone"
test_first; ktap_result $? "a live patch of what the module has does not load"
nobody
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
