#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# SHIM_HOT_STANDBY (RFC 6316 section 6.3): a second pair is probed on the wire,
# at its interval and as long as it is wished and there is traffic; when the pair
# in use fails it takes over without an exploration.
. "$(dirname "$0")/lib.sh"

BYTES=$((6 << 20))
RATE=$((2 << 20))
PORT=8080
A_X=; A_Y=; B_X=; B_Y=

# option get|set NAME [VALUE...], on host A
option() { on hostA "$TOP/selftests/option.py" "$A_X" "$B_X" "$@"; }

answers() { # TEXT get|set NAME [VALUE...]
	local want=$1 got; shift
	got=$(option "$@")
	[ "$got" = "$want" ] || { log "$*: '$got', not '$want'"; return 1; }
}

start_traffic() {
	bg hostA python3 "$TOP/demo/udp.py" ping "$A_X" "$B_X" 9000 20 >"$WORK/ping"
	PING=$BG
}

stop_traffic() { stop "$PING"; }

operational() { contexts hostA | grep -q ' operational'; }
at_home() { both_on x && operational && contexts hostB | grep -q ' operational'; }
go_home() { wait_until 20000 at_home || { log "not back: $(contexts hostA)"; return 1; }; }

more_than() { [ "$(counter "$1" "$2")" -gt "$3" ]; } # HOST NAME COUNT
# confirmed_again: the pair that stands by answered in a round from its beginning.
confirmed_again() {
	local before; before=$(counter hostA standby_confirmed)
	wait_until 5000 more_than hostA standby_confirmed "$((before + 1))" || { log "nothing stands by"; return 1; }
}

# probes_to LOCAL PEER: Probes in the capture from host A between these.
probes_to() { # the type of a control message is the third octet of its header
	on hostA tcpdump -nr "$WORK/probes.pcap" \
		"src $1 and dst $2 and ip6[42] & 0x7f == 67" 2>/dev/null | wc -l
}

# capture COUNT: until host A sent so many Probes to any address.
capture() {
	rm -f "$WORK/probes.pcap"
	bg hostA tcpdump -ni any -U --immediate-mode -c "$1" -w "$WORK/probes.pcap" \
		"outbound and ip6 proto $PROTO_SHIM6" 2>"$WORK/tcpdump"
	CAPTURE=$BG
	wait_until 10000 grep -q listening "$WORK/tcpdump" || die "tcpdump"
}

has_ended() { ! kill -0 "$1" 2>/dev/null; }

test_option() {
	answers 0 get HOT_STANDBY && answers EINVAL set HOT_STANDBY 2 &&
		answers EINVAL set HOT_STANDBY -1 && answers 0 get HOT_STANDBY &&
		option set HOT_STANDBY 1 && answers 1 get HOT_STANDBY
}

test_probed() {
	local start ms disjoint current all
	start=$(now_ms)
	capture 20
	wait_until 30000 has_ended "$CAPTURE" || { log "no probes"; stop "$CAPTURE"; return 1; }
	ms=$(($(now_ms) - start))
	disjoint=$(probes_to "$A_Y" "$B_Y") current=$(probes_to "$A_X" "$B_X")
	log "in $ms ms $disjoint Probes over the disjoint pair, $current over the current one"
	# Ten rounds of an interval of 500 ms, a quarter less or more.
	[ "$disjoint" -ge 7 ] && [ "$current" -ge 7 ] &&
		[ $((disjoint + current)) -ge 18 ] && [ "$ms" -ge $((7 * 400)) ] &&
		[ "$(counter hostA reap_exploring)" = 0 ] && [ "$(counter hostB reap_exploring)" = 0 ] &&
		[ "$(counter hostA rehomed)" = 0 ] && [ "$(counter hostB rehomed)" = 0 ]
}

test_no_traffic() {
	local before
	stop_traffic
	wait_until 5000 quiet || { log "probes go on"; start_traffic; return 1; }
	before=$(counter hostA standby_probe)
	start_traffic
	wait_until 5000 more_than hostA standby_probe $((before + 1)) || { log "no probes with traffic"; return 1; }
}

# quiet: no Probe within two intervals.
quiet() {
	local before; before=$(counter hostA tx_probe)
	on hostA timeout 1.2 tcpdump -ni any -c 1 "outbound and ip6 proto $PROTO_SHIM6 and ip6[42] & 0x7f == 67" 2>/dev/null
	[ "$(counter hostA tx_probe)" = "$before" ]
}

test_off() {
	option set HOT_STANDBY 0 && answers 0 get HOT_STANDBY && wait_until 5000 quiet ||
		{ log "probes go on"; return 1; }
	option set HOT_STANDBY 1 && confirmed_again
}

# monitors_start: the events of both hosts, with their times.
declare -A MONITOR
monitors_start() {
	local host
	for host in hostA hostB; do
		bg "$host" "$SHIMCTL" monitor --json >"$WORK/events.$host" 2>"$WORK/monitor.$host"
		MONITOR[$host]=$BG
		wait_until 5000 grep -q listening "$WORK/monitor.$host" || die "monitor"
	done
}
monitors_stop() { stop "${MONITOR[hostA]}" INT; stop "${MONITOR[hostB]}" INT; }

