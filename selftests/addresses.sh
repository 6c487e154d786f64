#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Addresses come and go, are deprecated, expire, collide; links flap, are renamed, leave
# the namespace: host A's locators follow, and host B is told (RFC 5534 section 3.1, RFC
# 5533 sections 1.5 and 10).
. "$(dirname "$0")/lib.sh"

A_X=; A_Y=; B_X=; TAG=

# ours LOCATOR PATTERN: what host A says of one of its own locators.
ours() { shimctl hostA hba list | grep -q "$1 hba .* $2"; }

# theirs LOCATOR [PATTERN]: what host B's context has of one of host A's.
theirs() { shimctl hostB context show "$B_X" "$A_X" | grep -q "peer  *$1 hba .*${2:+ $2}"; }
unknown() { shimctl hostB context show "$B_X" "$A_X" >/dev/null && ! theirs "$1"; }

tag() { context hostA "$A_X" "$B_X" | grep -o 'tag [0-9a-f]*'; }
same_context() { [ "$(tag)" = "$TAG" ] || { log "it was $TAG, and is $(tag)"; return 1; }; }
sends_from() { contexts hostA | grep -q " via $1 -> "; }

address() { # add|del|change ADDRESS DEV [OPTION...]
	local what=$1 addr=$2 dev=$3; shift 3
	ip -6 -n hostA addr "$what" "$addr/64" dev "$dev" "$@"
}

# address_state ADDRESS WORD: the kernel has it like that.
address_state() { ip -6 -n hostA -o addr show to "$1/64" | grep -v shim0 | grep -q "$2"; }

y_back() {
	address add "$A_Y" y nodad && provider_routes hostA y &&
		wait_until 10000 theirs "$A_Y" usable
}

# Deprecated is told to be temporary, and left while there is another one.
test_deprecated() {
	address change "$A_X" x preferred_lft 0 valid_lft forever || return 1
	wait_until 10000 theirs "$A_X" temporary || { log "not told"; return 1; }
	wait_until 10000 sends_from "$A_Y" || { log "still used"; return 1; }
	address change "$A_X" x preferred_lft forever valid_lft forever
	wait_until 10000 theirs "$A_X" 'usable verified$' || { log "still temporary"; return 1; }
	wait_until 20000 both_on x && same_context
}

# The first Update Request in the capture has preferences (RFC 5533 sections 5.10 and 5.15.3) and no
# list before them, and says that of two locators the second is BROKEN.
BROKEN='ip6[56:2] & 0xfffe = 6 and ip6[64] = 3 and ip6[65] & 1 = 0 and ip6[68] & 1 = 1'
told_broken() {
	tcpdump -r "$WORK/removed.pcap" -c 1 -w - 'ip6[42] = 64' 2>/dev/null |
		tcpdump -r - -n "$BROKEN" 2>/dev/null | grep -q .
}

# What host B thinks of it then is over after two seconds, too soon for a slow kernel to look;
# the wire keeps it.
test_removed() {
	local before capture
	before=$(counter hostA tx_update)
	capture hostA x "$WORK/removed.pcap" "ip6 proto $PROTO_SHIM6 and src $A_X"
	capture=$BG
	address del "$A_Y" y
	wait_until 10000 told_broken || { log "not told at once"; return 1; }
	wait_until 10000 unknown "$A_Y" || { log "still in the list"; return 1; }
	stop "$capture"
	expect_more hostA tx_update "$before" 2 && same_context
}

test_comes_back() { y_back && ours "$A_Y" usable && same_context; }

# Who configures a link anew removes its addresses first.
test_anew() {
	local before
	before=$(counter hostA ulid_gone)
	if [ "$SLOW" = 1 ]; then
		address del "$A_X" x
		wait_until 1500 ours "$A_X" unusable || { log "not seen"; return 1; }
		address add "$A_X" x nodad
	else
		# Here to look takes longer than an address may be away.
		printf 'addr %s dev x\n' "del $A_X/64" "add $A_X/64" | sed '2s/$/ nodad/' |
			ip -6 -n hostA -batch -
	fi && provider_routes hostA x
	wait_until 10000 theirs "$A_X" usable && same_context && expect_same hostA ulid_gone "$before"
}

test_expires() {
	local status
	address change "$A_Y" y preferred_lft 2 valid_lft 4 || return 1
	wait_until 30000 unknown "$A_Y" && same_context && ! address_state "$A_Y" "$A_Y"
	status=$?
	y_back && return $status
}

test_tentative() {
	local status
	address del "$A_Y" y
	on hostA sysctl -qw net.ipv6.conf.all.accept_dad=1 net.ipv6.conf.y.accept_dad=1 \
		net.ipv6.conf.y.dad_transmits=$((6 * SLOW))
	wait_until 10000 unknown "$A_Y" || return 1
	address add "$A_Y" y
	provider_routes hostA y
	wait_until 5000 theirs "$A_Y" broken && address_state "$A_Y" tentative &&
		wait_until 20000 theirs "$A_Y" usable && ! address_state "$A_Y" tentative
	status=$?
	on hostA sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.y.accept_dad=0
	return $status
}

