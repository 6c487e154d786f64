#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs messages.c, as a program of 64 bits and as one of 32: ancillary data with calls
# and with an io_uring.
. "$(dirname "$0")/lib.sh"

messages() { # PROGRAM
	on hostA env LOCAL="$(addr hostA x) $(addr hostA y)" PEER="$(addr hostB x) $(addr hostB y)" \
		PEER_NETNS=/run/netns/hostB "$1" 2>&1 | sed 's/^/    /'
	return "${PIPESTATUS[0]}"
}

lib_init
ktap_begin 3
topology_up
module_load
for host in hostA hostB; do
	shim_addresses $host
	shim_sysctl $host prefer_interval_ms 1000
done
reach_all || die "no context"
messages "$TOP/build/selftests/messages"; ktap_result $? "64 bits: ancillary data, with and without an io_uring"
messages "$TOP/build/selftests/32/messages"; ktap_result $? "32 bits: the same"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
