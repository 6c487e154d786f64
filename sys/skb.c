// SPDX-License-Identifier: GPL-2.0
/* Thunks over the static inlines of a socket buffer. */
#include <linux/skbuff.h>
#include <linux/ipv6.h>
#include <net/gso.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/sock.h>
#include <net/udp.h>
#include <net/xfrm.h>

#include "skb.h"

static_assert(!(SHIM6_CB_TRANSLATED &
		(IP6SKB_XFRM_TRANSFORMED | IP6SKB_FORWARDED | IP6SKB_REROUTED |
		 IP6SKB_ROUTERALERT | IP6SKB_FRAGMENTED | IP6SKB_HOPBYHOP |
		 IP6SKB_L3SLAVE | IP6SKB_JUMBOGRAM | IP6SKB_SEG6 |
		 IP6SKB_MULTIPATH | IP6SKB_MCROUTE)));

static_assert(SHIM6_CB_NOTE >= sizeof(struct inet6_skb_parm));
static_assert(SHIM6_CB_NOTE >= sizeof(struct udp_skb_cb));
static_assert(SHIM6_CB_NOTE + sizeof(u32) <= SKB_GSO_CB_OFFSET);
static_assert(SHIM6_CB_NOTE_AGAIN + sizeof(u32) <= SOCK_SKB_CB_OFFSET);

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

/*
 * A connection that begins with this packet is confirmed now, while the packet
 * still looks like it: source NAT comes behind us, would take the payload
 * header for the packet's ports, and leaves confirmed ones alone.
 */
enum shim6_track shim6_skb_track(struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_NF_CONNTRACK)
	const struct nf_ct_hook *hook = rcu_dereference(nf_ct_hook);
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	if (hook && ct && !nf_ct_is_template(ct) && !nf_ct_is_confirmed(ct)) {
		if (hook->confirm(skb) != NF_ACCEPT)
			return SHIM6_TRACK_LOST;
		/* Another processor may have been faster with the same one. */
		ct = nf_ct_get(skb, &ctinfo);
	}
	if (ct && READ_ONCE(ct->status) & IPS_NAT_MASK)
		return SHIM6_TRACK_NAT;
#endif
	return SHIM6_TRACK_OWN;
}

bool shim6_skb_sec_path(const struct sk_buff *skb)
{
	return skb_sec_path(skb);
}

void shim6_skb_heard(const struct sk_buff *skb, struct shim6_heard *heard)
{
	int at = IP6CB(skb)->flags & IP6SKB_FRAGMENTED ? SHIM6_CB_NOTE_AGAIN :
							 SHIM6_CB_NOTE;

	memset(heard, 0, sizeof(*heard));
	if (skb->protocol != htons(ETH_P_IPV6))
		return;
	heard->local = ipv6_hdr(skb)->daddr;
	heard->peer = ipv6_hdr(skb)->saddr;
	heard->interface = IP6CB(skb)->iif;
	memcpy(&heard->note, &skb->cb[at], sizeof(heard->note));
}

bool shim6_skb_dontfrag(const struct sk_buff *skb)
{
	return skb->sk && sk_fullsock(skb->sk) &&
	       skb->sk->sk_family == AF_INET6 &&
	       inet6_test_bit(DONTFRAG, skb->sk);
}

void shim6_skb_tell_too_big(struct sk_buff *skb, unsigned int mtu)
{
	/* ipv6_local_error() is not for modules; this calls it, and nothing else. */
#if IS_ENABLED(CONFIG_XFRM)
	if (skb->sk && sk_fullsock(skb->sk) && skb->sk->sk_family == AF_INET6)
		xfrm_local_error(skb, mtu);
#endif
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
