// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets: what they are, and a table of what the shim remembers of them.
 *
 * The table's key is a socket's address. An entry lives from the first SOL_SHIM
 * option that is set, or call with ancillary data, to the socket's destruction,
 * which sys/ftrace.c watches; a socket's memory becomes another socket's only
 * after that. So whoever holds the socket, by a system call or by one of its
 * packets, holds the entry.
 */
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/tcp.h>
#include <net/addrconf.h>
#include <net/dst.h>
#include <net/inet_sock.h>
#include <net/ip6_fib.h>
#include <net/tcp.h>

#include "fork.h"
#include "route.h"
#include "skb.h"
#include "sock.h"

struct shim6_sock {
	struct rhash_head node;
	const struct sock *sk;
	u32 flags;
	u64 serial;		/* if it wished something of a context */
	u64 tag;		/* of its forked context, for packets */
	struct shim6_fork *fork;
	spinlock_t lock;		/* what follows, but rcu */
	struct shim6_choice choice;	/* of the socket's options */
	struct list_head calls;		/* struct shim6_call: in flight */
	struct shim6_sock_route {
		struct dst_entry *dst;
		u32 cookie;
		u32 mark;
		u8 dscp;
		int oif;
		struct in6_addr local;
		struct in6_addr peer;
	} route;			/* the last one of a chosen pair */
	struct rcu_head rcu;
};

static const struct rhashtable_params shim6_sock_params = {
	.key_len = sizeof_field(struct shim6_sock, sk),
	.key_offset = offsetof(struct shim6_sock, sk),
	.head_offset = offsetof(struct shim6_sock, node),
	.automatic_shrinking = true,
};

static struct rhashtable shim6_socks;
atomic_t shim6_sock_count;
atomic_t shim6_receiving[1 << SHIM6_RECEIVING_BITS];

/* Records that packets do not ask for count here only. */
static atomic_t shim6_sock_total;

/* Who holds it and finds a socket's record knows that the socket is not freed yet. */
static DEFINE_SPINLOCK(shim6_sock_lock);
static atomic64_t shim6_sock_serial;

void shim6_sock_describe(struct sock *sk, struct shim6_sock_info *info)
{
	memset(info, 0, sizeof(*info));
	lock_sock(sk);
	info->net = sock_net(sk);
	info->family = sk->sk_family;
	info->type = sk->sk_type;
	info->protocol = sk->sk_protocol;
	info->state = sk->sk_state;
	if (sk->sk_family == AF_INET6 &&
	    !ipv6_addr_v4mapped(&sk->sk_v6_daddr)) {
		info->ipv6 = true;
		info->local = inet6_sk(sk)->saddr;
		info->peer = sk->sk_v6_daddr;
		info->local_port = inet_sk(sk)->inet_num;
		info->peer_port = ntohs(inet_sk(sk)->inet_dport);
	}
	release_sock(sk);
}

/* The interface that has @addr, other than @except; 0 if none has. */
u32 shim6_sock_interface(struct net *net, const struct in6_addr *addr,
			 u32 except)
{
	struct net_device *dev;
	u32 index = 0;

	rcu_read_lock();
	for_each_netdev_rcu(net, dev) {
		if (dev->ifindex != except &&
		    ipv6_chk_addr(net, addr, dev, 1)) {
			index = dev->ifindex;
			break;
		}
	}
	rcu_read_unlock();
	return index;
}

int shim6_socks_create(void)
{
	return rhashtable_init(&shim6_socks, &shim6_sock_params);
}

static void shim6_sock_free(void *arg, void *unused)
{
	struct shim6_sock *sock = arg;

	shim6_fork_forget(sock->fork);
	dst_release(sock->route.dst);
	kfree(sock);
}

void shim6_socks_destroy(void)
{
	rhashtable_free_and_destroy(&shim6_socks, shim6_sock_free, NULL);
}

