/* SPDX-License-Identifier: GPL-2.0 */
/* A packet in the handler of protocol 140, its data at the Shim6 header. */
#ifndef SHIM6_SYS_BEHIND_H
#define SHIM6_SYS_BEHIND_H

#include <linux/skbuff.h>

bool shim6_behind_policy(struct sk_buff *skb);
bool shim6_behind_restore(struct sk_buff *skb, unsigned int len, u8 next,
			  const struct in6_addr *src,
			  const struct in6_addr *dst);

#endif
