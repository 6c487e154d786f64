# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the shim6 scripts share: the topology, ways to break it, waiting for a
# state, counters, captures, KTAP. Source it; it changes nothing until
# topology_up is called, and undoes everything when the script ends.
#
#                     2001:db8:1::/48, provider X
#                toA +------+ toB
#        .-----------| ispX |-----------.
#      x |           +------+           | x
#   +-------+      peer |           +-------+
#   | hostA |           |           | hostB |
#   +-------+      peer |           +-------+
#      y |           +------+           | y
#        '-----------| ispY |-----------'
#                toA +------+ toB
#                     2001:db8:2::/48, provider Y
#
# Each host has one link and one address per provider: hostA on provider X is
# 2001:db8:1:a::/64, hostB on provider Y is 2001:db8:2:b::/64, the router is ::1
# in each. A packet leaves a host by the link its source address belongs to
# (rule + table per provider), as RFC 5533 section 1.6 presumes of a site with
# ingress filtering. The two providers peer, so all four locator pairs work.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
KERNEL=${KERNEL:-stock}
SHIM6_KO=${SHIM6_KO:-$TOP/build/$KERNEL/shim6.ko}
SHIMCTL=${SHIMCTL:-$TOP/build/shimctl}
PROTO_SHIM6=140

PREFIX_X=2001:db8:1
PREFIX_Y=2001:db8:2
HOSTS=(hostA hostB)
ISPS=(ispX ispY)

WORK=
LIB_PIDS=()

# ---------------------------------------------------------------- words

log() { printf '# %s\n' "$*"; }
die() { printf 'Bail out! %s\n' "$*"; exit 1; }

# on NS CMD...: run CMD in namespace NS. What takes longest in these tests is the start of
# programs: this one is small and static, and leaves /sys as it is.
on() {
	local ns=$1 PROGRAM
	program "$2"
	busybox nsenter --net=/run/netns/"$ns" "$PROGRAM" "${@:3}"
}

# program NAME: where it is, in $PROGRAM. Of some busybox would run its own.
program() {
	PROGRAM=${PROGRAMS[$1]:=$(type -P "$1")}
	[ -n "$PROGRAM" ] || PROGRAM=$1
}
declare -A PROGRAMS

# now: milliseconds of the monotonic clock, in $NOW; now_ms prints them.
now() { local up; read -r up _ </proc/uptime; NOW=$((10#${up/./} * 10)); }
now_ms() { local NOW; now; echo "$NOW"; }

# The debug kernel takes its time: limits are that many times as long.
SLOW=1
[ "${KERNEL:-stock}" = stock ] || SLOW=5

# wait_until LIMIT_MS CMD...: poll CMD until it succeeds; fails after LIMIT_MS.
wait_until() {
	local limit=$(($1 * SLOW)) start NOW; shift
	now; start=$NOW
	until "$@" >/dev/null 2>&1; do
		now
		(( NOW - start < limit )) || return 1
		read -rt 0.02 -u "$SILENT" || :
	done
}
# Nobody ever writes there.
exec {SILENT}<> <(:)

# letter HOST: its part of an address; router_dev HOST: the routers' link to it.
letter() { case $1 in hostA) echo a ;; hostB) echo b ;; *) die "no host $1" ;; esac; }
router_dev() { case $1 in hostA) echo toA ;; hostB) echo toB ;; *) die "no host $1" ;; esac; }
prefix() { # HOST x|y
	case $2 in
	x) echo "$PREFIX_X:$(letter "$1")::" ;;
	y) echo "$PREFIX_Y:$(letter "$1")::" ;;
	esac
}
# addr HOST x|y: the address HOST uses with that provider (HBA if it has one).
addr() { local addr; read -r addr <"$WORK/addr.$1.$2" && echo "$addr"; }
ifindex() { ip -n "$1" -o link show dev "$2" | sed 's/:.*//'; } # HOST DEV

# ---------------------------------------------------------------- life

lib_init() {
	WORK=$(mktemp -d /tmp/shim6.XXXXXX)
	trap lib_cleanup EXIT
	trap 'exit 130' INT TERM
	local m
	for m in veth nf_tables nft_ct nf_conntrack sch_netem sch_tbf dummy; do
		modprobe -q "$m" 2>/dev/null || :
	done
	dmesg_mark
}

