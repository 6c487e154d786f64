/* SPDX-License-Identifier: GPL-2.0 */
/* Thunks for routes of locator pairs. */
#ifndef SHIM6_SYS_ROUTE_H
#define SHIM6_SYS_ROUTE_H

#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/ip6_fib.h>

/* What a route tells about the packets that take it. */
struct shim6_route_facts {
	u32 mtu;		/* octets of an IPv6 packet; 0: the route is no longer good */
	u32 cookie;
	int ifindex;
	int vrf;		/* that its device belongs to; 0: none */
	u16 room;		/* octets in front of the IPv6 header that the device wants */
	bool software;		/* the device hands a packet on as it is */
	bool rules;		/* a packet's mark or DSCP may choose another route */
	bool users;		/* its user may */
};

u8 shim6_skb_dscp(const struct sk_buff *skb);
bool shim6_skb_is_special(const struct sk_buff *skb);
struct dst_entry *shim6_route_lookup(struct net *net, const struct sk_buff *skb,
				     const struct in6_addr *src,
				     const struct in6_addr *dst, int oif);
bool shim6_route_check(struct net *net, struct dst_entry *dst, u32 cookie,
		       struct shim6_route_facts *facts);
void shim6_route_rules(const struct net *net, struct shim6_route_facts *facts);
void shim6_route_facts(struct net *net, struct dst_entry *dst,
		       struct shim6_route_facts *facts);
bool shim6_skb_reroute(struct sk_buff *skb, struct dst_entry *dst);
void shim6_skb_give_route(struct sk_buff *skb, struct dst_entry *dst);
u32 shim6_skb_mtu(const struct sk_buff *skb);
void shim6_skb_update_pmtu(struct sk_buff *skb, u32 mtu);
int shim6_dst_output(struct net *net, struct sock *sk, struct sk_buff *skb);

#endif
