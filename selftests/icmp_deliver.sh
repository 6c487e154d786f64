#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ICMPv6 errors about the pair in use: Shim6 acts on them, and programs are spared;
# with net.shim6.icmp_deliver_all programs are told as well (RFC 5533 section 8).
. "$(dirname "$0")/lib.sh"

# refuse: provider Y answers data that comes from hostA by "no route", but not probes, so
# that the pair stays in use; accept: no more.
refuse() {
	on ispY nft -f - <<-NFT || die "nft"
	table ip6 refuse {
		chain forward {
			type filter hook forward priority 0
			iifname "toA" ip6 nexthdr $PROTO_SHIM6 @nh,336,8 & 0x80 == 0x80 limit rate 20/second reject with icmpv6 no-route
		}
	}
	NFT
}
accept() { on ispY nft delete table ip6 refuse; }

# told: what a connected socket of hostA hears of errors in three seconds.
told() {
	on hostA timeout $((30 * SLOW)) python3 - "$(addr hostA x)" "$(addr hostB x)" <<-'PY'
	import errno, socket, sys, time
	sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
	sock.setsockopt(socket.IPPROTO_IPV6, 25, 1)  # IPV6_RECVERR
	sock.bind((sys.argv[1], 0))
	sock.connect((sys.argv[2], 9000))
	sock.settimeout(0.05)
	end = time.monotonic() + 3
	while time.monotonic() < end:
	    try:
	        sock.send(b"hello")
	        sock.recv(100)
	    except TimeoutError:
	        continue
	    except OSError as error:
	        print(errno.errorcode[error.errno])
	        sys.exit()
	print("nothing")
	PY
}

# test_errors 0|1 WORD COUNTER: with that setting the program hears WORD, and COUNTER rises.
test_errors() {
	local before word
	shim_sysctl hostA icmp_deliver_all "$1"
	before=$(counter hostA "$3")
	refuse
	word=$(told)
	accept
	log "icmp_deliver_all=$1: $word"
	[ "$word" = "$2" ] && expect_more hostA "$3" "$before" 1
}

lib_init
modprobe -q nft_reject_ipv6 2>/dev/null || :
ktap_begin 5
topology_up
shim_up
for host in "${HOSTS[@]}"; do
	shim_sysctl "$host" prefer_interval_ms 3600000
done
bg hostB python3 "$TOP/demo/udp.py" echo "$(addr hostB x)" 9000 >"$WORK/echo"
wait_until 10000 grep -q ready "$WORK/echo" || die "echo server"
ping_start
wait_until 20000 established hostA "$(addr hostA x)" "$(addr hostB x)"
ktap_result $? "a context is set up"
ping_outlives_cut; ktap_result $? "both hosts use provider Y"
test_errors 0 nothing icmp_absorbed; ktap_result $? "an error that Shim6 acts on is kept from programs"
test_errors 1 ENETUNREACH icmp_translated; ktap_result $? "with icmp_deliver_all they hear it"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
