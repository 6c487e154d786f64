#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Messages a stranger sends, malformed in every way, and a flood of good ones:
# nothing breaks, nothing stays allocated, each cause is counted, and who talks
# goes on talking.
. "$(dirname "$0")/lib.sh"

STRANGER=$PREFIX_X:a::1		# ispX itself, on hostA's link

# stranger CASE: prints "answers" of selftests/stranger.py
stranger() { on ispX "$TOP/selftests/stranger.py" "$STRANGER" "$(addr hostA x)" "$1" | tee "$WORK/stranger" | sed 's/^/# /'; }
answered() { grep -q "\"$1\":" "$WORK/stranger"; }
answers() { grep -o "\"$1\": [0-9]*" "$WORK/stranger" | grep -o '[0-9]*$' || echo 0; }

# rejects: the sum of the counters of hostA that count a reject's cause.
rejects() { shimctl hostA stats | awk -v causes="$REJECTS" '$1 ~ causes { n += $2 } END { print n + 0 }'; }
REJECTS='^(rx_bad_|rx_unknown_|rx_critical_|rx_foreign_|rx_malformed|rx_error_unmatched|rx_not_our_ulid'
REJECTS+='|rx_pds_|control_unknown_tag|.*_unexpected|validator_)'

no_new_context() { [ "$(contexts hostA)" = "$CONTEXTS" ]; }

test_rejected() { # CASE LEAST: counted, unanswered but for R1bis and Error, no state
	local before; before=$(rejects)
	stranger "$1"
	wait_until 2000 rejects_above $((before + $2 - 1)) ||
		{ log "rejects rose by $(($(rejects) - before)) of $2"; return 1; }
	no_new_context && ! answered R1 && ! answered R2
}
rejects_above() { [ "$(rejects)" -gt "$1" ]; }

# However slow the machine is, it is flooded faster than that.
test_flood() {
	shim_sysctl hostA r1_per_second 1
	stranger flood
	shim_sysctl hostA r1_per_second 100
	log "$(answers R1) R1 for 2000 I1"
	no_new_context && [ "$(answers R1)" -ge 1 ] && [ "$(answers R1)" -lt 2000 ]
}

# test_nested CASE: who is on the path knows the tag, and gains nothing by a header within a
# header, wherever they stand.
test_nested() {
	local before restored slow tag
	before=$(counter hostA rx_nested) restored=$(counter hostA rx_restored) slow=$(counter hostA rx_slow)
	tag=$(tag_of hostA "$(addr hostA x)" "$(addr hostB x)")
	on ispX "$TOP/selftests/packet.py" "$(addr hostB x)" "$(addr hostA x)" "$1" "$tag" &&
		wait_until 5000 risen hostA rx_nested "$before" && expect_same hostA rx_restored "$restored" &&
		expect_same hostA rx_slow "$slow" && no_new_context
}

test_alive() {
	establish && no_new_context
}

lib_init
ktap_begin 14
topology_up
shim_up
shim_sysctl hostA r1_per_second 100
establish || die "no context"
CONTEXTS=$(contexts hostA)

stranger i1; answered R1; ktap_result $? "a good I1 is answered with R1"
test_rejected truncated 20; ktap_result $? "truncated messages"
test_rejected oversized 4; ktap_result $? "lengths beyond the message"
test_rejected checksum 16; ktap_result $? "wrong checksums"
stranger critical; answered Error && [ "$(answers R1)" -eq 1 ]
ktap_result $? "an unknown option: critical is answered with Error, the other skipped"
test_rejected unknown 7; ktap_result $? "unknown types"
test_rejected stateless 20; ktap_result $? "messages about contexts nobody has"
test_rejected payload 50; ktap_result $? "payload with unknown tags"
test_nested nested; ktap_result $? "a payload header behind a payload header"
test_nested behind; ktap_result $? "and both behind another header"
test_rejected noise 1000; ktap_result $? "random bytes"
test_flood; ktap_result $? "a flood of I1 leaves no state, and R1 are limited"
test_alive; ktap_result $? "the context in use has not noticed"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
