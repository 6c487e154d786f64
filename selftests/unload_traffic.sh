#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module is loaded and unloaded again and again while programs talk: as soon as it is
# there, with one host or both multihomed, with a context, also a rehomed one. Unload is never
# refused, the kernel log stays clean, and those who talk over the identifiers' own path do
# not lose a byte.
. "$(dirname "$0")/lib.sh"

ROUNDS=${ROUNDS:-20}
RATE=$(((2 << 20) / SLOW))
PORT=8080

# What a round does before the module goes again: so many of these.
STEPS=('module_load' 'shim_host hostA' 'shim_host hostB' 'wait_until 10000 both_established')

cycle() { # ROUND
	local step
	for step in "${STEPS[@]:0:$1 % ${#STEPS[@]} + 1}"; do
		$step || return 1
	done
	module_unload
}

test_cycles() {
	local i client
	: >"$WORK/progress"
	bg hostA "$TOP/selftests/traffic.py" tcp-fetch "$(addr hostA x)" "$(addr hostB x)" $PORT 0 \
		>"$WORK/fetch" 2>"$WORK/progress"
	client=$BG
	bg hostA python3 "$TOP/demo/udp.py" ping "$(addr hostA x)" "$(addr hostB x)" 9000 $((2 * SLOW)) >"$WORK/ping"
	PING=$BG
	wait_until 60000 has_bytes "$WORK/progress" 1 && wait_until 60000 echoes_above "$WORK/ping" 0 ||
		{ log "nobody talks"; return 1; }
	# Whoever loads and unloads has his turn first, they have the rest: they would be all that a
	# slow kernel comes to.
	renice -n 19 -p "${LIB_PIDS[@]}" >/dev/null || return 1
	for ((i = 1; i <= ROUNDS; i++)); do
		cycle $i || { log "round $i"; return 1; }
		((i % 50)) || log "$i rounds"
	done
	kill -0 "$client" 2>/dev/null || { log "the transfer ended: $(cat "$WORK/fetch")"; return 1; }
	local had; had=$(stat -c %s "$WORK/progress")
	wait_until 60000 has_bytes "$WORK/progress" $((had + 8)) || { log "the transfer stands still"; return 1; }
	log "$ROUNDS rounds, $(stat -c %s "$WORK/progress") times 64 KiB, $(echoes "$WORK/ping") echoes"
	whole "$SERVE" "$client"
}

# Unload in the middle of a rehomed life.
test_rehomed() {
	module_load && shim_host hostA && shim_host hostB || return 1
	wait_until 10000 both_established || return 1
	cut ispX
	wait_until 10000 both_on y || { log "nobody moved"; heal ispX; return 1; }
	module_unload; local status=$?
	heal ispX
	local had; had=$(echoes "$WORK/ping")
	wait_until 10000 echoes_above "$WORK/ping" $((had + 100)) || { log "no echoes"; return 1; }
	return $status
}

# Without the module nobody answers protocol 140 but the kernel itself.
test_gone() {
	! module_loaded && ! on hostA sysctl -n net.shim6.send_timeout_ms >/dev/null 2>&1
}

lib_init
one_cpu
ktap_begin 4
topology_up
shim_up
bg hostB "$TOP/selftests/traffic.py" tcp-serve "$(addr hostB x)" $PORT 0 $RATE >"$WORK/serve"
SERVE=$BG
bg hostB python3 "$TOP/demo/udp.py" echo "$(addr hostB x)" 9000 >"$WORK/echo"
wait_until 10000 grep -q ready "$WORK/serve" || die "server"
module_unload || die "unload"
test_cycles; ktap_result $? "$ROUNDS loads and unloads under traffic"
test_rehomed; ktap_result $? "unload with a rehomed context in use"
test_gone; ktap_result $? "nothing is left"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
