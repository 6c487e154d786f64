// SPDX-License-Identifier: GPL-2.0
/* Thunks for RCU. */
#include <linux/rcupdate.h>

#include "rcu.h"

static void shim6_rcu_callback(struct rcu_head *head)
{
	shim6_rcu_free(container_of(head, struct shim6_rcu, head));
}

void shim6_call_rcu(struct shim6_rcu *rcu)
{
	call_rcu(&rcu->head, shim6_rcu_callback);
}
