#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Network namespaces come and go while their hosts talk: STORM rounds (default 3) of two
# workers side by side, each with two hosts of its own. Nothing is left of any.
. "$(dirname "$0")/lib.sh"

STORM=${STORM:-3}

# worker_sets NAME: hash based addresses for both hosts, in all rounds the same.
worker_sets() {
	local host
	for host in "$1.a" "$1.b"; do
		"$SHIMCTL" hba generate -o "$WORK/$host" "$PREFIX_X:c::/64" "$PREFIX_Y:c::/64" |
			awk 'NR == 2' >"$WORK/$host.addr"
	done
}

# worker_pair NAME: two hosts NAME.a and NAME.b on two links, by as few programs as possible: on
# the debug kernel each takes a second.
worker_pair() {
	local host up='link set dev lo up
		link set dev x up
		link set dev y up'
	for host in "$1.a" "$1.b"; do
		ip netns add "$host" && on "$host" sysctl -qw net.ipv6.conf.{all,default}.accept_dad=0 \
			net.shim6.{send_timeout_ms=1000,setup_packets=4,setup_age_ms=0,max_contexts=4} || return 1
	done
	ip -n "$1.a" -batch - <<-IP && ip -n "$1.b" -batch - <<<"$up" || return 1
		link add x type veth peer name x netns $1.b
		link add y type veth peer name y netns $1.b
		$up
	IP
	for host in "$1.a" "$1.b"; do
		shimctl "$host" hba apply --nodad "$WORK/$host" dev=x dev=y || return 1
	done
}

# talk NAME: until both have the context; the programs go on.
talk() {
	local a b
	read -r a <"$WORK/$1.a.addr"
	read -r b <"$WORK/$1.b.addr"
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
	established "$1.a" "$2" "$3" && established "$1.b" "$3" "$2"
}

# worker NAME: one line for each round that had a context when its hosts vanished.
worker() {
	local round
	worker_sets "$1"
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
