/* SPDX-License-Identifier: GPL-2.0 */
/* The keyed hash of a pair of addresses, and what processors remember of it. */
#ifndef SHIM6_SYS_HASH_H
#define SHIM6_SYS_HASH_H

#include <linux/percpu.h>
#include <linux/types.h>

#define SHIM6_MEMOS 256	/* of each processor: 16 KiB */

/* The first word of no pair that may have a context: a local address is not multicast. */
#define SHIM6_NO_PAIR (~0ULL)

/* One pair and its hash; written by its own processor alone, read by any. */
struct shim6_memo {
	u64 turn;		/* is another for each pair */
	u64 pair[4];		/* local, peer */
	u64 hash;
	u64 unused[2];		/* a cache line */
};

extern struct shim6_memo __percpu *shim6_memos;

int shim6_hash_init(void);
void shim6_hash_exit(void);
u64 shim6_hash_pair(const u64 *pair, unsigned int place);

/* This processor's memos; the caller may be moved to another processor. */
struct shim6_memo *shim6_hash_memos(void);

#endif
