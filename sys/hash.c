// SPDX-License-Identifier: GPL-2.0
/* The keyed hash of a pair of addresses: siphash, whose result each processor remembers. */
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/siphash.h>

#include "hash.h"

struct shim6_memo __percpu *shim6_memos __read_mostly;
static siphash_key_t shim6_hash_key __read_mostly;

int shim6_hash_init(void)
{
	size_t size = SHIM6_MEMOS * sizeof(struct shim6_memo);
	int cpu;

	get_random_bytes(&shim6_hash_key, sizeof(shim6_hash_key));
	shim6_memos = __alloc_percpu(size, sizeof(struct shim6_memo));
	if (!shim6_memos)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(shim6_memos, cpu), 0xff, size);
	return 0;
}

void shim6_hash_exit(void)
{
	free_percpu(shim6_memos);
}

struct shim6_memo *shim6_hash_memos(void)
{
	return raw_cpu_ptr(shim6_memos);
}

/* Whoever reads the memo meanwhile finds no pair in it, or another turn. */
static void shim6_hash_remember(struct shim6_memo *memo, const u64 *pair,
				u64 hash)
{
	WRITE_ONCE(memo->pair[0], SHIM6_NO_PAIR);
	/* Who sees this turn does not see the pair before: remembered() in hash.rs. */
	smp_wmb();
	WRITE_ONCE(memo->turn, memo->turn + 1);
	/* Who sees the words of this pair sees this turn when it looks again. */
	smp_wmb();
	WRITE_ONCE(memo->pair[1], pair[1]);
	WRITE_ONCE(memo->pair[2], pair[2]);
	WRITE_ONCE(memo->pair[3], pair[3]);
	WRITE_ONCE(memo->hash, hash);
	/* Who sees the first word of this pair sees the others. */
	smp_wmb();
	WRITE_ONCE(memo->pair[0], pair[0]);
}

u64 shim6_hash_pair(const u64 *pair, unsigned int place)
{
	u64 hash = siphash_4u64(pair[0], pair[1], pair[2], pair[3],
				&shim6_hash_key);
	unsigned long flags;

	/* Packets that interrupt us have pairs to be remembered, too. */
	local_irq_save(flags);
	shim6_hash_remember(this_cpu_ptr(shim6_memos) + place, pair, hash);
	local_irq_restore(flags);
	return hash;
}
