#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Loading and unloading: nothing is left behind, and nothing is pulled away under
# a call that is in flight.
. "$(dirname "$0")/lib.sh"

sol_shim() { # prints what getsockopt(SOL_SHIM, SHIM_DONTSHIM) gives
	python3 -c '
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
try: print(s.getsockopt(140, 129))
except OSError as e: print(e.errno)'
}

test_before_and_after() {
	[ "$(sol_shim)" = 92 ] || return 1
	insmod "$SHIM6_KO" || return 1
	[ "$(sol_shim)" = 0 ] || return 1
	rmmod shim6 && [ "$(sol_shim)" = 92 ]
}

test_many_times() { # COUNT
	local i
	for ((i = 0; i < $1; i++)); do
		insmod "$SHIM6_KO" && rmmod shim6 || return 1
	done
}

# Sockets that use the option all the time. exec: it is Python that is ended, not a
# shell around it.
hammer() {
	exec python3 -c '
import socket, sys
while True:
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        s.setsockopt(140, 129, 1)
        s.getsockopt(140, 129)
    except OSError as e:
        if e.errno != 92: sys.exit("errno %d" % e.errno)
    s.close()'
}

test_under_calls() { # COUNT
	local i one two
	hammer & one=$!
	hammer & two=$!
	LIB_PIDS+=($one $two)
	for ((i = 0; i < $1; i++)); do
		insmod "$SHIM6_KO" || return 1
		# A call that begins while rmmod waits for its turn makes it fail.
		wait_until 60000 rmmod shim6 || return 1
	done
	kill -0 $one $two && stop $one && stop $two
}

# A call that blocks in the middle keeps the module; when it is over, nothing does.
test_refused_in_a_call() {
	insmod "$SHIM6_KO" || return 1
	coproc BLOCKED { exec python3 selftests/blocked.py; }
	local line in=${BLOCKED[1]} out=${BLOCKED[0]} pid=$BLOCKED_PID
	LIB_PIDS+=($pid)
	read -rt 20 line <&"$out" && [ "$line" = blocked ] || return 1
	rmmod shim6 2>/dev/null && return 1
	[ "$(awk '$1 == "shim6" { print $3 }' /proc/modules)" -ge 1 ] || return 1
	echo >&"$in"
	read -rt 20 line <&"$out" && [ "$line" = "returned 0" ] || return 1
	wait "$pid"
	wait_until 5000 rmmod shim6
}

test_sockets_outlive_it() {
	insmod "$SHIM6_KO" || return 1
	python3 -c '
import socket, subprocess, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(140, 129, 1)
subprocess.check_call(["rmmod", "shim6"])
try: s.getsockopt(140, 129)
except OSError as e: assert e.errno == 92
else: sys.exit(1)
s.close()'
}

test_no_sysctl_left() {
	insmod "$SHIM6_KO" || return 1
	[ "$(sysctl -n net.shim6.send_timeout_ms)" = 15000 ] || return 1
	sysctl -qw net.shim6.send_timeout_ms=0 2>/dev/null && return 1
	rmmod shim6 && ! [ -e /proc/sys/net/shim6 ]
}

test_namespaces() {
	insmod "$SHIM6_KO" || return 1
	ip netns add one && ip netns add two || return 1
	on one sysctl -qw net.shim6.send_timeout_ms=1234
	[ "$(on two sysctl -n net.shim6.send_timeout_ms)" = 15000 ] || return 1
	[ "$(on one sysctl -n net.shim6.send_timeout_ms)" = 1234 ] || return 1
	ip netns del one
	rmmod shim6 && ip netns del two
}

# try NAME CMD...: one test; what a failed one leaves behind is not the next one's trouble.
try() {
	local name=$1 status ns pid; shift
	"$@"
	status=$?
	ktap_result $status "$name"
	[ $status -eq 0 ] && return
	for pid in "${LIB_PIDS[@]}"; do
		stop "$pid"
	done
	LIB_PIDS=()
	for ns in one two; do
		ip netns del $ns 2>/dev/null
	done
	module_loaded && wait_until 60000 rmmod shim6
}

lib_init
one_cpu
# Grace periods are most of an rmmod; how long they are is not what is tested.
echo 1 >/sys/kernel/rcu_expedited
count=100
[ "$KERNEL" = stock ] || count=20
ktap_begin 8
try "ENOPROTOOPT before insmod and after rmmod" test_before_and_after
try "loaded and unloaded $count times" test_many_times $count
try "loaded and unloaded under SOL_SHIM calls" test_under_calls $((count / 10))
try "rmmod is refused while a call is in flight, and only then" test_refused_in_a_call
try "a socket with options outlives the module" test_sockets_outlive_it
try "sysctls have limits and go away" test_no_sysctl_left
try "namespaces have settings of their own" test_namespaces
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
