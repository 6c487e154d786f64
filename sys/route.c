// SPDX-License-Identifier: GPL-2.0
/* Thunks for routes of locator pairs. */
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/fib_rules.h>
#include <net/flow.h>
#include <net/inet_dscp.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/rtnetlink.h>
#include <net/sock.h>

#include "addrconf.h"
#include "route.h"

u8 shim6_skb_dscp(const struct sk_buff *skb)
{
	return ip6_tclass(ip6_flowinfo(ipv6_hdr(skb))) & INET_DSCP_MASK;
}

/* Whether @skb has what routing rules may ask for, beside its addresses and its user. */
bool shim6_skb_is_special(const struct sk_buff *skb)
{
	return skb->mark || shim6_skb_dscp(skb);
}

/* What rules there are. Under RCU. */
void shim6_route_rules(const struct net *net, struct shim6_route_facts *facts)
{
	const struct fib_rule __maybe_unused *rule;

	facts->rules = fib6_has_custom_rules(net);
	facts->users = false;
	if (!facts->rules)
		return;
#if IS_ENABLED(CONFIG_IPV6_MULTIPLE_TABLES)
	list_for_each_entry_rcu(rule, &net->ipv6.fib6_rules_ops->rules_list, list)
		facts->users |= !uid_eq(rule->uid_range.start, KUIDT_INIT(0)) ||
				!uid_eq(rule->uid_range.end, KUIDT_INIT(~0));
#endif
}

/* A route for @skb, or, if that is NULL, for a packet that no rule knows but by its addresses. */
struct dst_entry *shim6_route_lookup(struct net *net, const struct sk_buff *skb,
				     const struct in6_addr *src,
				     const struct in6_addr *dst, int oif)
{
	const struct sock *sk = skb ? sk_to_full_sk(skb->sk) : NULL;
	struct flowi6 fl6 = {
		.flowi6_oif = oif ?: shim6_vrf(net),
		.flowi6_mark = skb ? skb->mark : 0,
		.flowi6_proto = 140,
		.flowi6_uid = sock_net_uid(net, sk),
		.saddr = *src,
		.daddr = *dst,
		.flowlabel = skb ? ip6_flowinfo(ipv6_hdr(skb)) : 0,
	};
	struct dst_entry *route = ip6_dst_lookup_flow(net, sk, &fl6, NULL);

	return IS_ERR(route) ? NULL : route;
}

static bool shim6_dev_is(const struct net_device *dev, const char *kind)
{
	return dev->rtnl_link_ops && !strcmp(dev->rtnl_link_ops->kind, kind);
}

void shim6_route_facts(struct net *net, struct dst_entry *dst,
		       struct shim6_route_facts *facts)
{
	const struct net_device *dev = dst_dev_rcu(dst);

	facts->mtu = dst_mtu(dst);
	facts->cookie = rt6_get_cookie(dst_rt6_info(dst));
	facts->ifindex = dev->ifindex;
	facts->vrf = l3mdev_master_ifindex_rcu(dev);
	facts->room = LL_RESERVED_SPACE(dev);
	facts->software = dev->flags & IFF_LOOPBACK ||
			  shim6_dev_is(dev, "veth") ||
			  shim6_dev_is(dev, "netkit") ||
			  shim6_dev_is(dev, "dummy");
	shim6_route_rules(net, facts);
}

bool shim6_route_check(struct net *net, struct dst_entry *dst, u32 cookie,
		       struct shim6_route_facts *facts)
{
	if (!dst_check(dst, cookie))
		return false;
	shim6_route_facts(net, dst, facts);
	return true;
}

bool shim6_skb_reroute(struct sk_buff *skb, struct dst_entry *dst)
{
	if (unlikely(!dst_hold_safe(dst)))
		return false;
	skb_dst_drop(skb);
	skb_dst_set(skb, dst);
	return true;
}

void shim6_skb_give_route(struct sk_buff *skb, struct dst_entry *dst)
{
	skb_dst_drop(skb);
	skb_dst_set(skb, dst);
}

u32 shim6_skb_mtu(const struct sk_buff *skb)
{
	return dst_mtu(skb_dst(skb));
}

void shim6_skb_update_pmtu(struct sk_buff *skb, u32 mtu)
{
	skb_dst_update_pmtu_no_confirm(skb, mtu);
}

int shim6_dst_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return dst_output(net, sk, skb);
}
