// SPDX-License-Identifier: GPL-2.0
/* A packet in the handler of protocol 140, its data at the Shim6 header. */
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/xfrm.h>

#include "behind.h"

bool shim6_behind_policy(struct sk_buff *skb)
{
	if (!xfrm6_policy_check(NULL, XFRM_POLICY_IN, skb))
		return false;
	secpath_reset(skb);
	return true;
}

bool shim6_behind_restore(struct sk_buff *skb, unsigned int len,
			  const struct in6_addr *src,
			  const struct in6_addr *dst)
{
	if (skb_unclone(skb, GFP_ATOMIC))
		return false;
	ipv6_hdr(skb)->saddr = *src;
	ipv6_hdr(skb)->daddr = *dst;
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		skb->ip_summed = CHECKSUM_NONE;
	IP6CB(skb)->nhoff = skb_network_header_len(skb);
	skb->transport_header += len;
	return true;
}
