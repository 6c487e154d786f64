/* SPDX-License-Identifier: GPL-2.0 */
/* ICMPv6 errors: check sums and path MTUs. */
#ifndef SHIM6_SYS_ICMP_H
#define SHIM6_SYS_ICMP_H

#include <linux/skbuff.h>

bool shim6_icmp_valid(struct sk_buff *skb, unsigned int offset);
void shim6_icmp_seal(struct sk_buff *skb, unsigned int offset);
void shim6_icmp_update_pmtu(struct net *net, struct sk_buff *skb,
			    unsigned int inner, u32 mtu);

#endif
