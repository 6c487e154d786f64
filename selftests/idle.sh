#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A context that nobody uses goes; one that an open connection uses stays, however
# silent: a connection that was moved would otherwise go back to a dead path.
. "$(dirname "$0")/lib.sh"

PORT=8090

# say WORD: over the connection, and back
say() {
	local word
	echo "$1" >&"$TO"
	read -rt $((10 * SLOW)) word <&"$FROM" && [ "$word" = "$1" ] && return
	log "no echo of $1"
	return 1
}

connection() {
	bg hostB "$TOP/selftests/chat.py" serve "$(addr hostB x)" $PORT >"$WORK/serve"
	wait_until 10000 grep -q ready "$WORK/serve" || return 1
	coproc CHAT { exec ip netns exec hostA "$TOP/selftests/chat.py" talk "$(addr hostA x)" "$(addr hostB x)" $PORT; }
	TO=${CHAT[1]} FROM=${CHAT[0]} CLIENT=$CHAT_PID
	LIB_PIDS+=("$CLIENT")
	say hello
}

test_moved() {
	cut ispX
	say moved && both_on y
}

# held HOST TIMES
held() { [ "$(counter "$1" context_held)" -ge "$2" ]; }

test_silence() {
	local host
	for host in hostA hostB; do
		shim_sysctl $host prefer_interval_ms 3600000
		shim_sysctl $host gc_idle_ms 2000
	done
	# A timer that was set before goes by what was then.
	say "and silence" || return 1
	# Each time is a whole life of an unused context.
	wait_until 60000 held hostA 3 && wait_until 60000 held hostB 3 || { log "not held"; return 1; }
	both_on y || { log "not where it was"; return 1; }
	say "still here"
}

none() { ! contexts hostA | grep -q ' tag ' && ! contexts hostB | grep -q ' tag '; }

test_closed() {
	kill "$CLIENT"
	wait "$CLIENT" 2>/dev/null
	wait_until 60000 none || { log "still there"; return 1; }
	[ "$(counter hostA context_idle)" -ge 1 ]
}

lib_init
ktap_begin 5
topology_up
shim_up
connection && establish; ktap_result $? "a connection and its context"
test_moved; ktap_result $? "its path dies, it moves"
test_silence; ktap_result $? "it is silent for long, and goes on where it was"
test_closed; ktap_result $? "it is closed, and the contexts go"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
