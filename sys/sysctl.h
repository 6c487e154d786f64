/* SPDX-License-Identifier: GPL-2.0 */
/* net.shim6.*: the configuration of one network namespace. */
#ifndef SHIM6_SYS_SYSCTL_H
#define SHIM6_SYS_SYSCTL_H

#include <linux/types.h>
#include <net/net_namespace.h>

struct shim6_sysctl_field {
	const char *name;	/* not terminated */
	size_t name_len;
	u32 min;
	u32 max;
};

struct shim6_sysctls;

struct shim6_sysctls *shim6_sysctl_register(struct net *net, void *owner,
					    u32 *values,
					    const struct shim6_sysctl_field *fields,
					    size_t count);
void shim6_sysctl_unregister(struct shim6_sysctls *sysctls);

/* Called from here, to write one of the values: sys/entry/netns.rs. */
int shim6_entry_config(void *owner, size_t at, u32 value);

#endif
