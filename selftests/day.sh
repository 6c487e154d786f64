#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A day of two hosts, timers and all shortened: an hour takes HOUR seconds (default 4). Each
# hour something happens to a provider, a link, an address, a host or its policy, by SEED. One
# TCP connection lasts the whole day and its bytes are equal; in the evening nothing is left.
. "$(dirname "$0")/lib.sh"

HOUR=${HOUR:-4} SEED=${SEED:-$RANDOM}
RATE=$((192 << 10))
PORT=8080
RANDOM=$SEED

# An hour is so many times shorter than a true one as the timers are: 900.
short_timers() { # HOST
	shim_sysctl "$1" send_timeout_ms 300
	# Peers are told full seconds.
	shim_sysctl "$1" keepalive_interval_ms 100
	shim_sysctl "$1" initial_probe_timeout_ms 50
	shim_sysctl "$1" max_probe_timeout_ms 500
	shim_sysctl "$1" i1_timeout_ms 200
	shim_sysctl "$1" i2_timeout_ms 200
	shim_sysctl "$1" i2bis_timeout_ms 200
	shim_sysctl "$1" update_timeout_ms 200
	shim_sysctl "$1" no_r1_holddown_ms 500
	shim_sysctl "$1" prefer_interval_ms 500
	shim_sysctl "$1" gc_idle_ms 3000
}

some() { local -n of=$1; echo "${of[RANDOM % ${#of[@]}]}"; }
WAYS=(both AB BA)
pause() { read -rt "$1" <> <(:) || :; }
part() { pause "$(awk -v h="$HOUR" -v r=$RANDOM 'BEGIN { print h * (0.1 + 0.3 * r / 32768) }')"; }

# What may happen; each is over within the hour.
provider_dies() { cut "$(some ISPS)" "$(some WAYS)"; }
router_restarts() {
	local isp; isp=$(some ISPS)
	on "$isp" sysctl -qw net.ipv6.conf.all.forwarding=0
	part
	on "$isp" sysctl -qw net.ipv6.conf.all.forwarding=1
}
carrier_goes() {
	local host; host=$(some HOSTS)
	carrier "$host" y down
	part
	carrier "$host" y up
	provider_routes "$host" y
}
link_flaps() {
	local i
	for ((i = 0; i < 4; i++)); do carrier hostA y down; carrier hostA y up; done
	provider_routes hostA y
}
address_goes() {
	ip -6 -n hostB addr del "$(addr hostB y)/64" dev y
	part
	ip -6 -n hostB addr add "$(addr hostB y)/64" dev y nodad
	provider_routes hostB y
}
address_ages() {
	ip -6 -n hostA addr change "$(addr hostA x)/64" dev x preferred_lft 0 valid_lft forever
	part
	ip -6 -n hostA addr change "$(addr hostA x)/64" dev x preferred_lft forever valid_lft forever
}
host_forgets() { local host; host=$(some HOSTS); forget "$host"; shim_addresses "$host"; }
policy_changes() {
	local host; host=$(some HOSTS)
	shimctl "$host" policy load - <<<"locator $(addr "$host" x) priority $((RANDOM % 3))"
	part
	shimctl "$host" policy load - <<<""
}
packets_get_lost() {
	local isp; isp=$(some ISPS)
	tc -n "$isp" qdisc replace dev toB root netem loss 20% duplicate 10% delay 5ms 5ms limit 1000
	part
	tc -n "$isp" qdisc del dev toB root
}
nothing() { :; }
EVENTS=(provider_dies provider_dies router_restarts carrier_goes link_flaps address_goes
	address_ages host_forgets policy_changes packets_get_lost nothing)

healed() { local isp; for isp in "${ISPS[@]}"; do heal "$isp" 2>/dev/null; done; return 0; }
has_more() { [ "$(stat -c %s "$WORK/progress")" -gt "$1" ]; }

# hour NUMBER: something happens, and afterwards the transfer goes on.
hour() {
	local event had start; event=$(some EVENTS)
	start=$(now_ms)
	$event || { log "$event failed"; return 1; }
	part
	healed
	had=$(stat -c %s "$WORK/progress")
	# TCP's own patience grows with each silence.
	wait_until 30000 has_more "$had" || { log "hour $1, $event: nothing arrives any more"; return 1; }
	HAPPENED="$HAPPENED $event"
	while (($(now_ms) - start < HOUR * 1000)); do pause 0.1; done
}

test_day() {
	local number
	HAPPENED=
	for ((number = 0; number < 24; number++)); do hour $number || return 1; done
	log "$(tr ' ' '\n' <<<"$HAPPENED" | grep . | sort | uniq -c | tr -s ' \n' ' ')"
	kill -0 "$FETCH" || { log "the connection did not last"; return 1; }
}

none() { [ -z "$(contexts hostA)" ] && [ -z "$(contexts hostB)" ]; }
test_evening() {
	local host
	wait_until 60000 none || { log "contexts are left"; return 1; }
	for host in "${HOSTS[@]}"; do
		expect_more "$host" context_idle 0 1 || return 1
		[ "$(counter "$host" out_of_memory)" = 0 ] || return 1
	done
	log "hostA: $(counter hostA rehomed) rehomings, $(counter hostA recovered) recoveries, $(counter hostA tx_update) Updates, $(counter hostA tx_probe) Probes"
	module_unload
}

lib_init
ktap_begin 5
log "HOUR=$HOUR SEED=$SEED"
topology_up
shim_up
for host in "${HOSTS[@]}"; do short_timers "$host"; done
bg hostB "$TOP/selftests/traffic.py" tcp-serve "$(addr hostB x)" $PORT 0 $RATE >"$WORK/serve"
SERVE=$BG
wait_until 30000 grep -q ready "$WORK/serve" || die "no server"
: >"$WORK/progress"
bg hostA "$TOP/selftests/traffic.py" tcp-fetch "$(addr hostA x)" "$(addr hostB x)" $PORT 0 \
	>"$WORK/fetch" 2>"$WORK/progress"
FETCH=$BG
wait_until 30000 established hostA "$(addr hostA x)" "$(addr hostB x)"
ktap_result $? "in the morning a context is set up"
test_day; ktap_result $? "24 hours, each with an incident, and the connection goes on"
whole "$SERVE" "$FETCH"; ktap_result $? "its bytes are equal"
test_evening; ktap_result $? "in the evening no context is left, and the module goes"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
