// SPDX-License-Identifier: GPL-2.0
/* Thunks for protocol 140. */
#include <linux/icmpv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/protocol.h>

#include "addrconf.h"
#include "control.h"

#define SHIM6_PROTOCOL 140

bool shim6_message_open(struct sk_buff *skb, struct shim6_message *message)
{
	if (skb_linearize(skb))
		return false;
	*message = (struct shim6_message){
		.src = ipv6_hdr(skb)->saddr,
		.dst = ipv6_hdr(skb)->daddr,
		.head = skb_network_header(skb),
		.head_len = skb->data - skb_network_header(skb),
		.data = skb->data,
		.len = skb->len,
	};
	return true;
}

static int shim6_rcv(struct sk_buff *skb)
{
	switch (shim6_entry_control(dev_net(skb->dev), skb)) {
	case SHIM6_RCV_AGAIN:
		return 1;
	case SHIM6_RCV_DONE:
		consume_skb(skb);
		return 0;
	case SHIM6_RCV_REFUSE:
		/* Nobody here speaks Shim6: what the kernel says without us. */
		icmpv6_send(skb, ICMPV6_PARAMPROB, ICMPV6_UNK_NEXTHDR,
			    IP6CB(skb)->nhoff);
		fallthrough;
	default:
		kfree_skb(skb);
		return 0;
	}
}

static int shim6_err(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type,
		     u8 code, int offset, __be32 info)
{
	struct shim6_icmp error = {
		.packet = skb->data,
		.len = skb_headlen(skb),
		.info = ntohl(info),
		.type = type,
		.code = code,
	};

	shim6_entry_icmp(dev_net(skb->dev), &error);
	return 0;
}

static const struct inet6_protocol shim6_protocol = {
	.handler = shim6_rcv,
	.err_handler = shim6_err,
	.flags = INET6_PROTO_NOPOLICY,
};

int shim6_protocol_register(void)
{
	return inet6_add_protocol(&shim6_protocol, SHIM6_PROTOCOL) ? -EBUSY : 0;
}

void shim6_protocol_unregister(void)
{
	inet6_del_protocol(&shim6_protocol, SHIM6_PROTOCOL);
}

struct sk_buff *shim6_message_new(const struct in6_addr *src,
				  const struct in6_addr *dst,
				  const u8 *data, u32 len)
{
	unsigned int room = MAX_HEADER + sizeof(struct ipv6hdr);
	struct sk_buff *skb = alloc_skb(room + len, GFP_ATOMIC);
	struct ipv6hdr *ip6;

	if (!skb)
		return NULL;
	skb_reserve(skb, room);
	skb_put_data(skb, data, len);
	skb_reset_transport_header(skb);
	ip6 = skb_push(skb, sizeof(*ip6));
	skb_reset_network_header(skb);
	ip6_flow_hdr(ip6, 0, 0);
	ip6->payload_len = htons(len);
	ip6->nexthdr = SHIM6_PROTOCOL;
	ip6->saddr = *src;
	ip6->daddr = *dst;
	skb->protocol = htons(ETH_P_IPV6);
	return skb;
}

void shim6_message_link(struct sk_buff *skb, struct sk_buff *next)
{
	skb->next = next;
}

struct sk_buff *shim6_message_unlink(struct sk_buff *skb)
{
	struct sk_buff *next = skb->next;

	skb_mark_not_on_list(skb);
	return next;
}

int shim6_message_send(struct net *net, struct sk_buff *skb, int not_by)
{
	struct ipv6hdr *ip6 = ipv6_hdr(skb);
	struct flowi6 fl6 = {
		.flowi6_oif = shim6_vrf(net),
		.flowi6_proto = SHIM6_PROTOCOL,
		.flowi6_uid = sock_net_uid(net, NULL),
		.saddr = ip6->saddr,
		.daddr = ip6->daddr,
	};
	struct dst_entry *dst = ip6_dst_lookup_flow(net, NULL, &fl6, NULL);
	int err;

	if (IS_ERR(dst)) {
		kfree_skb(skb);
		return PTR_ERR(dst);
	}
	rcu_read_lock();
	if (not_by && dst_dev_rcu(dst)->ifindex == not_by) {
		rcu_read_unlock();
		dst_release(dst);
		kfree_skb(skb);
		return -ENETUNREACH;
	}
	ip6->hop_limit = ip6_dst_hoplimit(dst);
	skb_dst_set(skb, dst);
	err = ip6_local_out(net, NULL, skb);
	rcu_read_unlock();
	return net_xmit_eval(err);
}

void shim6_message_drop(struct sk_buff *skb)
{
	kfree_skb(skb);
}
