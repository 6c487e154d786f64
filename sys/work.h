/* SPDX-License-Identifier: GPL-2.0 */
/* What has to be done in process context, a little later. */
#ifndef SHIM6_SYS_WORK_H
#define SHIM6_SYS_WORK_H

#include <linux/workqueue.h>

struct shim6_work {
	struct delayed_work dwork;
	void *owner;
	u32 kind;
};

int shim6_wq_create(void);
void shim6_wq_destroy(void);
void shim6_wq_run(struct work_struct *work);
void shim6_wq_flush(void);
void shim6_work_init(struct shim6_work *work, void *owner, u32 kind);
void shim6_work_queue(struct shim6_work *work, u32 delay_ms);
void shim6_work_cancel(struct shim6_work *work);

/* Called from here: sys/entry/work.rs. */
void shim6_entry_work(void *owner, u32 kind);

#endif
