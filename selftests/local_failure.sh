#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What is lost is not far away: the carrier of the host's own link, the link
# itself with its addresses, the default route. The identifier stays usable.
. "$(dirname "$0")/lib.sh"

BYTES=$((16 << 20))
RATE=$((3 << 20))
PORT=8080

# test_loss HOW BACK HOST COUNTER N [STALL]: HOST counts that many more of it.
test_loss() {
	local before client result
	home || return 1
	before=$(counter "$3" "$4")
	: >"$WORK/progress"
	bg hostA "$TOP/selftests/traffic.py" tcp-fetch "$(addr hostA x)" "$(addr hostB x)" $PORT $BYTES \
		>"$WORK/fetch" 2>"$WORK/progress"
	client=$BG
	wait_until 20000 has_bytes "$WORK/progress" 16 || { log "no transfer"; return 1; }
	$1
	wait "$client"; result=$?
	log "$(cat "$WORK/fetch")"
	$2
	[ $result -eq 0 ] && stall_below "$WORK/fetch" "${6:-1.5}" &&
		expect_more "$3" "$4" "$before" "$5"
}

carrier_lost() { carrier hostA x down; }
carrier_back() { carrier hostA x up; }
link_lost() { ip -n hostA link set dev x down; }
link_back() {
	ip -n hostA link set dev x up
	ip -6 -n hostA addr add "$(addr hostA x)/64" dev x nodad
	provider_routes hostA x
}
route_lost() { no_default hostA x; }
route_back() { provider_routes hostA x; }

# The router of provider X forwards nothing more, and does not answer host B's neighbour
# solicitations either: the sender is the one who can tell before the Send Timeout.
router_lost() {
	on ispX nft -f - <<-NFT
	table ip6 silent {
		chain input { type filter hook input priority 0; iifname toB drop; }
		chain forward { type filter hook forward priority 0; drop; }
	}
	NFT
}
router_back() { on ispX nft delete table ip6 silent; }

# Long before the Send Timeout, Neighbor Unreachability Detection knows (RFC 5534 section 3.2).
test_router() {
	local host
	fresh
	for host in "${HOSTS[@]}"; do
		shim_sysctl "$host" send_timeout_ms 60000
		on "$host" sysctl -qw net.ipv6.neigh.x.base_reachable_time_ms=1000 \
			net.ipv6.neigh.x.delay_first_probe_time=1 net.ipv6.neigh.x.retrans_time_ms=200
		# Neighbours that are known keep the timer of the longer time.
		ip -6 -n "$host" neigh flush dev x
	done
	establish && test_loss router_lost router_back hostB next_hop_lost 1 15
}

# No way out at all: programs are told at once, as they would be without the shim.
test_no_way() {
	local data control said status
	home || return 1
	data=$(counter hostA tx_no_route) control=$(counter hostA control_no_route)
	no_default hostA x
	no_default hostA y
	said=$(on hostA python3 - "$(addr hostA x)" "$(addr hostB x)" <<-'PY'
	import errno, socket, sys
	sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
	sock.bind((sys.argv[1], 0))
	try:
	    sock.sendto(b"nowhere", (sys.argv[2], 9000))
	    print("sent")
	except OSError as error:
	    print(errno.errorcode[error.errno])
	PY
	)
	log "$said"
	[[ $said == E*UNREACH ]] && expect_more hostA tx_no_route "$data" 1 &&
		wait_until 10000 risen hostA control_no_route "$control"
	status=$?
	provider_routes hostA x
	provider_routes hostA y
	[ $status -eq 0 ] && home
}

lib_init
ktap_begin 7
topology_up
ingress_filter ispX "$PREFIX_X"
ingress_filter ispY "$PREFIX_Y"
shim_up
bg hostB "$TOP/selftests/traffic.py" tcp-serve "$(addr hostB x)" $PORT $BYTES $RATE >"$WORK/serve"
wait_until 10000 grep -q ready "$WORK/serve" || die "server"
establish; ktap_result $? "a context is set up by the traffic"
test_loss carrier_lost carrier_back hostA rx_restored 50; ktap_result $? "TCP outlives the loss of the carrier"
# What comes in still comes over X: the two directions are apart.
test_loss route_lost route_back hostA tx_rewritten 20; ktap_result $? "TCP outlives the loss of the default route"
test_loss link_lost link_back hostA rx_restored 50; ktap_result $? "TCP outlives its link set down"
test_no_way; ktap_result $? "without any route programs are told, and it goes on when there is one"
test_router; ktap_result $? "TCP outlives a router that does not answer any more"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
