# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Where things lie and how a step is run. Sourced by setup, in-root and run.

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cache=${SHIM6_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/shim6}
root=$cache/root
logs=$cache/logs
stamps=$cache/stamps
mkdir -p "$logs" "$stamps"

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# key FUNCTION WORD...: what a step's result depends on, as one hash.
key() {
	{ declare -f "$1"; shift; printf '%s\n' "$@"; } | sha256sum | cut -c1-32
}

# step NAME "what it does" FUNCTION [KEYWORD...]
# Runs FUNCTION once for each key; the stamp is written last, so that an
# interrupted step is done again. Its output goes to a log.
step() {
	local name=$1 what=$2 fn=$3 k start=$SECONDS
	shift 3
	k=$(key "$fn" "$@")
	[ "$(cat "$stamps/$name" 2>/dev/null)" = "$k" ] && return 0
	# Only asked whether all is there.
	[ -z "${asking-}" ] || exit 1
	rm -f "$stamps/$name"
	printf '  %-16s %s ... ' "$name" "$what" >&2
	("$fn") >"$logs/$name.log" 2>&1 </dev/null 9>&- &
	local pid=$!
	step_watch "$pid" 9>&- &
	local watch=$!
	if ! wait "$pid"; then
		kill "$watch" 2>/dev/null
		printf 'FAILED\n' >&2
		die "step '$name' failed: $(grep -aE '^(E:|make.*\*\*\*|error|.*[Ee]rror:)' "$logs/$name.log" | tail -1 | cut -c1-120) (log: $logs/$name.log)"
	fi
	kill "$watch" 2>/dev/null || true
	wait "$watch" 2>/dev/null || true
	printf '%d s\n' $((SECONDS - start)) >&2
	printf '%s\n' "$k" >"$stamps/$name"
}

# A dot every ten seconds, so that a person sees that a long step lives.
step_watch() {
	while sleep 10 && kill -0 "$1" 2>/dev/null; do
		printf '.' >&2
	done
}

# in_root CMD...: runs CMD in the trixie root. The caller is in a mount
# namespace of its own (see enter).
in_root() {
	chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
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
# namespace with the root's mounts made.
enter() {
	SHIM6_CACHE=$cache unshare --mount --propagation private \
		bash -c '. "$1"; shift; set -e; mount_root; "$@"' enter "$self" "$@"
}
