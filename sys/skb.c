// SPDX-License-Identifier: GPL-2.0
/* Thunks over the static inlines of a socket buffer. */
#include <linux/skbuff.h>
#include <linux/ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/xfrm.h>

#include "skb.h"

static_assert(!(SHIM6_CB_TRANSLATED &
		(IP6SKB_XFRM_TRANSFORMED | IP6SKB_FORWARDED | IP6SKB_REROUTED |
		 IP6SKB_ROUTERALERT | IP6SKB_FRAGMENTED | IP6SKB_HOPBYHOP |
		 IP6SKB_L3SLAVE | IP6SKB_JUMBOGRAM | IP6SKB_SEG6 |
		 IP6SKB_MULTIPATH | IP6SKB_MCROUTE)));

int shim6_skb_cow_head(struct sk_buff *skb, unsigned int room,
		       unsigned int spare)
{
	if (!skb_header_cloned(skb) && skb_headroom(skb) >= room)
		return 0;
	return skb_cow_head(skb, room + spare);
}

bool shim6_skb_may_pull(struct sk_buff *skb, unsigned int len)
{
	return pskb_may_pull(skb, len);
}

void shim6_skb_pull_csum(struct sk_buff *skb, const void *start,
			 unsigned int len)
{
	skb_postpull_rcsum(skb, start, len);
}

void shim6_skb_push_csum(struct sk_buff *skb, const void *start,
			 unsigned int len)
{
	skb_postpush_rcsum(skb, start, len);
}

bool shim6_skb_nat(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_NF_CONNTRACK)
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	return ct && READ_ONCE(ct->status) & IPS_NAT_MASK;
#else
	return false;
#endif
}

bool shim6_skb_sec_path(const struct sk_buff *skb)
{
	return skb_sec_path(skb);
}

bool shim6_skb_has_mark(const struct sk_buff *skb)
{
	return skb->mark;
}

void shim6_skb_drop(struct sk_buff *skb)
{
	kfree_skb(skb);
}

struct sk_buff *shim6_skb_unlink_next(struct sk_buff *skb)
{
	struct sk_buff *next = skb->next;

	skb_mark_not_on_list(skb);
	return next;
}