# one_cpu: above all for tests that load or unload the module under calls. QEMU's emulation
# with a thread for each processor loses a kernel that patches its code while the
# other processor runs it: a tracer on sock_common_setsockopt(), switched on and off
# under calls of it, ends the stock kernel with "Oops: int3" within a second, without
# this module.
one_cpu() {
	local cpu
	for cpu in /sys/devices/system/cpu/cpu*/online; do
		[ -w "$cpu" ] && echo 0 >"$cpu"
	done
}

all_cpus() {
	local cpu
	for cpu in /sys/devices/system/cpu/cpu*/online; do
		[ -w "$cpu" ] && echo 1 >"$cpu"
	done
}

# bg NS CMD...: run CMD in namespace NS in the background; its own pid is in $BG,
# and cleanup ends it.
bg() {
	local ns=$1 PROGRAM
	program "$2"
	busybox nsenter --net=/run/netns/"$ns" "$PROGRAM" "${@:3}" &
	BG=$!
	LIB_PIDS+=("$BG")
}

stop() { # PID [SIGNAL]: end one of ours and wait for it
	kill "-${2:-TERM}" "$1" 2>/dev/null || :
	wait "$1" 2>/dev/null || :
}

lib_cleanup() {
	local status=$? pid
	trap - EXIT INT TERM
	all_cpus
	for pid in "${LIB_PIDS[@]}"; do
		kill "$pid" 2>/dev/null
	done
	for pid in "${LIB_PIDS[@]}"; do
		wait "$pid" 2>/dev/null
	done
	topology_down
	if module_loaded && [ -n "${WE_LOADED:-}" ]; then
		rmmod shim6 || { echo "# rmmod failed"; status=1; }
	fi
	[ -n "$WORK" ] && rm -rf "$WORK"
	exit "$status"
}

# ---------------------------------------------------------------- topology

topology_up() {
	local ns
	topology_down
	for ns in "${HOSTS[@]}" "${ISPS[@]}"; do
		ip netns add "$ns" || die "cannot add namespace $ns"
		on "$ns" sysctl -qw net.ipv6.conf.all.accept_dad=0 \
			net.ipv6.conf.default.accept_dad=0 \
			net.ipv6.conf.default.accept_ra=0 \
			net.ipv6.conf.default.router_solicitations=0
		ip -n "$ns" link set dev lo up
	done
	link_up hostA x ispX toA; link_up hostB x ispX toB
	link_up hostA y ispY toA; link_up hostB y ispY toB
	link_up ispX peer ispY peer
	router_up ispX "$PREFIX_X" 1 2 "$PREFIX_Y"
	router_up ispY "$PREFIX_Y" 2 1 "$PREFIX_X"
	for ns in "${HOSTS[@]}"; do
		host_routes "$ns"
	done
}

topology_down() {
	local ns
	for ns in "${HOSTS[@]}" "${ISPS[@]}"; do
		ip netns del "$ns" 2>/dev/null
	done
	return 0
}

link_up() { # NS1 DEV1 NS2 DEV2
	ip -n "$1" link add "$2" type veth peer name "$4" netns "$3" || die "no veth"
	ip -n "$1" link set dev "$2" up
	ip -n "$3" link set dev "$4" up
}

router_up() { # ISP PREFIX OWN_NR PEER_NR PEER_PREFIX
	local isp=$1
	on "$isp" sysctl -qw net.ipv6.conf.all.forwarding=1 \
		net.ipv6.conf.all.keep_addr_on_down=1
	ip -6 -n "$isp" addr add "$2:a::1/64" dev toA nodad
	ip -6 -n "$isp" addr add "$2:b::1/64" dev toB nodad
	ip -6 -n "$isp" addr add "2001:db8:ff::$3/64" dev peer nodad
	ip -6 -n "$isp" route add "$5::/48" via "2001:db8:ff::$4" dev peer
}

# ingress_filter ISP PREFIX: a customer's packets pass with this provider's addresses
# only, as providers should have it (BCP 38).
ingress_filter() {
	on "$1" nft -f - <<-NFT || die "nft"
	table ip6 bcp38 {
		chain forward {
			type filter hook forward priority 0
			iifname { "toA", "toB" } ip6 saddr != $2::/48 counter drop
		}
	}
	NFT
}

