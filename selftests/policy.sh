#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The administrator's policy: what it denies has no context and no shim, what it likes is
# used and told, all of it takes hold at once or nothing does, and it says what is wrong.
. "$(dirname "$0")/lib.sh"

A_X=; A_Y=; B_X=
SPEC=$TOP/Documentation/netlink/specs/shim.yaml
YNL=/usr/src/linux/tools/net/ynl/pyynl/cli.py

# policy LINE...: host A's policy is this one.
policy() { printf '%s\n' "$@" | shimctl hostA policy load -; }
shown() { shimctl hostA policy show; }

# is_policy LINE...: that is what is shown, beside settings.
is_policy() {
	[ "$(shown | grep -v '^set ')" = "$(printf '%s\n' "$@")" ] || { log "it shows: $(shown | tr '\n' ';')"; return 1; }
}

# says TEXT CMD...: it fails with exactly this line.
says() {
	local text=$1 out; shift
	out=$("$@" 2>&1) && { log "succeeded: $out"; return 1; }
	[ "$out" = "shimctl: $text" ] || { log "it says: $out"; return 1; }
}

ynl_says() { # TEXT JSON
	local out
	out=$(on hostA python3 $YNL --spec "$SPEC" --no-schema --do policy-set --json "$2" 2>&1) &&
		{ log "succeeded: $out"; return 1; }
	[[ $out == *"$1"* ]] || { log "it says: $out"; return 1; }
}

no_context() { ! context "$1" "$2" "$3" >/dev/null; }
theirs() { shimctl hostB context show "$B_X" "$A_X" | grep "peer  *$1 hba" | grep -q -- "$2"; }
unknown() { shimctl hostB context show "$B_X" "$A_X" >/dev/null && ! theirs "$1" ''; }
sent() { awk 'NF == 3 { n = $2 } END { print n + 0 }' "$WORK/ping"; }
sent_more() { (($(sent) >= $1 + $2)); }
goes_on() { local had; had=$(echoes "$WORK/ping"); wait_until 10000 echoes_above "$WORK/ping" $((had + 50)); }

# Neither end begins, though both want to.
test_denied() {
	policy "deny peer $(prefix hostB x)/64" || return 1
	ping_start
	wait_until 30000 expect_more hostA policy_denied 0 3 || { log "nothing was denied"; return 1; }
	wait_until 10000 expect_more hostA rx_i1 0 1 || { log "the peer did not try"; return 1; }
	wait_until 10000 sent_more "$(sent)" 50 || return 1
	no_context hostA "$A_X" "$B_X" && expect_same hostA tx_r1 0 && expect_same hostA tx_i1 0
}

# The first that matches decides.
test_allowed() {
	policy "allow local $A_X peer $B_X" "deny" || return 1
	wait_until 90000 established hostA "$A_X" "$B_X" &&
		is_policy "allow local $A_X/128 peer $B_X/128" "deny"
}

# A policy is about what begins: a context that is there stays, and does its work.
test_stays() {
	policy "deny" || return 1
	cut ispX
	wait_until 20000 both_on y || { log "nobody moved"; return 1; }
	goes_on
}

# Packets of a denied flow take the way of their identifiers, which is cut; others go on.
test_flow() {
	local before; before=$(counter hostA tx_policy)
	policy "deny protocol tcp port 9000" "deny protocol udp port 8000-8999" || return 1
	goes_on || { log "not this flow's rules"; return 1; }
	expect_same hostA tx_policy "$before" || return 1
	policy "deny protocol udp port 8999-9000" || return 1
	local had; had=$(sent)
	wait_until 10000 sent_more "$had" 20
	had=$(echoes "$WORK/ping")
	before=$(counter hostA tx_policy)
	wait_until 10000 expect_more hostA tx_policy "$before" 30 || return 1
	[ "$(echoes "$WORK/ping")" = "$had" ] || { log "echoes came"; return 1; }
	policy && goes_on
}

