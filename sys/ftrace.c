// SPDX-License-Identifier: GPL-2.0
/*
 * Redirects SOL_SHIM calls of sock_common_setsockopt() and _getsockopt() here,
 * and, once a socket has something to remember, watches sockets being accepted,
 * entering TIME_WAIT and being destroyed.
 *
 * Messages with ancillary data are met in sys/ancillary.c. The watching handlers
 * run with preemption off and must not sleep.
 */
#define pr_fmt(fmt) "shim6: " fmt

#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/shim.h>
#include <net/inet_common.h>
#include <net/inet_connection_sock.h>
#include <net/inet_timewait_sock.h>
#include <net/tcp.h>

#include "ancillary.h"
#include "ftrace.h"
#include "probe.h"
#include "sock.h"
#include "work.h"

static int shim6_setsockopt(struct socket *sock, int level, int optname,
			    sockptr_t optval, unsigned int optlen)
{
	int ret;

	shim6_ancillary_listen();
	ret = shim6_entry_setsockopt(sock->sk, optname, &optval, optlen);
	module_put(THIS_MODULE);
	return ret;
}

static int shim6_getsockopt(struct socket *sock, int level, int optname,
			    char __user *optval, int __user *optlen)
{
	int ret;

	if (!(optname & SHIM_PEEK))
		shim6_ancillary_listen();
	ret = shim6_entry_getsockopt(sock->sk, optname, optval, optlen);
	module_put(THIS_MODULE);
	return ret;
}

static void notrace shim6_on_option(unsigned long ip, unsigned long parent,
				    struct ftrace_ops *ops,
				    struct ftrace_regs *regs)
{
	const struct shim6_probe *probe =
		container_of(ops, struct shim6_probe, ops);

	BUILD_BUG_ON(!__same_type(&sock_common_setsockopt, &shim6_setsockopt));
	BUILD_BUG_ON(!__same_type(&sock_common_getsockopt, &shim6_getsockopt));
	if ((int)ftrace_regs_get_argument(regs, 1) == SOL_SHIM &&
	    try_module_get(THIS_MODULE))
		ftrace_regs_set_instruction_pointer(regs,
						    (unsigned long)probe->target);
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

/* Whoever forgets comes first: nothing is remembered that is not watched. */
static struct shim6_probe shim6_watched[] = {
	{ SHIM6_AT(inet_sock_destruct),
	  .ops = { .func = shim6_on_destruct, .flags = SHIM6_WATCH } },
	{ SHIM6_NAMED(tcp_twsk_destructor),
	  .ops = { .func = shim6_on_tw_destruct, .flags = SHIM6_WATCH } },
	{ SHIM6_NAMED(inet_csk_complete_hashdance),
	  .ops = { .func = shim6_on_hashdance, .flags = SHIM6_WATCH } },
	{ SHIM6_NAMED(inet_csk_reqsk_queue_add),
	  .ops = { .func = shim6_on_queue_add, .flags = SHIM6_WATCH } },
	{ SHIM6_NAMED(inet_twsk_hashdance_schedule),
	  .ops = { .func = shim6_on_time_wait, .flags = SHIM6_WATCH } },
};

static struct shim6_probe shim6_redirected[] = {
	{ SHIM6_AT(sock_common_setsockopt), .target = shim6_setsockopt,
	  .ops = { .func = shim6_on_option, .flags = SHIM6_REDIRECT } },
	{ SHIM6_AT(sock_common_getsockopt), .target = shim6_getsockopt,
	  .ops = { .func = shim6_on_option, .flags = SHIM6_REDIRECT } },
};

static struct shim6_probes shim6_watches = SHIM6_PROBES(shim6_watched);
static struct shim6_probes shim6_redirects = SHIM6_PROBES(shim6_redirected);

int shim6_ftrace_register(void)
{
	int ret;

	ret = shim6_probes_find(&shim6_watches);
	if (ret)
		return ret;
	ret = shim6_ancillary_find();
	if (ret)
		goto err_watches;
	ret = shim6_probes_find(&shim6_redirects);
	if (ret)
		goto err_ancillary;
	ret = shim6_probes_begin(&shim6_redirects);
	if (ret)
		goto err_redirects;
	return 0;

err_redirects:
	shim6_probes_end(&shim6_redirects);
err_ancillary:
	shim6_ancillary_end();
err_watches:
	shim6_probes_end(&shim6_watches);
	return ret;
}

void shim6_ftrace_unregister(void)
{
	shim6_probes_end(&shim6_redirects);
	shim6_ancillary_end();
	shim6_probes_end(&shim6_watches);
	/* Contexts of sockets that are gone: their namespaces still know us. */
	shim6_wq_flush();
}

/* Watches sockets from now on, until the module is unloaded. Sleeps. */
int shim6_ftrace_watch(void)
{
	return shim6_probes_begin(&shim6_watches);
}
