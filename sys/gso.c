// SPDX-License-Identifier: GPL-2.0
/* Super-packets: segmentation and merging of packets with a payload header. */
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/gro.h>
#include <net/gso.h>
#include <net/protocol.h>

#include "gso.h"

static struct sk_buff *shim6_gro_receive(struct list_head *head,
					 struct sk_buff *skb)
{
	NAPI_GRO_CB(skb)->flush = 1;
	return NULL;
}

static const struct net_offload shim6_offload = {
	.callbacks.gro_receive = shim6_gro_receive,
	.flags = INET6_PROTO_GSO_EXTHDR,
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
