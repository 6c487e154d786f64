// SPDX-License-Identifier: GPL-2.0
/*
 * Redirects SOL_SHIM calls of sock_common_setsockopt() and _getsockopt() here,
 * and, once a socket has something to remember, watches sockets being accepted,
 * entering TIME_WAIT and being destroyed.
 *
 * Unloading: a redirected call holds a reference to the module from the
 * handler, where preemption is off, to its last act, so the module is "in use"
 * while one is in flight. unregister_ftrace_function() waits for tasks that are
 * between the redirection and the first or the reference's release and the last
 * instruction. This file must not make sibling calls (see Kbuild).
 *
 * The watching handlers run with preemption off and must not sleep.
 */
#define pr_fmt(fmt) "shim6: " fmt

#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/shim.h>
#include <net/inet_common.h>
#include <net/inet_connection_sock.h>
#include <net/inet_timewait_sock.h>
#include <net/tcp.h>

#include "ftrace.h"
#include "sock.h"
#include "work.h"

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
	BUILD_BUG_ON(!__same_type(inet_sock_destruct, void(struct sock *)));
	shim6_sock_forget((struct sock *)ftrace_regs_get_argument(regs, 0));
}

static void notrace shim6_on_tw_destruct(unsigned long ip, unsigned long parent,
					 struct ftrace_ops *ops,
					 struct ftrace_regs *regs)
{
	BUILD_BUG_ON(!__same_type(tcp_twsk_destructor, void(struct sock *)));
	shim6_sock_forget((struct sock *)ftrace_regs_get_argument(regs, 0));
}

/*
 * Most children of a listener come by here. It calls inet_csk_reqsk_queue_add()
 * too, but that call is inlined.
 */
static void notrace shim6_on_hashdance(unsigned long ip, unsigned long parent,
				       struct ftrace_ops *ops,
				       struct ftrace_regs *regs)
{
	BUILD_BUG_ON(!__same_type(inet_csk_complete_hashdance,
				  struct sock *(struct sock *, struct sock *,
						struct request_sock *, bool)));
	shim6_sock_inherit((struct sock *)ftrace_regs_get_argument(regs, 0),
			   (struct sock *)ftrace_regs_get_argument(regs, 1));
}

/* Children born of a SYN cookie or by TCP Fast Open come by here. */
static void notrace shim6_on_queue_add(unsigned long ip, unsigned long parent,
				       struct ftrace_ops *ops,
				       struct ftrace_regs *regs)
{
	BUILD_BUG_ON(!__same_type(inet_csk_reqsk_queue_add,
				  struct sock *(struct sock *,
						struct request_sock *,
						struct sock *)));
	shim6_sock_inherit((struct sock *)ftrace_regs_get_argument(regs, 0),
			   (struct sock *)ftrace_regs_get_argument(regs, 2));
}

/* A socket hands its connection over to a small one that waits. */
static void notrace shim6_on_time_wait(unsigned long ip, unsigned long parent,
				       struct ftrace_ops *ops,
				       struct ftrace_regs *regs)
{
	BUILD_BUG_ON(!__same_type(inet_twsk_hashdance_schedule,
				  void(struct inet_timewait_sock *,
				       struct sock *, struct inet_hashinfo *,
				       int)));
	shim6_sock_go_on((struct sock *)ftrace_regs_get_argument(regs, 1),
			 (struct sock *)ftrace_regs_get_argument(regs, 0));
}

#define SHIM6_WATCH (FTRACE_OPS_FL_PERMANENT | FTRACE_OPS_FL_RECURSION)
#define SHIM6_REDIRECT (SHIM6_WATCH | FTRACE_OPS_FL_IPMODIFY)

struct shim6_probe {
	const char *function;
	struct ftrace_ops ops;
};

/* Whoever forgets comes first: nothing is remembered that is not watched. */
static struct shim6_probe shim6_watches[] = {
	{ "inet_sock_destruct",
	  { .func = shim6_on_destruct, .flags = SHIM6_WATCH } },
	{ "tcp_twsk_destructor",
	  { .func = shim6_on_tw_destruct, .flags = SHIM6_WATCH } },
	{ "inet_csk_complete_hashdance",
	  { .func = shim6_on_hashdance, .flags = SHIM6_WATCH } },
	{ "inet_csk_reqsk_queue_add",
	  { .func = shim6_on_queue_add, .flags = SHIM6_WATCH } },
	{ "inet_twsk_hashdance_schedule",
	  { .func = shim6_on_time_wait, .flags = SHIM6_WATCH } },
};

