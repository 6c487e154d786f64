#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A peer without shim6 notices nothing: its traffic flows as before, and after the
# attempts that RFC 5533 allows no message of protocol 140 is sent to it any more.
# The same when something on the way swallows protocol 140.
. "$(dirname "$0")/lib.sh"

# Quick attempts, and a holddown that outlasts the test (RFC 5533 7.8, 14).
quick() {
	shim_sysctl hostA i1_timeout_ms 100
	shim_sysctl hostA i1_retries_max 2
}

swallow_140() {
	on ispX nft -f - <<-NFT || die "nft"
	table ip6 swallow {
		chain forward {
			type filter hook forward priority 0
			meta l4proto $PROTO_SHIM6 counter drop
		}
	}
	NFT
}

# messages FILE: how many packets of protocol 140 are in a capture.
messages() { tcpdump -r "$1" -n "ip6 proto $PROTO_SHIM6" 2>/dev/null | wc -l; }

test_peer() { # NAME
	local echoes status
	capture hostA x "$WORK/$1.pcap"
	bg hostA python3 "$TOP/demo/udp.py" ping "$(addr hostA x)" "$(addr hostB x)" 9000 $((5 * SLOW)) >"$WORK/ping"
	PING=$BG
	left_alone "$WORK/$1.pcap"
	status=$?
	stop "$PING"
	log "$(tail -1 "$WORK/ping")"
	[ $status -eq 0 ] && grep -q '"lost": 0' "$WORK/ping"
}

# left_alone FILE: attempts, as many as allowed, and then none in 400 round trips.
left_alone() {
	local attempts echoes
	wait_until 20000 gave_up || { log "no end of attempts"; return 1; }
	attempts=$(counter hostA tx_i1)
	wait_until 10000 captured "$1" "$attempts" || { log "I1 are not what was sent"; return 1; }
	echoes=$(echoes "$WORK/ping")
	wait_until 10000 echoes_above "$WORK/ping" $((echoes + 400)) || { log "no echoes"; return 1; }
	log "$attempts I1"
	captured "$1" "$attempts" && [ "$attempts" -ge 1 ] && [ "$attempts" -le 3 ]
}

captured() { [ "$(messages "$1")" -eq "$2" ]; } # FILE COUNT

# gave_up: the peer said that it does not know the protocol, or all attempts were made.
gave_up() { [ "$(counter hostA no_support)" -ge 1 ] || [ "$(counter hostA no_response)" -ge 1 ]; }

waits() { [ -n "$(tag_of hostA "$(addr hostA x)" "$(addr hostB x)")" ]; }

# Somebody claims to be the peer, before it has said anything.
test_early() {
	local before ping status
	shim_sysctl hostA i1_timeout_ms 60000
	before=$(counter hostA rx_not_ready)
	bg hostA python3 "$TOP/demo/udp.py" ping "$(addr hostA x)" "$(addr hostB x)" 9000 20 >"$WORK/ping"
	ping=$BG
	wait_until 20000 waits && on ispX "$TOP/selftests/packet.py" "$(addr hostB x)" "$(addr hostA x)" payload \
		"$(tag_of hostA "$(addr hostA x)" "$(addr hostB x)")" && wait_until 5000 risen hostA rx_not_ready "$before"
	status=$?
	stop "$ping"
	return $status
}

# A program that lets nothing else run sends to so many peers that not all can wait for a
# context; those that could are begun.
test_many() {
	local full begun
	full=$(counter hostA setup_queue_full) begun=$(counter hostA tx_i1)
	shim_sysctl hostA setup_packets 1
	one_cpu
	on hostA python3 - "$(addr hostA x)" "$PREFIX_X:b::" <<-'PY'
	import os, socket, sys
	sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
	sock.bind((sys.argv[1], 0))
	os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
	for peer in range(200):
	    for _ in range(3):
	        sock.sendto(b"x", (f"{sys.argv[2]}{peer + 4096:x}", 9))
	PY
	wait_until 5000 risen hostA tx_i1 $((begun + 20))
	local status=$?
	all_cpus
	[ $status -eq 0 ] && expect_more hostA setup_queue_full "$full" 1
}

lib_init
ktap_begin 5
topology_up
module_load
shim_host hostA
quick
plain_addresses hostB
bg hostB python3 "$TOP/demo/udp.py" echo "$(addr hostB x)" 9000 >"$WORK/echo"
wait_until 10000 grep -q ready "$WORK/echo" || die "echo server"
test_peer plain; ktap_result $? "a peer without shim6 is left alone after the attempts"
module_unload || die "rmmod"
swallow_140
module_load
shim_host hostA
quick
test_peer swallowed; ktap_result $? "protocol 140 swallowed on the way: traffic flows, attempts end"
module_unload || die "rmmod"
module_load
shim_host hostA
test_early; ktap_result $? "payload for a context that is being set up is dropped"
test_many; ktap_result $? "more peers at once than can wait"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