host_routes() { # HOST
	local dev table=101
	for dev in x y; do
		# The router is on the link whatever addresses the host has now.
		provider_routes "$1" $dev
		ip -6 -n "$1" rule add from "$(prefix "$1" $dev)/64" lookup $table pref $table
		table=$((table + 1))
	done
}

# provider_routes HOST x|y: (again) all routes over that link.
provider_routes() {
	local table=101
	[ "$2" = y ] && table=102
	# The router is on the link whatever addresses the host has now.
	ip -6 -n "$1" route replace "$(prefix "$1" "$2")/64" dev "$2"
	ip -6 -n "$1" route replace default via "$(prefix "$1" "$2")1" dev "$2" metric $((table - 100))00
	ip -6 -n "$1" route replace "$(prefix "$1" "$2")/64" dev "$2" table $table
	ip -6 -n "$1" route replace default via "$(prefix "$1" "$2")1" dev "$2" table $table
}

# plain_addresses HOST: ordinary addresses, for runs without the module.
plain_addresses() {
	local dev
	for dev in x y; do
		ip -6 -n "$1" addr add "$(prefix "$1" $dev)10/64" dev $dev nodad
		echo "$(prefix "$1" $dev)10" >"$WORK/addr.$1.$dev"
	done
}

# shape RATE DELAY [LIMIT]: both providers carry RATE towards hostA, and DELAY
# (one way) towards hostB.
shape() {
	local isp
	for isp in "${ISPS[@]}"; do
		tc -n "$isp" qdisc replace dev toA root tbf rate "$1" burst 96k latency 40ms ||
			die "tc tbf"
		tc -n "$isp" qdisc replace dev toB root netem delay "$2" limit 20000 ||
			die "tc netem"
	done
}

# ---------------------------------------------------------------- failures

# cut ISP [both|AB|BA]: ISP drops everything it should forward (AB: only what
# goes from hostA's side or to hostB's), without telling anybody.
cut() {
	local isp=$1 match
	case ${2:-both} in
	both) match='counter drop' ;;
	AB) match='iifname "toA" counter drop
		oifname "toB" counter drop' ;;
	BA) match='iifname "toB" counter drop
		oifname "toA" counter drop' ;;
	*) die "no direction $2" ;;
	esac
	on "$isp" nft -f - <<-NFT || die "nft"
	table ip6 cut {
		chain forward {
			type filter hook forward priority 0
			$match
		}
	}
	NFT
}

heal() { on "$1" nft delete table ip6 cut; }

# director ISP: reads "cut" and "heal", does it, and says it back when it is done.
# It has tried both once before it says "ready", so that nothing is loaded then.
director() {
	local word
	cut "$1" && heal "$1" && echo ready
	while read -r word; do
		case $word in
		cut) cut "$1" ;;
		heal) heal "$1" ;;
		esac && echo "$word"
	done
}

cut_packets() { # ISP: how many packets the cut has swallowed
	on "$1" nft list table ip6 cut | awk '/packets/ { n += $(NF - 3) } END { print n + 0 }' FS='[ ]+'
}

# carrier HOST x|y up|down: the router's end of the link goes down, so the host
# sees the carrier vanish.
carrier() {
	local isp=ispX
	[ "$2" = y ] && isp=ispY
	ip -n "$isp" link set dev "$(router_dev "$1")" "$3"
}

# no_default HOST x|y: all default routes of that link disappear.
no_default() {
	local table=101
	[ "$2" = y ] && table=102
	ip -6 -n "$1" route del default dev "$2" metric $((table - 100))00
	ip -6 -n "$1" route del default dev "$2" table $table
}

# ---------------------------------------------------------------- shim6

module_loaded() { grep -qs '^shim6 ' /proc/modules; }

module_load() {
	module_loaded && return
	[ -r "$SHIM6_KO" ] || die "no module at $SHIM6_KO"
	insmod "$SHIM6_KO" "$@" || die "insmod $SHIM6_KO"
	WE_LOADED=1
}

module_unload() { rmmod shim6 && WE_LOADED=; }

shimctl() { local ns=$1; shift; on "$ns" "$SHIMCTL" "$@"; }

