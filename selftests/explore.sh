#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# SHIM_PATHEXPLORE on the wire: when Probes and Keepalives are sent, which each of its
# four fields decides (RFC 6316 8.2, RFC 5534 section 7); and what positive feedback
# does to the Send Timer, and for how long.
. "$(dirname "$0")/lib.sh"

A_X=; B_X=

option() { on hostA "$TOP/selftests/option.py" "$A_X" "$B_X" "$@"; }
explored() { [ "$(counter hostA reap_exploring)" -gt "$1" ]; }
operational() { contexts hostA | grep -q ' operational'; }

sinks() { on "$1" ss -Hnlu sport = :9005 | grep -q .; }

# one_way FROM TO: data that is not answered, nor by errors; STREAM and SINK are its ends.
one_way() {
	bg "$2" "$TOP/selftests/traffic.py" udp-sink "$(addr "$2" x)" 9005 >/dev/null
	SINK=$BG
	wait_until 30000 sinks "$2" || die "no sink"
	bg "$1" "$TOP/selftests/traffic.py" udp-send "$(addr "$1" x)" "$(addr "$2" x)" 9005 20 >/dev/null
	STREAM=$BG
}

# watch TYPE: control messages of that type which host A sends, in a file.
watch() {
	capture hostA any "$WORK/$1.pcap" "ip6 proto $PROTO_SHIM6 and ip6[42] = $1 and (ip6 src $A_X or ip6 src $(addr hostA y))"
	WATCH=$BG
}
times() { tcpdump -r "$WORK/$1.pcap" -n -tt 2>/dev/null | awk '{ print $1 }'; }
seen() { [ "$(times "$1" | wc -l)" -ge "$2" ]; }

# gaps TYPE LOW,HIGH...: milliseconds between each message and the next.
gaps() {
	local type=$1; shift
	times "$type" | awk -v want="$*" -v slow="$SLOW" '
		BEGIN { n = split(want, limit, " ") }
		NR > 1 && NR <= n + 1 {
			split(limit[NR - 1], l, ","); ms = int(1000 * ($1 - last) + 0.5); all = all " " ms
			if (ms < l[1] || ms > l[2] * slow) bad = 1
		}
		{ last = $1 }
		END { print "# gaps in ms:" all; exit bad || NR <= n }'
}

# Two initial ones a second apart, a tenth more or less, the next after two, a quarter more
# or less. With the administrator's 4 and 500 all would come sooner.
test_probes() {
	local status=1
	option set PATHEXPLORE 2 0 0 1000 && option set APP_TIMEOUT 1 || return 1
	watch 67
	cut ispX; cut ispY
	one_way hostA hostB
	wait_until 20000 seen 67 3 && gaps 67 899,1490 1499,5000 && status=0
	heal ispX; heal ispY
	stop "$WATCH"
	wait_until 20000 operational || { log "still exploring"; status=1; }
	stop "$STREAM"; stop "$SINK"
	option set PATHEXPLORE 0 0 0 0 && option set APP_TIMEOUT 0 && return $status
}

# silent_since SECONDS: the last Keepalive was so long ago.
silent_since() { awk -v last="$(times 66 | tail -n 1)" -v now="$(date +%s.%N)" -v s="$1" 'BEGIN { exit now - last < s }'; }

# A Keepalive a second while data comes; the administrator's interval is five seconds. After
# a single datagram they end with the Keepalive Timeout of three seconds, not fifteen.
test_keepalives() {
	local status=1 at last
	option set PATHEXPLORE 0 3 1 0 || return 1
	one_way hostB hostA
	wait_until 10000 expect_more hostA rx_context "$(counter hostA rx_context)" 50 || return 1
	watch 66
	wait_until 15000 seen 66 5 && gaps 66 700,1600 700,1600 700,1600 700,1600 && status=0
	stop "$STREAM"
	wait_until 15000 silent_since 4 || { log "no end"; status=1; }
	at=$(date +%s.%N)
	on hostB "$TOP/selftests/message.py" send-plain "$B_X" "$A_X" 9005
	wait_until 10000 later "$at" && wait_until 30000 silent_since 3
	last=$(times 66 | tail -n 1)
	stop "$SINK"; stop "$WATCH"
	option set PATHEXPLORE 0 0 0 0
	awk -v at="$at" -v last="$last" -v slow="$SLOW" 'BEGIN {
		print "# the last Keepalive " int(1000 * (last - at)) " ms after the datagram"
		exit last - at < 2.9 || last - at > 3 + 2 * slow }' && return $status
}

later() { awk -v last="$(times 66 | tail -n 1)" -v at="$1" 'BEGIN { exit last <= at }'; }

# What an application says counts as a packet of the peer's, but it cannot hide for long
# from the others that none comes.
test_positive() {
	local ignored begun hints from ms status=0
	option set APP_TIMEOUT 2 || return 1
	ignored=$(counter hostA feedback_ignored) begun=$(counter hostA reap_exploring)
	bg hostB python3 "$TOP/demo/udp.py" echo "$B_X" 9000 >"$WORK/echo"
	wait_until 10000 grep -q ready "$WORK/echo" || return 1
	ping_start
	wait_until 10000 echoes_above "$WORK/ping" 20 || return 1
	hints=$(counter hostA hint)
	bg hostA "$TOP/selftests/option.py" "$A_X" "$B_X" again 100 FEEDBACK_POSITIVE
	FEEDBACK=$BG
	wait_until 20000 expect_more hostA hint "$hints" 3 || return 1
	cut ispX BA
	from=$(now_ms)
	wait_until 20000 explored "$begun" || { log "no exploration"; status=1; }
	ms=$(($(now_ms) - from))
	log "explored after $ms ms"
	[ "$ms" -ge 3000 ] || status=1
	wait_until 5000 moved_from x BA || { log "the peer still on the dead path"; status=1; }
	stop "$FEEDBACK"
	heal ispX
	stop "$PING"
	option set APP_TIMEOUT 0
	expect_more hostA feedback_ignored "$ignored" 1 && return $status
}

lib_init
ktap_begin 5
topology_up
module_load
for host in hostA hostB; do
	shim_addresses $host
	shim_sysctl $host prefer_interval_ms 1000
done
A_X=$(addr hostA x) B_X=$(addr hostB x)
establish; ktap_result $? "a context"
# The first exploration of all is slow to say its first Probe, so its time is not measured.
test_positive; ktap_result $? "positive feedback counts, and not for ever"
home; test_probes; ktap_result $? "Probes: their number and interval"
test_keepalives; ktap_result $? "Keepalives: their interval and how long"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
