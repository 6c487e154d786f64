/* SPDX-License-Identifier: GPL-2.0 */
/* Generic netlink: reading requests, writing messages. */
#ifndef SHIM6_SYS_GENL_H
#define SHIM6_SYS_GENL_H

#include <linux/types.h>
#include <net/genetlink.h>
#include <uapi/linux/shim_netlink.h>

int shim6_genl_register(void);
void shim6_genl_unregister(void);

/* Requests. */
struct net *shim6_genl_net(const struct genl_info *info);
const void *shim6_genl_attr(const struct genl_info *info, u16 type, u32 *len);
const void *shim6_genl_attr_nth(const struct genl_info *info, u16 type,
				u32 nth, u32 *len);
void shim6_genl_wipe(struct genl_info *info, u16 type);
void shim6_genl_explain(const struct genl_info *info, u16 type,
			const u8 *text, size_t len);
int shim6_genl_reply(struct sk_buff *skb, struct genl_info *info);

/* Dumps. */
struct net *shim6_dump_net(const struct netlink_callback *cb);
void **shim6_dump_state(struct netlink_callback *cb);
void shim6_dump_room(struct netlink_callback *cb, u32 octets);
void *shim6_dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd);

/* Messages. */
struct sk_buff *shim6_genl_new(u32 octets, bool may_sleep);
void *shim6_genl_put(struct sk_buff *skb, struct genl_info *info, u8 cmd);
void shim6_genl_end(struct sk_buff *skb, void *hdr);
void shim6_genl_cancel(struct sk_buff *skb, void *hdr);
void shim6_genl_free(struct sk_buff *skb);
int shim6_nla_put(struct sk_buff *skb, u16 type, const void *data, u32 len);
int shim6_nla_put_u64(struct sk_buff *skb, u16 type, u64 value, u16 pad);
int shim6_nla_put_str(struct sk_buff *skb, u16 type, const u8 *text, u32 len);
void *shim6_nest_start(struct sk_buff *skb, u16 type);
void shim6_nest_end(struct sk_buff *skb, void *nest);
void shim6_nest_cancel(struct sk_buff *skb, void *nest);

/* Events. */
bool shim6_events_wanted(struct net *net);
void shim6_events_send(struct net *net, struct sk_buff *skb);

/* Called from here: sys/entry/genl.rs. */
int shim6_entry_context_get(struct genl_info *info);
int shim6_entry_context_dump_start(struct netlink_callback *cb);
int shim6_entry_context_dump(struct sk_buff *skb, struct netlink_callback *cb);
void shim6_entry_context_dump_done(struct netlink_callback *cb);
int shim6_entry_hba_add(struct genl_info *info);
int shim6_entry_hba_del(struct genl_info *info);
int shim6_entry_hba_dump(struct sk_buff *skb, struct netlink_callback *cb);
int shim6_entry_stats_dump(struct sk_buff *skb, struct netlink_callback *cb);
int shim6_entry_policy_set(struct genl_info *info);
int shim6_entry_policy_dump(struct sk_buff *skb, struct netlink_callback *cb);

#endif
