#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A server with a strict firewall, rules on ports, reverse path filters and "ct state invalid
# drop" in and out, goes on serving after a rehoming: netfilter sees identifiers and ports.
. "$(dirname "$0")/lib.sh"

BYTES=$((24 << 20))
RATE=$((3 << 20))
PORT=8080

firewall() {
	on hostB nft -f - <<-NFT || die "nft"
	table inet fw {
		counter invalid { }
		counter refused { }
		counter served { }
		counter demuxed { }
		counter spoofed { }
		# A strict one has to see locators, so comes before the shim (-500).
		chain reverse_path {
			type filter hook prerouting priority -600
			fib saddr . mark . iif oif missing counter name spoofed drop
		}
		chain loose_reverse_path {
			type filter hook prerouting priority 10
			fib saddr . mark oif missing counter name spoofed drop
		}
		chain input {
			type filter hook input priority 0; policy drop;
			ct state invalid counter name invalid drop
			meta l4proto icmpv6 accept
			meta l4proto $PROTO_SHIM6 accept
			tcp dport $PORT meta skuid 0 counter name demuxed
			tcp dport $PORT ct state new,established counter name served accept
			counter name refused
		}
		chain output {
			type filter hook output priority 0; policy drop;
			ct state invalid counter name invalid drop
			meta l4proto icmpv6 accept
			meta l4proto $PROTO_SHIM6 accept
			tcp sport $PORT ct state established accept
			counter name refused
		}
	}
	NFT
}

named() { on hostB nft list counter inet fw "$1" | awk '/packets/ { print $2 }'; }

test_rehoming() {
	local before served demuxed client result
	before=$(counter hostB tx_rewritten)
	fetch_into_cut || return 1
	client=$BG
	wait_until 5000 moved_from x both || { log "nobody moved"; return 1; }
	served=$(named served) demuxed=$(named demuxed)
	wait "$client"; result=$?
	log "$(cat "$WORK/fetch")"
	heal ispX
	[ $result -eq 0 ] && stall_below "$WORK/fetch" 1.5 &&
		expect_more hostB tx_rewritten "$before" 50 &&
		more_of served $((served + 10)) && more_of demuxed $((demuxed + 10))
}

more_of() { (($(named "$1") > $2)) || { log "$1 $(named "$1"), not $2"; return 1; }; } # COUNTER COUNT

# A rule that would translate whatever leaves finds nothing to translate: the shim has given the
# packet an address of the link that it leaves by.
test_masquerade() {
	local nat result
	nat=$(counter hostA tx_nat)
	on hostA nft -f - <<-NFT || die "nft"
	table ip6 uplinks {
		chain postrouting {
			type nat hook postrouting priority 100
			oifname { "x", "y" } masquerade
		}
	}
	NFT
	on hostA "$TOP/selftests/traffic.py" tcp-fetch "$(addr hostA x)" "$(addr hostB x)" $PORT $BYTES \
		>"$WORK/fetch" 2>/dev/null
	result=$?
	log "$(cat "$WORK/fetch")"
	on hostA nft delete table ip6 uplinks
	[ $result -eq 0 ] && stall_below "$WORK/fetch" 1 && expect_same hostA tx_nat "$nat"
}

# What the administrator has translated has the context's addresses, and is not its flow.
test_nat() {
	local before; before=$(counter hostA tx_nat)
	on hostA nft -f - <<-NFT || die "nft"
	table ip6 nat {
		chain output {
			type nat hook output priority -100
			udp dport 9005 dnat to $(addr hostB x)
		}
	}
	NFT
	on hostA python3 - "$(addr hostA x)" "$(addr hostB y)" <<-'PY' &&
	import socket, sys
	sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
	sock.bind((sys.argv[1], 0))
	for _ in range(3):
	    sock.sendto(b"translated", (sys.argv[2], 9005))
	PY
		expect_more hostA tx_nat "$before" 3
}

nothing_invalid() {
	log "invalid $(named invalid), refused $(named refused), spoofed $(named spoofed), served $(named served)"
	[ "$(named invalid)" -eq 0 ] && [ "$(named refused)" -eq 0 ] && [ "$(named spoofed)" -eq 0 ]
}

lib_init
ktap_begin 6
topology_up
shim_up
for host in "${HOSTS[@]}"; do
	shim_sysctl "$host" prefer_interval_ms 3600000
done
firewall
bg hostB "$TOP/selftests/traffic.py" tcp-serve "$(addr hostB x)" $PORT $BYTES $RATE >"$WORK/serve"
wait_until 10000 grep -q ready "$WORK/serve" || die "server"
establish_tcp $PORT $BYTES; ktap_result $? "a context is set up through the firewall"
test_rehoming; ktap_result $? "port rules and conntrack go on matching after a rehoming"
nothing_invalid; ktap_result $? "conntrack found nothing invalid, no rule or filter refused anything"
test_masquerade; ktap_result $? "a rule to masquerade finds nothing to do"
test_nat; ktap_result $? "what NAT translates is left alone"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
