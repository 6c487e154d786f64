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

# Sockets that use the option, on other CPUs, all the time.
hammer() {
	python3 -c '
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
	local i refused=0
	hammer & local one=$!
	hammer & local two=$!
	for ((i = 0; i < $1; i++)); do
		insmod "$SHIM6_KO" || return 1
		until rmmod shim6 2>/dev/null; do
			refused=$((refused + 1))
			[ $refused -lt 100000 ] || return 1
		done
	done
	kill -0 $one $two || return 1
	kill $one $two
	wait $one $two 2>/dev/null
	log "$1 times, refused $refused times because a call was in flight"
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

lib_init
count=100
[ "$KERNEL" = stock ] || count=20
ktap_begin 7
test_before_and_after; ktap_result $? "ENOPROTOOPT before insmod and after rmmod"
test_many_times $count; ktap_result $? "loaded and unloaded $count times"
test_under_calls $((count / 10)); ktap_result $? "loaded and unloaded under SOL_SHIM calls"
test_sockets_outlive_it; ktap_result $? "a socket with options outlives the module"
test_no_sysctl_left; ktap_result $? "sysctls have limits and go away"
test_namespaces; ktap_result $? "namespaces have settings of their own"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
