#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs messages.c, as a program of 64 bits and as one of 32: ancillary data with calls
# and with an io_uring; and again where BPF programs have the places that the module has
# its calls in otherwise.
. "$(dirname "$0")/lib.sh"

TRACED=/sys/kernel/tracing
MET="inet_sendmsg inet6_sendmsg skb_consume_udp inet6_recvmsg"

messages() { # PROGRAM [ARGUMENT...]
	on hostA env LOCAL="$(addr hostA x) $(addr hostA y)" PEER="$(addr hostB x) $(addr hostB y)" \
		PEER_NETNS=/run/netns/hostB "$@" 2>&1 | sed 's/^/    /'
	return "${PIPESTATUS[0]}"
}

hosts_up() {
	local host
	module_load
	for host in hostA hostB; do
		shim_addresses $host
		shim_sysctl $host prefer_interval_ms 1000
	done
	reach_all || die "no context"
}

# direct NUMBER: so many of the functions call the module of themselves.
direct() {
	local function number=0
	for function in $MET; do
		grep -A1 "^$function " $TRACED/enabled_functions | grep -q 'direct-->shim6_direct_' &&
			number=$((number + 1))
	done
	[ $number -eq "$1" ] || { log "$number functions call the module directly, not $1"; return 1; }
}

# BPF programs find functions by the types that a kernel tells of itself.
has_types() { [ -e /sys/kernel/btf/vmlinux ]; }

# First come, first served.
test_direct() {
	direct 4 || return 1
	has_types || return 0
	"$TOP/selftests/fentry.py" inet6_sendmsg 2>"$WORK/busy" </dev/null && return 1
	grep -q 'fentry.py: inet6_sendmsg: ' "$WORK/busy" || { log "$(cat "$WORK/busy")"; return 1; }
}

test_bpf() {
	local program
	module_unload || return 1
	# shellcheck disable=SC2086 # names
	bg hostA "$TOP/selftests/fentry.py" $MET >"$WORK/fentry"
	program=$BG
	wait_until 60000 grep -q ready "$WORK/fentry" || return 1
	hosts_up
	messages "$TOP/build/selftests/messages" -v calls && direct 0 || return 1
	stop "$program"
}

lib_init
ktap_begin 5
mountpoint -q $TRACED || mount -t tracefs tracefs $TRACED || die "no tracefs"
topology_up
on hostA sysctl -qw net.ipv4.ping_group_range="0 0"
hosts_up
messages "$TOP/build/selftests/messages"; ktap_result $? "64 bits: ancillary data, with and without an io_uring"
messages "$TOP/build/selftests/32/messages"; ktap_result $? "32 bits: the same"
test_direct; ktap_result $? "the functions that are met call the module directly"
NAME="where BPF programs have that place, it is the same"
if has_types; then
	test_bpf; ktap_result $? "$NAME"
else
	ktap_skip "$NAME" "this kernel has no types for BPF programs (BTF)"
fi
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
