/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's own pieces for cutting an IPv6 packet into fragments. */
#ifndef SHIM6_SYS_FRAG_H
#define SHIM6_SYS_FRAG_H

#include <linux/skbuff.h>
#include <net/ipv6.h>

int shim6_frag_init(struct net *net, struct sk_buff *skb, unsigned int mtu,
		    unsigned int room, struct ip6_frag_state *state);
struct sk_buff *shim6_frag_next(struct sk_buff *skb,
				struct ip6_frag_state *state);

#endif
