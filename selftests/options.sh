#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The socket options of RFC 6316 section 6 act on the context of a socket's
# addresses: each is set through setsockopt(), and its effect is seen in where
# packets go, in what the peer is told, or in when a failure is found. (What they
# answer is for sockopt.sh.)
. "$(dirname "$0")/lib.sh"

A_X=; A_Y=; B_X=; B_Y=

# option get|set NAME [VALUE...], on host A
option() { on hostA "$TOP/selftests/option.py" "$A_X" "$B_X" "$@"; }

# answers TEXT get|set NAME [VALUE...]: that is what is printed, spaces for lines.
answers() {
	local want=$1 got; shift
	got=$(option "$@" | tr '\n' ' ')
	[ "${got% }" = "$want" ] && return
	log "$*: '${got% }', not '$want'"
	return 1
}

# goes LOCAL PEER: host A's packets are sent between these.
goes() { [ "$(pair_of hostA)" = "$1 $2" ]; }

# pair_of HOST: the locators of its context now; its ULIDs without "via".
pair_of() {
	contexts "$1" | awk '{ l = $1; p = $3; for (i = 4; i < NF; i++) if ($i == "via") { l = $(i + 1); p = $(i + 3) } print l, p }'
}

moves_to() { wait_until 3000 goes "$1" "$2" || { log "goes $(pair_of hostA)"; return 1; }; }

# locators_at_b: Ls(peer) of host A, in one line.
locators_at_b() {
	shimctl hostB context show "$B_X" "$A_X" --json | tr -d ' \n' |
		sed 's/.*"peer_locators":\[\([^]]*\)\].*/\1/' | grep -o '"addr":"[^"]*"' | awk -F'"' '{ print $4 }' | tr '\n' ' '
}

told() { local all="$*"; [ "$(locators_at_b)" = "$all " ]; } # LOCATOR...

# preferences_at_b: the same with what host A told of them, in Locator Preferences.
preferences_at_b() {
	shimctl hostB context show "$B_X" "$A_X" --json | python3 -c '
import json, sys
context = json.load(sys.stdin)
print(*(l["addr"] + "," + str(l["priority"]) for l in context["peer_locators"]))'
}

preferred() { [ "$(preferences_at_b)" = "$*" ]; } # LOCATOR,PRIORITY...

start_traffic() {
	bg hostB python3 "$TOP/demo/udp.py" echo "$B_X" 9000 >"$WORK/echo"
	ECHO=$BG
	wait_until 10000 grep -q ready "$WORK/echo" || die "echo server"
	bg hostA python3 "$TOP/demo/udp.py" ping "$A_X" "$B_X" 9000 20 >"$WORK/ping"
	PING=$BG
}

stop_traffic() { stop "$PING"; stop "$ECHO"; log "$(tail -1 "$WORK/ping")"; }

test_preferences() {
	answers "$A_X,0,0" get LOC_LOCAL_PREF && answers "$B_X,0,0" get LOC_PEER_PREF || return 1
	# Of equal pairs the one with the longer common prefix (RFC 6724 rule 8).
	option set LOC_LOCAL_PREF "$A_X,7,0" && moves_to "$A_Y" "$B_Y" || return 1
	wait_until 3000 preferred "$A_X,7" "$A_Y,0" || { log "the peer was not told: $(preferences_at_b)"; return 1; }
	answers "$A_Y,0,0" get LOC_LOCAL_PREF &&
		answers "$A_X,7,0 $A_Y,0,0" get LOCLIST_LOCAL || return 1
	option set LOC_PEER_PREF "$B_Y,3,0" && moves_to "$A_Y" "$B_X" || return 1
	answers "$B_X,0,0" get LOC_PEER_PREF || return 1
	option set LOC_PEER_PREF "$B_Y,0,0" && option set LOC_LOCAL_PREF "$A_X,0,0" &&
		moves_to "$A_X" "$B_X"
}

# What the peer wishes counts, and less than what the application does (section 11.1).
test_peer_wishes() {
	on hostB "$TOP/selftests/option.py" "$B_X" "$A_X" set LOC_LOCAL_PREF "$B_X,9,0" &&
		moves_to "$A_Y" "$B_Y" && answers "$B_Y,0,0" get LOC_PEER_PREF || return 1
	option set LOC_PEER_PREF "$B_X,0,0" && moves_to "$A_X" "$B_X"
	local status=$?
	on hostB "$TOP/selftests/option.py" "$B_X" "$A_X" set LOC_LOCAL_PREF "$B_X,0,0" && return $status
}

test_lists() {
	answers "$A_X,0,0 $A_Y,0,0" get LOCLIST_LOCAL || return 1
	told "$A_X" "$A_Y" || { log "host B knows: $(locators_at_b)"; return 1; }
	option set LOCLIST_LOCAL "$A_Y" && moves_to "$A_Y" "$B_Y" || return 1
	wait_until 3000 told "$A_Y" || { log "the peer was not told"; return 1; }
	answers "$A_Y,0,0" get LOCLIST_LOCAL || return 1
	option set LOCLIST_PEER "$B_X" && moves_to "$A_Y" "$B_X" || return 1
	answers "$B_X,0,0" get LOCLIST_PEER || return 1
	option set LOCLIST_LOCAL "$A_X" "$A_Y,1" && option set LOCLIST_PEER "$B_X" "$B_Y,1" || return 1
	moves_to "$A_X" "$B_X" && wait_until 3000 told "$A_X" "$A_Y"
}

