// SPDX-License-Identifier: GPL-2.0
/*
 * Functions of the kernel that are met by way of ftrace.
 *
 * Unloading: a redirected call holds a reference to the module from the handler
 * to its last act, so the module is "in use" while one is in flight.
 * unregister_ftrace_function() waits for tasks that are between the redirection
 * and the first or the reference's release and the last instruction. Files with
 * the functions to which calls are redirected must not make sibling calls (see
 * Kbuild).
 */
#define pr_fmt(fmt) "shim6: " fmt

#include <linux/ftrace.h>
#include <linux/jiffies.h>
#include <linux/kallsyms.h>
#include <linux/mutex.h>

#include "probe.h"

/*
 * What could not begin, for want of memory or because of a live patch, may later;
 * but anybody may ask, and a try takes long and logs why it failed.
 */
#define SHIM6_PROBES_PAUSE (10 * HZ)

/* Who begins. */
static DEFINE_MUTEX(shim6_probe_mutex);

static void shim6_lose(struct shim6_probe *probes, int count)
{
	while (count-- > 0) {
		ftrace_free_filter(&probes[count].ops);
		ftrace_free_filter(&probes[count].direct_ops);
	}
}

static int shim6_find(const struct shim6_probe *probe, struct ftrace_ops *ops)
{
	char name[KSYM_NAME_LEN];

	if (probe->at)
		return ftrace_set_filter_ip(ops, (unsigned long)probe->at, 0, 1);
	/* ftrace takes the name apart in place. */
	strscpy(name, probe->function);
	return ftrace_set_filter(ops, name, strlen(name), 1);
}

/* Looks for all of them now, so that what is missing is known at once. */
int shim6_probes_find(struct shim6_probes *probes)
{
	int i, ret;

	for (i = 0; i < probes->count; i++) {
		struct shim6_probe *probe = &probes->all[i];

		ret = shim6_find(probe, &probe->ops);
		if (!ret && probe->direct)
			ret = shim6_find(probe, &probe->direct_ops);
		if (ret) {
			pr_err("cannot watch %s()%s (error %d)\n",
			       probe->function, ret == -ENOMEM ? "" :
			       ", which this kernel has not", ret);
			shim6_lose(probes->all, i + 1);
			return ret;
		}
	}
	return 0;
}

void notrace shim6_on_met(unsigned long ip, unsigned long parent,
			  struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	struct shim6_probe *probe = container_of(ops, struct shim6_probe, ops);
	void *target = probe->met((void *)ftrace_regs_get_argument(regs, 0),
				  (void *)ftrace_regs_get_argument(regs, 1));

	if (target)
		ftrace_regs_set_instruction_pointer(regs, (unsigned long)target);
}

static void shim6_leave(struct shim6_probe *probe)
{
	if (probe->is_direct)
		unregister_ftrace_direct(&probe->direct_ops,
					 (unsigned long)probe->direct, false);
	else
		unregister_ftrace_function(&probe->ops);
}

/* A BPF program may have the place of the direct call; ftrace has room for all. */
static int shim6_meet(struct shim6_probe *probe)
{
	probe->is_direct = probe->direct &&
		!register_ftrace_direct(&probe->direct_ops,
					(unsigned long)probe->direct);
	return probe->is_direct ? 0 : register_ftrace_function(&probe->ops);
}

static void shim6_stop(struct shim6_probe *probes, int count)
{
	while (count-- > 0)
		shim6_leave(&probes[count]);
}

static int shim6_start(struct shim6_probe *probes, int count)
{
	int i, ret;

	for (i = 0; i < count; i++) {
		ret = shim6_meet(&probes[i]);
		if (ret) {
			pr_err("cannot watch %s(): error %d%s\n",
			       probes[i].function, ret, ret == -EBUSY ?
			       ", somebody else (a live patch?) has it" : "");
			shim6_stop(probes, i);
			return ret;
		}
	}
	return 0;
}

static bool shim6_may_begin(const struct shim6_probes *probes)
{
	return !probes->begun &&
	       (!probes->error || time_after_eq(jiffies, probes->retry));
}

/* From now on, until shim6_probes_end(). Sleeps. */
int shim6_probes_begin(struct shim6_probes *probes)
{
	int ret;

	/* Pairs with the release below: who sees it may rely on all of them. */
	if (smp_load_acquire(&probes->begun))
		return 0;
	mutex_lock(&shim6_probe_mutex);
	if (shim6_may_begin(probes)) {
		probes->error = shim6_start(probes->all, probes->count);
		probes->retry = jiffies + SHIM6_PROBES_PAUSE;
		if (!probes->error)
			/* Pairs with the acquire above. */
			smp_store_release(&probes->begun, true);
	}
	ret = probes->error;
	mutex_unlock(&shim6_probe_mutex);
	return ret;
}

/* The last use of what was found. */
void shim6_probes_end(struct shim6_probes *probes)
{
	if (probes->begun)
		shim6_stop(probes->all, probes->count);
	shim6_lose(probes->all, probes->count);
}
