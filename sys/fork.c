// SPDX-License-Identifier: GPL-2.0
/*
 * Forked contexts that sockets hold. A socket and the small one that waits for
 * it in TIME_WAIT hold one together. The last may be destroyed in any context,
 * and its namespace may be on its way out: a work item looks for the namespace
 * by its cookie, and tells it if it is still there.
 */
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "fork.h"
#include "work.h"

struct shim6_fork {
	refcount_t users;
	u64 tag;
	u64 net;
	struct work_struct work;
	struct rcu_head rcu;
};

static void shim6_fork_end(struct work_struct *work)
{
	struct shim6_fork *fork = container_of(work, struct shim6_fork, work);
	struct net *net;

	/* A namespace in this list has its state until a grace period later. */
	rcu_read_lock();
	for_each_net_rcu(net) {
		if (net->net_cookie == fork->net) {
			shim6_entry_fork_ended(net, fork->tag);
			break;
		}
	}
	rcu_read_unlock();
	kfree_rcu(fork, rcu);
}

struct shim6_fork *shim6_fork_create(const struct net *net, u64 tag)
{
	struct shim6_fork *fork = kzalloc(sizeof(*fork), GFP_KERNEL_ACCOUNT);

	if (!fork)
		return NULL;
	refcount_set(&fork->users, 1);
	fork->tag = tag;
	fork->net = net->net_cookie;
	INIT_WORK(&fork->work, shim6_fork_end);
	return fork;
}

/* One more holds it; false if it has ended. Under RCU. */
bool shim6_fork_get(struct shim6_fork *fork)
{
	return refcount_inc_not_zero(&fork->users);
}

/* One less holds it. Does not sleep. */
void shim6_fork_put(struct shim6_fork *fork)
{
	if (fork && refcount_dec_and_test(&fork->users))
		shim6_wq_run(&fork->work);
}

/* One less holds it, and nobody is told: there are no contexts any more. */
void shim6_fork_forget(struct shim6_fork *fork)
{
	if (fork && refcount_dec_and_test(&fork->users))
		kfree(fork);
}
