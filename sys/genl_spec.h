/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/shim.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: scripts/netlink-regen */

#ifndef _LINUX_SHIM_GEN_H
#define _LINUX_SHIM_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/shim_netlink.h>

/* Common nested types */
extern const struct nla_policy shim_placing_nl_policy[SHIM_A_PLACING_WEIGHT + 1];
extern const struct nla_policy shim_rule_nl_policy[SHIM_A_RULE_LAST_PORT + 1];
extern const struct nla_policy shim_setting_nl_policy[SHIM_A_SETTING_VALUE + 1];

int shim_nl_context_get_start(struct netlink_callback *cb);
int shim_nl_context_get_done(struct netlink_callback *cb);

int shim_nl_context_get_doit(struct sk_buff *skb, struct genl_info *info);
int shim_nl_context_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int shim_nl_hba_add_doit(struct sk_buff *skb, struct genl_info *info);
int shim_nl_hba_del_doit(struct sk_buff *skb, struct genl_info *info);
int shim_nl_hba_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int shim_nl_stats_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int shim_nl_policy_set_doit(struct sk_buff *skb, struct genl_info *info);
int shim_nl_policy_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

enum {
	SHIM_NLGRP_EVENTS,
};

extern struct genl_family shim_nl_family;

#endif /* _LINUX_SHIM_GEN_H */
