#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Host A has one cryptographically generated address (RFC 3972), with provider X, and a
# locator with provider Y that has nothing to do with it but the host's signature (RFC
# 5533 section 5.15.5). Host B uses the locator when the signature is good, and never
# otherwise, whoever made it.
. "$(dirname "$0")/lib.sh"

KEY=
FILE=
OUTSIDE=${PREFIX_Y}:a::77

# cga_host: host A's key, address and set; the same address each time.
cga_host() {
	KEY=$WORK/key.pem
	FILE=$WORK/cga
	if [ ! -s "$FILE" ]; then
		shimctl hostA cga key -o "$KEY" || die "cga key"
		shimctl hostA cga generate --key "$KEY" --sec 1 -o "$FILE" "$(prefix hostA x)/64" >/dev/null ||
			die "cga generate"
		shimctl hostA cga show "$FILE" | tail -1 >"$WORK/addr.hostA.x"
		echo "$OUTSIDE" >"$WORK/addr.hostA.y"
	fi
	shimctl hostA cga apply --nodad --key "$KEY" --locator "$OUTSIDE=y" "$FILE" dev=x || die "cga apply"
	quick_timers hostA
}

cga_up() {
	module_load
	cga_host
	shim_host hostB
}

cga_fresh() {
	module_unload || die "rmmod"
	cga_up
}

# known WHAT: what host B says of the locator outside: "verified", or not.
known() {
	shimctl hostB context show "$(addr hostB x)" "$(addr hostA x)" | grep -q "$OUTSIDE cga .* $1"
}

listed() {
	shimctl hostA hba list | grep -q 'set sec 1 .* public key signs' &&
		shimctl hostA hba list | grep -q "$OUTSIDE cga"
}

private() { ! shimctl hostA hba list --json | grep -qi "$(openssl rsa -in "$KEY" -noout -text 2>/dev/null |
	awk '/privateExponent/ { on = 1; next } /^[a-z]/ { on = 0 } on' | tr -d ' :\n' | head -c 64)"; }

# What does not go together is refused in one sentence, and nothing is left behind.
test_wrong_key() {
	local out before
	openssl genrsa -out "$WORK/other.pem" 2048 2>/dev/null || return 1
	shimctl hostA cga remove "$FILE" || return 1
	before=$(ip -n hostA -o -6 addr show scope global)
	out=$(shimctl hostA cga apply --nodad --key "$WORK/other.pem" --locator "$OUTSIDE=y" "$FILE" dev=x 2>&1)
	log "$out"
	[[ $out == *"the private key is not that of the parameters"* ]] &&
		[ "$before" = "$(ip -n hostA -o -6 addr show scope global)" ] &&
		shimctl hostA cga apply --nodad --key "$KEY" --locator "$OUTSIDE=y" "$FILE" dev=x
}

# The I2 of host A is signed; so is its R2 when host B begins.
test_initiator() {
	establish || return 1
	wait_until 3000 known "usable verified" && expect_more hostB signature_good 0 1 &&
		expect_same hostB signature_bad 0 && expect_same hostB rx_locator_unverified 0
}

test_responder() {
	local ping status
	cga_fresh
	bg hostA python3 "$TOP/demo/udp.py" echo "$(addr hostA x)" 9002 >"$WORK/echo2"
	wait_until 10000 grep -q ready "$WORK/echo2" || return 1
	bg hostB python3 "$TOP/demo/udp.py" ping "$(addr hostB x)" "$(addr hostA x)" 9002 20 >"$WORK/ping2"
	ping=$BG
	# Only host B counts packets towards a context.
	shim_sysctl hostA setup_packets 1000000
	wait_until 15000 established hostB "$(addr hostB x)" "$(addr hostA x)" &&
		wait_until 3000 known "usable verified"
	status=$?
	stop "$ping"
	[ $status -eq 0 ] && expect_more hostB signature_good 0 1 && expect_more hostB established_initiator 0 1
}

test_failover() {
	cga_fresh
	bg hostB python3 "$TOP/demo/udp.py" echo "$(addr hostB x)" 9000 >"$WORK/echo"
	ECHO=$BG
	wait_until 10000 grep -q ready "$WORK/echo" || return 1
	establish && ping_start && ping_outlives_cut
	local status=$?
	heal ispX
	stop "$ECHO"
	return $status
}

