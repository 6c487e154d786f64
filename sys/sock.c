// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets: what they are, and a table of what the shim remembers of them.
 *
 * The table's key is a socket's address. An entry lives from the first SOL_SHIM
 * option that is set to the socket's destruction, which sys/ftrace.c watches; a
 * socket's memory becomes another socket's only after that.
 */
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/rhashtable.h>
#include <net/addrconf.h>
#include <net/inet_sock.h>
#include <net/tcp_states.h>

#include "fork.h"
#include "sock.h"

struct shim6_sock {
	struct rhash_head node;
	const struct sock *sk;
	u32 flags;
	u64 serial;		/* if it wished something of a context */
	u64 tag;		/* of its forked context, for packets */
	struct shim6_fork *fork;
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
	kfree(sock);
}

void shim6_socks_destroy(void)
{
	rhashtable_free_and_destroy(&shim6_socks, shim6_sock_free, NULL);
}

u32 shim6_sock_flags(const struct sock *sk)
{
	struct shim6_sock *sock;
	u32 flags;

	rcu_read_lock();
	sock = rhashtable_lookup(&shim6_socks, &sk, shim6_sock_params);
	flags = sock ? READ_ONCE(sock->flags) : 0;
	rcu_read_unlock();
	return flags;
}

static bool shim6_sock_counts(const struct shim6_sock *sock)
{
	return sock->flags || sock->tag;
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

int shim6_sock_set_flags(const struct sock *sk, u32 flags)
{
	struct shim6_sock *sock;
	unsigned long irq;
	int ret;

	ret = flags ? shim6_sock_make(sk, GFP_KERNEL_ACCOUNT) : 0;
	if (ret)
		return ret;
	spin_lock_irqsave(&shim6_sock_lock, irq);
	sock = shim6_sock_find(sk);
	if (sock)
		shim6_sock_update(sock, flags, flags);
	spin_unlock_irqrestore(&shim6_sock_lock, irq);
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
	struct shim6_sock *sock;
	u64 tag;

	rcu_read_lock();
	sock = rhashtable_lookup(&shim6_socks, &sk, shim6_sock_params);
	tag = sock ? READ_ONCE(sock->tag) : 0;
	rcu_read_unlock();
	return tag;
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
			    bool fork)
{
	struct shim6_sock *old, *new;
	unsigned long irq;
	int ret;

	if (!to || !atomic_read(&shim6_sock_count))
		return;
	if (!shim6_sock_flags(from) && !(fork && shim6_sock_fork(from)))
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
		shim6_sock_update(new, flags, old->flags);
		if (fork && old->fork && !new->fork &&
		    shim6_fork_get(old->fork)) {
			new->fork = old->fork;
			shim6_sock_update(new, tag, old->tag);
		}
	}
	spin_unlock_irqrestore(&shim6_sock_lock, irq);
}

/* @child, just made and not in use yet, is to be as @parent. Does not sleep. */
void shim6_sock_inherit(const struct sock *parent, const struct sock *child)
{
	shim6_sock_copy(parent, child, false);
}

/* @wait goes on for @sk: it is to be as that, its context included. Does not sleep. */
void shim6_sock_go_on(const struct sock *sk, const struct sock *wait)
{
	shim6_sock_copy(sk, wait, true);
}

/* @sk is about to be freed. Does not sleep. */
void shim6_sock_forget(const struct sock *sk)
{
	struct shim6_fork *fork = NULL;
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
		kfree_rcu(sock, rcu);
	}
	spin_unlock_irqrestore(&shim6_sock_lock, irq);
	shim6_fork_put(fork);
}

/*
 * Of the socket that a packet was sent from: for a SYN-ACK the listener, for an
 * answer out of TIME_WAIT the small socket that waits.
 */
static const struct sock *shim6_skb_sock(const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;

	if (sk && READ_ONCE(sk->sk_state) == TCP_NEW_SYN_RECV)
		sk = inet_reqsk(sk)->rsk_listener;
	return sk;
}

u32 shim6_skb_flags(const struct sk_buff *skb)
{
	const struct sock *sk = shim6_skb_sock(skb);

	return sk ? shim6_sock_flags(sk) : 0;
}

u64 shim6_skb_fork(const struct sk_buff *skb)
{
	const struct sock *sk = shim6_skb_sock(skb);

	return sk ? shim6_sock_fork(sk) : 0;
}
