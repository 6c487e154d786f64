// SPDX-License-Identifier: GPL-2.0
/* Thunks for per-namespace state. */
#include <linux/percpu.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "netns.h"

static unsigned int shim6_net_id;

struct shim6_net_slot {
	void *state;
};

void *shim6_net_state(const struct net *net)
{
	struct shim6_net_slot *slot = net_generic(net, shim6_net_id);

	return READ_ONCE(slot->state);
}

static int __net_init shim6_net_init(struct net *net)
{
	struct shim6_net_slot *slot = net_generic(net, shim6_net_id);
	void *state = shim6_entry_net_init(net);

	if (!state)
		return -ENOMEM;
	WRITE_ONCE(slot->state, state);
	return 0;
}

static void __net_exit shim6_net_pre_exit(struct net *net)
{
	struct shim6_net_slot *slot = net_generic(net, shim6_net_id);

	shim6_entry_net_pre_exit(slot->state);
}

static void __net_exit shim6_net_exit(struct net *net)
{
	struct shim6_net_slot *slot = net_generic(net, shim6_net_id);
	void *state = slot->state;

	WRITE_ONCE(slot->state, NULL);
	shim6_entry_net_exit(state);
}

static struct pernet_operations shim6_net_ops = {
	.init = shim6_net_init,
	.pre_exit = shim6_net_pre_exit,
	.exit = shim6_net_exit,
	.id = &shim6_net_id,
	.size = sizeof(struct shim6_net_slot),
};

int shim6_pernet_register(void)
{
	return register_pernet_subsys(&shim6_net_ops);
}

void shim6_pernet_unregister(void)
{
	unregister_pernet_subsys(&shim6_net_ops);
}

void *shim6_counters_alloc(unsigned int count)
{
	return (void *)(__force unsigned long)
		__alloc_percpu(count * sizeof(u64), sizeof(u64));
}

/* Outside this file the per-CPU pointer is a plain one that nobody dereferences. */
static u64 __percpu *shim6_words(void *counters)
{
	return (u64 __percpu *)(__force unsigned long)counters;
}

void shim6_counters_free(void *counters)
{
	free_percpu(shim6_words(counters));
}

void shim6_counters_inc(u64 *word)
{
	this_cpu_inc(*shim6_words(word));
}

u64 shim6_counters_sum(void *counters, unsigned int index)
{
	u64 __percpu *words = shim6_words(counters);
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(&words[index], cpu));
	return sum;
}

static int shim6_proc_show(struct seq_file *m, void *v)
{
	void *state = shim6_net_state(seq_file_single_net(m));

	if (state)
		shim6_entry_proc_show(state, m);
	return 0;
}

int shim6_proc_create(struct net *net)
{
	if (!proc_create_net_single("shim6", 0444, net->proc_net,
				    shim6_proc_show, NULL))
		return -ENOMEM;
	return 0;
}

void shim6_proc_remove(struct net *net)
{
	remove_proc_entry("shim6", net->proc_net);
}

void shim6_seq_line(struct seq_file *m, const char *name, size_t len, u64 value)
{
	seq_printf(m, "%.*s %llu\n", (int)len, name, value);
}
