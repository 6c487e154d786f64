#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# IPsec is above the shim (RFC 5533 1.6): policies are about identifiers. What they want
# encrypted stays encrypted on the other path, and the connection outlives the first.
. "$(dirname "$0")/lib.sh"

KEY=0x$(printf '%032x' 5533)
AUTH=0x$(printf '%064x' 5534)

# one_way HOST DIRECTION FROM TO SPI
one_way() {
	ip -n "$1" xfrm state add src "$3" dst "$4" proto esp spi "$5" mode transport \
		enc 'cbc(aes)' "$KEY" auth 'hmac(sha256)' "$AUTH" &&
		ip -n "$1" xfrm policy add src "$3" dst "$4" proto udp dir "$2" \
			tmpl src "$3" dst "$4" proto esp mode transport
}

esp() {
	local a b
	a=$(addr hostA x) b=$(addr hostB x)
	one_way hostA out "$a" "$b" 1 && one_way hostA in "$b" "$a" 2 &&
		one_way hostB in "$a" "$b" 1 && one_way hostB out "$b" "$a" 2
}

test_rehoming() {
	AWAITED=$(counter hostA tx_awaits_ipsec)
	ping_start
	wait_until 20000 established hostA "$(addr hostA x)" "$(addr hostB x)" || { log "no context"; return 1; }
	capture ispY toA "$WORK/y.pcap" "ip6 proto $PROTO_SHIM6 or udp"
	CAPTURE=$BG
	ping_outlives_cut
}

# behind NUMBER: packets whose payload header names this next header.
behind() { tcpdump -r "$WORK/y.pcap" -n "ip6[6] == $PROTO_SHIM6 and ip6[42] & 0x80 != 0 and ip6[40] == $1" 2>/dev/null | wc -l; }

enough() { [ "$(behind 50)" -ge 100 ]; }

test_encrypted() {
	local status
	wait_until 5000 enough
	status=$?
	stop "$CAPTURE" INT
	log "behind payload headers: $(behind 50) ESP, $(behind 17) UDP"
	[ $status -eq 0 ] && [ "$(behind 17)" -eq 0 ] &&
		[ "$(tcpdump -r "$WORK/y.pcap" -n udp 2>/dev/null | wc -l)" -eq 0 ] &&
		expect_more hostA tx_awaits_ipsec "$AWAITED" 100
}

lib_init
ktap_begin 4
topology_up
shim_up
esp; ktap_result $? "ESP between the identifiers, for UDP"
bg hostB python3 "$TOP/demo/udp.py" echo "$(addr hostB x)" 9000 >"$WORK/echo"
wait_until 10000 grep -q ready "$WORK/echo" || die "echo server"
test_rehoming; ktap_result $? "UDP in ESP outlives its path"
test_encrypted; ktap_result $? "and is encrypted on the other one"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
