// SPDX-License-Identifier: GPL-2.0
/* Thunks for work queues. */
#include <linux/workqueue.h>

#include "work.h"

static struct workqueue_struct *shim6_wq;

int shim6_wq_create(void)
{
	shim6_wq = alloc_workqueue("shim6", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return shim6_wq ? 0 : -ENOMEM;
}

void shim6_wq_destroy(void)
{
	destroy_workqueue(shim6_wq);
}

void shim6_wq_run(struct work_struct *work)
{
	queue_work(shim6_wq, work);
}

void shim6_wq_flush(void)
{
	flush_workqueue(shim6_wq);
}

static void shim6_work_run(struct work_struct *raw)
{
	struct shim6_work *work = container_of(to_delayed_work(raw),
					       struct shim6_work, dwork);

	shim6_entry_work(work->owner, work->kind);
}

void shim6_work_init(struct shim6_work *work, void *owner, u32 kind)
{
	INIT_DELAYED_WORK(&work->dwork, shim6_work_run);
	work->owner = owner;
	work->kind = kind;
}

void shim6_work_queue(struct shim6_work *work, u32 delay_ms)
{
	if (delay_ms)
		queue_delayed_work(shim6_wq, &work->dwork,
				   msecs_to_jiffies(delay_ms));
	else
		mod_delayed_work(shim6_wq, &work->dwork, 0);
}

void shim6_work_cancel(struct shim6_work *work)
{
	disable_delayed_work_sync(&work->dwork);
}
