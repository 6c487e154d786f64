#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The family `shim` and shimctl: what they say, what they change, what they
# refuse, and that a refusal leaves nothing behind.
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
. selftests/lib.sh
lib_init
chmod 755 "$WORK"

YNL=/usr/src/linux/tools/net/ynl/pyynl/cli.py
SPEC=Documentation/netlink/specs/shim.yaml
NS=nlA
OTHER=nlB

cleanup_netlink() { local status=$?; ip netns del $NS; ip netns del $OTHER; (exit $status); lib_cleanup; } 2>/dev/null
trap cleanup_netlink EXIT

# check NAME CMD...
check() { local name=$1; shift; "$@"; ktap_result $? "$name"; }

# says TEXT CMD...: it fails with status 1 and exactly one line that contains TEXT.
says() {
	local text=$1 out status
	shift
	out=$("$@" 2>&1 >/dev/null)
	status=$?
	[ $status -eq 1 ] && [ "$(wc -l <<<"$out")" -eq 1 ] && [[ $out == *"$text"* ]] && return
	log "wanted status 1 and '$text', got status $status and '$out'"
	return 1
}

# All that `hba apply` may change in a namespace.
picture() {
	ip -n "$1" -o link | sed 's/state [A-Z]*//; s/link\/.*//'
	ip -n "$1" -o -6 addr show scope global
	ip -n "$1" -6 rule
	ip -n "$1" -6 route show table 140 2>/dev/null
	shimctl "$1" hba list --json
}

# unchanged NAME TEXT CMD...: CMD says TEXT, and nothing is different from before.
unchanged() {
	local before after name=$1 text=$2 status
	shift 2
	before=$(picture $NS)
	says "$text" "$@"
	status=$?
	after=$(picture $NS)
	[ "$before" = "$after" ] || { diff <(echo "$before") <(echo "$after"); status=1; }
	ktap_result $status "$name"
}

ynl() { # NS ARGS...
	local ns=$1
	shift
	on "$ns" python3 $YNL --spec $SPEC --no-schema --output-json "$@"
}

# ynl_says TEXT ARGS...: the kernel refuses with TEXT.
ynl_says() {
	local text=$1 out
	shift
	out=$(ynl "$@" 2>&1) && { log "succeeded: $out"; return 1; }
	[[ $out == *"$text"* ]] || { log "wanted '$text', got '$out'"; return 1; }
}

# json FILTER FILE: a Python expression over `it`, the JSON in FILE.
json() { python3 -c "import json,sys; it = json.load(open(sys.argv[2])); sys.exit(not ($1))" "$@"; }

ktap_begin

for ns in $NS $OTHER; do
	ip netns add $ns || die "netns"
	ip -n $ns link set lo up
	for dev in x y; do
		ip -n $ns link add $dev type dummy
		ip -n $ns link set $dev up
	done
done
hba=$WORK/set.json
shimctl $NS hba generate --modifier 1 -o "$hba" 2001:db8:a::/64 2001:db8:b::/64 >/dev/null || die "no set"
other=$WORK/other.json
shimctl $NS hba generate --modifier 2 -o "$other" 2001:db8:a::/64 >/dev/null || die "no set"
mapfile -t addrs < <(shimctl $NS hba show "$hba" | tail -n +2)

check "the header is what the specification says" scripts/netlink-regen --check
module_loaded && rmmod shim6
unloaded() {
	local cmd
	for cmd in stats monitor "hba list" "context list" "hba apply $hba dev=x" "hba remove $hba"; do
		# shellcheck disable=SC2086
		says "module shim6 is not loaded" shimctl $NS $cmd || return 1
	done
}
check "without the module every command says so" unloaded
[ "$(ip -n $NS -o link | grep -c shim0)" -eq 0 ]
ktap_result $? "and has changed nothing"

module_load

