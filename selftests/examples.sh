#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The programs of examples/ do what they say, and say what went wrong.
. "$(dirname "$0")/lib.sh"

EXAMPLES=$TOP/build/examples
A_X=; A_Y=; B_X=; B_Y=

# lines FILE: a numbered line fifty times a second, noted in FILE, until FILE.end is there.
lines() {
	local n=0
	while [ ! -e "$1.end" ]; do
		n=$((n + 1))
		echo "line $n" | tee -a "$1"
		read -rt 0.02 <> <(:) || :
	done
}

# cat_start OPTION...: host A's shimcat, what it sends comes back from host B's.
cat_start() {
	rm -f "$WORK"/sent* "$WORK"/back "$WORK"/loop
	mkfifo "$WORK/loop"
	ip netns exec hostB "$EXAMPLES/shimcat" -l "$B_X" 7100 <>"$WORK/loop" >"$WORK/loop" 2>"$WORK/cat.B" &
	CAT_B=$!
	LIB_PIDS+=("$CAT_B")
	wait_until 10000 listens 7100 || return 1
	lines "$WORK/sent" | on hostA "$EXAMPLES/shimcat" "$@" "$B_X" 7100 >"$WORK/back" 2>"$WORK/cat.A" &
	CAT_A=$!
	wait_until 10000 established hostA "$A_X" "$B_X"
}

listens() { on hostB ss -Hnlt sport = ":$1" | grep -q .; }

# told A|B PAIR: the last rehoming that host's shimcat noticed was to that pair.
told() { tail -n 1 "$WORK/cat.$1" | grep -qx "shimcat: now received over $2"; }

# cat_end: everything came back, and both end well.
cat_end() {
	local status
	touch "$WORK/sent.end"
	wait_until 10000 cmp -s "$WORK/sent" "$WORK/back"; status=$?
	[ $status -eq 0 ] || log "sent $(wc -l <"$WORK/sent") lines, $(wc -l <"$WORK/back") came back"
	stop "$CAT_B"
	wait "$CAT_A" || { log "shimcat: status $?"; status=1; }
	sed 's/^/# A: /' "$WORK/cat.A"
	sed 's/^/# B: /' "$WORK/cat.B"
	return $status
}

test_cat() {
	local status=1
	cat_start && wait_until 10000 told A "$B_X -> $A_X" && cut ispX && {
		wait_until 10000 told A "$B_Y -> $A_Y"; status=$?
		heal ispX
		wait_until 15000 told A "$B_X -> $A_X" || status=1
	}
	cat_end && return $status
}

test_cat_prefers() {
	cat_start -S "$A_Y" -D "$B_Y" && wait_until 10000 told B "$A_Y -> $B_Y"; local status=$?
	cat_end && return $status
}

# The peer was not reached at its second locator: asking for it has it tried.
test_cat_pins() {
	local status
	cat_start -s "$A_Y" -d "$B_Y" && wait_until 10000 told B "$A_Y -> $B_Y"; status=$?
	on_pair hostA "$A_X" "$B_X" || { log "the context moved"; status=1; }
	cat_end && return $status
}

echo_start() { # OPTION...
	bg hostB "$EXAMPLES/udpecho" "$@" "$B_X" 7101 >"$WORK/echo" 2>"$WORK/echo.err"
	ECHO=$BG
	wait_until 10000 grep -q ready "$WORK/echo.err"
}

came_over() { tail -n 1 "$WORK/echo" | grep -q " over $1\$"; }

enough() { [ "$(wc -l <"$WORK/echo")" -ge "$1" ]; }

# With the pair that stands by a cut costs few answers: not 16 in 150.
test_steady() {
	local switched; switched=$(counter hostA standby_switched)
	echo_start -b || return 1
	bg hostA "$EXAMPLES/steady" -i 100 -w 300 "$B_X" 7101 >"$WORK/steady"
	local client=$BG status
	wait_until 15000 grep -q 'stands by' "$WORK/steady" && wait_until 10000 counts standby_confirmed 2 || return 1
	cut ispX
	wait_until 10000 came_over "$A_Y -> $B_Y"; status=$?
	heal ispX
	wait_until 15000 enough 150 || { log "the answers ended"; status=1; }
	kill "$client"
	wait "$client" || { log "steady: status $?"; status=1; }
	sed 's/^/# /' "$WORK/steady"
	stop "$ECHO"
	awk '/ requests, / { few = $3 <= 15 } END { exit !few }' "$WORK/steady" &&
		expect_more hostA standby_switched "$switched" 1 && return $status
}

counts() { [ "$(counter hostA "$1")" -ge "$2" ]; }

test_echo_chooses() {
	local chosen; chosen=$(counter hostB tx_chosen)
	echo_start -s "$B_Y" || return 1
	on hostA "$EXAMPLES/steady" -i 10 -n 100 "$B_X" 7101 >"$WORK/steady"; local status=$?
	stop "$ECHO"
	expect_more hostB tx_chosen "$chosen" 100 && return $status
}

says() { # SENTENCE PROGRAM ARGUMENT...
	local want=$1 got; shift
	got=$(on hostA "$EXAMPLES/$1" "${@:2}" 2>&1 </dev/null) && { log "$*: no error"; return 1; }
	[ "$got" = "${1}: $want" ] && return
	log "$*: '$got'"
	return 1
}

test_errors() {
	echo_start || return 1
	says "'x' is not an IPv6 address" shimcat -d x "$B_X" 7100 &&
		says "'x' is not an IPv6 address" udpecho -s x ::1 7100 &&
		says "usage: udpecho [-b | -s LOCATOR] HOST PORT" udpecho -b -s ::1 ::1 7100 &&
		says "'0' must be between 1 and 1000000" steady -i 0 "$B_X" 7101 &&
		says "connect to $B_X port 7109: Connection refused" shimcat "$B_X" 7109 &&
		on hostA "$EXAMPLES/steady" -i 10 -n 50 "$B_X" 7101 >/dev/null || return 1
	stop "$ECHO"
	bg hostB "$EXAMPLES/shimcat" -l "$B_X" 7100
	wait_until 10000 listens 7100 &&
		says "2001:db8::1: Not a locator of this context" shimcat -s 2001:db8::1 "$B_X" 7100
}

test_without_module() {
	says "SHIM_APP_TIMEOUT: there is no shim here, the module shim6 is not loaded" \
		steady -n 1 "$B_X" 7101
}

lib_init
ktap_begin 8
topology_up
shim_up
A_X=$(addr hostA x) A_Y=$(addr hostA y) B_X=$(addr hostB x) B_Y=$(addr hostB y)
test_cat_pins; ktap_result $? "shimcat: a pinned connection takes its pair, the others stay"
test_cat; ktap_result $? "shimcat: a rehoming and the return are told, nothing is lost"
test_steady; ktap_result $? "steady: with a pair that stands by a cut costs few answers; udpecho -b follows"
test_echo_chooses; ktap_result $? "udpecho: answers from the locator chosen"
# The wish outlives its socket, as long as the context has no other.
test_cat_prefers; ktap_result $? "shimcat: a preferred pair is taken"
test_errors; ktap_result $? "errors are one sentence each"
module_unload
test_without_module; ktap_result $? "without the module there is a sentence for that"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
