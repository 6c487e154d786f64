#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Ancillary data (RFC 6316 section 7): the locators of a datagram are chosen with
# sendmsg() and told with recvmsg(), each for exactly that datagram; and the socket
# options that do the same for all packets of a socket (sections 6.6 to 6.9).
. "$(dirname "$0")/lib.sh"

A_X=; A_Y=; B_X=; B_Y=
PAIRS=()

# tries KIND VALUE [HOW]: what becomes of one datagram of host A.
tries() { on hostA "$TOP/selftests/message.py" try "$A_X" "$B_X" "$@"; }

answers() { # TEXT KIND VALUE [HOW]
	local want=$1 got; shift
	got=$(tries "$@")
	[ "$got" = "$want" ] && return
	log "$*: '$got', not '$want'"
	return 1
}

option() { on hostA "$TOP/selftests/option.py" "$A_X" "$B_X" "$@"; }

is() { # TEXT get|set NAME [VALUE...]
	local want=$1 got; shift
	got=$(option "$@" | tr '\n' ' ')
	[ "${got% }" = "$want" ] && return
	log "$*: '${got% }', not '$want'"
	return 1
}

goes() { on_pair hostA "$1" "$2"; }

# All of the peer's locators have to be reached once before they may be chosen; that
# somebody wants to is the reason to try.
test_reached() {
	answers EUNVERIFIEDLOCATOR PEER "$B_Y" && wait_until 5000 option set LOC_PEER_SEND "$B_Y" &&
		answers sent PEER "$B_Y" && goes "$A_X" "$B_X" && expect_more hostA check_confirmed 0 1
}

start_reader() { # COUNT READERS
	bg hostB "$TOP/selftests/message.py" receive "$B_X" "$A_X" 7000 "$@" >"$WORK/read"
	READER=$BG
	wait_until 10000 grep -q ready "$WORK/read"
}

# Each datagram says which pair was chosen for it: local and peer of the sender are
# peer and local of the reader. The interface is that of the reader's locator.
told_rightly() { # COUNT
	local x y
	x=$(ifindex hostB x) y=$(ifindex hostB y)
	awk -v count="$1" -v bx="$B_X" -v x="$x" -v y="$y" '
		$1 == "ready" { next }
		{ n++; if (seen[$1]++ || $2 != $5 || $3 != $4 || $6 != ($4 == bx ? x : y)) { print "# " $0; bad = 1 } }
		END { print "# " n " datagrams"; exit bad || n != count }' "$WORK/read"
}

