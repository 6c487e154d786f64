#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shimctl socket: which sockets are associated and with what options, seen by root
# and by an unprivileged user; and looking at them changes nothing.
. "$(dirname "$0")/lib.sh"

A_X=; A_Y=; B_X=; B_Y=
TRACED=/sys/kernel/tracing/enabled_functions
YAMA=/proc/sys/kernel/yama/ptrace_scope
NOBODY=(setpriv --reuid=65534 --regid=65534 --clear-groups)

# dialer NAME [COMMAND...] -- OPTION=VALUE...: a program on host A with that name here.
dialer() {
	local name=$1 as=(); shift
	while [ "$1" != -- ]; do as+=("$1"); shift; done
	shift
	bg hostA "${as[@]}" "$WORK/bin/dialer.py" dial "$A_X" "$B_X" 9000 "$@" >"$WORK/$name"
	eval "$name=$BG"
	wait_until 60000 grep -q ready "$WORK/$name" || { log "no $name"; return 1; }
}

# inode NAME KIND: of that program's socket.
inode() { awk -v kind="$2" '$1 == kind { print $2 }' "$WORK/$1"; }

# As this user or that: shimctl socket..., its answer in out, what it says in err.
as_root() { on hostA "$SHIMCTL" "$@" >"$WORK/out" 2>"$WORK/err"; }
as_nobody() { on hostA "${NOBODY[@]}" "$WORK/bin/shimctl" "$@" >"$WORK/out" 2>"$WORK/err"; }

# holds EXPRESSION: Python's, of the JSON that came as "a"; "of(INODE)" finds in a list.
holds() {
	python3 - "$WORK/out" "$1" <<-'PYTHON' && return
	import json, sys
	a = json.load(open(sys.argv[1]))
	of = lambda inode: next((s for s in a if s["inode"] == inode), None)
	sys.exit(not eval(sys.argv[2]))
	PYTHON
	log "not so: $1"
	sed 's/^/# /' "$WORK/err"; head -c 4000 "$WORK/out" | tr -d '\n'; echo
	return 1
}

# line INODE PATTERN: what list says of it.
line() {
	grep " inode $1 " "$WORK/out" | grep -qE -- "$2" && return
	log "$1: not $2"
	sed 's/^/# /' "$WORK/out" "$WORK/err"
	return 1
}

silent() { [ ! -s "$WORK/err" ] || { sed 's/^/# /' "$WORK/err"; return 1; }; }

# says TEXT: in one line.
says() {
	[ "$(wc -l <"$WORK/err")" = 1 ] && grep -qF -- "$1" "$WORK/err" && return
	log "not said: $1"
	sed 's/^/# /' "$WORK/err"
	return 1
}

look_at_all() {
	local kind
	as_root socket list && silent || return 1
	for kind in tcp udp raw ping v4; do
		line "$(inode ROOT $kind)" " unassociated inode .*\"python3\",pid=$ROOT,fd=" || return 1
		as_root socket show "$(inode ROOT $kind)" -j &&
			holds 'a["options"]["SHIM_ASSOCIATED"] == 0 and a["options"]["SHIM_LOCLIST_PEER"] is None' || return 1
		as_root socket list
	done
}

# Nobody called this level before, and asking would set a context up.
test_changes_nothing() {
	local stats traced
	stats=$(shimctl hostA stats)
	traced=$(cat $TRACED)
	[ -n "$traced" ] || { log "cannot see what is traced"; return 1; }
	look_at_all || return 1
	[ "$(cat $TRACED)" = "$traced" ] || { log "messages are looked at"; return 1; }
	[ "$(shimctl hostA stats)" = "$stats" ] || { log "counters moved"; return 1; }
	# Whoever asks otherwise does change it. Pairs are set up in the order they were asked for.
	on hostA "$TOP/selftests/option.py" "$A_Y" "$B_Y" get APP_TIMEOUT >/dev/null
	wait_until 5000 established hostA "$A_Y" "$B_Y" || { log "asking does nothing"; return 1; }
	[ "$(cat $TRACED)" != "$traced" ] || { log "asking traces nothing"; return 1; }
	[ -z "$(context hostA "$A_X" "$B_X")" ] || { log "there is a context"; return 1; }
}

