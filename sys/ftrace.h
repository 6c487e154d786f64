/* SPDX-License-Identifier: GPL-2.0 */
/* Where socket calls are met: ftrace on functions that stay unpatched. */
#ifndef SHIM6_SYS_FTRACE_H
#define SHIM6_SYS_FTRACE_H

#include <linux/sockptr.h>
#include <net/sock.h>

int shim6_ftrace_register(void);
void shim6_ftrace_unregister(void);
int shim6_ftrace_watch(void);

/* Called from here: sys/entry/ftrace.rs. */
int shim6_entry_setsockopt(struct sock *sk, int name, const sockptr_t *value,
			   unsigned int len);
int shim6_entry_getsockopt(struct sock *sk, int name, char __user *value,
			   int __user *len);

#endif /* SHIM6_SYS_FTRACE_H */
