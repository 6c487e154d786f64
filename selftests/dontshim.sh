#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# SHIM_DONTSHIM on the wire (RFC 6316 6.2): while everybody else's packets take the
# other path, those of such a socket keep their identifiers and take the way that
# these have; also the segments of accepted children and of TIME_WAIT.
. "$(dirname "$0")/lib.sh"

X=(hostA x); Y=(hostB x)

# rehomed: the context is on provider Y and stays there; provider X works again.
rehomed() {
	shim_sysctl hostA prefer_interval_ms 3600000
	shim_sysctl hostB prefer_interval_ms 3600000
	establish || return 1
	bg hostB python3 "$TOP/demo/udp.py" echo "$(addr "${Y[@]}")" 9000 >"$WORK/echo"
	local server=$BG client
	bg hostA python3 "$TOP/demo/udp.py" ping "$(addr "${X[@]}")" "$(addr "${Y[@]}")" 9000 20 >"$WORK/ping"
	client=$BG
	cut ispX
	wait_until 10000 both_on y || { log "nobody moved"; return 1; }
	heal ispX
	stop "$client"
	stop "$server"
}

# untouched CMD...: it succeeds, and meanwhile no packet of either host is rewritten.
untouched() {
	local a b bare status
	a=$(counter hostA tx_rewritten); b=$(counter hostB tx_rewritten)
	bare=$(counter hostA tx_dontshim)
	"$@"; status=$?
	[ $status -eq 0 ] || log "$*: status $status"
	[ $status -eq 0 ] && expect_same hostA tx_rewritten "$a" && expect_same hostB tx_rewritten "$b" &&
		expect_more hostA tx_dontshim "$bare" 10
}

tcp() {
	local server
	bg hostB "$TOP/selftests/dontshim.py" tcp-serve "$(addr "${Y[@]}")" 8081 >"$WORK/tcp"
	server=$BG
	wait_until 10000 grep -q ready "$WORK/tcp" || return 1
	on hostA "$TOP/selftests/dontshim.py" tcp-fetch "$(addr "${X[@]}")" "$(addr "${Y[@]}")" 8081 || return 1
	wait "$server"
}

udp() {
	local server status
	bg hostB "$TOP/selftests/dontshim.py" udp-echo "$(addr "${Y[@]}")" 9003 >"$WORK/udp"
	server=$BG
	wait_until 10000 grep -q ready "$WORK/udp" || return 1
	on hostA "$TOP/selftests/dontshim.py" udp-ping "$(addr "${X[@]}")" "$(addr "${Y[@]}")" 9003 50
	status=$?
	stop "$server"
	return $status
}

# seen FILTER: packets in the capture of provider X.
seen() { tcpdump -r "$WORK/x.pcap" -n "$1" 2>/dev/null | wc -l; }

enough() {
	[ "$(seen 'tcp port 8081')" -ge 20 ] && [ "$(seen 'udp port 9003')" -eq 100 ] &&
		[ "$(seen 'tcp port 8081 and ip6[53] & 1 != 0')" -eq 2 ]
}

test_wire() {
	local status
	wait_until 5000 enough
	status=$?
	stop "$CAPTURE" INT
	log "over provider X: $(seen 'tcp port 8081') TCP, $(seen 'udp port 9003') UDP"
	return $status
}

ping_once() {
	on hostA timeout $((5 * SLOW)) "$TOP/selftests/dontshim.py" udp-ping \
		"$(addr "${X[@]}")" "$(addr "${Y[@]}")" 9003 1 2>/dev/null
}

# The path of the identifiers dies: who wants no shim gets none.
test_no_rescue() {
	bg hostB "$TOP/selftests/dontshim.py" udp-echo "$(addr "${Y[@]}")" 9003 >"$WORK/udp"
	wait_until 10000 grep -q ready "$WORK/udp" || return 1
	ping_once || { log "no echo before the cut"; return 1; }
	cut ispX
	! ping_once
}

lib_init
ktap_begin 6
topology_up
shim_up
rehomed; ktap_result $? "a context is on the other path"
capture ispX toA "$WORK/x.pcap" ip6
CAPTURE=$BG
untouched tcp; ktap_result $? "TCP without shim: child, FIN and TIME_WAIT too"
untouched udp; ktap_result $? "UDP without shim, in both directions"
test_wire; ktap_result $? "their packets went where the identifiers are"
test_no_rescue; ktap_result $? "they do not outlive their path"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
