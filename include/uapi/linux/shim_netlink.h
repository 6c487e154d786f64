/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/shim.yaml */
/* YNL-GEN uapi header */
/* To regenerate run: scripts/netlink-regen */

#ifndef _UAPI_LINUX_SHIM_NETLINK_H
#define _UAPI_LINUX_SHIM_NETLINK_H

#define SHIM_FAMILY_NAME	"shim"
#define SHIM_FAMILY_VERSION	1

/**
 * enum shim_context_state - The state of a context's establishment (RFC 5533
 *   section 6.2).
 * @SHIM_CONTEXT_STATE_IDLE: No context; never reported.
 * @SHIM_CONTEXT_STATE_I1_SENT: We initiated and wait for an R1.
 * @SHIM_CONTEXT_STATE_I2_SENT: We answered an R1 and wait for an R2.
 * @SHIM_CONTEXT_STATE_I2BIS_SENT: The peer lost its context; we answered its
 *   R1bis and wait for an R2.
 * @SHIM_CONTEXT_STATE_ESTABLISHED: Both sides have the context.
 * @SHIM_CONTEXT_STATE_E_FAILED: The peer did not answer; not tried again for
 *   NO_R1_HOLDDOWN_TIME.
 * @SHIM_CONTEXT_STATE_NO_SUPPORT: The peer said that it does not know the
 *   protocol; not tried again for ICMP_HOLDDOWN_TIME.
 */
enum shim_context_state {
	SHIM_CONTEXT_STATE_IDLE,
	SHIM_CONTEXT_STATE_I1_SENT,
	SHIM_CONTEXT_STATE_I2_SENT,
	SHIM_CONTEXT_STATE_I2BIS_SENT,
	SHIM_CONTEXT_STATE_ESTABLISHED,
	SHIM_CONTEXT_STATE_E_FAILED,
	SHIM_CONTEXT_STATE_NO_SUPPORT,
};

/**
 * enum shim_reap_state - The state of a context's reachability (RFC 5534
 *   section 4).
 * @SHIM_REAP_STATE_OPERATIONAL: The current locator pair works as far as we
 *   know.
 * @SHIM_REAP_STATE_EXPLORING: Nothing arrives; probes look for a pair that
 *   works.
 * @SHIM_REAP_STATE_INBOUND_OK: We receive, but do not know yet whether the
 *   peer does.
 */
enum shim_reap_state {
	SHIM_REAP_STATE_OPERATIONAL,
	SHIM_REAP_STATE_EXPLORING,
	SHIM_REAP_STATE_INBOUND_OK,
};

/**
 * enum shim_locator_flag - What is known of a locator.
 * @SHIM_LOCATOR_FLAG_BROKEN: Known not to work (RFC 5533 section 5.15.3, flag
 *   BROKEN).
 * @SHIM_LOCATOR_FLAG_TEMPORARY: Short-lived (RFC 5533 section 5.15.3, flag
 *   TEMPORARY).
 * @SHIM_LOCATOR_FLAG_VERIFIED: Proven to belong to the host whose ULID the
 *   context has.
 * @SHIM_LOCATOR_FLAG_USABLE: Ours: configured on an interface that is up, and
 *   not tentative. The peer's: verified and not broken.
 */
enum shim_locator_flag {
	SHIM_LOCATOR_FLAG_BROKEN = 1,
	SHIM_LOCATOR_FLAG_TEMPORARY = 2,
	SHIM_LOCATOR_FLAG_VERIFIED = 4,
	SHIM_LOCATOR_FLAG_USABLE = 8,
};

/**
 * enum shim_verification - How a locator is proven (RFC 5533 section 5.15.2,
 *   numbers of table 4).
 * @SHIM_VERIFICATION_HBA: By a hash based address set (RFC 5535).
 * @SHIM_VERIFICATION_CGA: By a signature (RFC 3972).
 */
enum shim_verification {
	SHIM_VERIFICATION_HBA = 1,
	SHIM_VERIFICATION_CGA,
};

/**
 * enum shim_event - What happened to a context.
 * @SHIM_EVENT_ESTABLISHED: The context is set up with the peer, or recovered.
 * @SHIM_EVENT_EXPLORING: The current pair is in doubt and exploration began.
 *   The pair is that in doubt.
 * @SHIM_EVENT_INBOUND_OK: The peer is heard, but may not hear us; exploration
 *   goes on.
 * @SHIM_EVENT_REHOMED: Packets take another locator pair from now on. With
 *   old-local and old-peer.
 * @SHIM_EVENT_OPERATIONAL: Reachability in both directions is confirmed.
 * @SHIM_EVENT_PEER_LOCATORS: The peer's locators, or what is known of them,
 *   changed.
 * @SHIM_EVENT_RECOVERING: The peer lost the context; it is set up again.
 * @SHIM_EVENT_FAILED: The context could not be set up. With failure.
 * @SHIM_EVENT_GONE: The context was discarded.
 */
enum shim_event {
	SHIM_EVENT_ESTABLISHED,
	SHIM_EVENT_EXPLORING,
	SHIM_EVENT_INBOUND_OK,
	SHIM_EVENT_REHOMED,
	SHIM_EVENT_OPERATIONAL,
	SHIM_EVENT_PEER_LOCATORS,
	SHIM_EVENT_RECOVERING,
	SHIM_EVENT_FAILED,
	SHIM_EVENT_GONE,
};

