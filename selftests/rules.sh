#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Routing rules hold for packets between locators as they do for others: who has a mark, a
# traffic class or a user that a rule asks for takes that rule's route, and nobody else does,
# whoever comes first.
. "$(dirname "$0")/lib.sh"

USER_ID=4711
SPECIAL=333
ORDINARY=444

# send COUNT SIZE [LEVEL OPTION VALUE]: datagrams to the context's peer, with this socket option.
send() {
	on hostA setpriv --reuid "${AS:-0}" python3 -c '
import socket, sys
local, peer, count, size, *option = sys.argv[1:]
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
    sock.bind((local, 0))
    if option:
        sock.setsockopt(*map(int, option))
    for _ in range(int(count)):
        sock.sendto(bytes(int(size)), (peer, 9000))' "$(addr hostA x)" "$(addr hostB x)" "$@"
}

# Sent by x and y, by their sizes: a datagram with both headers and the payload header.
watch_links() {
	on hostA nft -f - <<-NFT || die "nft"
	table ip6 links {
		chain out {
			type filter hook postrouting priority 0
			ip6 nexthdr $PROTO_SHIM6 ip6 length $((SPECIAL + 16)) oifname "x" counter
			ip6 nexthdr $PROTO_SHIM6 ip6 length $((SPECIAL + 16)) oifname "y" counter
			ip6 nexthdr $PROTO_SHIM6 ip6 length $((ORDINARY + 16)) oifname "x" counter
			ip6 nexthdr $PROTO_SHIM6 ip6 length $((ORDINARY + 16)) oifname "y" counter
		}
	}
	NFT
}

# sent: how many special ones over x and y, and how many ordinary ones.
sent() { on hostA nft list table ip6 links | grep -o 'packets [0-9]*' | awk '{ printf "%s%d", s, $2; s = " " }'; }

# rehomed: the context is on provider Y and stays there.
rehomed() {
	shim_sysctl hostA prefer_interval_ms 3600000
	shim_sysctl hostB prefer_interval_ms 3600000
	bg hostB python3 "$TOP/demo/udp.py" echo "$(addr hostB x)" 9000 >"$WORK/echo"
	wait_until 30000 grep -q ready "$WORK/echo" && establish || return 1
	ping_start
	cut ispX
	wait_until 20000 both_on y || { log "nobody moved"; return 1; }
	stop "$PING"
}

# asks RULE: packets that special() sends go over provider X, all others over Y.
asks() {
	local all
	watch_links
	# shellcheck disable=SC2086
	ip -6 -n hostA rule add $1 lookup 77 pref 77 || return 1
	special 1 && send 20 $ORDINARY && special 20 && send 20 $ORDINARY
	# shellcheck disable=SC2086
	ip -6 -n hostA rule del $1 lookup 77 pref 77
	all=$(sent)
	on hostA nft delete table ip6 links
	[ "$all" = "21 0 0 40" ] || { log "special ones over x and y, others over x and y: $all"; return 1; }
}

test_mark() {
	special() { send "$1" $SPECIAL 1 36 7; } # SO_MARK
	asks "fwmark 7"
}

test_class() {
	special() { send "$1" $SPECIAL 41 67 $((0xa0)); } # IPV6_TCLASS
	asks "tos 0xa0"
}

test_user() {
	special() { AS=$USER_ID send "$1" $SPECIAL; }
	asks "uidrange $USER_ID-$USER_ID"
}

# Nobody but a marked packet has a route.
test_only() {
	local all
	no_default hostA x
	no_default hostA y
	watch_links
	ip -6 -n hostA rule add fwmark 7 lookup 77 pref 77
	send 5 $ORDINARY 2>/dev/null
	send 5 $SPECIAL 1 36 7
	all=$(sent)
	[ "$all" = "5 0 0 0" ] || { log "special ones over x and y, others over x and y: $all"; return 1; }
}

lib_init
ktap_begin 6
topology_up
shim_up
ip -6 -n hostA route add default via "$(prefix hostA x)1" dev x table 77
rehomed; ktap_result $? "the context is on provider Y"
test_mark; ktap_result $? "a rule that asks for a mark"
test_class; ktap_result $? "for a traffic class"
test_user; ktap_result $? "for a user"
test_only; ktap_result $? "a route that only a rule has"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