# forge KEY CASE: what host B answers to an I2 of somebody with the address of host A.
forge() { on hostA "$TOP/selftests/forger.py" "$FILE" "$(addr hostB x)" "$OUTSIDE" "$1" "$2"; }

# forged COUNTER KEY CASE: the context comes about, without the locator.
forged() {
	local before answer
	before=$(counter hostB "$1")
	answer=$(forge "$2" "$3")
	log "$3: $answer"
	[ "$answer" = R2 ] && expect_more hostB "$1" "$before" 1 && known "unusable" &&
		! known "unusable verified" && expect_same hostB signature_good 0
}

# Host A without its set is anybody who has its address.
become_forger() {
	cga_fresh
	shimctl hostA cga remove "$FILE" || return 1
	ip -n hostA addr add "$(addr hostA x)/64" dev x nodad
	ip -n hostA addr add "$OUTSIDE/64" dev y nodad
	provider_routes hostA x
	provider_routes hostA y
	on hostB nft -f - <<-NFT
	table ip6 watch {
		chain output {
			type filter hook output priority 300
			ip6 daddr $OUTSIDE counter
		}
	}
	NFT
}

test_forged() {
	become_forger || return 1
	forged signature_bad "$WORK/other.pem" as-it-is && forged signature_bad "$KEY" generation &&
		forged signature_bad "$KEY" order && forged signature_bad "$KEY" tag &&
		forged signature_bad "$KEY" cut && forged signature_missing "$KEY" none
}

# The locator is not used, whatever becomes of the others.
test_never_used() {
	local ping probes
	probes=$(counter hostB tx_probe)
	cut ispX
	bg hostB python3 "$TOP/demo/udp.py" ping "$(addr hostB x)" "$(addr hostA x)" 9003 20 >"$WORK/ping3"
	ping=$BG
	wait_until 20000 explored "$probes"
	local status=$?
	stop "$ping"
	heal ispX
	on hostB nft list table ip6 watch | grep 'counter packets 0 ' || { on hostB nft list table ip6 watch; return 1; }
	return $status
}

explored() { (( $(counter hostB tx_probe) - $1 >= 4 )); }

# The same host with the right signature is believed: what another program signed.
test_right() {
	local answer
	answer=$(forge "$KEY" as-it-is)
	[ "$answer" = R2 ] && known "usable verified" && expect_more hostB signature_good 0 1
}

# One site gets a part of the verifications, and no more.
test_limited() {
	local before i pids=()
	become_forger || return 1
	shim_sysctl hostB signatures_per_second 8
	before=$(counter hostB signature_limited)
	for i in 1 2 3 4 5 6; do
		bg hostA "$TOP/selftests/forger.py" "$FILE" "$(addr hostB x)" "$OUTSIDE" "$WORK/other.pem" \
			as-it-is >"$WORK/forged.$i"
		pids+=("$BG")
	done
	wait "${pids[@]}"
	log "$(cat "$WORK"/forged.*)"
	expect_more hostB signature_limited "$before" 1 && grep -q nothing "$WORK"/forged.* && grep -q R2 "$WORK"/forged.*
}

# They wait for it in a queue that has an end.
test_queue() {
	local before status
	become_forger || return 1
	shim_sysctl hostB signatures_per_second 100000
	before=$(counter hostB signature_queue_full)
	one_cpu
	forge "$WORK/other.pem" flood
	status=$?
	all_cpus
	[ $status -eq 0 ] && expect_more hostB signature_queue_full "$before" 1 && expect_more hostB signature_bad 0 1
}

lib_init
ktap_begin 12
topology_up
cga_up
listed; ktap_result $? "a CGA and a locator outside are a set that signs"
private; ktap_result $? "the private key is not told"
test_wrong_key; ktap_result $? "another private key is refused, and nothing is changed"
test_initiator; ktap_result $? "a signed I2 makes the peer take the locator"
test_responder; ktap_result $? "so does a signed R2"
test_failover; ktap_result $? "UDP goes on over it when the path of the CGA is cut"
test_forged; ktap_result $? "forged signatures are refused"
test_never_used; ktap_result $? "and their locator is never sent to"
test_right; ktap_result $? "the right one, of another program, is believed"
test_limited; ktap_result $? "a site has so many verified and no more"
test_queue; ktap_result $? "nor do more wait than there is room for"
dmesg_clean; ktap_result $? "the kernel log is clean"
ktap_end
