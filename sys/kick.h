/* SPDX-License-Identifier: GPL-2.0 */
/* TCP learns that its path changed. */
#ifndef SHIM6_SYS_KICK_H
#define SHIM6_SYS_KICK_H

#include <linux/in6.h>
#include <net/net_namespace.h>

u32 shim6_tcp_kick(struct net *net, void *owner, u32 generation);
void shim6_tcp_users(struct net *net, void *owner, u32 generation);

/* What tells which context a socket's packets take. */
struct shim6_ends {
	struct in6_addr local;
	struct in6_addr peer;
	u64 fork;		/* CT(local) of its own context; 0: none */
	u16 local_port;
	u16 peer_port;
	u8 protocol;
};

/* Called from here: sys/entry/work.rs. */
bool shim6_entry_wants_kick(void *owner, const struct shim6_ends *ends,
			    u32 generation);
void shim6_entry_in_use(void *owner, const struct shim6_ends *ends);

#endif