/* What is remembered of @sk, which the caller holds. */
static struct shim6_sock *shim6_sock_of(const struct sock *sk)
{
	struct shim6_sock *sock;

	rcu_read_lock();
	sock = rhashtable_lookup(&shim6_socks, &sk, shim6_sock_params);
	rcu_read_unlock();
	return sock;
}

u32 shim6_sock_flags(const struct sock *sk)
{
	const struct shim6_sock *sock = shim6_sock_of(sk);

	return sock ? READ_ONCE(sock->flags) : 0;
}

static bool shim6_sock_counts(const struct shim6_sock *sock)
{
	return sock->flags & SHIM6_SOCK_OF_PACKETS || sock->tag;
}

/* Changes a record, under the lock: whether packets have to look at it may change. */
#define shim6_sock_update(sock, field, value)				\
do {									\
	bool counted = shim6_sock_counts(sock);				\
									\
	WRITE_ONCE((sock)->field, value);				\
	if (shim6_sock_counts(sock) != counted)				\
		atomic_add(counted ? -1 : 1, &shim6_sock_count);	\
} while (0)

static struct shim6_sock *shim6_sock_find(const struct sock *sk)
{
	lockdep_assert_held(&shim6_sock_lock);
	return rhashtable_lookup_fast(&shim6_socks, &sk, shim6_sock_params);
}

/* Sees to it that there is a record of @sk. */
static int shim6_sock_make(const struct sock *sk, gfp_t gfp)
{
	struct shim6_sock *sock;
	int ret;

	if (rhashtable_lookup_fast(&shim6_socks, &sk, shim6_sock_params))
		return 0;
	sock = kzalloc(sizeof(*sock), gfp);
	if (!sock)
		return -ENOMEM;
	sock->sk = sk;
	spin_lock_init(&sock->lock);
	INIT_LIST_HEAD(&sock->calls);
	ret = rhashtable_lookup_insert_fast(&shim6_socks, &sock->node,
					    shim6_sock_params);
	if (!ret) {
		atomic_inc(&shim6_sock_total);
		return 0;
	}
	kfree(sock);
	/* Another thread set an option of the same socket. */
	return ret == -EEXIST ? 0 : ret;
}

/* Changes those flags of @sk that are in @mask, if there is a record of it. */
static void shim6_sock_change_flags(const struct sock *sk, u32 mask, u32 flags)
{
	struct shim6_sock *sock;
	unsigned long irq;

	spin_lock_irqsave(&shim6_sock_lock, irq);
	sock = shim6_sock_find(sk);
	if (sock)
		shim6_sock_update(sock, flags, (sock->flags & ~mask) | flags);
	spin_unlock_irqrestore(&shim6_sock_lock, irq);
}

int shim6_sock_set_flags(const struct sock *sk, u32 mask, u32 flags)
{
	int ret = flags ? shim6_sock_make(sk, GFP_KERNEL_ACCOUNT) : 0;

	if (!ret)
		shim6_sock_change_flags(sk, mask, flags);
	return ret;
}

/* The locators that @sk's options choose. */
void shim6_sock_choice(const struct sock *sk, struct shim6_choice *choice)
{
	struct shim6_sock *sock = shim6_sock_of(sk);

	memset(choice, 0, sizeof(*choice));
	if (!sock)
		return;
	spin_lock_bh(&sock->lock);
	*choice = sock->choice;
	spin_unlock_bh(&sock->lock);
}