test_list() {
	as_root socket list && silent || return 1
	line "$(inode ROOT tcp)" "^tcp \[$A_X\]:[0-9]+ -> \[$B_X\]:9000 associated via $A_Y -> $B_Y inode" &&
		line "$(inode ROOT udp)" "^udp \[$A_X\]:[0-9]+ -> \[$B_X\]:9000 associated via $A_Y -> $B_Y inode" &&
		line "$(inode ROOT raw)" "^raw/253 \[$A_X\]:0 -> \[$B_X\]:0 associated via" &&
		line "$(inode ROOT ping)" "^ping \[$A_X\]:[0-9]+ -> \[$B_X\]:0 associated via" &&
		line "$(inode ROOT v4)" '^udp 127\.0\.0\.1:[0-9]+ -> 127\.0\.0\.1:9000 unassociated inode' &&
		line "$(inode ROOT dontshim)" '^udp .* unassociated dontshim inode' &&
		line "$(inode USER tcp)" "associated fii [1-9][0-9]* .*inode"
}

test_json() {
	as_root socket list --json && silent || return 1
	holds "of($(inode ROOT tcp))['associated'] and of($(inode ROOT tcp))['fii'] == 0" &&
		holds "of($(inode ROOT tcp))['local'] == '$A_Y' and of($(inode ROOT tcp))['rehomed']" &&
		holds "of($(inode ROOT tcp))['ulid_peer'] == '$B_X' and of($(inode ROOT tcp))['peer_port'] == 9000" &&
		holds "of($(inode ROOT v4))['associated'] is False and of($(inode ROOT v4))['local'] is None" &&
		holds "of($(inode ROOT raw))['protocol'] == 253 and of($(inode ROOT raw))['kind'] == 'raw'" &&
		holds "of($(inode USER udp))['uid'] == 65534 and of($(inode USER udp))['fii'] > 0"
}

# Once, with both of its processes.
test_shared() {
	holds "len([s for s in a if s['inode'] == $(inode ROOT tcp)]) == 1" &&
		holds "len({u['pid'] for u in of($(inode ROOT tcp))['users']}) == 2" &&
		holds "$ROOT in [u['pid'] for u in of($(inode ROOT tcp))['users']]"
}

test_show() {
	as_root socket show "$(inode ROOT udp)" || return 1
	grep -qE "^  SHIM_APP_TIMEOUT +5 s$" "$WORK/out" &&
		grep -qE "^  SHIM_LOC_LOCAL_RECV +1$" "$WORK/out" &&
		grep -qE "^  SHIM_LOCLIST_LOCAL +$A_X hba priority 7 weight 0 interface [0-9]+$" "$WORK/out" &&
		grep -qE "^  SHIM_LOC_PEER_SEND +none$" "$WORK/out" ||
		{ sed 's/^/# /' "$WORK/out"; return 1; }
	as_root socket show "$(inode ROOT tcp)" --json &&
		holds 'a["options"]["SHIM_APP_TIMEOUT"] == 5 and a["options"]["SHIM_FII"] == 0' &&
		holds "a['options']['SHIM_LOC_LOCAL_PREF']['addr'] == '$A_Y'" &&
		holds 'len(a["options"]["SHIM_LOCLIST_PEER"]) == 2 and len(a["options"]) == 17' &&
		holds 'a["options"]["SHIM_PATHEXPLORE"]["initial_probes"] == 4' || return 1
	# By its addresses; ports tell apart what has the same ones.
	local port; port=$(python3 -c "import json; print(json.load(open('$WORK/out'))['local_port'])")
	as_root socket show "[$A_X]:$port" "[$B_X]:9000" --json &&
		holds "a['inode'] == $(inode ROOT tcp)"
}

test_errors() {
	! as_root socket show 1 && says 'there is no socket with inode 1 here' &&
		! as_root socket show "$A_X" "$B_X" && says 'sockets between these addresses: give ports' &&
		! as_root socket show "$A_X" 2001:db8::1 && says 'there is no socket between these' &&
		! as_nobody socket show "$(inode ROOT tcp)" && says 'of a process that this user cannot see'
}

# One that is not connected can be shown, too.
test_unconnected() {
	local inode; inode=$(inode serve listener)
	on hostB "$SHIMCTL" socket show "$inode" --json >"$WORK/out" 2>"$WORK/err" && silent &&
		holds 'not a["connected"] and not a["associated"] and a["options"]["SHIM_DONTSHIM"] == 0' &&
		holds 'all(v is None for k, v in a["options"].items() if k != "SHIM_DONTSHIM")' || return 1
	shimctl hostB socket list >"$WORK/out" && ! grep -q " inode $inode " "$WORK/out"
}