static struct shim6_probe shim6_redirects[] = {
	{ "sock_common_setsockopt",
	  { .func = shim6_on_setsockopt, .flags = SHIM6_REDIRECT } },
	{ "sock_common_getsockopt",
	  { .func = shim6_on_getsockopt, .flags = SHIM6_REDIRECT } },
};

/* Whether the watches are registered, and who may do it. */
static DEFINE_MUTEX(shim6_watch_mutex);
static bool shim6_watching;

static int shim6_find(struct shim6_probe *probe)
{
	char name[KSYM_NAME_LEN];
	int ret;

	/* ftrace takes the name apart in place. */
	strscpy(name, probe->function);
	ret = ftrace_set_filter(&probe->ops, name, strlen(name), 1);
	if (ret)
		pr_err("this kernel has no %s() to watch (error %d)\n",
		       probe->function, ret);
	return ret;
}

static void shim6_lose(struct shim6_probe *probes, int count)
{
	while (count-- > 0)
		ftrace_free_filter(&probes[count].ops);
}

static int shim6_find_all(struct shim6_probe *probes, int count)
{
	int i, ret;

	for (i = 0; i < count; i++) {
		ret = shim6_find(&probes[i]);
		if (ret) {
			shim6_lose(probes, i);
			return ret;
		}
	}
	return 0;
}

static void shim6_end(struct shim6_probe *probes, int count)
{
	while (count-- > 0)
		unregister_ftrace_function(&probes[count].ops);
}

static int shim6_begin(struct shim6_probe *probes, int count)
{
	int i, ret;

	for (i = 0; i < count; i++) {
		ret = register_ftrace_function(&probes[i].ops);
		if (ret) {
			pr_err("cannot watch %s(): error %d%s\n",
			       probes[i].function, ret, ret == -EBUSY ?
			       ", somebody else (a live patch?) has it" : "");
			shim6_end(probes, i);
			return ret;
		}
	}
	return 0;
}

/* Looks for all functions now, so that what is missing is known at once. */
int shim6_ftrace_register(void)
{
	int ret;

	ret = shim6_find_all(shim6_watches, ARRAY_SIZE(shim6_watches));
	if (ret)
		return ret;
	ret = shim6_find_all(shim6_redirects, ARRAY_SIZE(shim6_redirects));
	if (ret)
		goto err_watches;
	ret = shim6_begin(shim6_redirects, ARRAY_SIZE(shim6_redirects));
	if (ret)
		goto err_redirects;
	return 0;

err_redirects:
	shim6_lose(shim6_redirects, ARRAY_SIZE(shim6_redirects));
err_watches:
	shim6_lose(shim6_watches, ARRAY_SIZE(shim6_watches));
	return ret;
}

void shim6_ftrace_unregister(void)
{
	shim6_end(shim6_redirects, ARRAY_SIZE(shim6_redirects));
	if (shim6_watching)
		shim6_end(shim6_watches, ARRAY_SIZE(shim6_watches));
	shim6_lose(shim6_redirects, ARRAY_SIZE(shim6_redirects));
	shim6_lose(shim6_watches, ARRAY_SIZE(shim6_watches));
	/* Contexts of sockets that are gone: their namespaces still know us. */
	shim6_wq_flush();
}

/* Watches sockets from now on, until the module is unloaded. Sleeps. */
int shim6_ftrace_watch(void)
{
	int ret = 0;

	if (smp_load_acquire(&shim6_watching))
		return 0;
	mutex_lock(&shim6_watch_mutex);
	if (!shim6_watching)
		ret = shim6_begin(shim6_watches, ARRAY_SIZE(shim6_watches));
	if (!ret)
		smp_store_release(&shim6_watching, true);
	mutex_unlock(&shim6_watch_mutex);
	return ret;
}
