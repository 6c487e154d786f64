/* SPDX-License-Identifier: GPL-2.0 */
/* Functions of the kernel that are met by way of ftrace. */
#ifndef SHIM6_SYS_PROBE_H
#define SHIM6_SYS_PROBE_H

#include <linux/ftrace.h>
#include <linux/linkage.h>
#ifdef CONFIG_X86_64
#include <asm/ibt.h>
#include <asm/nospec-branch.h>
#endif

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
 * SHIM6_DIRECT(name) is what a function calls first, of itself: some instructions
 * instead of the hundred that ftrace takes for a handler. It asks shim6_at_name(),
 * which is the probe's @met, and goes there instead of into the function; the
 * function's arguments, four at most, stay. One only can have that place. Assembly,
 * because what the C compilers know for it leaves registers out, or the stores to
 * the return address. Aligned: an odd address has a meaning of its own to ftrace.
 */
#ifdef CONFIG_X86_64
#define SHIM6_DEFINE_DIRECT(name)					\
	extern char shim6_direct_##name[];				\
	asm("	.pushsection	.text, \"ax\", @progbits\n"		\
		__ALIGN_STR "\n"					\
	    "	.type		shim6_direct_" #name ", @function\n"	\
	    "shim6_direct_" #name ":\n"					\
		ASM_ENDBR						\
	    "	pushq	%rbp\n"						\
	    "	movq	%rsp, %rbp\n"					\
		CALL_DEPTH_ACCOUNT					\
	    "	pushq	%rdi\n"						\
	    "	pushq	%rsi\n"						\
	    "	pushq	%rdx\n"						\
	    "	pushq	%rcx\n"						\
	    "	call	shim6_at_" #name "\n"				\
	    "	popq	%rcx\n"						\
	    "	popq	%rdx\n"						\
	    "	popq	%rsi\n"						\
	    "	popq	%rdi\n"						\
	    "	popq	%rbp\n"						\
	    "	testq	%rax, %rax\n"					\
	    "	jz	1f\n"						\
	    "	movq	%rax, (%rsp)\n"					\
	    "1:\n"							\
		ASM_RET							\
	    "	.size	shim6_direct_" #name ", . - shim6_direct_" #name "\n" \
	    "	.popsection\n")
#define SHIM6_DIRECT(name) ((void *)shim6_direct_##name)
#else
#define SHIM6_DEFINE_DIRECT(name) static_assert(true, #name)
#define SHIM6_DIRECT(name) NULL
#endif

struct shim6_probe {
	const char *function;
	void *at;		/* its address; NULL: looked for by name, which takes long */
	void *target;		/* where calls are redirected to */
	struct ftrace_ops ops;
	/* Where calls with these first two arguments go instead, or NULL. Not traced. */
	void *(*met)(void *first, void *second);
	/* How the function asks @met itself; by @ops if somebody else has that place. */
	void *direct;
	struct ftrace_ops direct_ops;
	bool is_direct;
};

/* Probes that are met together, all or none. */
struct shim6_probes {
	struct shim6_probe *all;
	int count;
	bool begun;
	int error;		/* why they could not begin at the last try */
	unsigned long retry;	/* and when the next is, in jiffies */
};

/* The beginning of a probe of @function, by address if modules may know that. */
#define SHIM6_AT(function_) .function = #function_, .at = (function_)
#define SHIM6_NAMED(function_) .function = #function_

#define SHIM6_PROBES(array) { .all = (array), .count = ARRAY_SIZE(array) }

/* Asks the probe's @met. */
void shim6_on_met(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		  struct ftrace_regs *regs);

/* Errors are logged. */
int shim6_probes_find(struct shim6_probes *probes);
int shim6_probes_begin(struct shim6_probes *probes);
void shim6_probes_end(struct shim6_probes *probes);

#endif /* SHIM6_SYS_PROBE_H */
