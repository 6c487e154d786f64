// SPDX-License-Identifier: GPL-2.0
/*
 * Has a function of the kernel to itself, as a live patch has: it may change where
 * its calls go, so nobody else may. They go on as they were.
 */
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/string.h>

static char *function;
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "Name of the function");

static void notrace taker_met(unsigned long ip, unsigned long parent,
			      struct ftrace_ops *ops, struct ftrace_regs *regs)
{
}

static struct ftrace_ops taker_ops = {
	.func = taker_met,
	.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_RECURSION,
};

static int __init taker_init(void)
{
	int ret;

	if (!function)
		return -EINVAL;
	ret = ftrace_set_filter(&taker_ops, function, strlen(function), 1);
	if (!ret)
		ret = register_ftrace_function(&taker_ops);
	if (ret)
		ftrace_free_filter(&taker_ops);
	return ret;
}

static void __exit taker_exit(void)
{
	unregister_ftrace_function(&taker_ops);
	ftrace_free_filter(&taker_ops);
}

module_init(taker_init);
module_exit(taker_exit);
MODULE_DESCRIPTION("Takes a function of the kernel, for tests");
MODULE_LICENSE("GPL");
