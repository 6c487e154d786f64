#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Two programs with the same pair of hosts wish different things of their context:
# it is forked (RFC 5533 4.2, RFC 6316 11.1). Each program's packets take its own
# path, and so do the answers; a fork goes with its socket, and the default context
# does not notice.
. "$(dirname "$0")/lib.sh"

A_X=; A_Y=; B_X=; B_Y=
declare -A WORDS PID

# wisher NAME KIND LOCAL_PORT: a program of that name on host A, connected to host B.
wisher() {
	local fd
	mkfifo "$WORK/$1.in" || return 1
	: >"$WORK/$1.out"
	bg hostA "$TOP/selftests/wisher.py" "$WORK/$1.in" "$2" "$A_X" "$3" "$B_X" 9000 >"$WORK/$1.out"
	PID[$1]=$BG
	exec {fd}>"$WORK/$1.in"
	WORDS[$1]=$fd
	wait_until 10000 grep -q ready "$WORK/$1.out" || { log "no $1"; return 1; }
}

has_lines() { [ "$(wc -l <"$WORK/$1.out")" -ge "$2" ]; }

# tell NAME WORD...: what the program answers.
tell() {
	local name=$1 lines; shift
	lines=$(wc -l <"$WORK/$name.out")
	echo "$*" >&"${WORDS[$name]}"
	wait_until 20000 has_lines "$name" $((lines + 1)) || { echo "no answer"; return 1; }
	tail -1 "$WORK/$name.out"
}

answers() { # NAME TEXT WORD...
	local name=$1 want=$2 got; shift 2
	got=$(tell "$name" "$@")
	[ "$got" = "$want" ] && return
	log "$name $*: '$got', not '$want'"
	return 1
}

leave() { stop "${PID[$1]}"; eval "exec ${WORDS[$1]}>&-"; rm "$WORK/$1.in"; }

forks_of() { contexts "$1" | grep -c ' fii '; }

# forks COUNT: host A has so many, and host B the other halves of all of them. (What
# host A has no more, host B forgets in its own time.)
forks() {
	local fii
	[ "$(forks_of hostA)" = "$1" ] || return 1
	for fii in $(contexts hostA | grep -o ' fii [0-9]*' | awk '{ print $2 }'); do
		contexts hostB | grep -q " fii $fii .* established" || return 1
	done
}

# The filters of a flow of host A's port, both ways: with the header, and without.
tagged() { echo "ip6 proto 140 and (ip6[48:2] = $1 or ip6[50:2] = $1)"; }
bare() { echo "port $1"; }

# seen LINK FILTER HOST: packets on host A's link, those that the host sent.
seen() {
	local side="src net $(prefix "$3" x)/64 or src net $(prefix "$3" y)/64"
	tcpdump -r "$WORK/$1.pcap" -n "($2) and ($side)" 2>/dev/null | wc -l
}

# flows PORT FILTER LINK: 20 packets both ways on that link, and none on the other.
flows() {
	local other=y
	[ "$3" = y ] && other=x
	[ "$(seen "$3" "$2" hostA)" -ge 20 ] && [ "$(seen "$3" "$2" hostB)" -ge 20 ] || return 1
	[ "$(seen $other "port $1 or ($(tagged "$1"))" hostA)" -eq 0 ] &&
		[ "$(seen $other "port $1 or ($(tagged "$1"))" hostB)" -eq 0 ]
}

# on_the_wire: what provider X and Y carry now satisfies: CMD...
on_the_wire() {
	local x y status
	capture hostA x "$WORK/x.pcap"; x=$BG
	capture hostA y "$WORK/y.pcap"; y=$BG
	wait_until 8000 "$@"; status=$?
	stop "$x" INT; stop "$y" INT
	[ $status -eq 0 ] || log "port 9101: x $(seen x 'port 9101' hostA) $(seen x 'port 9101' hostB), port 9102: x $(seen x "port 9102 or ($(tagged 9102))" hostA) $(seen x "port 9102 or ($(tagged 9102))" hostB) y $(seen y "$(tagged 9102)" hostA) $(seen y "$(tagged 9102)" hostB)"
	rm -f "$WORK"/[xy].pcap*
	return $status
}

each_its_own() { flows 9101 "$(bare 9101)" x && flows 9102 "$(tagged 9102)" y; }
both_on_x() { flows 9101 "$(bare 9101)" x && flows 9102 "$(bare 9102)" x; }