shim_sysctl() { # HOST NAME VALUE [NAME VALUE]...
	local host=$1 settings=()
	shift
	while [ $# -gt 0 ]; do
		settings+=("net.shim6.$1=$2")
		shift 2
	done
	on "$host" sysctl -qw "${settings[@]}" || die "sysctl ${settings[*]}"
}

# shim_addresses HOST: a hash based address per provider, and the kernel told of
# the set. The addresses of a host are the same each time.
shim_addresses() {
	local host=$1 file=$WORK/hba.$1
	[ -s "$file" ] || shim_generate "$host" "$file"
	shimctl "$host" hba apply --nodad "$file" dev=x dev=y || die "hba apply"
}

shim_generate() { # HOST FILE
	local host=$1 x y
	{
		read -r _
		read -r x
		read -r y
	} < <(shimctl "$host" hba generate --modifier "$(letter "$host")5535" -o "$2" \
		"$(prefix "$host" x)/64" "$(prefix "$host" y)/64")
	[ -n "$y" ] || die "hba generate"
	echo "$x" >"$WORK/addr.$host.x"
	echo "$y" >"$WORK/addr.$host.y"
}

# forget HOST: the host loses its set and every context, as by a restart.
forget() { shimctl "$1" hba remove "$WORK/hba.$1" || die "hba remove"; }

# fresh: the module anew, so no context, no holddown, all counters zero.
fresh() {
	module_unload || die "rmmod"
	shim_up
}

# Tests do not wait for the minutes that people give their networks.
quick_timers() {
	shim_sysctl "$1" send_timeout_ms 1000 setup_packets 4 setup_age_ms 0 prefer_interval_ms 1000
}

shim_host() { shim_addresses "$1"; quick_timers "$1"; }

# shim_up: the module, and both hosts multihomed with it.
shim_up() {
	module_load
	shim_host hostA
	shim_host hostB
}

# ---------------------------------------------------------------- contexts

# contexts HOST: one line each: ULIDs, tag, states, and the pair in use if it is
# another one: "A -> B tag T established operational via C -> D".
contexts() { shimctl "$1" context list; }

# context HOST LOCAL PEER: the line of that one.
context() {
	local all line found=1
	all=$(contexts "$1")
	while read -r line; do
		case $line in *"$2 -> $3 tag "*) echo "$line"; found=0 ;; esac
	done <<<"$all"
	return $found
}

established() { case $(context "$1" "$2" "$3") in *" established"*) ;; *) return 1 ;; esac; } # HOST LOCAL PEER

# both_established: both hosts have the context between the provider X addresses.
both_established() {
	established hostA "$(addr hostA x)" "$(addr hostB x)" && established hostB "$(addr hostB x)" "$(addr hostA x)"
}

# tag_of HOST LOCAL PEER: the tag that the peer's payload headers to this host have.
tag_of() { context "$1" "$2" "$3" | sed -n 's/.* tag \([0-9a-f]*\) .*/\1/p'; }

# on_pair HOST LOCAL PEER: that is what the host's context between the provider X
# addresses sends over now.
on_pair() {
	local peer=hostA line
	[ "$1" = hostA ] && peer=hostB
	line=$(context "$1" "$(addr "$1" x)" "$(addr "$peer" x)") || return 2
	case $line in
	*" via $2 -> $3") return 0 ;;
	*" via "*) return 1 ;;
	esac
	[ "$2 $3" = "$(addr "$1" x) $(addr "$peer" x)" ]
}

# both_on x|y: both hosts send over that provider's pair.
both_on() {
	on_pair hostA "$(addr hostA "$1")" "$(addr hostB "$1")" &&
		on_pair hostB "$(addr hostB "$1")" "$(addr hostA "$1")"
}

# moved_from x|y both|AB|BA: those that sent through the cut do not any more.
moved_from() {
	# A context that is not seen (2) has not moved.
	case $2 in both | AB) on_pair hostA "$(addr hostA "$1")" "$(addr hostB "$1")"; [ $? -eq 1 ] || return 1 ;; esac
	case $2 in both | BA) on_pair hostB "$(addr hostB "$1")" "$(addr hostA "$1")"; [ $? -eq 1 ] || return 1 ;; esac
	return 0
}

