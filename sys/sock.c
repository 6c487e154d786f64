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

#include "sock.h"

struct shim6_sock {
	struct rhash_head node;
	const struct sock *sk;
	u32 flags;
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

static void shim6_sock_free(void *sock, void *unused)
{
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

static bool shim6_sock_change(const struct sock *sk, u32 flags)
{
	struct shim6_sock *sock;

	rcu_read_lock();
	sock = rhashtable_lookup(&shim6_socks, &sk, shim6_sock_params);
	if (sock)
		WRITE_ONCE(sock->flags, flags);
	rcu_read_unlock();
	return sock;
}

static int shim6_sock_store(const struct sock *sk, u32 flags, gfp_t gfp)
{
	struct shim6_sock *sock;
	int ret;

	if (shim6_sock_change(sk, flags) || !flags)
		return 0;
	sock = kzalloc(sizeof(*sock), gfp);
	if (!sock)
		return -ENOMEM;
	sock->sk = sk;
	sock->flags = flags;
	/* Packets that go by between the two do not see the entry yet. */
	ret = rhashtable_lookup_insert_fast(&shim6_socks, &sock->node,
					    shim6_sock_params);
	if (!ret) {
		atomic_inc(&shim6_sock_count);
		return 0;
	}
	kfree(sock);
	/* Another thread set an option of the same socket. */
	if (ret == -EEXIST && shim6_sock_change(sk, flags))
		return 0;
	return ret;
}

int shim6_sock_set_flags(const struct sock *sk, u32 flags)
{
	return shim6_sock_store(sk, flags, GFP_KERNEL_ACCOUNT);
}

/* @child, just made and not in use yet, is to be as @parent. Does not sleep. */
void shim6_sock_inherit(const struct sock *parent, const struct sock *child)
{
	u32 flags;

	if (!child || !atomic_read(&shim6_sock_count))
		return;
	flags = shim6_sock_flags(parent);
	if (flags && shim6_sock_store(child, flags, GFP_ATOMIC | __GFP_NOWARN))
		net_warn_ratelimited("shim6: no memory for a new socket's options\n");
}

/* @sk is about to be freed. Does not sleep. */
void shim6_sock_forget(const struct sock *sk)
{
	struct shim6_sock *sock;

	if (!atomic_read(&shim6_sock_count))
		return;
	rcu_read_lock();
	sock = rhashtable_lookup(&shim6_socks, &sk, shim6_sock_params);
	if (sock && !rhashtable_remove_fast(&shim6_socks, &sock->node,
					    shim6_sock_params)) {
		atomic_dec(&shim6_sock_count);
		kfree_rcu(sock, rcu);
	}
	rcu_read_unlock();
}

/*
 * Of the socket that a packet was sent from: for a SYN-ACK the listener, for an
 * answer out of TIME_WAIT the small socket that waits.
 */
u32 shim6_skb_flags(const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;

	if (sk && READ_ONCE(sk->sk_state) == TCP_NEW_SYN_RECV)
		sk = inet_reqsk(sk)->rsk_listener;
	return sk ? shim6_sock_flags(sk) : 0;
}
