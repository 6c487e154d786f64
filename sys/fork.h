/* SPDX-License-Identifier: GPL-2.0 */
/* A forked context that sockets hold: it is released with the last of them. */
#ifndef SHIM6_SYS_FORK_H
#define SHIM6_SYS_FORK_H

#include <linux/types.h>
#include <net/net_namespace.h>

struct shim6_fork;

struct shim6_fork *shim6_fork_create(const struct net *net, u64 tag);
bool shim6_fork_get(struct shim6_fork *fork);
void shim6_fork_put(struct shim6_fork *fork);
void shim6_fork_forget(struct shim6_fork *fork);

/* Called from here: sys/entry/fork.rs. */
void shim6_entry_fork_ended(struct net *net, u64 tag);

#endif /* SHIM6_SYS_FORK_H */