# both KIND: two programs; the first has the default context, the second is forked off.
both() {
	wisher one "$1" 9101 && wisher two "$1" 9102 || return 1
	answers one ok set LOC_LOCAL_PREF "$A_Y,5,0" && forks 0 || return 1
	# Somebody else's wish that is in force is granted.
	answers two ok set LOC_LOCAL_PREF "$A_Y,5,0" && forks 0 || { log "forked for nothing"; return 1; }
	answers two ok set LOC_LOCAL_PREF "$A_X,9,0" && answers two ok set LOC_LOCAL_PREF "$A_Y,1,0" || return 1
	wait_until 2000 forks 1 || { log "no fork"; return 1; }
	contexts hostA | grep -q " fii .* via $A_Y -> " ||
		wait_until 3000 eval 'contexts hostA | grep -q " fii .* via $A_Y -> "' || return 1
	answers two ok set LOC_PEER_PREF "$B_X,9,0" && forks 1 || { log "a fork of a fork"; return 1; }
}

test_wire() {
	local fork flow
	fork=$(counter hostA tx_fork); flow=$(counter hostB tx_flow)
	on_the_wire each_its_own || return 1
	expect_more hostA tx_fork "$fork" 20 && expect_more hostB tx_flow "$flow" 20
}

test_untouched() {
	answers one "$A_X,0,0 $A_Y,5,0" get LOCLIST_LOCAL && answers two "$A_X,9,0 $A_Y,1,0" get LOCLIST_LOCAL &&
		answers one "$B_X,0,0 $B_Y,0,0" get LOCLIST_PEER || return 1
	answers two ok set APP_TIMEOUT 2 && answers two 2 get APP_TIMEOUT && answers one 0 get APP_TIMEOUT || return 1
	on_pair hostA "$A_X" "$B_X" && on_pair hostB "$B_X" "$A_X"
}

test_json() {
	local fii tag
	read -r fii tag < <(contexts hostA | awk '/ fii / { for (i = 1; i < NF; i++) { if ($i == "fii") f = $(i + 1); if ($i == "tag") t = $(i + 1) } print f, t }')
	shimctl hostA context list --json | tr -d ' \n' | grep -q "\"fii\":$fii," &&
		shimctl hostA context show "$tag" --json | tr -d ' \n' | grep -q "\"fii\":$fii," &&
		shimctl hostA context show --fii "$fii" "$A_X" "$B_X" | grep -q "$tag"
}

# The peer loses all it has: both contexts come back, and the flows to their places.
test_recovery() {
	local recovered; recovered=$(counter hostA recovered)
	forget hostB
	shim_host hostB
	wait_until 10000 forks 1 || { log "no fork at the peer"; return 1; }
	expect_more hostA recovered "$recovered" 1 && on_the_wire each_its_own
}

# A link of the fork dies: the fork moves, the default context does not.
test_failure() {
	local status
	cut ispY
	wait_until 8000 fork_on "$A_X"; status=$?
	on_pair hostA "$A_X" "$B_X" || status=1
	heal ispY
	[ $status -eq 0 ] && wait_until 15000 fork_on "$A_Y" && forks 1
}

fork_on() { # LOCAL: where the fork's packets of host A go
	contexts hostA | grep ' fii ' | grep -qE "via $1 -> " && return
	[ "$1" = "$A_X" ] && contexts hostA | grep ' fii ' | grep -qv ' via '
}

# test_end HOW: the socket goes, the fork with it; what the peer still says brings nothing back.
test_end() {
	local ended r1bis; ended=$(counter hostA fork_ended); r1bis=$(counter hostA tx_r1bis)
	answers two closed "$1" || return 1
	wait_until 5000 eval 'expect_more hostA fork_ended '"$ended"' 1' || return 1
	wait_until 6000 eval '[ "$(forks_of hostA)" = 0 ]' || { log "the fork stays"; return 1; }
	leave two
	expect_same hostA tx_r1bis "$r1bis" && [ "$(contexts hostA | wc -l)" -eq 1 ] || return 1
	# Another program with the same port shares the default context.
	wisher two "$KIND" 9102 && on_the_wire both_on_x
}

# The first program goes: whoever wishes something next has the default context.
test_next_owner() {
	leave one
	answers two ok set LOC_PEER_PREF "$B_Y,7,0" && answers two ok set LOC_LOCAL_PREF "$A_Y,6,0" &&
		[ "$(forks_of hostA)" = 0 ] && wisher one "$KIND" 9101 &&
		answers one "$A_X,0,0 $A_Y,6,0" get LOCLIST_LOCAL
}

