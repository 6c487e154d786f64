/* SPDX-License-Identifier: GPL-2.0 */
/* io_uring by its system calls: requests of one kind, whose order does not matter. */
#ifndef RING_H
#define RING_H

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/io_uring.h>

struct ring {
	int fd;
	struct io_uring_params params;
	unsigned char *queues;
	struct io_uring_sqe *requests;
	unsigned int queued;		/* not submitted yet */
};

#define RING_ENTRIES 32

static unsigned int *ring_at(const struct ring *r, unsigned int offset)
{
	return (unsigned int *)(r->queues + offset);
}

/* 0 or a negative error number. */
static int ring_open(struct ring *r, unsigned int flags)
{
	size_t submissions, completions;

	memset(r, 0, sizeof(*r));
	r->params.flags = flags;
	r->params.sq_thread_idle = 10;
	r->fd = syscall(__NR_io_uring_setup, RING_ENTRIES, &r->params);
	if (r->fd < 0)
		return -errno;
	submissions = r->params.sq_off.array + r->params.sq_entries * sizeof(unsigned int);
	completions = r->params.cq_off.cqes +
		      r->params.cq_entries * sizeof(struct io_uring_cqe);
	r->queues = mmap(NULL, submissions > completions ? submissions : completions,
			 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd,
			 IORING_OFF_SQ_RING);
	r->requests = mmap(NULL, r->params.sq_entries * sizeof(*r->requests),
			   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd,
			   IORING_OFF_SQES);
	if (r->queues == MAP_FAILED || r->requests == MAP_FAILED)
		return -ENOMEM;
	return 0;
}

static void ring_queue(struct ring *r, const struct io_uring_sqe *request)
{
	unsigned int *tail = ring_at(r, r->params.sq_off.tail), end = *tail;
	unsigned int place = end & *ring_at(r, r->params.sq_off.ring_mask);

	r->requests[place] = *request;
	ring_at(r, r->params.sq_off.array)[place] = place;
	__atomic_store_n(tail, end + 1, __ATOMIC_RELEASE);
	r->queued++;
}

static void ring_enter(struct ring *r, unsigned int wait, unsigned int flags)
{
	if (syscall(__NR_io_uring_enter, r->fd, r->queued, wait, flags, NULL, 0) >= 0)
		r->queued = 0;
}

static void ring_submit(struct ring *r)
{
	unsigned int flags = 0;

	if (r->params.flags & IORING_SETUP_SQPOLL) {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (!(__atomic_load_n(ring_at(r, r->params.sq_off.flags), __ATOMIC_RELAXED) &
		      IORING_SQ_NEED_WAKEUP)) {
			r->queued = 0;
			return;
		}
		flags = IORING_ENTER_SQ_WAKEUP;
	}
	ring_enter(r, 0, flags);
}

struct ring_result {
	int res;
	unsigned int flags;
};

/* Waits for the next result. */
static struct ring_result ring_next(struct ring *r)
{
	unsigned int *head = ring_at(r, r->params.cq_off.head), at = *head;
	unsigned int mask = *ring_at(r, r->params.cq_off.ring_mask);
	struct io_uring_cqe *results = (void *)(r->queues + r->params.cq_off.cqes);
	struct ring_result result;

	while (__atomic_load_n(ring_at(r, r->params.cq_off.tail), __ATOMIC_ACQUIRE) == at)
		ring_enter(r, 1, IORING_ENTER_GETEVENTS);
	result = (struct ring_result){ results[at & mask].res, results[at & mask].flags };
	__atomic_store_n(head, at + 1, __ATOMIC_RELEASE);
	return result;
}

#endif /* RING_H */