test_associated() { answers 1 get ASSOCIATED && answers 1 get CONTEXT_DEFERRED_SETUP; }

test_unverified() { # before anything was probed
	answers EUNVERIFIEDLOCATOR set LOCLIST_PEER "$B_Y" && answers "$B_X,0,0 $B_Y,0,0" get LOCLIST_PEER
}

# Without a packet between the two, and only when the administrator allows it.
test_asked() {
	local begun; begun=$(counter hostA tx_i1)
	answers 0 get ASSOCIATED && expect_same hostA tx_i1 "$begun" || return 1
	shim_sysctl hostA setup_when_asked 1
	answers ENOENT get APP_TIMEOUT && wait_until 5000 established hostA "$A_X" "$B_X" &&
		answers 1 get ASSOCIATED && expect_more hostA tx_i1 "$begun" 1
}

test_explore() {
	answers "4 15 0 500" get PATHEXPLORE || return 1
	option set PATHEXPLORE 7 0 2 250 && answers "7 15 2 250" get PATHEXPLORE &&
		option set PATHEXPLORE 0 0 0 0 && answers "4 15 0 500" get PATHEXPLORE
}


# found_within MS: from the cut to the rehoming of both.
found_within() {
	local from; from=$(now_ms)
	wait_until "$1" moved_from x both || { log "not within $1 ms"; return 1; }
	log "moved within $(($(now_ms) - from)) ms"
}

# With RFC 5534's Send Timeout this would take 15 s.
test_timeout() {
	option set APP_TIMEOUT 1 && answers 1 get APP_TIMEOUT || return 1
	wait_until 3000 peer_told 1 || { log "the peer was not told"; return 1; }
	cut ispX
	found_within 4000
	local status=$?
	heal ispX
	option set APP_TIMEOUT 0 && answers 0 get APP_TIMEOUT && wait_until 15000 both_on x && return $status
}

# peer_told SECONDS: host B's Keepalive Timeout is host A's Send Timeout.
peer_told() {
	shimctl hostB context show "$B_X" "$A_X" --json | tr -d ' \n' | grep -q "\"keepalive_timeout_ms\":${1}000[,}]"
}

test_feedback() {
	local probes; probes=$(counter hostA tx_probe)
	option set FEEDBACK_NEGATIVE 1 && expect_more hostA tx_probe "$probes" 1 || return 1
	wait_until 3000 operational || return 1
	goes "$A_X" "$B_X" || { log "a working path was left"; return 1; }
	cut ispX
	option set FEEDBACK_NEGATIVE 1 || return 1
	found_within 4000
	local status=$?
	heal ispX
	return $status
}

# Where a path that died led to is known not to be reachable, until a probe of it is answered.
test_unreachable() {
	local unanswered name status=0
	unanswered=$(counter hostA check_unanswered)
	wait_until 15000 both_on x || return 1
	cut ispX
	option set FEEDBACK_NEGATIVE 1 && found_within 4000 || status=1
	for name in LOC_PEER_SEND LOC_PEER_PREF LOCLIST_PEER; do
		answers EUNREACHABLELOCATOR set $name "$B_X" || status=1
	done
	[ "$(on hostA "$TOP/selftests/message.py" try "$A_X" "$B_X" PEER "$B_X")" = EUNREACHABLELOCATOR ] || status=1
	wait_until 10000 risen hostA check_unanswered "$unanswered" || status=1
	heal ispX
	wait_until 10000 answers "" set LOC_PEER_SEND "$B_X" && return $status
}

# Who chooses for one side of a socket leaves the other one as somebody else chose it meanwhile.
test_at_once() {
	answers "0 0" at-once 6000 LOC_LOCAL_SEND "$A_X" "$A_Y" LOC_PEER_SEND "$B_X" "$B_Y"
}

operational() { contexts hostA | grep -q ' operational'; }

lib_init
ktap_begin 12
topology_up
module_load
for host in hostA hostB; do
	shim_addresses $host
	shim_sysctl $host prefer_interval_ms 2000
done
A_X=$(addr hostA x) A_Y=$(addr hostA y) B_X=$(addr hostB x) B_Y=$(addr hostB y)
test_asked; ktap_result $? "asking sets a context up, if that is wished"
start_traffic
wait_until 10000 established hostA "$A_X" "$B_X" || die "no context"
test_associated; ktap_result $? "with one: the socket is associated"
test_unverified; ktap_result $? "a locator that nobody probed is EUNVERIFIEDLOCATOR"
test_preferences; ktap_result $? "preferences move the packets"
test_peer_wishes; ktap_result $? "the application's preferences count more than the peer's"
test_lists; ktap_result $? "lists limit where packets go, and the peer is told"
test_at_once; ktap_result $? "choices for both sides of a socket may be made at once"
test_explore; ktap_result $? "parameters of exploration are in force"
test_timeout; ktap_result $? "APP_TIMEOUT finds a failure sooner, and the peer is told"
test_feedback; ktap_result $? "negative feedback asks the path, and leaves it when it does not answer"
test_unreachable; ktap_result $? "a locator that does not answer is EUNREACHABLELOCATOR, until it does"
stop_traffic
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
