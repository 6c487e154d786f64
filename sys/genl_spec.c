// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/shim.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: scripts/netlink-regen */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "genl_spec.h"

#include <uapi/linux/shim_netlink.h>

/* Integer value ranges */
static const struct netlink_range_validation shim_a_rule_first_port_range = {
	.max	= 65535ULL,
};

static const struct netlink_range_validation shim_a_rule_last_port_range = {
	.max	= 65535ULL,
};

/* Common nested types */
const struct nla_policy shim_placing_nl_policy[SHIM_A_PLACING_WEIGHT + 1] = {
	[SHIM_A_PLACING_PREFIX] = NLA_POLICY_EXACT_LEN(16),
	[SHIM_A_PLACING_LENGTH] = NLA_POLICY_MAX(NLA_U32, 128),
	[SHIM_A_PLACING_DEVICE] = { .type = NLA_NUL_STRING, .len = 15, },
	[SHIM_A_PLACING_EXCLUDED] = { .type = NLA_FLAG, },
	[SHIM_A_PLACING_PRIORITY] = NLA_POLICY_MAX(NLA_U32, 255),
	[SHIM_A_PLACING_WEIGHT] = NLA_POLICY_MAX(NLA_U32, 255),
};

const struct nla_policy shim_rule_nl_policy[SHIM_A_RULE_LAST_PORT + 1] = {
	[SHIM_A_RULE_DENY] = { .type = NLA_FLAG, },
	[SHIM_A_RULE_LOCAL] = NLA_POLICY_EXACT_LEN(16),
	[SHIM_A_RULE_LOCAL_LENGTH] = NLA_POLICY_MAX(NLA_U32, 128),
	[SHIM_A_RULE_PEER] = NLA_POLICY_EXACT_LEN(16),
	[SHIM_A_RULE_PEER_LENGTH] = NLA_POLICY_MAX(NLA_U32, 128),
	[SHIM_A_RULE_PROTOCOL] = NLA_POLICY_RANGE(NLA_U32, 1, 255),
	[SHIM_A_RULE_FIRST_PORT] = NLA_POLICY_FULL_RANGE(NLA_U32, &shim_a_rule_first_port_range),
	[SHIM_A_RULE_LAST_PORT] = NLA_POLICY_FULL_RANGE(NLA_U32, &shim_a_rule_last_port_range),
};

const struct nla_policy shim_setting_nl_policy[SHIM_A_SETTING_VALUE + 1] = {
	[SHIM_A_SETTING_NAME] = { .type = NLA_NUL_STRING, .len = 31, },
	[SHIM_A_SETTING_VALUE] = { .type = NLA_U32, },
};

/* SHIM_CMD_CONTEXT_GET - do */
static const struct nla_policy shim_context_get_nl_policy[SHIM_A_CONTEXT_LOCAL_TAG + 1] = {
	[SHIM_A_CONTEXT_LOCAL_TAG] = { .type = NLA_U64, },
	[SHIM_A_CONTEXT_ULID_LOCAL] = NLA_POLICY_EXACT_LEN(16),
	[SHIM_A_CONTEXT_ULID_PEER] = NLA_POLICY_EXACT_LEN(16),
	[SHIM_A_CONTEXT_FII] = { .type = NLA_U32, },
};

/* SHIM_CMD_HBA_ADD - do */
static const struct nla_policy shim_hba_add_nl_policy[SHIM_A_HBA_PRIVATE_KEY + 1] = {
	[SHIM_A_HBA_PARAMETERS] = NLA_POLICY_MAX_LEN(2048),
	[SHIM_A_HBA_ADDRESS] = NLA_POLICY_EXACT_LEN(16),
	[SHIM_A_HBA_PRIVATE_KEY] = NLA_POLICY_MAX_LEN(3072),
};

/* SHIM_CMD_HBA_DEL - do */
static const struct nla_policy shim_hba_del_nl_policy[SHIM_A_HBA_ADDRESS + 1] = {
	[SHIM_A_HBA_ADDRESS] = NLA_POLICY_EXACT_LEN(16),
};

/* SHIM_CMD_POLICY_SET - do */
static const struct nla_policy shim_policy_set_nl_policy[SHIM_A_POLICY_SETTING + 1] = {
	[SHIM_A_POLICY_RULE] = NLA_POLICY_NESTED(shim_rule_nl_policy),
	[SHIM_A_POLICY_PLACING] = NLA_POLICY_NESTED(shim_placing_nl_policy),
	[SHIM_A_POLICY_SETTING] = NLA_POLICY_NESTED(shim_setting_nl_policy),
};

/* Ops table for shim */
static const struct genl_split_ops shim_nl_ops[] = {
	{
		.cmd		= SHIM_CMD_CONTEXT_GET,
		.doit		= shim_nl_context_get_doit,
		.policy		= shim_context_get_nl_policy,
		.maxattr	= SHIM_A_CONTEXT_LOCAL_TAG,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SHIM_CMD_CONTEXT_GET,
		.start	= shim_nl_context_get_start,
		.dumpit	= shim_nl_context_get_dumpit,
		.done	= shim_nl_context_get_done,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= SHIM_CMD_HBA_ADD,
		.doit		= shim_nl_hba_add_doit,
		.policy		= shim_hba_add_nl_policy,
		.maxattr	= SHIM_A_HBA_PRIVATE_KEY,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SHIM_CMD_HBA_DEL,
		.doit		= shim_nl_hba_del_doit,
		.policy		= shim_hba_del_nl_policy,
		.maxattr	= SHIM_A_HBA_ADDRESS,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SHIM_CMD_HBA_GET,
		.dumpit	= shim_nl_hba_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd	= SHIM_CMD_STATS_GET,
		.dumpit	= shim_nl_stats_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= SHIM_CMD_POLICY_SET,
		.doit		= shim_nl_policy_set_doit,
		.policy		= shim_policy_set_nl_policy,
		.maxattr	= SHIM_A_POLICY_SETTING,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SHIM_CMD_POLICY_GET,
		.dumpit	= shim_nl_policy_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
};

static const struct genl_multicast_group shim_nl_mcgrps[] = {
	[SHIM_NLGRP_EVENTS] = { "events", },
};

struct genl_family shim_nl_family __ro_after_init = {
	.name		= SHIM_FAMILY_NAME,
	.version	= SHIM_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= shim_nl_ops,
	.n_split_ops	= ARRAY_SIZE(shim_nl_ops),
	.mcgrps		= shim_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(shim_nl_mcgrps),
};
