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
#include <linux/kallsyms.h>
#include <linux/mutex.h>

#include "probe.h"

/* Who begins. */
static DEFINE_MUTEX(shim6_probe_mutex);

static void shim6_lose(struct shim6_probe *probes, int count)
{
	while (count-- > 0)
		ftrace_free_filter(&probes[count].ops);
}

/* Looks for all of them now, so that what is missing is known at once. */
int shim6_probes_find(struct shim6_probes *probes)
{
	char name[KSYM_NAME_LEN];
	int i, ret;

	for (i = 0; i < probes->count; i++) {
		struct shim6_probe *probe = &probes->all[i];

		/* ftrace takes the name apart in place. */
		strscpy(name, probe->function);
		ret = ftrace_set_filter(&probe->ops, name, strlen(name), 1);
		if (ret) {
			pr_err("this kernel has no %s() to watch (error %d)\n",
			       probe->function, ret);
			shim6_lose(probes->all, i);
			return ret;
		}
	}
	return 0;
}

static void shim6_stop(struct shim6_probe *probes, int count)
{
	while (count-- > 0)
		unregister_ftrace_function(&probes[count].ops);
}

static int shim6_start(struct shim6_probe *probes, int count)
{
	int i, ret;

	for (i = 0; i < count; i++) {
		ret = register_ftrace_function(&probes[i].ops);
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

/* From now on, until shim6_probes_end(); what failed once fails. Sleeps. */
int shim6_probes_begin(struct shim6_probes *probes)
{
	if (smp_load_acquire(&probes->begun))
		return 0;
	mutex_lock(&shim6_probe_mutex);
	if (!probes->begun && !probes->error) {
		probes->error = shim6_start(probes->all, probes->count);
		if (!probes->error)
			smp_store_release(&probes->begun, true);
	}
	mutex_unlock(&shim6_probe_mutex);
	return probes->error;
}

/* The last use of what was found. */
void shim6_probes_end(struct shim6_probes *probes)
{
	if (probes->begun)
		shim6_stop(probes->all, probes->count);
	shim6_lose(probes->all, probes->count);
}