/* @sk's options choose this locator, of ours or of the peer's; :: for none. */
int shim6_sock_choose(const struct sock *sk, bool peer,
		      const struct in6_addr *locator)
{
	struct shim6_choice *choice;
	struct shim6_sock *sock;
	bool chosen;
	int ret;

	ret = ipv6_addr_any(locator) ? 0 :
		shim6_sock_make(sk, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	sock = shim6_sock_of(sk);
	if (!sock)
		return 0;
	spin_lock_bh(&sock->lock);
	choice = &sock->choice;
	*(peer ? &choice->peer : &choice->local) = *locator;
	chosen = !ipv6_addr_any(&choice->local) ||
		 !ipv6_addr_any(&choice->peer);
	shim6_sock_change_flags(sk, SHIM6_SOCK_CHOSEN,
				chosen ? SHIM6_SOCK_CHOSEN : 0);
	spin_unlock_bh(&sock->lock);
	return 0;
}

/* A number that says which socket wished something; 0: no memory. */
u64 shim6_sock_own(const struct sock *sk)
{
	struct shim6_sock *sock;
	unsigned long irq;
	u64 serial = 0;

	if (shim6_sock_make(sk, GFP_KERNEL_ACCOUNT))
		return 0;
	spin_lock_irqsave(&shim6_sock_lock, irq);
	sock = shim6_sock_find(sk);
	if (sock) {
		if (!sock->serial)
			sock->serial = atomic64_inc_return(&shim6_sock_serial);
		serial = sock->serial;
	}
	spin_unlock_irqrestore(&shim6_sock_lock, irq);
	return serial;
}

/* Whether the socket at @place with that number is there, and an application has it. */
bool shim6_sock_lives(u64 place, u64 serial)
{
	const struct sock *sk = (const struct sock *)(unsigned long)place;
	struct shim6_sock *sock;
	unsigned long irq;
	bool lives;

	spin_lock_irqsave(&shim6_sock_lock, irq);
	sock = shim6_sock_find(sk);
	lives = sock && sock->serial == serial && !sock_flag(sk, SOCK_DEAD);
	spin_unlock_irqrestore(&shim6_sock_lock, irq);
	return lives;
}

u64 shim6_sock_fork(const struct sock *sk)
{
	const struct shim6_sock *sock = shim6_sock_of(sk);

	return sock ? READ_ONCE(sock->tag) : 0;
}

/*
 * Gives @sk the forked context @tag, unless it has another one by now than @old.
 * -EEXIST: it has.
 */
int shim6_sock_set_fork(const struct sock *sk, u64 old, u64 tag)
{
	struct shim6_fork *fork, *unused;
	struct shim6_sock *sock;
	unsigned long irq;
	int ret;

	ret = shim6_sock_make(sk, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	fork = shim6_fork_create(sock_net(sk), tag);
	if (!fork)
		return -ENOMEM;
	unused = fork;
	ret = -EEXIST;
	spin_lock_irqsave(&shim6_sock_lock, irq);
	sock = shim6_sock_find(sk);
	if (sock && sock->tag == old) {
		unused = sock->fork;
		sock->fork = fork;
		shim6_sock_update(sock, tag, tag);
		ret = 0;
	}
	spin_unlock_irqrestore(&shim6_sock_lock, irq);
	shim6_fork_put(unused);
	return ret;
}

static void shim6_sock_copy(const struct sock *from, const struct sock *to,
			    u32 mask, bool fork)
{
	struct shim6_choice choice;
	struct shim6_sock *old, *new;
	unsigned long irq;
	int ret;

	if (!to || !atomic_read(&shim6_sock_count))
		return;
	if (!(shim6_sock_flags(from) & mask) &&
	    !(fork && shim6_sock_fork(from)))
		return;
	ret = shim6_sock_make(to, GFP_ATOMIC | __GFP_NOWARN);
	if (ret) {
		net_warn_ratelimited("shim6: no memory for a new socket's options\n");
		return;
	}
	spin_lock_irqsave(&shim6_sock_lock, irq);
	old = shim6_sock_find(from);
	new = shim6_sock_find(to);
	if (old && new) {
		shim6_sock_update(new, flags, old->flags & mask);
		if (fork && old->fork && !new->fork &&
		    shim6_fork_get(old->fork)) {
			new->fork = old->fork;
			shim6_sock_update(new, tag, old->tag);
		}
	}
	spin_unlock_irqrestore(&shim6_sock_lock, irq);
	if (mask & SHIM6_SOCK_CHOSEN) {
		shim6_sock_choice(from, &choice);
		shim6_sock_choose(to, false, &choice.local);
		shim6_sock_choose(to, true, &choice.peer);
	}
}

/* @child, just made and not in use yet, is to be as @parent. Does not sleep. */
void shim6_sock_inherit(const struct sock *parent, const struct sock *child)
{
	shim6_sock_copy(parent, child, SHIM6_SOCK_DONTSHIM, false);
}

/* @wait goes on for @sk: it is to be as that, its context included. Does not sleep. */
void shim6_sock_go_on(const struct sock *sk, const struct sock *wait)
{
	shim6_sock_copy(sk, wait, SHIM6_SOCK_OF_PACKETS, true);
}

/* @sk is about to be freed: no packet is its any more. Does not sleep. */
void shim6_sock_forget(const struct sock *sk)
{
	struct shim6_fork *fork = NULL;
	struct dst_entry *dst = NULL;
	struct shim6_sock *sock;
	unsigned long irq;

	if (!atomic_read(&shim6_sock_total))
		return;
	if (!rhashtable_lookup_fast(&shim6_socks, &sk, shim6_sock_params))
		return;
	spin_lock_irqsave(&shim6_sock_lock, irq);
	sock = shim6_sock_find(sk);
	if (sock && !rhashtable_remove_fast(&shim6_socks, &sock->node,
					    shim6_sock_params)) {
		if (shim6_sock_counts(sock))
			atomic_dec(&shim6_sock_count);
		atomic_dec(&shim6_sock_total);
		fork = sock->fork;
		dst = sock->route.dst;
		kfree_rcu(sock, rcu);
	}
	spin_unlock_irqrestore(&shim6_sock_lock, irq);
	/* Now: the namespace in which it is counted may end next. */
	dst_release(dst);
	shim6_fork_put(fork);
}

int shim6_call_begin(struct shim6_call *call, const struct sock *sk)
{
	int ret = shim6_sock_make(sk, GFP_KERNEL_ACCOUNT);

	if (ret)
		return ret;
	call->sock = shim6_sock_of(sk);
	call->task = current;
	spin_lock_bh(&call->sock->lock);
	list_add(&call->node, &call->sock->calls);
	spin_unlock_bh(&call->sock->lock);
	/* Packets have to look. */
	call->count = call->sends ? &shim6_sock_count : shim6_receiving_on(sk);
	atomic_inc(call->count);
	return 0;
}

void shim6_call_end(struct shim6_call *call)
{
	atomic_dec(call->count);
	spin_lock_bh(&call->sock->lock);
	list_del(&call->node);
	spin_unlock_bh(&call->sock->lock);
}

/* The call of this task on @sock that sends (or receives), under its lock. */
static struct shim6_call *shim6_call_find(struct shim6_sock *sock, bool sends)
{
	struct shim6_call *call;

	lockdep_assert_held(&sock->lock);
	if (!in_task())
		return NULL;
	list_for_each_entry(call, &sock->calls, node)
		if (call->task == current && call->sends == sends)
			return call;
	return NULL;
}

/* @skb is what a call in flight on @sk returns. Does not sleep. */
void shim6_call_heard(const struct sock *sk, const struct sk_buff *skb)
{
	struct shim6_sock *sock = shim6_sock_of(sk);
	struct shim6_call *call;

	if (!sock || list_empty(&sock->calls))
		return;
	spin_lock_bh(&sock->lock);
	call = shim6_call_find(sock, false);
	if (call)
		shim6_skb_heard(skb, &call->heard);
	spin_unlock_bh(&sock->lock);
}

/*
 * What is remembered of the socket whose packet @skb is, which @sender hands down.
 * A SYN-ACK is its listener's: there is no child yet, or one by Fast Open that has
 * inherited nothing yet, and one with a SYN cookie names no socket at all. An answer
 * out of TIME_WAIT is of the small socket that waits.
 */
static struct shim6_sock *shim6_sock_sending(const struct sk_buff *skb,
					     const struct sock *sender)
{
	const struct sock *sk = skb->sk;
	const struct request_sock *req;
	struct shim6_sock *sock;

	if (!sk)
		return READ_ONCE(sender->sk_state) == TCP_LISTEN ?
			shim6_sock_of(sender) : NULL;
	if (READ_ONCE(sk->sk_state) == TCP_NEW_SYN_RECV) {
		sk = inet_reqsk(sk)->rsk_listener;
		return sk ? shim6_sock_of(sk) : NULL;
	}
	sock = shim6_sock_of(sk);
	if (sock || READ_ONCE(sk->sk_state) != TCP_SYN_RECV || !sk_is_tcp(sk))
		return sock;
	/* Hooks run under RCU, which a request outlives. */
	req = rcu_dereference(tcp_sk(sk)->fastopen_rsk);
	return req && req->rsk_listener ? shim6_sock_of(req->rsk_listener) : NULL;
}

/* What the socket of @skb wants of it; false if nothing is remembered of it. */
bool shim6_skb_own(const struct sk_buff *skb, const struct sock *sender,
		   struct shim6_own *own)
{
	struct shim6_sock *sock = shim6_sock_sending(skb, sender);
	const struct shim6_call *call;

	if (!sock)
		return false;
	memset(own, 0, sizeof(*own));
	own->sock = sock;
	own->flags = READ_ONCE(sock->flags);
	own->fork = READ_ONCE(sock->tag);
	if (!(own->flags & SHIM6_SOCK_CHOSEN) && list_empty(&sock->calls))
		return true;
	spin_lock_bh(&sock->lock);
	own->choice = sock->choice;
	call = shim6_call_find(sock, true);
	if (call) {
		own->called = true;
		own->from = call->from;
		own->to = call->to;
		if (!ipv6_addr_any(&call->choice.local))
			own->choice.local = call->choice.local;
		if (!ipv6_addr_any(&call->choice.peer))
			own->choice.peer = call->choice.peer;
	}
	spin_unlock_bh(&sock->lock);
	return true;
}

/*
 * A route for @skb between a chosen pair; the caller owns a reference. dst_cache
 * would not do: of its key it knows the source only.
 */
struct dst_entry *shim6_own_route(const struct shim6_own *own, struct net *net,
				  const struct sk_buff *skb,
				  const struct in6_addr *local,
				  const struct in6_addr *peer, int oif)
{
	struct shim6_sock_route *last = &own->sock->route;
	struct dst_entry *dst, *old;

	spin_lock_bh(&own->sock->lock);
	if (last->dst && last->mark == skb->mark && last->oif == oif &&
	    last->dscp == shim6_skb_dscp(skb) &&
	    ipv6_addr_equal(&last->local, local) &&
	    ipv6_addr_equal(&last->peer, peer) &&
	    dst_check(last->dst, last->cookie)) {
		dst = dst_clone(last->dst);
		spin_unlock_bh(&own->sock->lock);
		return dst;
	}
	spin_unlock_bh(&own->sock->lock);
	dst = shim6_route_lookup(net, skb, local, peer, oif);
	if (!dst)
		return NULL;
	spin_lock_bh(&own->sock->lock);
	old = last->dst;
	*last = (struct shim6_sock_route){
		.dst = dst_clone(dst),
		.cookie = rt6_get_cookie(dst_rt6_info(dst)),
		.mark = skb->mark,
		.dscp = shim6_skb_dscp(skb),
		.oif = oif,
		.local = *local,
		.peer = *peer,
	};
	spin_unlock_bh(&own->sock->lock);
	dst_release(old);
	return dst;
}
