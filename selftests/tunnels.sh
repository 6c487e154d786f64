#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tunnels between the identifiers of two hosts, IPv6 in IPv6, WireGuard and VXLAN: what goes
# through them outlives the path that they began on, with full-size segments, also
# where the other path carries less.
. "$(dirname "$0")/lib.sh"

BYTES=$((8 << 20))
RATE=$((2 << 20))
SLOWLY=8080 FAST=8081

# inner TUNNEL HOST: the host's address in there.
inner() {
	case $1 in
	ip6) echo "fd00:6::$(letter "$2")" ;;
	wg) echo "fd00:5820::$(letter "$2")" ;;
	vx) echo "fd00:4789::$(letter "$2")" ;;
	esac
}

link_in() { # TUNNEL HOST: the device is there, now its address
	ip -6 -n "$2" addr add "$(inner "$1" "$2")/64" dev "$1" nodad &&
		ip -n "$2" link set dev "$1" up
}

# No Encapsulation Limit, which would cost 8 octets more.
tunnel_ip6() { # HOST PEER
	ip -n "$1" link add ip6 type ip6tnl local "$(addr "$1" x)" remote "$(addr "$2" x)" \
		mode ip6ip6 encaplimit none && link_in ip6 "$1"
}

tunnel_wg() { # HOST PEER
	ip -n "$1" link add wg type wireguard &&
		on "$1" python3 "$TOP/selftests/wireguard.py" wg 51820 "$1" "$2" "$(addr "$2" x)" \
			"$(inner wg "$2")/128" && link_in wg "$1"
}

tunnel_vx() { # HOST PEER
	ip -n "$1" link add vx mtu 1422 type vxlan id 7 local "$(addr "$1" x)" remote "$(addr "$2" x)" \
		dstport 4789 && link_in vx "$1"
}

# tunnel TUNNEL: on both hosts, and somebody who serves in there.
tunnel() {
	local port rate
	"tunnel_$1" hostA hostB && "tunnel_$1" hostB hostA || return 1
	for port in $SLOWLY $FAST; do
		rate=0
		[ $port = $FAST ] || rate=$RATE
		bg hostB "$TOP/selftests/traffic.py" tcp-serve "$(inner "$1" hostB)" $port $BYTES $rate >"$WORK/serve.$port"
		SERVERS+=("$BG")
		wait_until 10000 grep -q ready "$WORK/serve.$port" || return 1
	done
}

end() { # TUNNEL
	local server
	for server in "${SERVERS[@]}"; do
		stop "$server"
	done
	SERVERS=()
	ip -n hostA link del "$1"
	ip -n hostB link del "$1"
}

fetch() { # TUNNEL PORT
	on hostA timeout $((60 * SLOW)) "$TOP/selftests/traffic.py" tcp-fetch "$(inner "$1" hostA)" \
		"$(inner "$1" hostB)" "$2" $BYTES >"$WORK/fetch" 2>"$WORK/progress"
	local status=$?
	log "$(cat "$WORK/fetch")"
	return $status
}

# What goes through the tunnel is traffic between the identifiers, and gets a context.
test_context() { # TUNNEL
	fetch "$1" $FAST && wait_until 10000 established hostA "$(addr hostA x)" "$(addr hostB x)" &&
		wait_until 5000 established hostB "$(addr hostB x)" "$(addr hostA x)"
}

test_cut() { # TUNNEL
	local tx rx client
	tx=$(counter hostB tx_rewritten) rx=$(counter hostA rx_restored)
	: >"$WORK/progress"
	fetch "$1" $SLOWLY &
	client=$!
	LIB_PIDS+=("$client")
	wait_until 20000 has_bytes "$WORK/progress" 16 || { log "no transfer"; return 1; }
	cut ispX
	wait "$client" && stall_below "$WORK/fetch" 5 &&
		expect_more hostB tx_rewritten "$tx" 100 && expect_more hostA rx_restored "$rx" 100
}

# behind NEXT LEAST: octets in packets with a payload header before this one, so long or longer
# from the IPv6 header on. Some are many segments together.
behind() {
	tcpdump -r "$WORK/y.pcap" -en "ip6[6] == $PROTO_SHIM6 and ip6[42] & 0x80 != 0 and ip6[40] == $1 and len >= $(($2 + 14))" \
		2>/dev/null | awk 'match($0, /, length [0-9]+/) { n += substr($0, RSTART + 9, RLENGTH - 9) } END { print n + 0 }'
}
most() { [ "$(behind "$1" "$2")" -ge $((BYTES / 2)) ]; }

# test_full TUNNEL NEXT OCTETS LOST: packets of the tunnel, whose header is NEXT, fill
# the path to OCTETS but for LOST, and none is cut into fragments.
test_full() {
	local cuts
	# The first one may have to learn what fits.
	fetch "$1" $FAST || return 1
	cuts=$(counter hostB tx_fragments)
	capture ispY toA "$WORK/y.pcap" -s 100 "ip6 proto $PROTO_SHIM6"
	local capture=$BG
	fetch "$1" $FAST || return 1
	wait_until 5000 most "$2" $(($3 - $4))
	stop "$capture" INT
	log "$(behind "$2" $(($3 - $4))) octets in packets of $(($3 - $4)) or more, $(behind 44 0) in fragments"
	most "$2" $(($3 - $4)) && expect_same hostB tx_fragments "$cuts"
}

# Its super-packets have inner headers, by which they are cut before they are rehomed.
test_cut_up() {
	local cut; cut=$(counter hostB tx_segmented)
	test_full vx 17 1500 0 && expect_more hostB tx_segmented "$cut" 100
}

# Behind the router the path carries 1400 octets only.
narrow() { ip -n ispY link set dev toA mtu 1400; }

# Nobody goes back to the first pair.
stay() {
	local host
	for host in "${HOSTS[@]}"; do
		shim_sysctl "$host" prefer_interval_ms 3600000
	done
}

SERVERS=()
lib_init
for m in ip6_tunnel wireguard vxlan; do
	modprobe -q $m 2>/dev/null || :
done
ktap_begin 16
topology_up
shim_up
stay
shape 100mbit 5ms

tunnel wg; ktap_result $? "WireGuard between the identifiers"
test_context wg; ktap_result $? "it gets a context"
test_cut wg; ktap_result $? "TCP in it outlives a cut of provider X"
# It does not ask how much fits: its device is told, as for any other path.
for host in "${HOSTS[@]}"; do
	ip -n "$host" link set dev wg mtu 1412
done
test_full wg 17 1500 16; ktap_result $? "its packets are full and no fragments"
end wg
heal ispX
fresh
stay

tunnel vx; ktap_result $? "VXLAN between the identifiers"
test_context vx; ktap_result $? "it gets a context"
test_cut vx; ktap_result $? "TCP in it outlives a cut of provider X"
test_cut_up; ktap_result $? "its packets are full and no fragments"
end vx
heal ispX
fresh
stay

tunnel ip6; ktap_result $? "IPv6 in IPv6 between the identifiers"
test_context ip6; ktap_result $? "it gets a context"
test_cut ip6; ktap_result $? "TCP in it outlives a cut of provider X"
test_full ip6 41 1500 8; ktap_result $? "its packets are full and no fragments"
narrow && test_full ip6 41 1400 8; ktap_result $? "a smaller MTU on the new path is found"
end ip6
tunnel wg && fetch wg $FAST; ktap_result $? "and is no obstacle to WireGuard"
module_unload; ktap_result $? "nothing holds the module"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
