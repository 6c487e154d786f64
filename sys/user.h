/* SPDX-License-Identifier: GPL-2.0 */
/* The memory of option values. */
#ifndef SHIM6_SYS_USER_H
#define SHIM6_SYS_USER_H

#include <linux/sockptr.h>

int shim6_user_read(void *to, const sockptr_t *from, size_t len);

#endif /* SHIM6_SYS_USER_H */
