#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Two processors at the same context for HAMMER seconds (default 20), or as long as three
# rounds take: packets and lookups on the one; changes, updates and its deletion, again and
# again, on the other. A TCP transfer goes through it all and is whole.
. "$(dirname "$0")/lib.sh"

HAMMER=${HAMMER:-20}
RATE=$((512 << 10))
PORT=8080
BLOWS=()

# blow HOST CPU WHAT...: one of those who hammer; he has begun.
blow() {
	local host=$1 at=${#BLOWS[@]}; shift
	# Who changes the context has his turn before those.
	bg "$host" nice -n 19 "$TOP/selftests/hammer.py" "$@" >"$WORK/blow.$at" 2>"$WORK/error.$at"
	BLOWS+=("$BG")
	wait_until 60000 grep -q begun "$WORK/blow.$at" || log "$* did not begin"
}

# ends: they all end in good order, and did something.
ends() {
	local pid at=0 status=0
	for pid in "${BLOWS[@]}"; do kill "$pid" 2>/dev/null; done
	for pid in "${BLOWS[@]}"; do
		wait "$pid" || { log "$at: $(tail -1 "$WORK/error.$at")"; status=1; }
		log "$(cat "$WORK/blow.$at")"
		grep -qE ' [1-9][0-9]*$' "$WORK/blow.$at" || status=1
		at=$((at + 1))
	done
	BLOWS=()
	return $status
}

# The policy takes the context away by its identifier, and lets it begin anew; in between it
# changes what the peer is told.
churn() {
	local turn until=$(($(now_ms) + HAMMER * 1000)) round=0
	while (($(now_ms) < until || round < 3)); do
		for turn in "locator $(addr hostA x) exclude" "" "locator $(addr hostA y) priority $((round % 9)) weight 1" \
			"locator $(addr hostA y) exclude" ""; do
			shimctl hostA policy load - <<<"$turn" || return 1
			shimctl hostA context list >/dev/null
		done
		wait_until 15000 established hostA "$(addr hostA x)" "$(addr hostB x)" || { log "no context any more"; return 1; }
		round=$((round + 1))
	done
	log "$round rounds"
	ROUNDS=$round
}

test_hammer() {
	local x=("$(addr hostA x)" "$(addr hostB x)" 9000) back=("$(addr hostB x)" "$(addr hostA x)" 9000) gone updates status
	gone=$(counter hostA ulid_gone) updates=$(counter hostA tx_update)
	bg hostA "$TOP/selftests/traffic.py" tcp-fetch "$(addr hostA x)" "$(addr hostB x)" $PORT \
		$((HAMMER * RATE)) >"$WORK/fetch" 2>/dev/null
	FETCH=$BG
	blow hostA 0 send "${x[@]}"
	blow hostA 0 ask "${x[@]}"
	blow hostB 0 send "${back[@]}"
	blow hostA 1 wish "${x[@]}"
	blow hostB 1 wish "${back[@]}"
	blow hostB 1 run "$SHIMCTL" context list
	churn; status=$?
	expect_more hostA ulid_gone "$gone" "$ROUNDS" || status=1
	expect_more hostA tx_update "$updates" "$ROUNDS" || status=1
	return $status
}

test_transfer() {
	wait "$FETCH"
	local status=$?
	log "$(cat "$WORK/fetch")"
	return $status
}

# Nothing is left of all these contexts where the sets went.
test_nothing_left() {
	local host
	for host in "${HOSTS[@]}"; do forget "$host"; done
	for host in "${HOSTS[@]}"; do
		wait_until 10000 eval "[ -z \"\$(contexts $host)\" ]" || { log "$host: $(contexts "$host")"; return 1; }
	done
	module_unload
}

lib_init
ktap_begin 6
topology_up
shim_up
bg hostB "$TOP/selftests/traffic.py" tcp-serve "$(addr hostB x)" $PORT $((HAMMER * RATE)) $RATE >"$WORK/serve"
wait_until 30000 grep -q ready "$WORK/serve" || die "no server"
establish; ktap_result $? "a context is set up"
test_hammer; ktap_result $? "packets, lookups, changes and deletions at once"
ends; ktap_result $? "everybody did his part"
test_transfer; ktap_result $? "the transfer is whole"
test_nothing_left; ktap_result $? "no context is left, and the module goes"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
