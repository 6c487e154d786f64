/* SPDX-License-Identifier: GPL-2.0 */
/* Netfilter hooks of one network namespace. */
#ifndef SHIM6_SYS_HOOK_H
#define SHIM6_SYS_HOOK_H

#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6.h>
#include <linux/shim.h>
#include <linux/skbuff.h>

enum {
	SHIM6_NF_DROP = NF_DROP,
	SHIM6_NF_ACCEPT = NF_ACCEPT,
	SHIM6_NF_STOLEN = NF_STOLEN,
	SHIM6_EINVALIDLOCATOR = EINVALIDLOCATOR,
	SHIM6_L3_MASTER = IFF_L3MDEV_MASTER,
};

/* The registration: netfilter keeps pointers into it until it is undone. */
struct shim6_hooks {
	struct nf_hook_ops ops[2];
};

int shim6_hooks_register(struct net *net, struct shim6_hooks *hooks, void *ctx);
void shim6_hooks_unregister(struct net *net, struct shim6_hooks *hooks);

/* The hooks: sys/entry/hook.rs. */
unsigned int shim6_entry_local_out(void *ctx, struct sk_buff *skb,
				   const struct nf_hook_state *state);
unsigned int shim6_entry_pre_routing(void *ctx, struct sk_buff *skb,
				     const struct nf_hook_state *state);

#endif