# What is not served is not associated either.
test_socket() {
	on hostA "$TOP/selftests/option.py" "$A_X" "$B_X" get ASSOCIATED >"$WORK/option" &&
		grep -q 1 "$WORK/option" || { log "it says: $(cat "$WORK/option")"; return 1; }
	policy "deny protocol udp" || return 1
	on hostA "$TOP/selftests/option.py" "$A_X" "$B_X" get ASSOCIATED >"$WORK/option" 2>&1
	grep -q 0 "$WORK/option" || { log "it says: $(cat "$WORK/option")"; return 1; }
	policy
}

test_exclude_prefix() {
	heal ispX
	wait_until 30000 both_on x || { log "not back"; return 1; }
	policy "locator $(prefix hostA y)/64 exclude" || return 1
	wait_until 10000 unknown "$A_Y" || { log "still told"; return 1; }
	goes_on && policy && wait_until 10000 theirs "$A_Y" usable
}

test_exclude_device() {
	policy "locator dev y exclude" || return 1
	wait_until 10000 unknown "$A_Y" || { log "still told"; return 1; }
	ip -n hostA link set dev y name uplink
	wait_until 10000 theirs "$A_Y" usable || { log "renamed, and still left out"; return 1; }
	ip -n hostA link set dev uplink name y
	wait_until 10000 unknown "$A_Y" && policy && wait_until 10000 theirs "$A_Y" usable
}

# Traffic goes to what is liked more, and the peer is told.
test_preference() {
	policy "locator $(prefix hostA x)/64 priority 5 weight 2" || return 1
	wait_until 10000 theirs "$A_X" "priority 5 weight 2" || { log "not told"; return 1; }
	wait_until 20000 eval 'contexts hostA | grep -q " via $A_Y -> "' || { log "not followed"; return 1; }
	policy && wait_until 20000 both_on x
}

# An identifier that is left out has no shim any more: its contexts end.
test_exclude_identifier() {
	local before; before=$(counter hostA ulid_gone)
	policy "locator $A_X exclude" || return 1
	wait_until 10000 no_context hostA "$A_X" "$B_X" || return 1
	expect_more hostA ulid_gone "$before" 1 && goes_on && policy
}

test_settings() {
	policy "set max_contexts 7" "set probes_per_second 50" || return 1
	[ "$(on hostA sysctl -n net.shim6.max_contexts)" = 7 ] || return 1
	shown | grep -qx "set probes_per_second 50" || return 1
	policy "deny peer 2001:db8:bad::/48" && shown | grep -qx "set max_contexts 7" || return 1
	shimctl hostA policy reset && [ -z "$(shown)" ] &&
		[ "$(on hostA sysctl -n net.shim6.max_contexts)" = 131072 ]
}

# Of what is wrong, nothing takes hold.
test_refused() {
	local had; policy "deny peer 2001:db8:bad::/48" "set max_forks 3" || return 1
	had=$(shown)
	printf 'deny\nset max_forks 4\ndeny perr ::/0\n' >"$WORK/bad"
	says "$WORK/bad:3: 'perr' is none of local, peer, protocol and port" \
		shimctl hostA policy load "$WORK/bad" || return 1
	says "cannot read $WORK/none: No such file or directory" shimctl hostA policy load "$WORK/none" || return 1
	ynl_says 'there is no setting max_fork' '{"rule": [{"deny": true}], "setting":
		[{"name": "max_forks", "value": 5}, {"name": "max_fork", "value": 1}]}' || return 1
	ynl_says 'max_contexts is from 1 to 4194304, not 0' '{"setting":
		[{"name": "max_forks", "value": 5}, {"name": "max_contexts", "value": 0}]}' || return 1
	ynl_says 'the last port is before the first' '{"rule": [{"first-port": 9, "last-port": 8}]}' || return 1
	ynl_says 'has bits behind its prefix length' '{"rule": [{"peer": "2001:db8::1", "peer-length": 64}]}' || return 1
	ynl_says 'a prefix is an address and a length' '{"rule": [{"peer-length": 64}]}' || return 1
	ynl_says 'an address that is excluded has no priority or weight' \
		'{"placing": [{"excluded": true, "weight": 1}]}' || return 1
	[ "$(shown)" = "$had" ] || { log "it shows: $(shown)"; return 1; }
	shimctl hostA policy reset
}