# establish: UDP traffic between the provider X addresses until both hosts have
# the context; an echo server must be there or is started for it.
establish() {
	local ping echo= status
	if ! on hostB ss -Hnlu sport = :9000 | grep -q .; then
		bg hostB python3 "$TOP/demo/udp.py" echo "$(addr hostB x)" 9000 >"$WORK/establish.echo"
		echo=$BG
		wait_until 30000 grep -q ready "$WORK/establish.echo" || return 1
	fi
	bg hostA python3 "$TOP/demo/udp.py" ping "$(addr hostA x)" "$(addr hostB x)" 9000 20 >"$WORK/establish"
	ping=$BG
	wait_until 30000 established hostA "$(addr hostA x)" "$(addr hostB x)" &&
		wait_until 15000 established hostB "$(addr hostB x)" "$(addr hostA x)"
	status=$?
	stop "$ping"
	[ -z "$echo" ] || stop "$echo"
	[ $status -eq 0 ] || show_state
	return $status
}

# reach_all: a context, and each of host B's locators was reached: only such may be
# chosen, and that somebody wants to is the reason to try.
reach_all() {
	establish && wait_until 15000 on hostA "$TOP/selftests/option.py" \
		"$(addr hostA x)" "$(addr hostB x)" set LOC_PEER_SEND "$(addr hostB y)"
}

# establish_tcp PORT BYTES: the same over TCP; a server must be there.
establish_tcp() {
	local client status
	: >"$WORK/establish"
	bg hostA "$TOP/selftests/traffic.py" tcp-fetch "$(addr hostA x)" "$(addr hostB x)" "$1" "$2" \
		>/dev/null 2>"$WORK/establish"
	client=$BG
	wait_until 15000 established hostA "$(addr hostA x)" "$(addr hostB x)" &&
		wait_until 5000 established hostB "$(addr hostB x)" "$(addr hostA x)"
	status=$?
	stop "$client"
	return $status
}

# home: both hosts send over the first pair again. They try it only while there is
# traffic, so there is some.
home() {
	local ping status
	both_on x && return
	bg hostA python3 "$TOP/demo/udp.py" ping "$(addr hostA x)" "$(addr hostB x)" 9001 20 >"$WORK/home"
	ping=$BG
	bg hostB python3 "$TOP/demo/udp.py" echo "$(addr hostB x)" 9001 >"$WORK/home.echo"
	wait_until 30000 both_on x
	status=$?
	stop "$ping"
	stop "$BG"
	[ $status -eq 0 ] || log "not on the first pair"
	return $status
}

# show_state: what a person wants to see when a test fails.
show_state() {
	local host tag
	for host in hostA hostB; do
		shimctl "$host" context list 2>&1 | sed "s/^/# $host /"
		for tag in $(shimctl "$host" context list 2>/dev/null | sed -n 's/.* tag \([0-9a-f]*\).*/\1/p' | head -3); do
			shimctl "$host" context show "$tag" 2>&1 | sed "s/^/# $host /"
		done
		shimctl "$host" stats --nonzero 2>&1 | sed "s/^/# $host /"
	done
	dmesg_new | tail -20 | sed 's/^/# /'
}

# ---------------------------------------------------------------- counters

