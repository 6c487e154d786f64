#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A UDP exchange outlives its path, for a cut of both directions and of each alone.
. "$(dirname "$0")/lib.sh"

# 1.5 s of 50 datagrams a second. In datagrams, as a busy machine makes the sender pause.
LOST_LIMIT=75

# lost_below FILE N: by the last line of udp.py ping.
lost_below() {
	tail -1 "$1" | grep -o '"lost": *[0-9]*' | grep -o '[0-9]*$' | awk -v limit="$2" -v slow="$SLOW" '
		{ seen = 1; if ($1 > limit * slow) { print "# too many"; bad = 1 } } END { exit bad || !seen }'
}

test_cut() { # both|AB|BA
	local before back ping had
	home || return 1
	before=$(counter hostA tx_rewritten) back=$(counter hostA reap_operational)
	bg hostA python3 "$TOP/demo/udp.py" ping "$(addr hostA x)" "$(addr hostB x)" 9000 20 >"$WORK/ping"
	ping=$BG
	wait_until 10000 echoes_above "$WORK/ping" 50 || { log "no exchange"; return 1; }
	cut ispX "$1"
	wait_until 10000 moved_from x "$1" || { log "nobody moved"; heal ispX; stop "$ping"; return 1; }
	had=$(echoes "$WORK/ping")
	wait_until 10000 echoes_above "$WORK/ping" $((had + 20)) || log "no echoes after the move"
	stop "$ping"
	heal ispX
	log "$(tail -1 "$WORK/ping")"
	lost_below "$WORK/ping" $LOST_LIMIT || return 1
	expect_more hostA reap_operational "$back" 1 || return 1
	[ "$1" = BA ] || expect_more hostA tx_rewritten "$before" 10
}

lib_init
ktap_begin 5
topology_up
shim_up
bg hostB python3 "$TOP/demo/udp.py" echo "$(addr hostB x)" 9000 >"$WORK/echo"
wait_until 10000 grep -q ready "$WORK/echo" || die "echo server"
establish; ktap_result $? "a context is set up by the traffic"
for direction in both AB BA; do
	test_cut $direction
	ktap_result $? "UDP outlives a cut of provider X, direction $direction"
done
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