test_datagrams() {
	local chosen; chosen=$(counter hostA tx_chosen)
	start_reader 400 8 || return 1
	on hostA "$TOP/selftests/message.py" send "$A_X" "$B_X" 7000 400 8 "${PAIRS[@]}" || return 1
	wait_until 10000 gone "$READER" || { log "not all came"; stop "$READER"; }
	told_rightly 400 && expect_more hostA tx_chosen "$chosen" 400
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# Many in a call: recvmmsg(), sendmmsg().
test_many() {
	bg hostB "$TOP/selftests/many_messages.py" receive "$B_X" "$A_X" 7003 64 >"$WORK/read"
	READER=$BG
	wait_until 10000 grep -q ready "$WORK/read" || return 1
	on hostA "$TOP/selftests/many_messages.py" send "$A_X" "$B_X" 7003 64 "${PAIRS[@]}" || return 1
	wait_until 10000 gone "$READER" || { log "not all came"; stop "$READER"; }
	told_rightly 64
}

# The same by socket options (sections 6.8, 6.9): SEND counts more than the context.
test_options() { # UNCHOSEN
	start_reader 60 1 || return 1
	on hostA "$TOP/selftests/message.py" pin "$A_X" "$B_X" 7000 60 "$1" "${PAIRS[@]}" || return 1
	wait_until 10000 gone "$READER" || { log "not all came"; stop "$READER"; }
	told_rightly 60
}

# An interface stands for the locator that it has.
test_interface() {
	start_reader 20 1 || return 1
	on hostA "$TOP/selftests/message.py" pin-interface "$A_X" "$B_X" 7000 20 \
		"$(ifindex hostA y)" "$A_Y,$B_X" "$A_X,$B_X" || return 1
	wait_until 10000 gone "$READER" || { log "not all came"; stop "$READER"; }
	told_rightly 20
}

# A stream's segments follow the option, and the reader is told the latest that came
# with the context: nothing else may be under way.
test_stream() {
	bg hostB "$TOP/selftests/message.py" stream-receive "$B_X" 7001 >"$WORK/read"
	READER=$BG
	wait_until 10000 grep -q ready "$WORK/read" || return 1
	on hostA "$TOP/selftests/message.py" stream-send "$A_X" "$B_X" 7001 "${PAIRS[@]}" "${PAIRS[@]}" || return 1
	wait_until 10000 gone "$READER" || { log "not all came"; stop "$READER"; }
	grep -q '^end$' "$WORK/read" || { log "no end"; return 1; }
	sed -i '/^end$/d' "$WORK/read"
	told_rightly 8
}

# A call's octets may share a segment with those of others; feedback is about the path.
test_stream_refused() {
	answers ENOTSUP LOCAL "$A_Y" tcp && answers ENOTSUP PEER "$B_Y" tcp &&
		answers ENOTSUP IF "$(ifindex hostA y)" tcp &&
		answers EINVAL FEEDBACK 0,4 tcp && answers sent FEEDBACK 0,3 tcp
}

operational() { contexts hostA | grep -q ' operational'; }

# Both degrees and both directions have the path asked; 0 says nothing (section 8.3).
test_feedback() {
	local what hints probes
	for what in 0,1 0,2 1,1 1,2; do
		probes=$(counter hostA tx_probe)
		answers sent FEEDBACK $what && expect_more hostA tx_probe "$probes" 1 &&
			wait_until 5000 operational || return 1
	done
	hints=$(counter hostA hint)
	answers sent FEEDBACK 0,0 && answers sent FEEDBACK 1,0 && expect_same hostA hint "$hints" || return 1
	answers sent FEEDBACK 0,3 && answers sent FEEDBACK 1,3 && expect_more hostA hint "$hints" 2 &&
		operational && goes "$A_X" "$B_X"
}

# "zero-filled locator information" without a context (section 7.1); the interface is
# one anyway.
test_zeros() {
	bg hostB "$TOP/selftests/message.py" receive-other "$B_X" "$A_X" "$A_Y" 7002 >"$WORK/read"
	READER=$BG
	wait_until 10000 grep -q ready "$WORK/read" || return 1
	on hostA "$TOP/selftests/message.py" send-plain "$A_Y" "$B_X" 7002
	wait_until 10000 grep -q told "$WORK/read" || { stop "$READER"; return 1; }
	log "$(tail -1 "$WORK/read")"
	grep -qx "told none none $(ifindex hostB x)" "$WORK/read"
}

# While the context prefers another pair.
test_prefers() {
	option set LOC_PEER_PREF "$B_X,9,0" && wait_until 5000 goes "$A_Y" "$B_Y" && test_options "$A_Y,$B_Y"
	local status=$?
	option set LOC_PEER_PREF "$B_X,0,0" && wait_until 5000 goes "$A_X" "$B_X" && return $status
}

# Section 14.1.1: a source that is on an interface, though not in the list, gets into it.
test_unknown_source() {
	option set LOCLIST_LOCAL "$A_X" && is "$A_X,0,0" get LOCLIST_LOCAL || return 1
	answers sent LOCAL "$A_Y" && is "$A_X,0,0 $A_Y,0,0" get LOCLIST_LOCAL || return 1
	wait_until 5000 knows "$A_X" "$A_Y" || { log "the peer was not told"; return 1; }
	option set LOCLIST_LOCAL "$A_X" && option set LOC_LOCAL_SEND "$A_Y" &&
		is "$A_X,0,0 $A_Y,0,0" get LOCLIST_LOCAL || return 1
	# On an interface, and of no set: the peer could not verify it.
	ip -6 -n hostA addr add "$(prefix hostA x)77/64" dev x nodad
	answers EINVALIDLOCATOR LOCAL "$(prefix hostA x)77" &&
		is EINVALIDLOCATOR set LOC_LOCAL_SEND "$(prefix hostA x)77" &&
		is "$A_X,0,0 $A_Y,0,0" get LOCLIST_LOCAL
}

knows() { # LOCATOR...: host B of host A, in this order
	local all="$*"
	[ "$(shimctl hostB context show "$B_X" "$A_X" --json | tr -d ' \n' |
		sed 's/.*"peer_locators":\[\([^]]*\)\].*/\1/' | grep -o '"addr":"[^"]*"' | awk -F'"' '{ printf "%s ", $4 }')" = "$all " ]
}

test_without_context() {
	answers ENOENT LOCAL "$A_X" && answers ENOENT FEEDBACK 0,3 && answers ENOENT IF 1
}

test_errors() {
	local refused; refused=$(counter hostA tx_not_chosen)
	answers EINVALIDLOCATOR LOCAL "$B_X" && answers EINVALIDLOCATOR PEER "$A_X" &&
		answers EINVALIDLOCATOR LOCAL 2001:db8::1 && answers EINVALIDLOCATOR LOCAL 192.0.2.1 &&
		answers EINVALIDLOCATOR IF 9999 && answers EINVAL IF 0 && answers EINVAL RECV "$A_X" &&
		answers EINVAL FEEDBACK 2,1 && answers EINVAL FEEDBACK 0,4 &&
		answers ENOTSUP LOCAL "$A_Y" more && answers sent FEEDBACK 0,0 &&
		answers sent LOCAL "$A_Y" && answers sent LOCAL "$A_Y" unbound &&
		answers sent IF "$(ifindex hostA y)"
	local status=$?
	expect_same hostA tx_not_chosen "$refused" && return $status
}

# A call that waits for its datagram is inside the module.
test_in_use() {
	start_reader 1 1 && wait_until 5000 in_use || return 1
	module_unload 2>"$WORK/rmmod" && { log "unloaded"; return 1; }
	log "$(cat "$WORK/rmmod")"
	grep -q 'in use' "$WORK/rmmod" || return 1
	on hostA "$TOP/selftests/message.py" send "$A_X" "$B_X" 7000 1 1 "$A_Y,$B_Y" || return 1
	wait_until 10000 gone "$READER" && told_rightly 1
}

in_use() { (($(cat /sys/module/shim6/refcnt) > 0)); }

# Nor do sockets that used every option keep it, or miss it.
test_unload() {
	bg hostA "$TOP/selftests/message.py" hold "$A_X" "$B_X" >"$WORK/hold"
	local holder=$BG status
	wait_until 10000 grep -q ready "$WORK/hold" || return 1
	module_unload; status=$?
	kill -USR1 "$holder"
	wait "$holder"
	grep -q gone "$WORK/hold" && return $status
}

lib_init
ktap_begin 16
topology_up
module_load
for host in hostA hostB; do
	shim_addresses $host
	shim_sysctl $host prefer_interval_ms 1000
done
A_X=$(addr hostA x) A_Y=$(addr hostA y) B_X=$(addr hostB x) B_Y=$(addr hostB y)
PAIRS=("$A_X,$B_X" "$A_Y,$B_Y" "$A_X,$B_Y" "$A_Y,$B_X")
test_without_context; ktap_result $? "without a context: ENOENT"
establish || die "no context"
bg hostB python3 "$TOP/demo/udp.py" echo "$B_X" 9000 >"$WORK/echo"
wait_until 10000 grep -q ready "$WORK/echo" || die "echo server"
bg hostB ncat -6 -k -l "$B_X" 9 >/dev/null
ping_start
test_reached; ktap_result $? "a locator that nobody reached is EUNVERIFIEDLOCATOR, then it may be chosen"
test_errors; ktap_result $? "errors, and what is sent in spite of them"
test_datagrams; ktap_result $? "each of 400 datagrams goes its own way, and tells it to 8 readers"
test_many; ktap_result $? "so it is with many datagrams in a call"
test_options "$A_X,$B_X"; ktap_result $? "options choose for all packets of a socket, until they are undone"
test_interface; ktap_result $? "an interface chooses the locator that it has"
test_feedback; ktap_result $? "feedback of both degrees and directions has the path asked"
test_prefers; ktap_result $? "what a socket chooses counts more than what the context prefers"
stop "$PING"
test_stream; ktap_result $? "a stream goes where its socket says, and tells where from"
test_stream_refused; ktap_result $? "one call on a stream cannot choose, and can tell"
test_zeros; ktap_result $? "without a context zeros are told"
test_unknown_source; ktap_result $? "a source that is not in the list gets into it, and the peer is told"
test_in_use; ktap_result $? "the module is in use while a call waits for a datagram"
test_unload; ktap_result $? "sockets that used every option let it go"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