# I1 does not arrive: nothing changes, and the call says so.
test_no_answer() {
	local before; before=$(contexts hostA)
	shim_sysctl hostA i1_timeout_ms 100
	shim_sysctl hostA i1_retries_max 2
	on hostB nft -f - <<-NFT || return 1
	table ip6 deaf {
		chain prerouting {
			type filter hook prerouting priority -600
			meta l4proto 140 @th,16,8 1 counter drop
		}
	}
	NFT
	answers one ETIMEDOUT set LOC_LOCAL_PREF "$A_X,3,0"
	local status=$?
	on hostB nft list table ip6 deaf | grep -q 'packets 3' || { log "not 3 I1"; status=1; }
	shim_sysctl hostA i1_timeout_ms 4000
	# A signal ends the wait.
	answers one ok alarm 300 && answers one EINTR set LOC_LOCAL_PREF "$A_X,3,0" || status=1
	on hostB nft delete table ip6 deaf
	shim_sysctl hostA max_forks 0
	answers one ENOBUFS set LOC_LOCAL_PREF "$A_X,3,0" || status=1
	shim_sysctl hostA max_forks 4096
	answers one EINVALIDLOCATOR set LOC_LOCAL_PREF "$B_X,3,0" || status=1
	[ "$(contexts hostA)" = "$before" ] || { log "something changed"; contexts hostA | sed 's/^/# /'; status=1; }
	# And now it may.
	[ $status -eq 0 ] && answers one ok set LOC_LOCAL_PREF "$A_X,3,0" && [ "$(forks_of hostA)" = 1 ]
}

# Orderly closed, a connection goes on in TIME_WAIT, and its fork with it.
test_time_wait() {
	answers two closed close || return 1
	wait_until 5000 eval 'on hostA ss -Hnt state time-wait sport = :9102 | grep -q .' || { log "no TIME_WAIT"; return 1; }
	leave two
	local from; from=$(now_ms)
	wait_until 5000 eval '(( $(now_ms) - '"$from"' > 4000 ))'
	[ "$(forks_of hostA)" = 1 ] || { log "the fork ended before its connection"; return 1; }
	# A kernel that cannot end it at once does so after a minute.
	on hostA ss -K state time-wait sport = :9102 >/dev/null 2>&1
	wait_until 70000 eval '[ "$(forks_of hostA)" = 0 ]'
}

# The module goes while sockets have forks.
test_unload() {
	[ "$(forks_of hostA)" -ge 1 ] && module_unload && answers one ENOPROTOOPT get ASSOCIATED &&
		answers one closed close && leave one
}

lib_init
ktap_begin 16
topology_up
shim_up
A_X=$(addr hostA x) A_Y=$(addr hostA y) B_X=$(addr hostB x) B_Y=$(addr hostB y)
bg hostB python3 "$TOP/demo/udp.py" echo "$B_X" 9000 >"$WORK/echo"
wait_until 10000 grep -q ready "$WORK/echo" || die "echo server"
bg hostB socat "TCP6-LISTEN:9000,bind=[$B_X],reuseaddr,fork" PIPE
establish || die "no context"
KIND=udp
both udp; ktap_result $? "different wishes of two UDP sockets fork their context"
test_wire; ktap_result $? "each takes its own path, and so do the answers"
test_untouched; ktap_result $? "each sees its own wishes"
test_json; ktap_result $? "shimctl names the fork"
test_recovery; ktap_result $? "a peer that lost it gets the fork back"
test_failure; ktap_result $? "a dead link moves the fork alone"
test_end close; ktap_result $? "the fork goes with its socket, and nothing brings it back"
test_next_owner; ktap_result $? "the default context is free when its first socket is gone"
test_no_answer; ktap_result $? "without an answer, with a signal, at the limit: an error and no change"
leave one; leave two
wait_until 8000 eval '[ "$(forks_of hostA)" = 0 ]'
KIND=tcp
both tcp; ktap_result $? "different wishes of two TCP sockets fork their context"
test_wire; ktap_result $? "each takes its own path, and so do the answers"
test_failure; ktap_result $? "a dead link moves the fork alone"
test_end reset; ktap_result $? "the fork goes with its connection"
answers two ok set LOC_LOCAL_PREF "$A_X,9,0"
test_time_wait; ktap_result $? "TIME_WAIT keeps its fork"
wisher two udp 9103 && answers two ok set LOC_LOCAL_PREF "$A_X,8,0"
test_unload; ktap_result $? "the module can go while a socket has a fork"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