test_unprivileged() {
	says "this needs CAP_NET_ADMIN" \
		on hostA setpriv --reuid 65534 --clear-groups "$SHIMCTL" policy reset || return 1
	on hostA setpriv --reuid 65534 --clear-groups "$SHIMCTL" policy show
}

# As many rules as there may be: a dump of many pages.
test_many() {
	local i
	for ((i = 0; i < 256; i++)); do
		printf 'deny local 2001:db8:%x::/48 peer 2001:db8:1%02x::/48 protocol tcp port 1-%d\n' $((i + 1)) $i $((i + 2))
	done >"$WORK/many"
	shimctl hostA policy load "$WORK/many" && shown | cmp - "$WORK/many" || return 1
	shimctl hostA policy show --json | python3 -c 'import json, sys; sys.exit(len(json.load(sys.stdin)["rules"]) != 256)' ||
		return 1
	sed 'p' "$WORK/many" >"$WORK/more"
	says "$WORK/more: 512 rules, 256 are allowed" shimctl hostA policy load "$WORK/more" &&
		! shimctl hostB policy show | grep -q deny && shimctl hostA policy reset
}

# As the unit does it at boot.
test_boot() {
	local unit=$TOP/systemd/shim6.service.in start stop
	start=$(sed -n 's,^ExecStart=@PREFIX@/sbin/shimctl ,,p' "$unit")
	stop=$(sed -n 's,^ExecStop=@PREFIX@/sbin/shimctl ,,p' "$unit")
	says "cannot read /etc/shim6/policy: No such file or directory" shimctl hostA $start || return 1
	mkdir -p /etc/shim6
	cp "$TOP/examples/policy" /etc/shim6/policy
	shimctl hostA $start && [ "$(shown)" = "$("$SHIMCTL" policy check)" ] && shown | grep -q '^deny peer' &&
		shimctl hostA $stop && [ -z "$(shown)" ]
	local status=$?
	rm -r /etc/shim6
	return $status
}

lib_init
ktap_begin 16
topology_up
shim_up
A_X=$(addr hostA x); A_Y=$(addr hostA y); B_X=$(addr hostB x)
bg hostB python3 "$TOP/demo/udp.py" echo "$B_X" 9000 >"$WORK/echo"
wait_until 30000 grep -q ready "$WORK/echo" || die "no echo"
test_denied; ktap_result $? "what is denied is neither begun nor answered"
test_allowed; ktap_result $? "the first rule that matches decides"
test_stays; ktap_result $? "a context that is there stays, and does its work"
test_flow; ktap_result $? "packets of a denied flow are left alone, others are not"
test_socket; ktap_result $? "a socket of such a flow is not associated"
test_exclude_prefix; ktap_result $? "a prefix is left out of the locators, and comes back"
test_exclude_device; ktap_result $? "so is an interface, by its name"
test_preference; ktap_result $? "what is liked more is used, and told"
test_exclude_identifier; ktap_result $? "an identifier that is left out loses its contexts"
stop "$PING"
test_settings; ktap_result $? "settings are set, shown and reset"
test_refused; ktap_result $? "what is wrong is named, and changes nothing"
test_unprivileged; ktap_result $? "everybody may look, the administrator may change"
test_many; ktap_result $? "256 rules are kept, and no more; each namespace has its own"
test_boot; ktap_result $? "the unit's commands load and undo /etc/shim6/policy"
module_unload; ktap_result $? "the module goes"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
