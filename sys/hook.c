// SPDX-License-Identifier: GPL-2.0
/* Netfilter hooks of one network namespace. */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6.h>
#include <net/net_namespace.h>

#include "hook.h"

int shim6_hooks_register(struct net *net, struct shim6_hooks *hooks, void *ctx)
{
	hooks->ops[0] = (struct nf_hook_ops){
		.hook = shim6_entry_local_out,
		.priv = ctx,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP6_PRI_LAST,
	};
	hooks->ops[1] = (struct nf_hook_ops){
		.hook = shim6_entry_pre_routing,
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