/**
 * enum shim_failure - Why no context came about.
 * @SHIM_FAILURE_NO_RESPONSE: The peer did not answer.
 * @SHIM_FAILURE_NO_SUPPORT: The peer said that it does not know the protocol.
 */
enum shim_failure {
	SHIM_FAILURE_NO_RESPONSE,
	SHIM_FAILURE_NO_SUPPORT,
};

enum {
	SHIM_A_LOCATOR_ADDR = 1,
	SHIM_A_LOCATOR_FLAGS,
	SHIM_A_LOCATOR_VERIFICATION,
	SHIM_A_LOCATOR_PRIORITY,
	SHIM_A_LOCATOR_WEIGHT,

	__SHIM_A_LOCATOR_MAX,
	SHIM_A_LOCATOR_MAX = (__SHIM_A_LOCATOR_MAX - 1)
};

enum {
	SHIM_A_CONTEXT_PAD = 1,
	SHIM_A_CONTEXT_ULID_LOCAL,
	SHIM_A_CONTEXT_ULID_PEER,
	SHIM_A_CONTEXT_FII,
	SHIM_A_CONTEXT_LOCAL_TAG,
	SHIM_A_CONTEXT_PEER_TAG,
	SHIM_A_CONTEXT_STATE,
	SHIM_A_CONTEXT_REAP_STATE,
	SHIM_A_CONTEXT_LOCAL,
	SHIM_A_CONTEXT_PEER,
	SHIM_A_CONTEXT_OLD_LOCAL,
	SHIM_A_CONTEXT_OLD_PEER,
	SHIM_A_CONTEXT_LOCAL_LOCATOR,
	SHIM_A_CONTEXT_PEER_LOCATOR,
	SHIM_A_CONTEXT_SEND_TIMEOUT,
	SHIM_A_CONTEXT_KEEPALIVE_TIMEOUT,
	SHIM_A_CONTEXT_LAST_SENT,
	SHIM_A_CONTEXT_LAST_RECEIVED,
	SHIM_A_CONTEXT_EVENT,
	SHIM_A_CONTEXT_TIME,
	SHIM_A_CONTEXT_FAILURE,

	__SHIM_A_CONTEXT_MAX,
	SHIM_A_CONTEXT_MAX = (__SHIM_A_CONTEXT_MAX - 1)
};

enum {
	SHIM_A_HBA_PARAMETERS = 1,
	SHIM_A_HBA_ADDRESS,
	SHIM_A_HBA_LOCATOR,
	SHIM_A_HBA_PRIVATE_KEY,
	SHIM_A_HBA_SIGNS,

	__SHIM_A_HBA_MAX,
	SHIM_A_HBA_MAX = (__SHIM_A_HBA_MAX - 1)
};

enum {
	SHIM_A_RULE_DENY = 1,
	SHIM_A_RULE_LOCAL,
	SHIM_A_RULE_LOCAL_LENGTH,
	SHIM_A_RULE_PEER,
	SHIM_A_RULE_PEER_LENGTH,
	SHIM_A_RULE_PROTOCOL,
	SHIM_A_RULE_FIRST_PORT,
	SHIM_A_RULE_LAST_PORT,

	__SHIM_A_RULE_MAX,
	SHIM_A_RULE_MAX = (__SHIM_A_RULE_MAX - 1)
};

enum {
	SHIM_A_PLACING_PREFIX = 1,
	SHIM_A_PLACING_LENGTH,
	SHIM_A_PLACING_DEVICE,
	SHIM_A_PLACING_EXCLUDED,
	SHIM_A_PLACING_PRIORITY,
	SHIM_A_PLACING_WEIGHT,

	__SHIM_A_PLACING_MAX,
	SHIM_A_PLACING_MAX = (__SHIM_A_PLACING_MAX - 1)
};

enum {
	SHIM_A_SETTING_NAME = 1,
	SHIM_A_SETTING_VALUE,

	__SHIM_A_SETTING_MAX,
	SHIM_A_SETTING_MAX = (__SHIM_A_SETTING_MAX - 1)
};

enum {
	SHIM_A_POLICY_RULE = 1,
	SHIM_A_POLICY_PLACING,
	SHIM_A_POLICY_SETTING,

	__SHIM_A_POLICY_MAX,
	SHIM_A_POLICY_MAX = (__SHIM_A_POLICY_MAX - 1)
};

enum {
	SHIM_A_COUNTER_PAD = 1,
	SHIM_A_COUNTER_NAME,
	SHIM_A_COUNTER_VALUE,

	__SHIM_A_COUNTER_MAX,
	SHIM_A_COUNTER_MAX = (__SHIM_A_COUNTER_MAX - 1)
};

enum {
	SHIM_CMD_CONTEXT_GET = 1,
	SHIM_CMD_CONTEXT_EVENT,
	SHIM_CMD_HBA_ADD,
	SHIM_CMD_HBA_DEL,
	SHIM_CMD_HBA_GET,
	SHIM_CMD_STATS_GET,
	SHIM_CMD_POLICY_SET,
	SHIM_CMD_POLICY_GET,

	__SHIM_CMD_MAX,
	SHIM_CMD_MAX = (__SHIM_CMD_MAX - 1)
};

#define SHIM_MCGRP_EVENTS	"events"

#endif /* _UAPI_LINUX_SHIM_NETLINK_H */
