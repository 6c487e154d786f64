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

#endif
