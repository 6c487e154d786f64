# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Where things lie and how a step is run. Sourced by setup, in-root and run.

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cache=${SHIM6_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/shim6}
root=$cache/trixie
logs=$cache/logs
# Inside the root, so that they never outlive it.
stamps=$root/var/lib/shim6
initrd=$root/boot/initramfs
mkdir -p "$logs"

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# key FUNCTION WORD...: what a step's result depends on, as one hash.
key() {
	{ declare -f "$1"; shift; printf '%s\n' "$@"; } | sha256sum | cut -c1-32
}

# step NAME "what it does" LINES FUNCTION [KEYWORD...]
# Runs FUNCTION once for each key. Its output goes to a log of about LINES lines,
# from which the progress shown is guessed. The stamp is written last, so that an
# interrupted step is done again.
step() {
	local name=$1 what=$2 lines=$3 fn=$4 k start=$SECONDS
	shift 4
	k=$(key "$fn" "$@")
	[ "$(cat "$stamps/$name" 2>/dev/null)" = "$k" ] && return 0
	# Only asked whether all is there.
	[ -z "${asking-}" ] || exit 1
	rm -f "$stamps/$name"
	printf '  %-13s %s ...' "$name" "$what" >&2
	# A process group of its own, which step_stop ends as a whole. It inherits
	# the lock: if this shell is killed, the next set-up waits for what still runs.
	set -m
	("$fn") >"$logs/$name.log" 2>&1 </dev/null &
	step_pid=$!
	set +m
	step_watch "$step_pid" "$logs/$name.log" "$lines" 9>&- &
	local watch=$! status=0
	wait "$step_pid" || status=$?
	step_pid=
	kill "$watch" 2>/dev/null || true
	wait "$watch" 2>/dev/null || true
	if [ $status -ne 0 ]; then
		printf ' FAILED\n' >&2
		die "step '$name' failed: $(step_why "$logs/$name.log") (log: $logs/$name.log)"
	fi
	printf ' %d s\n' $((SECONDS - start)) >&2
	mkdir -p "$stamps"
	printf '%s\n' "$k" >"$stamps/$name"
}

# The line of a log that says why, else its last.
step_why() {
	{ grep -aE '^(E:|W: Failed|make.*\*\*\*|.*[Ee]rror:|.*[Nn]o space left|.*: not found)' "$1" || grep -a . "$1" || echo 'it said nothing'; } |
		tail -n 1 | tr -d '\r' | cut -c1-160
}

# Shows every ten seconds how far a step is.
step_watch() {
	local far
	while sleep 10 && kill -0 "$1" 2>/dev/null; do
		far=$(($(wc -l <"$2") * 100 / $3))
		printf ' %d%%' $((far < 99 ? far : 99)) >&2
	done
}

# Ends the running step and all it started.
step_stop() {
	[ -z "${step_pid-}" ] || kill -TERM -- "-$step_pid" 2>/dev/null || true
}

# What of this machine's environment the root's programs see.
root_env=(HOME=/root LANG=C.UTF-8 "TERM=${TERM:-dumb}")
for v in http_proxy https_proxy no_proxy; do
	[ -z "${!v-}" ] || root_env+=("$v=${!v}")
done

# in_root CMD...: runs CMD in the trixie root. The caller is in a mount
# namespace of its own (see enter).
in_root() {
	chroot "$root" /usr/bin/env -i "${root_env[@]}" \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
		"$@"
}

# Mounts the root needs while somebody works in it; gone with the namespace.
mount_root() {
	mount -t proc proc "$root/proc"
	mount --rbind /dev "$root/dev"
	mount -t sysfs sysfs "$root/sys" 2>/dev/null || mount --rbind /sys "$root/sys"
	mount -t tmpfs tmpfs "$root/tmp"
}

# enter FUNCTION ARG...: calls FUNCTION of this script in a private mount
# namespace with the root's mounts made. With $together what it started ends with
# it, whatever process group or session that is in (apt gives dpkg its own).
enter() {
	SHIM6_CACHE=$cache unshare --mount --propagation private ${together:+--pid --fork --kill-child} \
		bash -c '. "$1"; shift; set -e; mount_root; "$@"' enter "$self" "$@"
}
