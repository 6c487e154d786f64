#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Somebody else's eyes: tshark verifies the checksum of every control message of a
# set-up, a failure and a return, and finds TCP and UDP behind the payload header.
# (Its dissector reads the fields of control messages wrongly, so only protocol,
# type and checksum are asked for.)
. "$(dirname "$0")/lib.sh"

# fields FILTER FIELD...: of the capture
fields() {
	local filter=$1 f args=(); shift
	for f in "$@"; do args+=(-e "$f"); done
	tshark -r "$WORK/all.pcap" -Y "$filter" -T fields "${args[@]}" 2>/dev/null
}

record() {
	local ping before
	capture hostA any "$WORK/all.pcap" ip6
	# One of them begins: two I1 that cross are answered with R2 at once.
	shim_sysctl hostB setup_packets 1000000
	establish || return 1
	bg hostA python3 "$TOP/demo/udp.py" ping "$(addr hostA x)" "$(addr hostB x)" 9000 20 >"$WORK/ping"
	ping=$BG
	wait_until 10000 both_on x || return 1
	cut ispX
	wait_until 10000 both_on y || { log "nobody moved"; return 1; }
	heal ispX
	wait_until 15000 both_on x || { log "nobody returned"; return 1; }
	stop "$ping"
	# One-way traffic: only now are Keepalives needed (RFC 5534 4.1).
	before=$(counter hostB tx_keepalive)
	bg hostB "$TOP/selftests/traffic.py" udp-sink "$(addr hostB x)" 9002 >"$WORK/sink"
	wait_until 10000 grep -q ready "$WORK/sink" || return 1
	bg hostA "$TOP/selftests/traffic.py" udp-send "$(addr hostA x)" "$(addr hostB x)" 9002 20
	ping=$BG
	wait_until 10000 more_than hostB tx_keepalive "$before" || { log "no keepalive"; return 1; }
	stop "$ping"
	sync "$WORK/all.pcap"
}

more_than() { [ "$(counter "$1" "$2")" -gt "$3" ]; }

# Type numbers of RFC 5533 5.3; each must have been seen with a good checksum.
test_types() {
	local type missing=
	for type in 1 2 3 4 66 67; do
		fields "shim6 && shim6.type == $type" shim6.checksum.status | grep -q 1 || missing+=" $type"
	done
	[ -z "$missing" ] || { log "no message of type$missing with a good checksum"; return 1; }
}

test_checksums() {
	local all bad
	all=$(fields 'shim6.checksum' shim6.checksum.status | wc -l)
	bad=$(fields 'shim6.checksum.status == 0' frame.number | wc -l)
	log "$all control messages, $bad with a bad checksum"
	[ "$all" -ge 8 ] && [ "$bad" -eq 0 ]
}

test_payload() {
	local n; n=$(fields 'shim6.p == 1 && udp.dstport == 9000' frame.number | wc -l)
	log "$n datagrams behind a payload header"
	[ "$n" -ge 10 ]
}

lib_init
ktap_begin 5
topology_up
shim_up
bg hostB python3 "$TOP/demo/udp.py" echo "$(addr hostB x)" 9000 >"$WORK/echo"
wait_until 10000 grep -q ready "$WORK/echo" || die "echo server"
record; ktap_result $? "a set-up, a failure, a return and one-way traffic are captured"
test_checksums; ktap_result $? "tshark finds every checksum right"
test_types; ktap_result $? "I1, R1, I2, R2, Keepalive and Probe are among them"
test_payload; ktap_result $? "tshark finds UDP behind the payload header"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
