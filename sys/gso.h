/* SPDX-License-Identifier: GPL-2.0 */
/* Super-packets: segmentation and merging of packets with a payload header. */
#ifndef SHIM6_SYS_GSO_H
#define SHIM6_SYS_GSO_H

#include <linux/skbuff.h>

enum {
	SHIM6_GSO_TCPV6 = SKB_GSO_TCPV6,
	/* Only devices that are software advertise it: see sys/gso.rs. */
	SHIM6_GSO_SOFTWARE_ONLY = SKB_GSO_SCTP,
};

int shim6_offload_register(void);
void shim6_offload_unregister(void);
struct sk_buff *shim6_gso_cut(struct sk_buff *skb);

struct net *shim6_gro_net(const struct sk_buff *skb);
const u8 *shim6_gro_header(struct sk_buff *skb, unsigned int len);
const struct ipv6hdr *shim6_gro_ipv6(const struct sk_buff *skb);
bool shim6_gro_as_list(const struct sk_buff *skb);
void shim6_gro_flush(struct sk_buff *skb);
void shim6_gro_compare(struct list_head *head, struct sk_buff *skb,
		       unsigned int len);
bool shim6_gro_checksum(struct sk_buff *skb, const struct in6_addr *src,
			const struct in6_addr *dst, u8 protocol);
void shim6_gro_step(struct sk_buff *skb, unsigned int len, u8 protocol);
struct sk_buff *shim6_gro_inner_receive(struct list_head *head,
					struct sk_buff *skb, u8 protocol);
int shim6_gro_inner_complete(struct sk_buff *skb, int offset, u8 protocol);
void shim6_gro_seed_tcp(struct sk_buff *skb, int offset,
			const struct in6_addr *src, const struct in6_addr *dst);
void shim6_gro_nest(struct sk_buff *skb);

/* Called by the offload: sys/entry/gro.rs. */
struct sk_buff *shim6_entry_gro_receive(struct list_head *head,
					struct sk_buff *skb);
int shim6_entry_gro_complete(struct sk_buff *skb, int offset);

#endif
