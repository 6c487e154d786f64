/* SPDX-License-Identifier: GPL-2.0 */
/* A spinlock that keeps bottom halves off. */
#ifndef SHIM6_SYS_LOCK_H
#define SHIM6_SYS_LOCK_H

#include <linux/spinlock.h>

void shim6_spin_lock_bh(spinlock_t *lock);
bool shim6_spin_trylock_bh(spinlock_t *lock);
void shim6_spin_unlock_bh(spinlock_t *lock);
void shim6_spin_assert_held(spinlock_t *lock);

#endif
