/* SPDX-License-Identifier: GPL-2.0 */
/* sendmsg() and recvmsg() with ancillary data of level SOL_SHIM. */
#ifndef SHIM6_SYS_ANCILLARY_H
#define SHIM6_SYS_ANCILLARY_H

#include <linux/net.h>
#include <linux/socket.h>

#include "sock.h"

enum {
	SHIM6_MSG_ERRQUEUE = MSG_ERRQUEUE,
};

/* A call in flight. */
struct shim6_ancillary {
	struct socket *sock;
	struct sock *sk;
	struct msghdr *msg;
	size_t size;
	int flags;
};

/* One object of level SOL_SHIM. */
struct shim6_object {
	struct cmsghdr *at;	/* NULL before the first */
	int type;
	const u8 *data;
	size_t len;
};

int shim6_ancillary_find(void);
void shim6_ancillary_end(void);
void shim6_ancillary_listen(void);
int shim6_ancillary_hear(void);

int shim6_ancillary_next(const struct shim6_ancillary *call,
			 struct shim6_object *object);
bool shim6_ancillary_corks(const struct shim6_ancillary *call);
int shim6_ancillary_identifiers(const struct shim6_ancillary *call,
				struct in6_addr *from, struct in6_addr *to);
int shim6_ancillary_send(const struct shim6_ancillary *call);
int shim6_ancillary_send_by(const struct shim6_ancillary *call,
			    const struct in6_addr *from,
			    const struct in6_addr *to,
			    const struct shim6_choice *choice);
int shim6_ancillary_receive(const struct shim6_ancillary *call,
			    struct shim6_heard *heard);
int shim6_ancillary_put(const struct shim6_ancillary *call, int type,
			const u8 *data, int len);

/* Called from here: sys/entry/ancillary.rs. */
int shim6_entry_sendmsg(const struct shim6_ancillary *call);
int shim6_entry_recvmsg(const struct shim6_ancillary *call);

#endif /* SHIM6_SYS_ANCILLARY_H */