stats() {
	shimctl $NS stats --json >"$WORK/stats" && on $NS grep -v '^contexts ' /proc/net/shim6 | awk '{ print $1 }' | sort >"$WORK/want" &&
		json "sorted(it) == open('$WORK/want').read().split() and len(it) > 5" "$WORK/stats"
}
check "stats names every counter" stats
stats_ynl() { ynl $NS --dump stats-get >"$WORK/ynl" && json "sorted(c['name'] for c in it) == open('$WORK/want').read().split()" "$WORK/ynl"; }
check "YNL reads the same counters" stats_ynl

start=$(picture $NS)

unchanged "an unknown interface is refused" "there is no interface 'nope'" shimctl $NS hba apply "$hba" dev=x dev=nope
unchanged "without privilege apply is refused" "this needs CAP_NET_ADMIN" \
	on $NS setpriv --reuid 65534 --regid 65534 --clear-groups "$SHIMCTL" hba apply "$hba" dev=x dev=y
check "without privilege stats can be read" on $NS setpriv --reuid 65534 --regid 65534 --clear-groups "$SHIMCTL" stats -n

check "apply" shimctl $NS hba apply "$hba" --nodad dev=x dev=y
applied() {
	ip -n $NS -6 addr show dev x | grep -q "${addrs[0]}/64" && ip -n $NS -6 addr show dev y | grep -q "${addrs[1]}/64" &&
		[ "$(ip -n $NS -6 addr show dev shim0 | grep -c '/128 .*deprecated')" -eq 2 ] &&
		[ "$(ip -n $NS -6 addr show dev shim0 | grep -c inet6)" -eq 2 ] &&
		[ "$(ip -n $NS -6 rule | grep -c '^33000:.*lookup 140')" -eq 2 ] &&
		ip -n $NS -6 route show table 140 | grep -q '^default dev shim0'
}
check "addresses, copies, rules and the route are there" applied
listed() { shimctl $NS hba list --json >"$WORK/list" && json "[l['addr'] for l in it[0]['locators']] == '${addrs[*]}'.split() and len(it) == 1" "$WORK/list"; }
check "the kernel knows the set" listed
usable() { shimctl $NS hba list --json >"$WORK/list" && json "all(l['usable'] for l in it[0]['locators'])" "$WORK/list"; }
check "its locators become usable" wait_until 3000 usable
ip -n $NS link set x down
down() { shimctl $NS hba list --json >"$WORK/list" && json "[l['usable'] for l in it[0]['locators']] == [False, True]" "$WORK/list"; }
check "a locator whose interface is down is not usable" wait_until 3000 down
routed() { ip -n $NS -6 route get 2001:db8:ffff::1 from "${addrs[0]}" | grep -q 'dev shim0'; }
check "and yet the address has a route" routed
ip -n $NS link set x up
ip -n $NS addr add "${addrs[0]}/64" dev x nodad
check "it becomes usable again with its address" wait_until 3000 usable

unchanged "a set that is there is refused" "is in a set already" shimctl $NS hba apply "$hba" dev=x dev=y
unchanged "a refusal by the kernel undoes what was done" "is in a set already" shimctl $NS hba apply "$hba" dev=y dev=x
printf 'locator %s exclude\n' "${addrs[@]}" | shimctl $NS policy load -
unchanged "so is one that the policy leaves out" "is in a set already" shimctl $NS hba apply "$hba" dev=x dev=y
shimctl $NS policy reset
check "and that comes back" wait_until 3000 usable

quiet() { [ "$(shimctl $OTHER hba list)" = "" ] && [ "$(shimctl $OTHER context list)" = "" ]; }
check "another namespace sees nothing of it" quiet

one_context() { [ "$(shimctl $NS context list --json)" = "[]" ]; }
check "there are no contexts" one_context
check "an unknown context is refused" says "there is no such context" shimctl $NS context show 123
check "an unknown pair too" says "there is no such context" shimctl $NS context show "${addrs[0]}" 2001:db8::1

