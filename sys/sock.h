/* SPDX-License-Identifier: GPL-2.0 */
/* What the shim knows of a socket, and what it remembers of it. */
#ifndef SHIM6_SYS_SOCK_H
#define SHIM6_SYS_SOCK_H

#include <linux/atomic.h>
#include <linux/hash.h>
#include <linux/in6.h>
#include <net/sock.h>

#include "skb.h"

/* The application wants no shim for this socket (RFC 6316 6.2). */
#define SHIM6_SOCK_DONTSHIM 1U
/* It wants to know our locator, the peer's, the interface (6.6, 6.7). */
#define SHIM6_SOCK_RECV_LOCAL 2U
#define SHIM6_SOCK_RECV_PEER 4U
#define SHIM6_SOCK_RECV_IF 8U
#define SHIM6_SOCK_RECV \
	(SHIM6_SOCK_RECV_LOCAL | SHIM6_SOCK_RECV_PEER | SHIM6_SOCK_RECV_IF)
/* Its options choose locators (6.8, 6.9). */
#define SHIM6_SOCK_CHOSEN 16U
/* What of this packets look at. */
#define SHIM6_SOCK_OF_PACKETS (SHIM6_SOCK_DONTSHIM | SHIM6_SOCK_CHOSEN)

struct shim6_sock;

/* The locators to use; :: leaves one to the context. */
struct shim6_choice {
	struct in6_addr local;
	struct in6_addr peer;
};

/* One sendmsg() or recvmsg() with ancillary data; on its caller's stack. */
struct shim6_call {
	struct list_head node;
	struct shim6_sock *sock;
	struct task_struct *task;
	atomic_t *count;		/* of the calls that are looked for */
	bool sends;
	struct in6_addr from;		/* identifiers of what is sent */
	struct in6_addr to;
	struct shim6_choice choice;	/* and its locators */
	struct shim6_heard heard;	/* what was received */
};

/*
 * How many calls receive, by the hash of their socket: whoever receives without
 * ancillary data looks here, and hardly ever further.
 */
#define SHIM6_RECEIVING_BITS 6
extern atomic_t shim6_receiving[1 << SHIM6_RECEIVING_BITS];

static inline atomic_t *shim6_receiving_on(const struct sock *sk)
{
	return &shim6_receiving[hash_ptr(sk, SHIM6_RECEIVING_BITS)];
}

/* What a packet's socket wants of it. */
struct shim6_own {
	struct shim6_sock *sock;
	u32 flags;
	u64 fork;			/* CT(local), or 0 */
	bool called;			/* the packet is a call's own: */
	struct in6_addr from;		/* between these identifiers */
	struct in6_addr to;
	struct shim6_choice choice;
};

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
int shim6_sock_set_flags(const struct sock *sk, u32 mask, u32 flags);
void shim6_sock_choice(const struct sock *sk, struct shim6_choice *choice);
int shim6_sock_choose(const struct sock *sk, bool peer,
		      const struct in6_addr *locator);
u64 shim6_sock_own(const struct sock *sk);
bool shim6_sock_lives(u64 place, u64 serial);
u64 shim6_sock_fork(const struct sock *sk);
int shim6_sock_set_fork(const struct sock *sk, u64 old, u64 tag);
void shim6_sock_go_on(const struct sock *sk, const struct sock *wait);
void shim6_sock_inherit(const struct sock *parent, const struct sock *child);
void shim6_sock_forget(const struct sock *sk);
int shim6_call_begin(struct shim6_call *call, const struct sock *sk);
void shim6_call_end(struct shim6_call *call);
void shim6_call_heard(const struct sock *sk, const struct sk_buff *skb);
bool shim6_skb_own(const struct sk_buff *skb, const struct sock *sender,
		   struct shim6_own *own);
struct dst_entry *shim6_own_route(const struct shim6_own *own, struct net *net,
				  const struct sk_buff *skb,
				  const struct in6_addr *local,
				  const struct in6_addr *peer, int oif);

#endif /* SHIM6_SYS_SOCK_H */
