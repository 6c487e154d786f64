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

bool shim6_behind_restore(struct sk_buff *skb, unsigned int len, u8 next,
			  const struct in6_addr *src,
			  const struct in6_addr *dst)
{
	unsigned int before = skb_network_header_len(skb);
	struct ipv6hdr *ip6;
	u8 *front;

	if (skb_unclone(skb, GFP_ATOMIC))
		return false;
	front = skb_network_header(skb);
	front[IP6CB(skb)->nhoff] = next;
	memmove(front + len, front, before);
	skb->network_header += len;
	skb->transport_header += len;
	ip6 = ipv6_hdr(skb);
	ip6->saddr = *src;
	ip6->daddr = *dst;
	/* a jumbogram has none */
	if (ip6->payload_len)
		be16_add_cpu(&ip6->payload_len, -len);
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		skb->ip_summed = CHECKSUM_NONE;
	return true;
}
