// SPDX-License-Identifier: GPL-2.0
/* Super-packets: segmentation and merging of packets with a payload header. */
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/gro.h>
#include <net/gso.h>
#include <net/ip6_checksum.h>
#include <net/protocol.h>
#include <net/tcp.h>

#include "gso.h"

/* The header is passed over; the ULP's own segmentation finds the pseudo-header
 * sum its sender seeded.
 */
static struct sk_buff *shim6_gso_segment(struct sk_buff *skb,
					 netdev_features_t features)
{
	const struct net_offload *ops;
	u8 next;

	if (!pskb_may_pull(skb, 8))
		return ERR_PTR(-EINVAL);
	next = skb->data[0];
	__skb_pull(skb, 8);
	ops = rcu_dereference(inet6_offloads[next]);
	if (!ops || !ops->callbacks.gso_segment ||
	    !skb_reset_transport_header_careful(skb))
		return ERR_PTR(-EPROTONOSUPPORT);
	return ops->callbacks.gso_segment(skb, features);
}

static struct sk_buff *shim6_gro_receive(struct list_head *head,
					 struct sk_buff *skb)
{
	return shim6_entry_gro_receive(head, skb);
}

static int shim6_gro_complete(struct sk_buff *skb, int offset)
{
	return shim6_entry_gro_complete(skb, offset);
}

static const struct net_offload shim6_offload = {
	.callbacks = {
		.gso_segment = shim6_gso_segment,
		.gro_receive = shim6_gro_receive,
		.gro_complete = shim6_gro_complete,
	},
};

int shim6_offload_register(void)
{
	return inet6_add_offload(&shim6_offload, 140);
}

void shim6_offload_unregister(void)
{
	inet6_del_offload(&shim6_offload, 140);
}

struct sk_buff *shim6_gso_cut(struct sk_buff *skb)
{
	struct sk_buff *segs;

	skb->dev = skb_dst_dev(skb);
	segs = skb_gso_segment(skb, NETIF_F_SG);
	return IS_ERR(segs) ? NULL : segs;
}

struct net *shim6_gro_net(const struct sk_buff *skb)
{
	return dev_net_rcu(skb->dev);
}

const u8 *shim6_gro_header(struct sk_buff *skb, unsigned int len)
{
	unsigned int at = skb_gro_offset(skb);

	return skb_gro_header(skb, at + len, at);
}

const struct ipv6hdr *shim6_gro_ipv6(const struct sk_buff *skb)
{
	return skb_gro_network_header(skb);
}

bool shim6_gro_as_list(const struct sk_buff *skb)
{
	return skb->dev->features & NETIF_F_GRO_FRAGLIST;
}

void shim6_gro_flush(struct sk_buff *skb)
{
	NAPI_GRO_CB(skb)->flush = 1;
}

void shim6_gro_compare(struct list_head *head, struct sk_buff *skb,
		       unsigned int len)
{
	unsigned int at = skb_gro_offset(skb);
	const u8 *mine = skb_gro_header(skb, at + len, at);
	struct sk_buff *held;

	list_for_each_entry(held, head, list) {
		if (NAPI_GRO_CB(held)->same_flow &&
		    memcmp(mine, held->data + at, len))
			NAPI_GRO_CB(held)->same_flow = 0;
	}
}

void shim6_gro_step(struct sk_buff *skb, unsigned int len, u8 protocol)
{
	unsigned int at = skb_gro_offset(skb);

	skb_gro_postpull_rcsum(skb, skb_gro_header(skb, at + len, at), len);
	skb_gro_pull(skb, len);
	skb_set_transport_header(skb, skb_gro_offset(skb));
	NAPI_GRO_CB(skb)->proto = protocol;
}

bool shim6_gro_checksum(struct sk_buff *skb, const struct in6_addr *src,
			const struct in6_addr *dst, u8 protocol)
{
	if (__skb_gro_checksum_validate_needed(skb, false, 0) &&
	    __skb_gro_checksum_validate_complete(skb,
			~csum_unfold(csum_ipv6_magic(src, dst,
						     skb_gro_len(skb),
						     protocol, 0))))
		return false;
	skb_gro_incr_csum_unnecessary(skb);
	/* what was verified here is not to be verified between locators */
	NAPI_GRO_CB(skb)->csum_cnt = 1;
	return true;
}

struct sk_buff *shim6_gro_inner_receive(struct list_head *head,
					struct sk_buff *skb, u8 protocol)
{
	const struct net_offload *ops = rcu_dereference(inet6_offloads[protocol]);

	if (!ops || !ops->callbacks.gro_receive) {
		NAPI_GRO_CB(skb)->flush = 1;
		return NULL;
	}
	return call_gro_receive(ops->callbacks.gro_receive, head, skb);
}

int shim6_gro_inner_complete(struct sk_buff *skb, int offset, u8 protocol)
{
	const struct net_offload *ops = rcu_dereference(inet6_offloads[protocol]);

	if (!ops || !ops->callbacks.gro_complete)
		return -ENOENT;
	return ops->callbacks.gro_complete(skb, offset);
}

void shim6_gro_seed_tcp(struct sk_buff *skb, int offset,
			const struct in6_addr *src, const struct in6_addr *dst)
{
	tcp_hdr(skb)->check = ~tcp_v6_check(skb->len - offset, src, dst, 0);
}

void shim6_gro_nest(struct sk_buff *skb)
{
	skb_shinfo(skb)->gso_type |= SHIM6_GSO_SOFTWARE_ONLY;
	skb->inner_transport_header = skb->transport_header;
	skb->encapsulation = 1;
}
