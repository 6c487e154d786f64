#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Memory is refused: to each allocation of system calls and of our part of a namespace's
# beginning, to FAULTS, by chance, of the namespace's devices, of the module's beginning and of
# the first option's, and to packets, messages and timers at any time while hosts talk and are
# rehomed. Needs the kernel's fault injection.
. "$(dirname "$0")/lib.sh"

FAULTS=${FAULTS:-20}
DEBUG=/sys/kernel/debug
PORT=8080
BYTES=$((4 << 20))

if [ ! -d $DEBUG/failslab ]; then
	echo "1..0 # SKIP this kernel has no fault injection"
	exit 4
fi

# faults PERCENT WAITING: of all allocations that cannot wait (N: of those that can, too).
faults() {
	local of
	for of in failslab fail_page_alloc; do
		echo 0 >$DEBUG/$of/verbose
		echo -1 >$DEBUG/$of/times
		echo "$2" >$DEBUG/$of/ignore-gfp-wait
		echo "$1" >$DEBUG/$of/probability
	done
	echo 0 >$DEBUG/fail_page_alloc/min-order
}

# remarked COMMAND...: what it says are remarks.
remarked() { "$@" 2>&1 | sed 's/^/# /'; return "${PIPESTATUS[0]}"; }

# each HOST ARGS...: faults.py says what it survived.
each() { local host=$1; shift; remarked on "$host" "$TOP/selftests/faults.py" "$@"; }

test_netlink() {
	shimctl hostA hba generate -o "$WORK/other" "$PREFIX_X:c::/64" "$PREFIX_Y:c::/64" >/dev/null &&
		each hostA netlink "$WORK/other"
}

# Something was refused, and the hosts' conversation outlives its path nevertheless.
test_traffic() {
	local status host refused=0 before=() name
	: >"$WORK/progress"
	bg hostA "$TOP/selftests/traffic.py" tcp-fetch "$(addr hostA x)" "$(addr hostB x)" $PORT $BYTES \
		>"$WORK/fetch" 2>"$WORK/progress"
	FETCH=$BG
	faults 2 Y
	for name in 1 2 3; do
		cut ispX
		wait_until 30000 both_on y || { log "nobody moved"; break; }
		heal ispX
		wait_until 30000 both_on x || { log "nobody returned"; break; }
	done
	faults 0 Y
	[ "$name" = 3 ]; status=$?
	wait "$FETCH" || status=1
	log "$(cat "$WORK/fetch")"
	for host in "${HOSTS[@]}"; do
		for name in out_of_memory tx_no_memory rx_no_memory event_lost sign_failed; do
			before+=("$host $name $(counter "$host" $name)")
			refused=$((refused + $(counter "$host" $name)))
		done
	done
	log "${before[*]}"
	[ $refused -gt 0 ] || { log "nothing of the shim's was refused"; status=1; }
	return $status
}

test_namespace() { each hostA namespace "$FAULTS"; }

test_module() {
	# What a refused packet left waiting for its peer.
	ip netns pids hostB | xargs -r kill
	topology_down
	module_unload || return 1
	remarked "$TOP/selftests/faults.py" module "$SHIM6_KO" "$FAULTS"
}

test_option() { remarked "$TOP/selftests/faults.py" option "$SHIM6_KO" "$FAULTS"; }

# Two of the kernel's checkers say that they have no memory, and so do, with a stack, the slabs
# when a cache cannot be made.
unforeseen() {
	sed '/__kmem_cache_create_args(shim6_context) failed with error/,/<\/TASK>/d' |
		grep -v 'unreliable refcount tracker\|kmemleak: Cannot allocate a scan area'
}

lib_init
ktap_begin 10
topology_up
shim_up
faults 0 N
bg hostB "$TOP/selftests/traffic.py" tcp-serve "$(addr hostB x)" $PORT $BYTES $((256 << 10)) >"$WORK/serve"
wait_until 30000 grep -q ready "$WORK/serve" || die "no server"
bg hostB socat "TCP6-LISTEN:9000,bind=[$(addr hostB x)],reuseaddr,fork" PIPE
bg hostB python3 "$TOP/demo/udp.py" echo "$(addr hostB x)" 9000 >"$WORK/echo"
wait_until 30000 grep -q ready "$WORK/echo" || die "no echo"
establish; ktap_result $? "a context is set up"
test_netlink; ktap_result $? "generic netlink: all or nothing, whatever is refused"
each hostA removal "$WORK/hba.hostA" && establish; ktap_result $? "the contexts of a set go with it"
each hostA sysctl; ktap_result $? "settings"
each hostA sockets "$(addr hostA x)" "$(addr hostB x)" 9000; ktap_result $? "socket options, ancillary data and connections"
ping_start
test_traffic; ktap_result $? "packets, messages and timers while hosts are rehomed"
stop "$PING"
faults 0 N
test_namespace; ktap_result $? "the beginning of namespaces"
test_module; ktap_result $? "the beginning of the module"
test_option; ktap_result $? "the first option, for which sockets begin to be watched"
faults 0 Y
dmesg_clean unforeseen; ktap_result $? "the kernel log is clean"
ktap_end