pds=$(python3 -c "import json; print(json.load(open('$hba'))['parameters'])")
ynl $NS --dump hba-get >"$WORK/ynl"
check "YNL reads the set" json "it[0]['parameters'].replace(' ', '').replace(':', '') == '$pds' and it[0]['locator'][1]['addr'] == '${addrs[1]}'" "$WORK/ynl"
check "a request without attributes is refused in words" ynl_says "an address of the set is missing" $NS --do hba-del --json '{}'
check "an unknown address is refused in words" ynl_says "no set has 2001:db8::1" $NS --do hba-del --json '{"address": ["2001:db8::1"]}'
check "damaged parameters are refused in words" ynl_says "the parameters:" $NS --do hba-add --json '{"parameters": "0001020304"}'
check "foreign addresses are refused in words" ynl_says "2001:db8:a::1 does not follow from the parameters" \
	$NS --do hba-add --json '{"parameters": "'"$pds"'", "address": ["2001:db8:a::1"]}'
check "a context needs a name" ynl_says "a context is named by" $NS --do context-get --json '{}'
check "a tag has 47 bits" ynl_says "a context is named by" $NS --do context-get --json '{"local-tag": 140737488355328}'

on $NS "$SHIMCTL" monitor >"$WORK/monitor" 2>"$WORK/monitor.err" &
monitor=$!
check "the monitor listens" wait_until 5000 grep -q listening "$WORK/monitor.err"
kill -INT "$(pgrep -P $monitor shimctl || echo $monitor)"
wait $monitor
ktap_result $? "and ends well when interrupted"

check "remove by address" shimctl $NS hba remove "${addrs[1]}"
after=$(picture $NS)
[ "$start" = "$after" ]
ktap_result $? "everything is as it was" || diff <(echo "$start") <(echo "$after")
check "a set that is gone cannot be removed" says "no set has" shimctl $NS hba remove "$hba"

many() {
	shimctl $NS hba apply "$hba" --nodad dev=x dev=y && shimctl $NS hba apply "$other" --nodad dev=x &&
		[ "$(shimctl $NS hba list | grep -c '^set')" -eq 2 ] && shimctl $NS hba remove "$hba" &&
		ip -n $NS link show shim0 >/dev/null && shimctl $NS hba remove "$other" && [ "$(picture $NS)" = "$start" ]
}
check "two sets share shim0" many

rootless() {
	unshare --user --map-root-user --net bash -c "
		ip link add x type dummy && ip link set x up &&
		'$SHIMCTL' hba apply '$other' --nodad dev=x && '$SHIMCTL' hba list | grep -q '^set' && '$SHIMCTL' hba remove '$other'"
}
if ! unshare --user true 2>/dev/null; then
	ktap_skip "the owner of a namespace needs no more than that" "no user namespaces here"
else check "the owner of a namespace needs no more than that" setpriv --reuid 65534 --regid 65534 --clear-groups bash -c "$(declare -f rootless); SHIMCTL=$SHIMCTL other=$other; rootless"
fi

# Contexts between eight addresses on each side: more than one page of a dump.
ip -n $NS link add v type veth peer name v netns $OTHER
for ns in $NS $OTHER; do
	ip -n $ns link set v up
	ip -n $ns -6 route add 2001:db8::/32 dev v
	on $ns sysctl -qw net.shim6.setup_packets=2 net.shim6.setup_age_ms=0
