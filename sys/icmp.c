// SPDX-License-Identifier: GPL-2.0
/* ICMPv6 errors: check sums and path MTUs. */
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6.h>
#include <linux/skbuff.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>

#include "addrconf.h"
#include "icmp.h"

bool shim6_icmp_valid(struct sk_buff *skb, unsigned int offset)
{
	return !nf_ip6_checksum(skb, NF_INET_PRE_ROUTING, offset,
				IPPROTO_ICMPV6);
}

void shim6_icmp_seal(struct sk_buff *skb, unsigned int offset)
{
	const struct ipv6hdr *ip = ipv6_hdr(skb);
	struct icmp6hdr *icmp = (struct icmp6hdr *)(skb->data + offset);
	unsigned int len = skb->len - offset;

	icmp->icmp6_cksum = 0;
	icmp->icmp6_cksum = csum_ipv6_magic(&ip->saddr, &ip->daddr, len,
					    IPPROTO_ICMPV6,
					    skb_checksum(skb, offset, len, 0));
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->csum_level = 0;
}

void shim6_icmp_update_pmtu(struct net *net, struct sk_buff *skb,
			    unsigned int inner, u32 mtu)
{
	__skb_pull(skb, inner);
	ip6_update_pmtu(skb, net, htonl(mtu), shim6_vrf(net), 0,
			sock_net_uid(net, NULL));
	__skb_push(skb, inner);
}
