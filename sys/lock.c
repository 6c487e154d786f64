// SPDX-License-Identifier: GPL-2.0
/* Thunks for a spinlock that keeps bottom halves off. */
#include <linux/lockdep.h>
#include <linux/spinlock.h>

#include "lock.h"

void shim6_spin_lock_bh(spinlock_t *lock)
{
	spin_lock_bh(lock);
}

bool shim6_spin_trylock_bh(spinlock_t *lock)
{
	return spin_trylock_bh(lock);
}

void shim6_spin_unlock_bh(spinlock_t *lock)
{
	spin_unlock_bh(lock);
}

void shim6_spin_assert_held(spinlock_t *lock)
{
	lockdep_assert_held(lock);
}
