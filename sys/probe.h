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

/*
 * What a function calls first, of itself: some instructions instead of the hundred
 * that ftrace takes for a handler. It has the arguments of the function, which goes
 * on with its registers as they were. One only can have that place.
 */
#define SHIM6_DIRECT notrace __no_caller_saved_registers
#if !__has_attribute(__no_caller_saved_registers__)
#error "this compiler cannot leave all registers alone"
#endif

/* Has the function that called this one be left out, and @target be called instead. */
#define shim6_redirect(target)						\
	WRITE_ONCE(((unsigned long *)__builtin_frame_address(0))[1],	\
		   (unsigned long)(target))

struct shim6_probe {
	const char *function;
	void *at;		/* its address; NULL: looked for by name, which takes long */
	void *target;		/* where calls are redirected to */
	struct ftrace_ops ops;
	/* What the function is to call itself; @ops if somebody else has that place. */
	void *direct;
	struct ftrace_ops direct_ops;
	bool is_direct;
};

/* Probes that are met together, all or none. */
struct shim6_probes {
	struct shim6_probe *all;
	int count;
	bool begun;
	int error;		/* why they could not begin */
};

/* The beginning of a probe of @function, by address if modules may know that. */
#define SHIM6_AT(function_) .function = #function_, .at = (function_)
#define SHIM6_NAMED(function_) .function = #function_

#define SHIM6_PROBES(array) { .all = (array), .count = ARRAY_SIZE(array) }

/* Errors are logged. */
int shim6_probes_find(struct shim6_probes *probes);
int shim6_probes_begin(struct shim6_probes *probes);
void shim6_probes_end(struct shim6_probes *probes);

#endif /* SHIM6_SYS_PROBE_H */
