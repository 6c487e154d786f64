// SPDX-License-Identifier: GPL-2.0
/* Sockets: what they are, and a table of what the shim remembers of them. */
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

void shim6_sock_describe(struct sock *sk, struct shim6_sock_info *info)
{
	memset(info, 0, sizeof(*info));
	lock_sock(sk);
	info->net = sock_net(sk);
	switch (sk->sk_protocol) {
	case IPPROTO_MPTCP:
	case IPPROTO_SCTP:
		break;
	default:
		info->supported = sk->sk_family == AF_INET ||
				  sk->sk_family == AF_INET6;
	}
	if (sk->sk_type == SOCK_STREAM)
		info->connected = !((1 << sk->sk_state) &
				    (TCPF_CLOSE | TCPF_LISTEN | TCPF_SYN_SENT));
	else
		info->connected = sk->sk_state == TCP_ESTABLISHED;
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

static int shim6_sock_store(const struct sock *sk, u32 flags, gfp_t gfp)
{
	struct shim6_sock *sock, *old;

	rcu_read_lock();
	old = rhashtable_lookup(&shim6_socks, &sk, shim6_sock_params);
	if (old)
		WRITE_ONCE(old->flags, flags);
	rcu_read_unlock();
	if (old || !flags)
		return 0;
	sock = kzalloc(sizeof(*sock), gfp);
	if (!sock)
		return -ENOMEM;
	sock->sk = sk;
	sock->flags = flags;
	old = rhashtable_lookup_get_insert_fast(&shim6_socks, &sock->node,
						shim6_sock_params);
	if (!old)
		return 0;
	kfree(sock);
	return IS_ERR(old) ? PTR_ERR(old) : shim6_sock_store(sk, flags, gfp);
}

int shim6_sock_set_flags(struct sock *sk, u32 flags)
{
	return shim6_sock_store(sk, flags, GFP_KERNEL_ACCOUNT);
}

/* Softirq: @child was just made by the listener @parent. */
void shim6_sock_inherit(const struct sock *parent, struct sock *child)
{
	u32 flags;

	if (!child || !atomic_read(&shim6_socks.nelems))
		return;
	flags = shim6_sock_flags(parent);
	if (flags)
		shim6_sock_store(child, flags, GFP_ATOMIC | __GFP_NOWARN);
}

/* @sk is about to be freed; its memory may be another socket's at once. */
void shim6_sock_forget(const struct sock *sk)
{
	struct shim6_sock *sock;

	if (!atomic_read(&shim6_socks.nelems))
		return;
	rcu_read_lock();
	sock = rhashtable_lookup(&shim6_socks, &sk, shim6_sock_params);
	if (sock && !rhashtable_remove_fast(&shim6_socks, &sock->node,
					    shim6_sock_params))
		kfree_rcu(sock, rcu);
	rcu_read_unlock();
}

bool shim6_skb_dontshim(const struct sk_buff *skb)
{
	const struct sock *sk;

	if (!atomic_read(&shim6_socks.nelems))
		return false;
	sk = skb_to_full_sk(skb);
	return sk && shim6_sock_flags(sk) & SHIM6_SOCK_DONTSHIM;
}
