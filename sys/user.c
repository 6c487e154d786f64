// SPDX-License-Identifier: GPL-2.0
/* The memory of option values: the user's, or, for BPF and kernel users, ours. */
#include <linux/shim.h>
#include <linux/stddef.h>

#include "user.h"

/* The layout that programs were compiled with, 32-bit ones too. */
static_assert(sizeof(struct shim_locator) == 32);
static_assert(offsetof(struct shim_locator, lc_prio) == 4);
static_assert(offsetof(struct shim_locator, lc_ifidx) == 8);
static_assert(offsetof(struct shim_locator, lc_addr) == 12);
static_assert(offsetof(struct shim_locator, lc_flags) == 28);
static_assert(sizeof(struct shim_pathexplore) == 12);
static_assert(offsetof(struct shim_pathexplore, pe_initprobeto) == 6);
static_assert(offsetof(struct shim_pathexplore, pe_reserved) == 8);
static_assert(sizeof(struct shim_feedback) == 4);
static_assert(offsetof(struct shim_feedback, fb_reserved) == 2);

/* 0 or -EFAULT. */
int shim6_user_read(void *to, const sockptr_t *from, size_t len)
{
	return copy_from_sockptr(to, *from, len) ? -EFAULT : 0;
}
