/* SPDX-License-Identifier: GPL-2.0 */
/* Functions of the kernel that are met by way of ftrace. */
#ifndef SHIM6_SYS_PROBE_H
#define SHIM6_SYS_PROBE_H

#include <linux/ftrace.h>

/*
 * To look on, or to redirect. The handlers of those that every message passes
 * do without ftrace's guard against recursion, which costs more than what they
 * do: they call nothing that is met.
 */
#define SHIM6_WATCH_OFTEN FTRACE_OPS_FL_PERMANENT
#define SHIM6_WATCH (FTRACE_OPS_FL_PERMANENT | FTRACE_OPS_FL_RECURSION)
#define SHIM6_REDIRECT_OFTEN (SHIM6_WATCH_OFTEN | FTRACE_OPS_FL_IPMODIFY)
#define SHIM6_REDIRECT (SHIM6_WATCH | FTRACE_OPS_FL_IPMODIFY)

struct shim6_probe {
	const char *function;
	void *target;		/* where calls are redirected to */
	struct ftrace_ops ops;
};

/* Probes that are met together, all or none. */
struct shim6_probes {
	struct shim6_probe *all;
	int count;
	bool begun;
	int error;		/* why they could not begin */
};

#define SHIM6_PROBES(array) { .all = (array), .count = ARRAY_SIZE(array) }

/* Errors are logged. */
int shim6_probes_find(struct shim6_probes *probes);
int shim6_probes_begin(struct shim6_probes *probes);
void shim6_probes_end(struct shim6_probes *probes);

#endif /* SHIM6_SYS_PROBE_H */
