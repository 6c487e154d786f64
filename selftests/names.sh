#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "the existing sockets API deals with identifiers" (RFC 6316 section 10): the calls
# that name addresses name these, before and after a rehoming, on both hosts, and so
# does the error queue, which has nothing of SOL_SHIM.
. "$(dirname "$0")/lib.sh"

A_X=; B_X=

answered() { [ "$(tail -n 1 "$WORK/ask" | awk '{ print $2 + 0 }')" -ge "$1" ]; }
last() { tail -n 1 "$WORK/ask" | awk '{ print $2 + 0 }'; }

# goes_on COUNT: so many more messages are answered, and nobody has complained.
goes_on() {
	wait_until 20000 answered $(($(last) + $1)) || { log "no more after $(last)"; return 1; }
	[ ! -s "$WORK/ask.err" ] && [ ! -s "$WORK/serve.err" ]
}

test_before() {
	bg hostB "$TOP/selftests/names.py" serve "$B_X" "$A_X" 7200 >"$WORK/serve" 2>"$WORK/serve.err"
	SERVER=$BG
	wait_until 10000 grep -q ready "$WORK/serve" || return 1
	bg hostA "$TOP/selftests/names.py" ask "$A_X" "$B_X" 7200 >"$WORK/ask" 2>"$WORK/ask.err"
	CLIENT=$BG
	wait_until 15000 established hostA "$A_X" "$B_X" && wait_until 5000 established hostB "$B_X" "$A_X" &&
		goes_on 20
}

test_after() {
	local a b
	cut ispX
	wait_until 10000 both_on y || { log "nobody moved"; return 1; }
	a=$(counter hostA tx_rewritten) b=$(counter hostB tx_rewritten)
	goes_on 50 && expect_more hostA tx_rewritten "$a" 100 && expect_more hostB tx_rewritten "$b" 100
}

test_ss() {
	local line
	line=$(on hostA ss -Hnt6 state established dport = :7200)
	log "$line"
	case $line in
	*"[$A_X]:"*" [$B_X]:7200"*) return 0 ;;
	*) return 1 ;;
	esac
}

# The error of host B comes over the other path as well.
test_errors() {
	local said translated; translated=$(counter hostA rx_restored)
	said=$(on hostA "$TOP/selftests/names.py" refused "$A_X" "$B_X" 7209)
	log "$said"
	[ "$said" = "111 $B_X $B_X 41" ] && expect_more hostA rx_restored "$translated" 1
}

complaints() { cat "$WORK"/*.err | sed 's/^/# /'; }

lib_init
ktap_begin 5
topology_up
shim_up
for host in hostA hostB; do shim_sysctl $host prefer_interval_ms 3600000; done
A_X=$(addr hostA x) B_X=$(addr hostB x)
test_before; ktap_result $? "names are identifiers"
test_after; ktap_result $? "they are after a rehoming"
test_ss; ktap_result $? "ss shows them"
test_errors; ktap_result $? "the error queue names them, and nothing of the shim"
stop "$CLIENT"
stop "$SERVER"
complaints
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
