// SPDX-License-Identifier: GPL-2.0
/* Thunks for the generic netlink family; its tables are in genl_spec.c. */
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <net/netlink.h>
#include <net/sock.h>

#include "genl.h"
#include "genl_spec.h"

int shim6_genl_register(void)
{
	return genl_register_family(&shim_nl_family);
}

void shim6_genl_unregister(void)
{
	genl_unregister_family(&shim_nl_family);
}

int shim_nl_context_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return shim6_entry_context_get(info);
}

int shim_nl_context_get_start(struct netlink_callback *cb)
{
	return shim6_entry_context_dump_start(cb);
}

int shim_nl_context_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb)
{
	return shim6_entry_context_dump(skb, cb);
}

int shim_nl_context_get_done(struct netlink_callback *cb)
{
	shim6_entry_context_dump_done(cb);
	return 0;
}

int shim_nl_hba_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	return shim6_entry_hba_add(info);
}

int shim_nl_hba_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return shim6_entry_hba_del(info);
}

int shim_nl_hba_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return shim6_entry_hba_dump(skb, cb);
}

int shim_nl_stats_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return shim6_entry_stats_dump(skb, cb);
}

int shim_nl_policy_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	return shim6_entry_policy_set(info);
}

int shim_nl_policy_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return shim6_entry_policy_dump(skb, cb);
}

struct net *shim6_genl_net(const struct genl_info *info)
{
	return genl_info_net(info);
}

const void *shim6_genl_attr(const struct genl_info *info, u16 type, u32 *len)
{
	const struct nlattr *attr = info->attrs[type];

	if (!attr)
		return NULL;
	*len = nla_len(attr);
	return nla_data(attr);
}

const void *shim6_genl_attr_nth(const struct genl_info *info, u16 type,
				u32 nth, u32 *len)
{
	const struct nlattr *attr;
	int rem;

	nlmsg_for_each_attr_type(attr, type, info->nlhdr, GENL_HDRLEN, rem) {
		if (nth--)
			continue;
		*len = nla_len(attr);
		return nla_data(attr);
	}
	return NULL;
}

void shim6_genl_wipe(struct genl_info *info, u16 type)
{
	struct nlattr *attr = info->attrs[type];

	if (attr)
		memzero_explicit(nla_data(attr), nla_len(attr));
}

void shim6_genl_explain(const struct genl_info *info, u16 type,
			const u8 *text, size_t len)
{
	GENL_SET_ERR_MSG_FMT(info, "%.*s", (int)len, text);
	if (type && info->attrs[type])
		NL_SET_BAD_ATTR(info->extack, info->attrs[type]);
}

int shim6_genl_reply(struct sk_buff *skb, struct genl_info *info)
{
	return genlmsg_reply(skb, info);
}

struct net *shim6_dump_net(const struct netlink_callback *cb)
{
	return sock_net(cb->skb->sk);
}

void **shim6_dump_state(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(cb->ctx) < sizeof(void *));
	return (void **)cb->ctx;
}

void shim6_dump_room(struct netlink_callback *cb, u32 octets)
{
	cb->min_dump_alloc = max(cb->min_dump_alloc, octets);
}

void *shim6_dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &shim_nl_family, NLM_F_MULTI, cmd);
}

struct sk_buff *shim6_genl_new(u32 octets, bool may_sleep)
{
	return genlmsg_new(octets, may_sleep ? GFP_KERNEL : GFP_ATOMIC);
}

void *shim6_genl_put(struct sk_buff *skb, struct genl_info *info, u8 cmd)
{
	if (info)
		return genlmsg_put_reply(skb, info, &shim_nl_family, 0, cmd);
	return genlmsg_put(skb, 0, 0, &shim_nl_family, 0, cmd);
}

void shim6_genl_end(struct sk_buff *skb, void *hdr)
{
	genlmsg_end(skb, hdr);
}

void shim6_genl_cancel(struct sk_buff *skb, void *hdr)
{
	genlmsg_cancel(skb, hdr);
}

void shim6_genl_free(struct sk_buff *skb)
{
	nlmsg_free(skb);
}

int shim6_nla_put(struct sk_buff *skb, u16 type, const void *data, u32 len)
{
	return nla_put(skb, type, len, data);
}

int shim6_nla_put_u64(struct sk_buff *skb, u16 type, u64 value, u16 pad)
{
	return nla_put_u64_64bit(skb, type, value, pad);
}

int shim6_nla_put_str(struct sk_buff *skb, u16 type, const u8 *text, u32 len)
{
	struct nlattr *attr = nla_reserve(skb, type, len + 1);
	char *to;

	if (!attr)
		return -EMSGSIZE;
	to = nla_data(attr);
	memcpy(to, text, len);
	to[len] = '\0';
	return 0;
}

void *shim6_nest_start(struct sk_buff *skb, u16 type)
{
	return nla_nest_start(skb, type);
}

void shim6_nest_end(struct sk_buff *skb, void *nest)
{
	nla_nest_end(skb, nest);
}

void shim6_nest_cancel(struct sk_buff *skb, void *nest)
{
	nla_nest_cancel(skb, nest);
}

bool shim6_events_wanted(struct net *net)
{
	return genl_has_listeners(&shim_nl_family, net, SHIM_NLGRP_EVENTS);
}

void shim6_events_send(struct net *net, struct sk_buff *skb)
{
	genlmsg_multicast_netns(&shim_nl_family, net, skb, 0,
				SHIM_NLGRP_EVENTS, GFP_ATOMIC);
}
