/* SPDX-License-Identifier: GPL-2.0 */
/* Per-namespace state: registration, counters, /proc/net/shim6, clock. */
#ifndef SHIM6_SYS_NETNS_H
#define SHIM6_SYS_NETNS_H

#include <linux/jiffies.h>
#include <linux/percpu.h>
#include <net/net_namespace.h>

struct seq_file;

enum {
	SHIM6_HZ = HZ,
	SHIM6_SECOND_MS = MSEC_PER_SEC,
};

int shim6_pernet_register(void);
void shim6_pernet_unregister(void);
void *shim6_net_state(const struct net *net);

void *shim6_counters_alloc(unsigned int count);
void shim6_counters_free(void *counters);
void shim6_counters_inc(u64 *word);
u64 shim6_counters_sum(void *counters, unsigned int index);

int shim6_proc_create(struct net *net);
void shim6_proc_remove(struct net *net);
void shim6_seq_line(struct seq_file *m, const char *name, size_t len, u64 value);

/* Called from here: sys/entry/netns.rs. */
void *shim6_entry_net_init(struct net *net);
void shim6_entry_net_pre_exit(void *state);
void shim6_entry_net_exit(void *state);
void shim6_entry_proc_show(void *state, struct seq_file *m);

#endif