# Without privilege: one's own, and how many others there are.
test_nobody() {
	as_nobody socket list || return 1
	says 'sockets that are not listed: 6 of a process that this user cannot see, or of the kernel' &&
		line "$(inode USER tcp)" ' associated fii .*python3",pid='"$USER"',' &&
		line "$(inode USER dontshim)" ' unassociated dontshim ' || return 1
	! grep -q " inode $(inode ROOT tcp) " "$WORK/out" || { log "root's is listed"; return 1; }
	as_nobody socket show "$(inode USER udp)" --json && silent &&
		holds 'a["options"]["SHIM_APP_TIMEOUT"] == 9 and a["options"]["SHIM_FII"] == a["fii"] > 0'
}

test_yama() {
	local status scope
	read -r scope <$YAMA
	[ "$scope" = 0 ] || log "kernel.yama.ptrace_scope was $scope"
	echo 1 >$YAMA
	as_nobody socket list && [ ! -s "$WORK/out" ] && says '4 kept from this user by kernel.yama.ptrace_scope' &&
		as_root socket list && silent && line "$(inode USER tcp)" ' associated'
	status=$?
	echo "$scope" >$YAMA
	return $status
}

# A look from another network class would give the socket that one.
test_class() {
	local status dir=$WORK/net_cls
	mkdir "$dir/dialer" || return 1
	echo 65537 >"$dir/dialer/net_cls.classid" && echo "$ROOT" >"$dir/dialer/cgroup.procs" || return 1
	as_root socket list && says '6 of a process in another net_cls or net_prio cgroup' &&
		line "$(inode USER tcp)" ' associated' &&
		! as_root socket show "$(inode ROOT udp)" && says 'cannot be looked at: it is of a process in another'
	status=$?
	echo "$ROOT" >"$dir/cgroup.procs"
	rmdir "$dir/dialer"
	return $status
}

# The processes are the same for all, the sockets are not.
test_namespaces() {
	shimctl hostB socket list --json >"$WORK/out" 2>"$WORK/err" && silent &&
		holds "len(a) > 0 and not any(s['inode'] == $(inode ROOT tcp) for s in a)" &&
		holds "all(s['ulid_local'] == '$B_X' for s in a) and any(s['associated'] for s in a)" || return 1
	! shimctl hostB socket show "$(inode ROOT tcp)" 2>"$WORK/err" && says 'there is no socket with inode'
}

lib_init
ktap_begin 12
chmod 711 "$WORK"
mkdir "$WORK/bin"
cp "$SHIMCTL" "$TOP/selftests/dialer.py" "$TOP/selftests/option.py" "$WORK/bin"
topology_up
module_load
for host in hostA hostB; do shim_addresses $host; done
A_X=$(addr hostA x) A_Y=$(addr hostA y) B_X=$(addr hostB x) B_Y=$(addr hostB y)
shim_sysctl hostA setup_when_asked 1
on hostA sysctl -qw net.ipv4.ping_group_range="0 0"
bg hostB "$WORK/bin/dialer.py" serve "$B_X" 9000 >"$WORK/serve"
wait_until 10000 grep -q ready "$WORK/serve" || die "no server"
dialer ROOT -- || die "no dialer"
test_changes_nothing; ktap_result $? "to look changes nothing"
stop "$ROOT"

for host in hostA hostB; do quick_timers $host; done
dialer ROOT -- APP_TIMEOUT=5 LOC_LOCAL_RECV=1 "LOC_LOCAL_PREF=$A_X,7,0" || die "no dialer"
wait_until 10000 on_pair hostA "$A_Y" "$B_Y" || log "not on the preferred pair"
dialer USER "${NOBODY[@]}" -- APP_TIMEOUT=9 || die "no dialer"
test_list; ktap_result $? "root sees all of the namespace, and the locators in use"
test_json; ktap_result $? "as JSON"
test_shared; ktap_result $? "a socket that processes share is listed once"
test_show; ktap_result $? "options by their names"
test_errors; ktap_result $? "errors are one sentence"
test_unconnected; ktap_result $? "one that is not connected is shown, and not listed"
test_nobody; ktap_result $? "a user sees its own, and how many others there are"
if [ -w $YAMA ]; then
	test_yama; ktap_result $? "what Yama keeps from a user is counted"
else
	ktap_skip "what Yama keeps from a user is counted" "no Yama"
fi
mkdir "$WORK/net_cls"
if mount -t cgroup -o net_cls none "$WORK/net_cls" 2>/dev/null; then
	test_class; ktap_result $? "a socket keeps its network class"
	umount "$WORK/net_cls"
else
	ktap_skip "a socket keeps its network class" "no cgroup v1"
fi
test_namespaces; ktap_result $? "sockets of other namespaces are not shown"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