# Somebody else has it: it is there, and never used.
test_duplicate() {
	local status
	address del "$A_Y" y
	ip -6 -n ispY addr add "$A_Y/128" dev toA nodad
	on hostA sysctl -qw net.ipv6.conf.all.accept_dad=1 net.ipv6.conf.y.accept_dad=1
	address add "$A_Y" y
	wait_until 20000 address_state "$A_Y" dadfailed && wait_until 5000 ours "$A_Y" unusable
	status=$?
	address del "$A_Y" y
	ip -6 -n ispY addr del "$A_Y/128" dev toA
	on hostA sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.y.accept_dad=0
	y_back && return $status
}

test_renamed() {
	local status before
	before=$(counter hostA tx_update)
	ip -n hostA link set dev y name uplink || return 1
	ours "$A_Y" usable && theirs "$A_Y" usable && same_context
	status=$?
	ip -n hostA link set dev uplink name y || return 1
	[ $status -eq 0 ] && ours "$A_Y" usable && expect_same hostA tx_update "$before"
}

# The link goes, and its addresses with it: they were not withdrawn, so communication goes on.
test_moved() {
	local had status
	ip netns add elsewhere
	ip -n hostA link set dev x netns elsewhere || return 1
	wait_until 10000 sends_from "$A_Y" || { log "not left"; return 1; }
	wait_until 10000 theirs "$A_X" broken || { log "not told"; return 1; }
	had=$(echoes "$WORK/ping")
	# For longer than what is withdrawn has to come back.
	wait_until 30000 echoes_above "$WORK/ping" $((had + 150)) && same_context && theirs "$A_X" broken
	status=$?
	ip -n elsewhere link set dev x netns hostA
	ip netns del elsewhere
	ip -n hostA link set dev x up
	address add "$A_X" x nodad && provider_routes hostA x &&
		wait_until 10000 theirs "$A_X" usable && wait_until 30000 both_on x && return $status
}

# A link that flaps is lost once, and used when it stays.
test_flaps() {
	local before start i
	before=$(counter hostA tx_update)
	start=$(now_ms)
	for ((i = 0; i < 15; i++)); do
		carrier hostA y down
		wait_until 2000 ours "$A_Y" unusable || return 1
		carrier hostA y up
	done
	provider_routes hostA y
	wait_until 10000 theirs "$A_Y" 'usable verified$' || { log "not believed again"; return 1; }
	i=$(($(counter hostA tx_update) - before))
	log "$i Updates in $(($(now_ms) - start)) ms of 15 flaps"
	# Lost and found, and what may be sent again.
	((i >= 2 && i <= 2 + 2 * ($(now_ms) - start) / 1000)) && same_context
}

# "Communication using a ULID MUST be terminated when the ULID becomes invalid."
test_ulid_removed() {
	local before had
	before=$(counter hostA ulid_gone)
	address del "$A_X" x
	wait_until 10000 no_context || { log "the context stays"; return 1; }
	expect_more hostA ulid_gone "$before" 1 || return 1
	# The peer finds out, by the packets that it sends and what it is told.
	wait_until 30000 expect_more hostB rx_r1bis 0 1 || return 1
	before=$(counter hostA context_created)
	had=$(sent)
	wait_until 10000 sent_more "$had" 100 || return 1
	no_context && expect_same hostA context_created "$before"
}
sent() { awk 'NF == 3 { n = $2 } END { print n + 0 }' "$WORK/ping"; }
sent_more() { (($(sent) >= $1 + $2)); }
no_context() { ! context hostA "$A_X" "$B_X" >/dev/null; }

test_ulid_back() {
	address add "$A_X" x nodad && provider_routes hostA x && wait_until 60000 both_established
}

lib_init
ktap_begin 15
topology_up
shim_up
A_X=$(addr hostA x); A_Y=$(addr hostA y); B_X=$(addr hostB x)
bg hostB python3 "$TOP/demo/udp.py" echo "$B_X" 9000 >"$WORK/echo"
wait_until 30000 grep -q ready "$WORK/echo" || die "no echo"
establish; ktap_result $? "a context is set up by the traffic"
TAG=$(tag)
ping_start
wait_until 30000 echoes_above "$WORK/ping" 0; ktap_result $? "datagrams are echoed"
test_deprecated; ktap_result $? "a deprecated locator is temporary, and left until it is preferred again"
test_removed; ktap_result $? "a locator that is removed is broken at once, and leaves the list"
test_comes_back; ktap_result $? "it comes back, and is told"
test_anew; ktap_result $? "an identifier that is configured anew keeps its context"
test_expires; ktap_result $? "a locator whose valid lifetime ends leaves the list"
test_tentative; ktap_result $? "a tentative locator is not used before it is checked"
test_duplicate; ktap_result $? "a locator that another host has is not used"
test_renamed; ktap_result $? "a link may be renamed"
test_moved; ktap_result $? "the link of the identifier leaves the namespace, and communication goes on"
test_flaps; ktap_result $? "a link that flaps does not flood the peer"
test_ulid_removed; ktap_result $? "communication ends with its identifier"
test_ulid_back; ktap_result $? "and begins again with it"
stop "$PING"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
