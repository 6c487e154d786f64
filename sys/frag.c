// SPDX-License-Identifier: GPL-2.0
/* The kernel's own pieces for cutting an IPv6 packet into fragments. */
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>

#include "frag.h"

int shim6_frag_init(struct net *net, struct sk_buff *skb, unsigned int mtu,
		    unsigned int room, struct ip6_frag_state *state)
{
	u8 *prevhdr;
	int hlen = ip6_find_1stfragopt(skb, &prevhdr);

	if (hlen < 0)
		return hlen;
	if (mtu < hlen + sizeof(struct frag_hdr) + 8)
		return -EMSGSIZE;
	ip6_frag_init(skb, hlen, mtu - hlen - sizeof(struct frag_hdr), 0, room,
		      prevhdr, *prevhdr,
		      ipv6_select_ident(net, &ipv6_hdr(skb)->daddr,
					&ipv6_hdr(skb)->saddr),
		      state);
	return 0;
}

struct sk_buff *shim6_frag_next(struct sk_buff *skb,
				struct ip6_frag_state *state)
{
	struct sk_buff *frag = ip6_frag_next(skb, state);

	if (IS_ERR(frag))
		return NULL;
	skb_set_delivery_time(frag, skb->tstamp, skb->tstamp_type);
	return frag;
}
