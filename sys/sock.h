/* SPDX-License-Identifier: GPL-2.0 */
/* What the shim knows of a socket, and what it remembers of it. */
#ifndef SHIM6_SYS_SOCK_H
#define SHIM6_SYS_SOCK_H

#include <linux/atomic.h>
#include <linux/in6.h>
#include <net/sock.h>

/* The application wants no shim for this socket (RFC 6316 6.2). */
#define SHIM6_SOCK_DONTSHIM 1U

struct shim6_sock_info {
	struct net *net;
	struct in6_addr local;
	struct in6_addr peer;
	u16 family;
	u16 type;
	u16 protocol;
	u16 local_port;
	u16 peer_port;
	u8 state;
	bool ipv6;		/* local and peer are IPv6 addresses */
};

void shim6_sock_describe(struct sock *sk, struct shim6_sock_info *info);
u32 shim6_sock_interface(struct net *net, const struct in6_addr *addr,
			 u32 except);

/* How many sockets something is remembered of: packets look here first. */
extern atomic_t shim6_sock_count;

int shim6_socks_create(void);
void shim6_socks_destroy(void);
u32 shim6_sock_flags(const struct sock *sk);
int shim6_sock_set_flags(const struct sock *sk, u32 flags);
u64 shim6_sock_own(const struct sock *sk);
bool shim6_sock_lives(u64 place, u64 serial);
u64 shim6_sock_fork(const struct sock *sk);
int shim6_sock_set_fork(const struct sock *sk, u64 old, u64 tag);
void shim6_sock_go_on(const struct sock *sk, const struct sock *wait);
void shim6_sock_inherit(const struct sock *parent, const struct sock *child);
void shim6_sock_forget(const struct sock *sk);
u32 shim6_skb_flags(const struct sk_buff *skb);
u64 shim6_skb_fork(const struct sk_buff *skb);

#endif /* SHIM6_SYS_SOCK_H */
