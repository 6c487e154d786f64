#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# An attacker on the path changes what two hosts say to each other, and sends that as
# well: FUZZ messages of all types (default 20000), from SEED. Nothing breaks, nobody's
# stream is changed or ended, no locator is used that is not the peer's, and no more is
# left of it than a few contexts.
. "$(dirname "$0")/lib.sh"

FUZZ=${FUZZ:-20000}
SEED=${SEED:-5533}
PORT=8080
BYTES=$((4 << 20))
RATE=$(((512 << 10) / SLOW))
A_X=; A_Y=; B_X=; B_Y=

# Streams one after the other, both ways over the context, until the fuzzer has ended. The
# fuzzer has its turn before these: they would be all that a slow kernel comes to.
streams() {
	renice -n 19 -p "$BASHPID" >/dev/null
	while [ ! -e "$WORK/fuzzed" ]; do
		on hostA "$TOP/selftests/traffic.py" tcp-fetch "$A_X" "$B_X" $PORT $BYTES \
			>>"$WORK/fetch" 2>"$WORK/progress" || echo failed >>"$WORK/fetch"
	done
}

prefer() { on hostA "$TOP/selftests/option.py" "$A_X" "$B_X" set LOC_LOCAL_PREF "$A_X,$1,0"; }

# Host A's preferred source changes all the time, so there are probes, updates and payload
# messages to change; host B stays with provider X, where the attacker is.
restless() {
	local turn=0
	renice -n 19 -p "$BASHPID" >/dev/null
	while [ ! -e "$WORK/fuzzed" ]; do
		on hostB "$TOP/selftests/option.py" "$B_X" "$A_X" set LOCLIST_LOCAL "$B_X"
		turn=$((9 - turn))
		prefer $turn
		read -rt 0.5 <> <(:) || :
	done >/dev/null 2>&1
}

test_fuzz() {
	local status others fuzzer
	# Of the handshake, an update, its answer, a probe, and payload.
	bg ispX "$TOP/build/selftests/fuzz_wire" "$FUZZ" "$SEED" $((60 * SLOW)) 1 2 3 4 64 65 67 128 >"$WORK/sent"
	fuzzer=$BG
	wait_until 10000 grep -q ready "$WORK/sent" || return 1
	streams &
	others=$!
	restless &
	others="$others $!"
	wait "$fuzzer"; status=$?
	touch "$WORK/fuzzed"
	# shellcheck disable=SC2086 # two numbers
	wait $others
	sed 's/^/# /' "$WORK/sent"
	return $status
}

test_streams() {
	log "$(grep -c '"equal": true' "$WORK/fetch") streams equal"
	! grep -v '"equal": true' "$WORK/fetch" && grep -q equal "$WORK/fetch"
}

# All locators that either host would send to are the other's.
test_locators() {
	local host other
	for host in "${HOSTS[@]}"; do
		other=hostB; [ $host = hostB ] && other=hostA
		contexts $host | grep -o ' via .*' | awk '{ print $4 }' |
			grep -vxF -e "$(addr $other x)" -e "$(addr $other y)" && return 1
		[ "$(contexts $host | wc -l)" -le 8 ] || { log "$(contexts $host | wc -l) contexts"; return 1; }
	done
	return 0
}

test_alive() { establish && prefer 0 && home; }

lib_init
ktap_begin 5
topology_up
shim_up
for host in "${HOSTS[@]}"; do
	shim_sysctl $host prefer_interval_ms 500
	# An R1bis with a changed validator begins a recovery that nobody answers: only when all
	# I2bis of it were sent is there an I1 again, which is up to 42 s by RFC 5533's timers.
	shim_sysctl $host i2bis_timeout_ms 500
done
# One side begins, so that all four messages are there.
shim_sysctl hostB setup_packets 1000000
A_X=$(addr hostA x) A_Y=$(addr hostA y) B_X=$(addr hostB x) B_Y=$(addr hostB y)
bg hostB nice -n 19 "$TOP/selftests/traffic.py" tcp-serve "$B_X" $PORT $BYTES $RATE >"$WORK/serve"
wait_until 10000 grep -q ready "$WORK/serve" || die "server"
# The guest's processors share one: a second would give half of it to what has its turn last.
[ $SLOW -eq 1 ] || one_cpu
test_fuzz; ktap_result $? "$FUZZ changed messages of seed $SEED"
test_streams; ktap_result $? "no stream was changed or ended"
test_locators; ktap_result $? "nobody sends to a locator that is not the peer's"
test_alive; ktap_result $? "both hosts talk on their first pair"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
