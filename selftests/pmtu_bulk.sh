#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Bulk transfers with full-size segments after a rehoming: the payload header's 8
# octets fit into the path's MTU, also when the other path's is smaller, and no
# fragment fails.
. "$(dirname "$0")/lib.sh"

BYTES=$((24 << 20))
PORT=8080

# frag_fails HOST
frag_fails() { on "$1" cat /proc/net/snmp6 | awk '/^Ip6FragFails/ { print $2 }'; }

fetch() {
	on hostA timeout $((60 * SLOW)) "$TOP/selftests/traffic.py" tcp-fetch "$(addr hostA x)" "$(addr hostB x)" $PORT $BYTES \
		>"$WORK/fetch" 2>/dev/null
	local status=$?
	log "$(cat "$WORK/fetch")"
	return $status
}

# A transfer that begins before the rehoming, and then full-speed ones after it.
test_bulk() {
	local fails_a fails_b before client result
	fails_a=$(frag_fails hostA); fails_b=$(frag_fails hostB)
	before=$(counter hostB tx_rewritten)
	fetch_into_cut || return 1
	client=$BG
	wait "$client"; result=$?
	log "$(cat "$WORK/fetch")"
	[ $result -eq 0 ] || return 1
	# What TCP had made before it heard of the new path's MTU, ip6_xmit() may refuse,
	# and counts that as a failed fragment; TCP sends it anew.
	(($(frag_fails hostA) <= fails_a + 2 && $(frag_fails hostB) <= fails_b + 2)) ||
		{ log "fragments failed"; return 1; }
	fails_a=$(frag_fails hostA); fails_b=$(frag_fails hostB)
	fetch || return 1
	(($(frag_fails hostA) == fails_a && $(frag_fails hostB) == fails_b)) ||
		{ log "fragments failed after the change"; return 1; }
	expect_more hostB tx_rewritten "$before" 200
}

# Segments on the new path are full: longer than those of a small-MSS fallback.
test_full_segments() {
	capture ispY toA "$WORK/y.pcap" "ip6 proto $PROTO_SHIM6"
	local capture=$BG
	fetch || return 1
	stop "$capture" INT
	# The receiver of a veth pair sees super-packets; what is on the wire is the MSS
	# that TCP believes in.
	tcpdump -r "$WORK/y.pcap" -n -v 2>/dev/null | grep -o 'payload length: [0-9]*' |
		awk '{ if ($3 >= 1400) n++ } END { print "# " n + 0 " long packets"; exit !(n >= 100) }'
}

# The second path carries less: 1400 octets, found by Packet Too Big.
test_small_path() {
	ip -n ispY link set dev toA mtu 1400
	ip -n ispY link set dev toB mtu 1400
	test_fetch_twice
}
test_fetch_twice() { fetch && fetch; }

lib_init
ktap_begin 5
topology_up
shim_up
shim_sysctl hostA prefer_interval_ms 3600000
shim_sysctl hostB prefer_interval_ms 3600000
bg hostB "$TOP/selftests/traffic.py" tcp-serve "$(addr hostB x)" $PORT $BYTES 0 >"$WORK/serve"
wait_until 10000 grep -q ready "$WORK/serve" || die "server"
shape 100mbit 5ms
establish; ktap_result $? "a context is set up"
test_bulk; ktap_result $? "bulk TCP goes on over the other path, no fragment fails"
test_full_segments; ktap_result $? "segments are full"
test_small_path; ktap_result $? "a smaller MTU on the new path is found"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
