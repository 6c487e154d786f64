/* SPDX-License-Identifier: GPL-2.0 */
/* TCP learns that its path changed. */
#ifndef SHIM6_SYS_KICK_H
#define SHIM6_SYS_KICK_H

#include <linux/in6.h>
#include <net/net_namespace.h>

u32 shim6_tcp_kick(struct net *net, void *owner, u32 generation);
void shim6_tcp_users(struct net *net, void *owner, u32 generation);

/* Called from here: sys/entry/work.rs. */
bool shim6_entry_wants_kick(void *owner, const struct in6_addr *local,
			    const struct in6_addr *peer, u32 generation);
void shim6_entry_in_use(void *owner, const struct in6_addr *local,
			const struct in6_addr *peer);

#endif
