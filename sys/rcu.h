/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that goes away a grace period after it was taken out of reach. */
#ifndef SHIM6_SYS_RCU_H
#define SHIM6_SYS_RCU_H

#include <linux/rcupdate.h>

struct shim6_rcu {
	struct rcu_head head;
};

void shim6_call_rcu(struct shim6_rcu *rcu);

/* Called from here: sys/rcu.rs. */
void shim6_rcu_free(struct shim6_rcu *rcu);

#endif