done
mapfile -t prefixes < <(printf '2001:db8:a%d::/64\n' 1 2 3 4 5 6 7 8)
shimctl $NS hba generate --modifier 3 -o "$WORK/a" "${prefixes[@]}" >/dev/null
shimctl $OTHER hba generate --modifier 4 -o "$WORK/b" "${prefixes[@]/:a/:b}" >/dev/null
contexts_begin() { shimctl $NS hba apply "$WORK/a" --nodad dev=v && shimctl $OTHER hba apply "$WORK/b" --nodad dev=v; }
check "sets of eight addresses on one interface" contexts_begin
on $NS "$SHIMCTL" monitor --json >"$WORK/monitor" 2>"$WORK/monitor.err" &
monitor=$!
wait_until 5000 grep -q listening "$WORK/monitor.err"
cat >"$WORK/talk.py" <<'PY'
import json, socket, sys, time
ours, theirs = (json.load(open(f))["addresses"] for f in sys.argv[1:])
for a in ours:
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind((a, 0))
    for b in theirs:
        for _ in range(3):
            s.sendto(b"x", (b, 9))
PY
on $NS python3 "$WORK/talk.py" "$WORK/a" "$WORK/b"
listed() { # EXPRESSION: true of the contexts of both sides
	shimctl $NS context list --json >"$WORK/la" && shimctl $OTHER context list --json >"$WORK/lb" && json "$1" "$WORK/la" && json "$1" "$WORK/lb"
}
all='len(it) == 64 and all(c["state"] == "established" for c in it)'
check "64 contexts are listed, all established" wait_until 20000 listed "$all"
check "each once" listed 'len({(c["ulid_local"], c["ulid_peer"]) for c in it}) == 64 and len({c["local_tag"] for c in it}) == 64'
check "each with all locators, verified" listed 'all(len(c[k]) == 8 and all(l["verified"] for l in c[k]) for c in it for k in ("local_locators", "peer_locators"))'
mirror() { python3 - "$WORK/la" "$WORK/lb" <<'PY'
import json, sys
a, b = (json.load(open(f)) for f in sys.argv[1:])
there = {(c["ulid_peer"], c["ulid_local"]): c for c in b}
for c in a:
    d = there[c["ulid_local"], c["ulid_peer"]]
    assert c["local_tag"] == d["peer_tag"] and c["peer_tag"] == d["local_tag"], (c, d)
PY
}
check "the two sides agree about tags" mirror
read -r tag ulid_local ulid_peer < <(python3 -c "import json; c = json.load(open('$WORK/la'))[63]; print(c['local_tag'], c['ulid_local'], c['ulid_peer'])")
named() {
	shimctl $NS context show "$tag" --json >"$WORK/1" && shimctl $NS context show "$ulid_local" "$ulid_peer" --json >"$WORK/2" &&
		json "it['local_tag'] == '$tag' and it['ulid_peer'] == '$ulid_peer'" "$WORK/1" && json "it['local_tag'] == '$tag'" "$WORK/2"
}
check "a context is found by its tag and by its identifiers" named
ynl_same() { ynl $NS --do context-get --json '{"local-tag": '$((16#$tag))'}' >"$WORK/ynl" && json "it['ulid-local'] == '$ulid_local' and it['state'] == 'established' and len(it['peer-locator']) == 8" "$WORK/ynl"; }
check "YNL reads the same context" ynl_same
check "the set can go" shimctl $NS hba remove "$WORK/a"
check "and takes its contexts along" wait_until 10000 one_context
kill -INT "$(pgrep -P $monitor shimctl || echo $monitor)"
wait $monitor
events() { python3 - "$WORK/monitor" "$tag" <<'PY'
import collections, json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
count = collections.Counter(e["event"] for e in events)
assert count["established"] == count["gone"] == 64, count
times = [e["monotonic_ns"] for e in events]
assert times == sorted(times)
ours = [e["event"] for e in events if e["local_tag"] == sys.argv[2]]
assert ours[0] == "established" and ours[-1] == "gone", ours
PY
}
check "the monitor saw every context come and go, in order" events
shimctl $OTHER hba remove "$WORK/b"

rmmod_busy() { shimctl $NS hba apply "$hba" --nodad dev=x dev=y && rmmod shim6; }
check "the module can go with a set in place" rmmod_busy
check "and the kernel is quiet" dmesg_clean
ktap_end
