#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# SHIM_DONTSHIM on the wire (RFC 6316 6.2): while everybody else's packets take the
# other path, those of such a socket keep their identifiers and take the way that
# these have; also what a listening socket answers, the segments of its children,
# resets, and what answers out of TIME_WAIT.
. "$(dirname "$0")/lib.sh"

X=(hostA x); Y=(hostB x)

# rehomed: the context is on provider Y and stays there; provider X works again.
rehomed() {
	shim_sysctl hostA prefer_interval_ms 3600000
	shim_sysctl hostB prefer_interval_ms 3600000
	establish || return 1
	capture ispY toA "$WORK/y.pcap" "ip6 proto $PROTO_SHIM6"
	CAPTURE_Y=$BG
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

# untouched CMD...: it succeeds with ten packets at least. Where they went is seen at the end.
untouched() {
	local bare status
	bare=$(counter hostA tx_dontshim)
	"$@"; status=$?
	[ $status -eq 0 ] || log "$*: status $status"
	[ $status -eq 0 ] && expect_more hostA tx_dontshim "$bare" "${LEAST:-10}"
}

# tcp SERVER CLIENT PORT: these of dontshim.py, and both end well.
tcp() {
	local server
	bg hostB "$TOP/selftests/dontshim.py" "$1" "$(addr "${Y[@]}")" "$3" >"$WORK/tcp"
	server=$BG
	wait_until 10000 grep -q ready "$WORK/tcp" || return 1
	on hostA "$TOP/selftests/dontshim.py" "$2" "$(addr "${X[@]}")" "$(addr "${Y[@]}")" "$3" || return 1
	wait "$server"
}

# times NAME: how often host B's kernel says that it did that.
times() { on hostB nstat -asz "TcpExt$1" | awk -v name="TcpExt$1" '$1 == name { print $2 }'; }

has_cookies() { on hostB test -e /proc/sys/net/ipv4/tcp_syncookies; }

# A SYN-ACK with a cookie is of no socket, nor is there one before its answer comes.
cookie() {
	local sent; sent=$(times SyncookiesSent)
	on hostB sysctl -qw net.ipv4.tcp_syncookies=2
	tcp tcp-serve tcp-fetch 8084 && [ "$(times SyncookiesSent)" -gt "$sent" ]
	local status=$?
	on hostB sysctl -qw net.ipv4.tcp_syncookies=1
	return $status
}

# The child is there before the SYN-ACK, and inherits after it.
fast() {
	local passive; passive=$(times TCPFastOpenPassive)
	on hostA sysctl -qw net.ipv4.tcp_fastopen=5
	on hostB sysctl -qw net.ipv4.tcp_fastopen=0x202
	tcp fast-serve fast 8083 && [ "$(times TCPFastOpenPassive)" -gt "$passive" ]
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
# ends FILTER: who sent such packets there, once or again.
ends() { tcpdump -r "$WORK/x.pcap" -n "$1" 2>/dev/null | awk '{ print $3 }' | sort -u | wc -l; }
# behind PROTOCOL PORT [FILTER]: such packets behind a payload header, on provider Y.
behind() { tcpdump -r "$WORK/y.pcap" -n "ip6[40] = $1 and (ip6[48:2] = $2 or ip6[50:2] = $2)$3" 2>/dev/null; }

# The reset of no socket may be there: when the server's last ACK is overtaken by its FIN,
# TIME_WAIT answers both, and the second answer finds nobody any more. Sockets' resets
# have an ACK.
OF_SOCKETS=' and ip6[61] != 4'

SYN_ACK='ip6[53] & 18 = 18' FIN='ip6[53] & 1 != 0' RST='ip6[53] & 4 != 0'

enough() {
	[ "$(seen 'tcp port 8081')" -ge 20 ] && [ "$(seen 'udp port 9003')" -eq 100 ] &&
		[ "$(ends "tcp port 8081 and $FIN")" -eq 2 ] && [ "$(seen "tcp port 8082 and $RST")" -ge 2 ] &&
		[ "$(seen "tcp port 8083 and $SYN_ACK")" -ge 1 ] &&
		{ ! has_cookies || [ "$(seen "tcp port 8084 and $SYN_ACK")" -ge 1 ]; }
}

# That they are on one path says nothing unless they are not on the other one.
test_wire() {
	local status
	wait_until 5000 enough
	status=$?
	stop "$CAPTURE" INT
	log "over provider X: $(seen 'tcp port 8081') TCP, $(seen 'udp port 9003') UDP, $(seen "tcp port 8082 and $RST") resets"
	log "SYN-ACKs $(seen "tcp port 8083 and $SYN_ACK") and $(seen "tcp port 8084 and $SYN_ACK"), FIN of $(ends "tcp port 8081 and $FIN") ends"
	sed 's/^/# tcpdump: /' "$WORK/x.pcap.log"
	return $status
}

test_other_wire() {
	local port status=0
	stop "$CAPTURE_Y" INT
	[ "$(behind 17 9000 | wc -l)" -gt 10 ] || { log "the other path was not looked at"; status=1; }
	for port in 8081 8082 8083 8084; do behind 6 $port "$OF_SOCKETS"; done >"$WORK/strays"
	behind 17 9003 >>"$WORK/strays"
	[ -s "$WORK/strays" ] || return $status
	sed 's/^/# on provider Y: /' "$WORK/strays"
	return 1
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
ktap_begin 10
topology_up
shim_up
rehomed; ktap_result $? "a context is on the other path"
capture ispX toA "$WORK/x.pcap" -s 128 ip6
CAPTURE=$BG
untouched tcp tcp-serve tcp-fetch 8081; ktap_result $? "TCP without shim: child, FIN and TIME_WAIT too"
LEAST=5 untouched tcp reset-serve reset 8082; ktap_result $? "resets of either end"
LEAST=3 untouched fast; ktap_result $? "TCP Fast Open"
if has_cookies; then
	untouched cookie; ktap_result $? "SYN cookies"
else
	ktap_skip "SYN cookies" "this kernel has none"
fi
untouched udp; ktap_result $? "UDP without shim, in both directions"
test_wire; ktap_result $? "their packets went where the identifiers are"
test_other_wire; ktap_result $? "and none where the context is"
test_no_rescue; ktap_result $? "they do not outlive their path"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
