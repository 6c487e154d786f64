#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Forked contexts in numbers, at once, and when something goes away: processes that
# wish on one socket at the same time, many sockets, the limit at either end, a
# killed program, the module under a call that waits, a namespace with TIME_WAIT.
. "$(dirname "$0")/lib.sh"

forks_of() { contexts "$1" | grep -c ' fii '; }
has_forks() { [ "$(forks_of "$1")" = "$2" ]; } # HOST COUNT

# wishers KIND COUNT GRANTED: that many wishes are granted.
wishers() {
	bg hostA "$TOP/selftests/wishers.py" "$1" "$(addr hostA x)" "$(addr hostB x)" 9000 "$2" >"$WORK/$1"
	WISHERS=$BG
	wait_until 60000 grep -q granted "$WORK/$1"
	grep -qx "granted $3" "$WORK/$1" || { log "$(sort "$WORK/$1" | uniq -c | tr '\n' ' ')"; return 1; }
}

# One fork is bound to the socket; what others began meanwhile is given up.
test_crowd() {
	local forked ended; forked=$(counter hostA forked); ended=$(counter hostA fork_ended)
	wishers crowd 8 8 && wait_until 8000 has_forks hostA 1 || { log "$(forks_of hostA) forks"; return 1; }
	forked=$(($(counter hostA forked) - forked))
	expect_more hostA fork_ended "$ended" $((forked - 1)) || return 1
	stop "$WISHERS" KILL
	wait_until 8000 has_forks hostA 0
}

test_many() {
	local ended flows; ended=$(counter hostA fork_ended); flows=$(counter hostB flow_learnt)
	wishers many 50 50 && has_forks hostA 49 || { log "$(forks_of hostA) forks"; return 1; }
	wait_until 5000 expect_more hostB flow_learnt "$flows" 49 || { log "flows are not learnt"; return 1; }
	# The answers: each in its own fork.
	wait_until 5000 expect_more hostA rx_restored 0 100 || return 1
	stop "$WISHERS" KILL
	wait_until 10000 has_forks hostA 0 && expect_more hostA fork_ended "$ended" 49
}

over_y() { contexts hostA | grep -c " via $(addr hostA y) -> "; }
are_over_y() { [ "$(over_y)" -ge "$1" ]; } # COUNT
none_over_y() { [ "$(over_y)" = 0 ]; }
settled() { ! contexts "$1" | grep -qv ' established operational'; }

# The forks like the other provider more, and lose its link all at once: either host sends five
# Probes, then five a second that nobody asked for. Each fork has its turn.
test_turns() {
	local host start took status=0 deferred; deferred=$(counter hostA probe_deferred)
	wishers many 50 50 && wait_until 10000 are_over_y 49 || { log "$(over_y) like it"; return 1; }
	for host in "${HOSTS[@]}"; do shim_sysctl "$host" probes_per_second 5; done
	start=$(now_ms)
	carrier hostA y down
	wait_until 120000 none_over_y || { log "$(over_y) did not move"; status=1; }
	took=$(($(now_ms) - start))
	log "it took $took ms"
	[ $took -ge 3500 ] || { log "that many Probes were not allowed"; status=1; }
	expect_more hostA probe_deferred "$deferred" 40 || status=1
	# A Probe that has to wait until the fork is forgotten here brings it back.
	wait_until 60000 settled hostB || { log "host B still explores"; status=1; }
	stop "$WISHERS" KILL
	for host in "${HOSTS[@]}"; do shim_sysctl "$host" probes_per_second 1000; done
	carrier hostA y up
	wait_until 10000 has_forks hostA 0 && return $status
}

# limited HOST: six sockets, and that host wants two forks at most.
limited() {
	local before=0 status
	[ "$1" = hostB ] && before=$(forks_of hostB)
	shim_sysctl "$1" max_forks $((before + 2))
	wishers many 6 3; status=$?
	[ "$(grep -c "# $2" "$WORK/many")" = 3 ] || status=1
	stop "$WISHERS" KILL
	shim_sysctl "$1" max_forks 4096
	[ $status -eq 0 ] && wait_until 10000 has_forks hostA 0
}

# host B has no R2 for what it has no room for.
test_limits() {
	limited hostA 'No buffer space available' || return 1
	shim_sysctl hostA i1_timeout_ms 100
	shim_sysctl hostA i2_timeout_ms 100
	shim_sysctl hostA i1_retries_max 1
	limited hostB 'Connection timed out'
	local status=$?
	shim_sysctl hostA i1_retries_max 4
	shim_sysctl hostA i1_timeout_ms 4000
	return $status
}

# A call that waits holds the module; when it is killed, nothing is left of it.
test_waiting() {
	on hostB nft -f - <<-NFT || return 1
	table ip6 deaf {
		chain prerouting {
			type filter hook prerouting priority -600
			meta l4proto 140 @th,16,8 1 drop
		}
	}
	NFT
	bg hostA "$TOP/selftests/wishers.py" crowd "$(addr hostA x)" "$(addr hostB x)" 9000 2 >"$WORK/waiting"
	local status=0 child
	wait_until 10000 eval '[ "$(forks_of hostA)" = 2 ]' || { log "nobody waits"; status=1; }
	rmmod shim6 2>"$WORK/rmmod" && { log "the module went under a call"; status=1; }
	grep -q 'in use' "$WORK/rmmod" || { cat "$WORK/rmmod"; status=1; }
	for child in $(pgrep -P "$BG"); do kill -KILL "$child"; done
	stop "$BG" KILL
	wait_until 5000 has_forks hostA 0 || { log "a fork is left"; status=1; }
	on hostB nft delete table ip6 deaf
	return $status
}

# TIME_WAIT does not keep a namespace: it goes, with the fork that waits.
test_namespace() {
	on hostA "$TOP/selftests/wishers.py" closed "$(addr hostA x)" "$(addr hostB x)" 9000 2 >"$WORK/closed" ||
		{ log "no connections"; return 1; }
	wait_until 5000 eval 'on hostA ss -Hnt state time-wait | grep -q .' || { log "no TIME_WAIT"; return 1; }
	has_forks hostA 1 || { log "$(forks_of hostA) forks"; return 1; }
	stop "$ECHO"
	stop "$SOCAT"
	topology_down
	wait_until 10000 eval '! ip netns list | grep -q hostA' && module_unload
}

lib_init
ktap_begin 7
topology_up
shim_up
bg hostB python3 "$TOP/demo/udp.py" echo "$(addr hostB x)" 9000 >"$WORK/echo"
ECHO=$BG
wait_until 10000 grep -q ready "$WORK/echo" || die "echo server"
bg hostB socat "TCP6-LISTEN:9000,bind=[$(addr hostB x)],reuseaddr,fork" PIPE
SOCAT=$BG
establish || die "no context"
test_crowd; ktap_result $? "processes that wish on one socket at once fork one context"
test_many; ktap_result $? "50 sockets, 49 forks, and their answers; a killed program leaves none"
test_turns; ktap_result $? "many contexts that fail at once probe in turns"
test_limits; ktap_result $? "max_forks limits our forks and a peer's"
test_waiting; ktap_result $? "a waiting call holds the module; killed, it leaves nothing"
test_namespace; ktap_result $? "a namespace goes with its forks in TIME_WAIT"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
