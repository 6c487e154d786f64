#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A router with the module, and contexts of its own, forwards what is not its own: packets of
# others' contexts, with and without the payload header, pass it untouched and uncounted.
. "$(dirname "$0")/lib.sh"

router_set() {
	shimctl ispY hba generate --modifier c5535 -o "$WORK/hba.ispY" "$PREFIX_Y:a::/64" "$PREFIX_Y:b::/64" >/dev/null &&
		shimctl ispY hba apply --nodad "$WORK/hba.ispY" dev=toA dev=toB
}

# nothing HOST NAME...: these counters are zero.
nothing() {
	local host=$1 name; shift
	for name; do
		[ "$(counter "$host" "$name")" -eq 0 ] || { log "$host $name $(counter "$host" "$name")"; return 1; }
	done
}

# An error about a packet with a payload header, of whatever pair it tells, is for the host
# that it goes to.
test_error() {
	local before; before=$(counter hostA icmp_unknown)
	on hostB "$TOP/selftests/packet.py" "$(addr hostB y)" "$(addr hostA y)" error 1 \
		"$(addr hostA x)" "$(addr hostB x)" && wait_until 5000 risen hostA icmp_unknown "$before"
}

test_untouched() {
	nothing ispY rx_restored rx_context rx_control rx_unknown_tag rx_foreign_locator rx_malformed \
		tx_rewritten tx_context tx_r1bis tx_i1 context_created icmp_unknown icmp_malformed
}

lib_init
ktap_begin 6
topology_up
shim_up
router_set; ktap_result $? "a router with a set of its own"
bg hostB python3 "$TOP/demo/udp.py" echo "$(addr hostB x)" 9000 >"$WORK/echo"
wait_until 10000 grep -q ready "$WORK/echo" || die "echo server"
establish; ktap_result $? "two hosts behind it set up a context"
ping_start
ping_outlives_cut; ktap_result $? "their packets with payload headers are forwarded"
test_error; ktap_result $? "so are errors about such packets"
test_untouched; ktap_result $? "and all are none of the router's business"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