# counter HOST NAME: its value now.
counter() {
	local all value
	all=$'\n'$(on "$1" busybox cat /proc/net/shim6)
	value=${all##*$'\n'"$2" }
	[ "$value" != "$all" ] || { echo "# no counter $2" >&2; echo 0; return 1; }
	echo "${value%%$'\n'*}"
}

# expect_more HOST NAME BEFORE LEAST: the counter rose by LEAST or more.
expect_more() {
	local now; now=$(counter "$1" "$2")
	(( now - $3 >= $4 )) && return
	log "$1 $2 rose by $((now - $3)), not $4"
	return 1
}

# risen HOST NAME BEFORE: the counter has risen; to be waited for.
risen() { (( $(counter "$1" "$2") > $3 )); }

# expect_same HOST NAME BEFORE
expect_same() {
	local now; now=$(counter "$1" "$2")
	(( now == $3 )) && return
	log "$1 $2 rose by $((now - $3))"
	return 1
}

# ---------------------------------------------------------------- traffic

has_bytes() { [ "$(stat -c %s "$1")" -ge "$2" ]; }

# whole SERVER CLIENT: traffic.py's endless transfer ends, and nothing of it was lost. They wrote
# to $WORK/serve and $WORK/fetch.
whole() {
	local status
	stop "$1" USR1
	wait "$2"
	status=$?
	log "$(cat "$WORK/fetch")"
	[ $status = 0 ] && grep -q "\"bytes\": $(awk '/^sent/ { print $2 }' "$WORK/serve")," "$WORK/fetch"
}

# echoes FILE: how many echoes demo/udp.py has reported so far.
echoes() { awk 'NF == 3 { n = $3 } END { print n + 0 }' "$1"; }
echoes_above() { [ "$(echoes "$1")" -gt "$2" ]; }

# ping_start: 50 datagrams a second from host A to the echo server on host B.
ping_start() {
	bg hostA python3 "$TOP/demo/udp.py" ping "$(addr hostA x)" "$(addr hostB x)" 9000 20 >"$WORK/ping"
	PING=$BG
}

# fetch_into_cut: host A fetches BYTES from PORT of host B, and provider X dies meanwhile.
fetch_into_cut() {
	: >"$WORK/progress"
	bg hostA "$TOP/selftests/traffic.py" tcp-fetch "$(addr hostA x)" "$(addr hostB x)" "$PORT" "$BYTES" \
		>"$WORK/fetch" 2>"$WORK/progress"
	wait_until 20000 has_bytes "$WORK/progress" 16 && cut ispX
}

# ping_outlives_cut: provider X dies, both hosts move, and the echoes go on.
ping_outlives_cut() {
	local status had
	cut ispX
	wait_until 10000 both_on y || { log "nobody moved"; return 1; }
	had=$(echoes "$WORK/ping")
	wait_until 10000 echoes_above "$WORK/ping" $((had + 100))
	status=$?
	stop "$PING"
	log "$(tail -1 "$WORK/ping")"
	return $status
}

# stall_below FILE SECONDS: of the last line of a traffic program.
stall_below() {
	tail -1 "$1" | grep -o '"stall": [0-9.]*' | awk -v limit="$2" -v slow="$SLOW" '
		{ seen = 1; if ($2 >= limit * slow) { print "# stalled " $2 " s"; exit 1 } }
		END { if (!seen) exit 1 }'
}

# ---------------------------------------------------------------- dmesg

dmesg_mark() { echo "shim6-test mark $$" >/dev/kmsg 2>/dev/null || :; }

# dmesg_new: kernel messages since the mark; all there are if so much was said that it is gone.
dmesg_new() {
	dmesg | awk -v mark="shim6-test mark $$\$" '
		$0 ~ mark { n = 0; next }
		{ line[n++] = $0 }
		END { for (i = 0; i < n; i++) print line[i] }'
}

# dmesg_clean [FILTER]: none of these in what FILTER leaves, and what stands around the first that
# there are.
dmesg_clean() {
	dmesg_new | "${1-cat}" |
		grep -E -B 8 -A 24 'WARNING|BUG|Oops|panic|KASAN|INFO: |Call Trace|refcount|unbalanced|leak' | head -n 120 | sed 's,^,# ,'
	[ "${PIPESTATUS[2]}" -eq 1 ]
}

# ---------------------------------------------------------------- captures

capture() { # NS DEV FILE [TCPDUMP OPTION... FILTER...]: tcpdump in the background, ready when back
	local ns=$1 dev=$2 file=$3; shift 3
	bg "$ns" tcpdump -q -U -n -i "$dev" -w "$file" "$@" 2>"$file.log"
	wait_until 10000 grep -q 'listening on' "$file.log" || die "tcpdump on $ns/$dev"
}

# ---------------------------------------------------------------- KTAP

KTAP_NR=0
KTAP_FAILED=0

ktap_begin() { echo "TAP version 13"; [ -n "${1:-}" ] && echo "1..$1"; return 0; }

# ktap_result STATUS NAME; with what is needed to understand a failure.
ktap_result() {
	KTAP_NR=$((KTAP_NR + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $KTAP_NR - $2"
	else
		module_loaded && show_state
		echo "not ok $KTAP_NR - $2"
		KTAP_FAILED=$((KTAP_FAILED + 1))
	fi
}

ktap_skip() { KTAP_NR=$((KTAP_NR + 1)); echo "ok $KTAP_NR - $1 # SKIP ${2:-}"; }

ktap_end() {
	[ "$KTAP_NR" -gt 0 ] || { echo "# nothing was tested"; exit 1; }
	echo "# totals: pass:$((KTAP_NR - KTAP_FAILED)) fail:$KTAP_FAILED"
	[ "$KTAP_FAILED" -eq 0 ]
}