# The emulator takes its time; without it this is a round trip and a half.
# after_switch MS: the last time host A's packets moved, host B's moved within MS after them:
# from then on data flows both ways.
after_switch() {
	local a b
	a=$(last_rehomed hostA) b=$(last_rehomed hostB)
	awk -v a="$a" -v b="$b" -v limit="$1" -v slow="$SLOW" 'BEGIN {
		ms = (b - a) / 1e6
		printf "# the peer followed after %.1f ms\n", ms
		exit !(a && b && ms <= limit * slow) }'
}
# found_within FROM_MS MS: from before the cut to host A's packets on another path.
found_within() {
	last_rehomed hostA | awk -v from="$1" -v limit="$2" -v slow="$SLOW" '{
		ms = $1 / 1e6 - from
		printf "# found and left %d ms after the cut was begun\n", ms
		ok = ms <= limit * slow }
		END { exit !ok }'
}
last_rehomed() {
	grep '"event": *"rehomed"' "$WORK/events.$1" | tail -1 | grep -o '"monotonic_ns": *[0-9]*' | grep -o '[0-9]*$'
}

test_feedback() {
	local switches status=0
	confirmed_again || return 1
	switches=$(counter hostA standby_switched)
	monitors_start
	cut ispX
	on hostA python3 "$TOP/selftests/option.py" "$A_X" "$B_X" set FEEDBACK_NEGATIVE 1
	# The call that says it moves the packets: nothing was waited for.
	[ "$(counter hostA standby_switched)" -eq $((switches + 1)) ] ||
		{ log "not at once"; status=1; }
	moved_from x AB || { log "host A still sends into the cut"; status=1; }
	wait_until 3000 moved_from x both || { log "host B did not follow"; status=1; }
	monitors_stop
	after_switch 250 || status=1
	heal ispX
	return $status
}

test_carrier() {
	local switches status=0
	go_home && confirmed_again || return 1
	switches=$(counter hostA standby_switched)
	monitors_start
	carrier hostA x down
	wait_until 3000 moved_from x both || { log "not moved"; status=1; }
	monitors_stop
	after_switch 250 || status=1
	expect_more hostA standby_switched "$switches" 1 || status=1
	carrier hostA x up
	return $status
}

test_silent_udp() {
	local switches unanswered from status=0
	go_home && confirmed_again || return 1
	switches=$(counter hostA standby_switched) unanswered=$(counter hostA standby_unanswered)
	monitors_start
	from=$(now_ms)
	cut ispX
	# The Send Timeout is 15 s.
	wait_until 5000 moved_from x both || { log "not found"; status=1; }
	monitors_stop
	found_within "$from" 1500 || status=1
	expect_more hostA standby_switched "$switches" 1 &&
		expect_more hostA standby_unanswered "$unanswered" 1 || status=1
	heal ispX
	return $status
}

# What a person sees: the longest time in which a transfer brought nothing. When the path dies
# right after it answered, that is the time until the next round, and what this one takes.
test_silent_tcp() {
	local client result
	shim_sysctl hostA standby_interval_ms 250
	go_home && confirmed_again || return 1
	stop_traffic
	: >"$WORK/progress"
	bg hostA "$TOP/selftests/traffic.py" tcp-fetch "$A_X" "$B_X" $PORT $BYTES \
		>"$WORK/fetch" 2>"$WORK/progress"
	client=$BG
	wait_until 20000 has_bytes "$WORK/progress" 16 || { log "no transfer"; return 1; }
	cut ispX
	wait "$client"; result=$?
	log "$(cat "$WORK/fetch")"
	heal ispX
	[ $result -eq 0 ] && stall_below "$WORK/fetch" 1
}

test_nothing_flaps() {
	local rehomed
	go_home || return 1
	rehomed=$(counter hostA rehomed)
	# Ten rounds, with traffic on both pairs' probes.
	confirmed_again && confirmed_again && confirmed_again && confirmed_again &&
		[ "$(counter hostA rehomed)" = "$rehomed" ] && on_pair hostA "$A_X" "$B_X"
}

lib_init
ktap_begin 11
topology_up
module_load
for host in hostA hostB; do
	shim_addresses $host
	shim_sysctl $host prefer_interval_ms 500
	shim_sysctl $host setup_packets 4
	shim_sysctl $host setup_age_ms 0
	shim_sysctl $host standby_interval_ms 500
done
A_X=$(addr hostA x) A_Y=$(addr hostA y) B_X=$(addr hostB x) B_Y=$(addr hostB y)
bg hostB python3 "$TOP/demo/udp.py" echo "$B_X" 9000 >"$WORK/echo"
wait_until 10000 grep -q ready "$WORK/echo" || die "echo server"
bg hostB "$TOP/selftests/traffic.py" tcp-serve "$B_X" $PORT $BYTES $RATE >"$WORK/serve"
wait_until 10000 grep -q ready "$WORK/serve" || die "server"
answers ENOENT get HOT_STANDBY && answers ENOENT set HOT_STANDBY 1
ktap_result $? "without a context: ENOENT"
start_traffic
wait_until 10000 established hostA "$A_X" "$B_X" || die "no context"
test_option; ktap_result $? "it is 0 or 1, and what was set is got"
test_probed; ktap_result $? "the disjoint pair is probed at its interval, and nobody is disturbed"
test_no_traffic; ktap_result $? "not without traffic"
test_off; ktap_result $? "not when it is turned off"
test_nothing_flaps; ktap_result $? "nothing moves while both pairs work"
test_feedback; ktap_result $? "negative feedback moves the packets in the call, the peer follows"
test_carrier; ktap_result $? "so does a lost carrier"
test_silent_udp; ktap_result $? "a silent cut is found without help: UDP"
test_silent_tcp; ktap_result $? "a silent cut is found without help: TCP"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
