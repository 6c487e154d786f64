// SPDX-License-Identifier: GPL-2.0
/*
 * Redirects SOL_SHIM calls of sock_common_setsockopt() and _getsockopt() here,
 * and watches sockets being accepted and destroyed.
 *
 * Unloading: a redirected call holds a reference to the module from the
 * handler, where preemption is off, to its last act, so the module is "in use"
 * while one is in flight. unregister_ftrace_function() waits for tasks that are
 * between the redirection and the first or the reference's release and the last
 * instruction. This file must not make sibling calls (see Kbuild).
 */
#include <linux/ftrace.h>
#include <linux/module.h>
#include <net/inet_connection_sock.h>

#include "ftrace.h"
#include "sock.h"
#include <linux/shim.h>

static int shim6_setsockopt(struct socket *sock, int level, int optname,
			    sockptr_t optval, unsigned int optlen)
{
	int ret = shim6_entry_setsockopt(sock->sk, optname, &optval, optlen);

	module_put(THIS_MODULE);
	return ret;
}

static int shim6_getsockopt(struct socket *sock, int level, int optname,
			    char __user *optval, int __user *optlen)
{
	int ret = shim6_entry_getsockopt(sock->sk, optname, optval, optlen);

	module_put(THIS_MODULE);
	return ret;
}

static void notrace shim6_on_setsockopt(unsigned long ip, unsigned long parent,
					struct ftrace_ops *ops,
					struct ftrace_regs *regs)
{
	BUILD_BUG_ON(!__same_type(&sock_common_setsockopt, &shim6_setsockopt));
	if ((int)ftrace_regs_get_argument(regs, 1) != SOL_SHIM ||
	    !try_module_get(THIS_MODULE))
		return;
	ftrace_regs_set_instruction_pointer(regs,
					    (unsigned long)shim6_setsockopt);
}

static void notrace shim6_on_getsockopt(unsigned long ip, unsigned long parent,
					struct ftrace_ops *ops,
					struct ftrace_regs *regs)
{
	BUILD_BUG_ON(!__same_type(&sock_common_getsockopt, &shim6_getsockopt));
	if ((int)ftrace_regs_get_argument(regs, 1) != SOL_SHIM ||
	    !try_module_get(THIS_MODULE))
		return;
	ftrace_regs_set_instruction_pointer(regs,
					    (unsigned long)shim6_getsockopt);
}

static void notrace shim6_on_destruct(unsigned long ip, unsigned long parent,
				      struct ftrace_ops *ops,
				      struct ftrace_regs *regs)
{
	shim6_sock_forget((struct sock *)ftrace_regs_get_argument(regs, 0));
}

/* inet_csk_complete_hashdance(sk, child, req, own_req) */
static void notrace shim6_on_hashdance(unsigned long ip, unsigned long parent,
				       struct ftrace_ops *ops,
				       struct ftrace_regs *regs)
{
	shim6_sock_inherit((struct sock *)ftrace_regs_get_argument(regs, 0),
			   (struct sock *)ftrace_regs_get_argument(regs, 1));
}

/* inet_csk_reqsk_queue_add(sk, req, child): syncookies, fast open */
static void notrace shim6_on_queue_add(unsigned long ip, unsigned long parent,
				       struct ftrace_ops *ops,
				       struct ftrace_regs *regs)
{
	shim6_sock_inherit((struct sock *)ftrace_regs_get_argument(regs, 0),
			   (struct sock *)ftrace_regs_get_argument(regs, 2));
}

#define SHIM6_WATCH (FTRACE_OPS_FL_PERMANENT | FTRACE_OPS_FL_RECURSION)
#define SHIM6_REDIRECT (SHIM6_WATCH | FTRACE_OPS_FL_IPMODIFY)

static struct shim6_probe {
	const char *function;
	struct ftrace_ops ops;
} shim6_probes[] = {
	{ "inet_sock_destruct",
	  { .func = shim6_on_destruct, .flags = SHIM6_WATCH } },
	{ "inet_csk_complete_hashdance",
	  { .func = shim6_on_hashdance, .flags = SHIM6_WATCH } },
	{ "inet_csk_reqsk_queue_add",
	  { .func = shim6_on_queue_add, .flags = SHIM6_WATCH } },
	{ "sock_common_setsockopt",
	  { .func = shim6_on_setsockopt, .flags = SHIM6_REDIRECT } },
	{ "sock_common_getsockopt",
	  { .func = shim6_on_getsockopt, .flags = SHIM6_REDIRECT } },
};

static int shim6_probe_register(struct shim6_probe *probe)
{
	char name[KSYM_NAME_LEN];
	int ret;

	/* ftrace takes the name apart in place. */
	strscpy(name, probe->function);
	ret = ftrace_set_filter(&probe->ops, name, strlen(name), 1);
	if (!ret) {
		ret = register_ftrace_function(&probe->ops);
		if (ret)
			ftrace_free_filter(&probe->ops);
	}
	if (ret)
		pr_err("shim6: cannot watch %s(): error %d\n", probe->function,
		       ret);
	return ret;
}

static void shim6_probes_unregister(int count)
{
	while (count-- > 0) {
		unregister_ftrace_function(&shim6_probes[count].ops);
		ftrace_free_filter(&shim6_probes[count].ops);
	}
}

int shim6_ftrace_register(void)
{
	int i, ret = shim6_socks_create();

	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(shim6_probes); i++) {
		ret = shim6_probe_register(&shim6_probes[i]);
		if (ret) {
			shim6_probes_unregister(i);
			shim6_socks_destroy();
			return ret;
		}
	}
	return 0;
}

void shim6_ftrace_unregister(void)
{
	shim6_probes_unregister(ARRAY_SIZE(shim6_probes));
	shim6_socks_destroy();
}

int shim6_from_user(void *to, const sockptr_t *from, size_t len)
{
	return copy_from_sockptr(to, *from, len);
}
