// SPDX-License-Identifier: GPL-2.0
/* Netfilter hooks of one network namespace. */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6.h>
#include <linux/netdevice.h>
#include <net/net_namespace.h>

#include "hook.h"

/* A VRF shows its packets to all hooks twice: as its own, and as those of the link. */
static unsigned int shim6_local_out(void *ctx, struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	if (unlikely(netif_is_l3_master(state->out)))
		return NF_ACCEPT;
	return shim6_entry_local_out(ctx, skb, state);
}

static unsigned int shim6_pre_routing(void *ctx, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	if (unlikely(netif_is_l3_master(state->in)))
		return NF_ACCEPT;
	return shim6_entry_pre_routing(ctx, skb, state);
}

int shim6_hooks_register(struct net *net, struct shim6_hooks *hooks, void *ctx)
{
	hooks->ops[0] = (struct nf_hook_ops){
		.hook = shim6_local_out,
		.priv = ctx,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP6_PRI_LAST,
	};
	hooks->ops[1] = (struct nf_hook_ops){
		.hook = shim6_pre_routing,
		.priv = ctx,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		/* before conntrack's defragmentation and before "raw" */
		.priority = -500,
	};
	return nf_register_net_hooks(net, hooks->ops, ARRAY_SIZE(hooks->ops));
}

void shim6_hooks_unregister(struct net *net, struct shim6_hooks *hooks)
{
	nf_unregister_net_hooks(net, hooks->ops, ARRAY_SIZE(hooks->ops));
}
