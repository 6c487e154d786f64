#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Network namespaces come and go while their hosts talk: STORM rounds (default 3) of two
# workers side by side, each with two hosts of its own. Nothing is left of any.
. "$(dirname "$0")/lib.sh"

STORM=${STORM:-3}

# worker_host NS LETTER: its addresses, of which it prints the first.
worker_host() {
	on "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	ip -n "$1" link set dev lo up
	ip -n "$1" link set dev x up
	ip -n "$1" link set dev y up
	shimctl "$1" hba generate -o "$WORK/$1" "$PREFIX_X:$2::/64" "$PREFIX_Y:$2::/64" |
		awk 'NR == 2' >"$WORK/$1.addr"
	shimctl "$1" hba apply --nodad "$WORK/$1" dev=x dev=y && quick_timers "$1"
	shim_sysctl "$1" max_contexts 4
}

# worker_pair NAME: two hosts NAME.a and NAME.b on two links.
worker_pair() {
	ip netns add "$1.a" && ip netns add "$1.b" || return 1
	ip -n "$1.a" link add x type veth peer name x netns "$1.b" &&
		ip -n "$1.a" link add y type veth peer name y netns "$1.b" &&
		worker_host "$1.a" c && worker_host "$1.b" c
}

# talk NAME: until both have the context; the programs go on.
talk() {
	local a b
	a=$(cat "$WORK/$1.a.addr") b=$(cat "$WORK/$1.b.addr")
	bg "$1.b" socat "UDP6-LISTEN:9000,bind=[$b]" PIPE
	ECHO=$BG
	wait_until 30000 listens "$1.b"
	# Until nobody is there: asks, and has up to 10 ms for the echo.
	bg "$1.a" bash -c 'exec <>"/dev/udp/$0/9000" >&0; while echo hello; do read -rt 0.01 -N 6; done' "$b"
	PING=$BG
	wait_until 60000 both_know "$1" "$a" "$b"
}

listens() { on "$1" busybox grep -q ':2328 ' /proc/net/udp6; }

both_know() { # NAME A B
	read -rt 0.1 <> <(:)
	context "$1.a" "$2" "$3" | grep -q ' established' && context "$1.b" "$3" "$2" | grep -q ' established'
}

# worker NAME: one line for each round that had a context when its hosts vanished.
worker() {
	local round
	for ((round = 0; round < STORM; round++)); do
		worker_pair "$1" && talk "$1" && echo "$round" >>"$WORK/done.$1"
		# A namespace dies with the last of its processes.
		ip netns del "$1.a"
		ip netns del "$1.b"
		kill "$PING" "$ECHO"
		wait "$PING" "$ECHO"
	done 2>"$WORK/worker.$1"
}

test_storm() {
	local one two name
	worker one & one=$!
	worker two & two=$!
	wait $one $two
	for name in one two; do
		[ "$(wc -l <"$WORK/done.$name")" = "$STORM" ] && continue
		log "$name: $(wc -l <"$WORK/done.$name") of $STORM rounds"
		sed 's/^/# /' "$WORK/worker.$name"
		return 1
	done
}

# What is freed a grace period after its namespace is freed when the module goes, or never.
test_nothing_left() {
	wait_until 20000 eval '[ "$(cat /sys/module/shim6/refcnt)" = 0 ]' && module_unload &&
		! ip netns | grep -E '^(one|two)\.'
}

lib_init
ktap_begin 3
module_load
test_storm; ktap_result $? "$STORM rounds of two pairs of hosts that vanish while they talk"
test_nothing_left; ktap_result $? "nothing is left of them"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
