// SPDX-License-Identifier: GPL-2.0
/*
 * Meets sendmsg() with ancillary data of level SOL_SHIM, and recvmsg() of sockets
 * that asked for such.
 *
 * What a call asks for its datagram is kept on the caller's stack, linked to the
 * socket, and found again by its task when the datagram passes LOCAL_OUT: it is
 * sent before the call returns. The same way the datagram that a call returns
 * tells its locators, when the kernel frees it.
 *
 * Messages are met from the first SOL_SHIM option call on, and received ones from
 * the first option on that asks for ancillary data: until then nobody pays. This
 * file must not make sibling calls (see sys/probe.c).
 */
#define pr_fmt(fmt) "shim6: " fmt

#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/shim.h>
#include <linux/udp.h>
#include <net/inet_common.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/rps.h>
#include <net/udp.h>

#include "ancillary.h"
#include "probe.h"
#include "sock.h"

static int shim6_sendmsg(struct socket *sock, struct msghdr *msg, size_t size)
{
	struct shim6_ancillary call = {
		.sock = sock, .sk = sock->sk, .msg = msg, .size = size,
		.flags = msg->msg_flags,
	};
	int ret = shim6_entry_sendmsg(&call);

	module_put(THIS_MODULE);
	return ret;
}

static int shim6_recvmsg(struct socket *sock, struct msghdr *msg, size_t size,
			 int flags)
{
	struct shim6_ancillary call = {
		.sock = sock, .sk = sock->sk, .msg = msg, .size = size,
		.flags = flags,
	};
	int ret = shim6_entry_recvmsg(&call);

	module_put(THIS_MODULE);
	return ret;
}

/* Whether there is an object of ours, or what looks like one. */
static bool notrace shim6_is_asked(struct msghdr *msg)
{
	struct cmsghdr *cmsg;

	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return false;
		if (cmsg->cmsg_level == SOL_SHIM)
			return true;
	}
	return false;
}

/* A call that sends; redirected, it has a reference to the module. */
static void notrace __used *shim6_at_send(void *sock, void *message)
{
	struct msghdr *msg = message;

	BUILD_BUG_ON(!__same_type(&inet_sendmsg, &shim6_sendmsg));
	BUILD_BUG_ON(!__same_type(&inet6_sendmsg, &shim6_sendmsg));
	if (likely(!msg->msg_controllen) || msg->msg_control_is_user ||
	    !shim6_is_asked(msg) || !try_module_get(THIS_MODULE))
		return NULL;
	return shim6_sendmsg;
}

/* A call that receives; the same. */
static void notrace __used *shim6_at_receive(void *socket, void *message)
{
	const struct socket *sock = socket;
	const struct msghdr *msg = message;

	BUILD_BUG_ON(!__same_type(&sock_common_recvmsg, &shim6_recvmsg));
	BUILD_BUG_ON(!__same_type(&inet6_recvmsg, &shim6_recvmsg));
	if (likely(!msg->msg_controllen) || !msg->msg_control ||
	    !(shim6_sock_flags(sock->sk) & SHIM6_SOCK_RECV) ||
	    !try_module_get(THIS_MODULE))
		return NULL;
	return shim6_recvmsg;
}

/* Of a received datagram nothing is needed any more, or it was only looked at. */
static void notrace __used *shim6_at_consume(void *sk, void *skb)
{
	BUILD_BUG_ON(!__same_type(skb_consume_udp,
				  void(struct sock *, struct sk_buff *, int)));
	BUILD_BUG_ON(!__same_type(skb_free_datagram,
				  void(struct sock *, struct sk_buff *)));
	if (unlikely(atomic_read(shim6_receiving_on(sk))))
		shim6_call_heard(sk, skb);
	return NULL;
}

SHIM6_DEFINE_DIRECT(send);
SHIM6_DEFINE_DIRECT(receive);
SHIM6_DEFINE_DIRECT(consume);

/* Every message passes these. */
#define SHIM6_MESSAGE(how, flags_)					\
	.met = shim6_at_##how,						\
	.direct = SHIM6_DIRECT(how),					\
	.direct_ops = { .flags = FTRACE_OPS_FL_PERMANENT },		\
	.ops = { .func = shim6_on_met, .flags = (flags_) }

static struct shim6_probe shim6_sent[] = {
	{ SHIM6_AT(inet_sendmsg), SHIM6_MESSAGE(send, SHIM6_REDIRECT_OFTEN) },
	{ SHIM6_NAMED(inet6_sendmsg),
	  SHIM6_MESSAGE(send, SHIM6_REDIRECT_OFTEN) },
};

static struct shim6_probe shim6_received[] = {
	{ SHIM6_NAMED(skb_consume_udp),
	  SHIM6_MESSAGE(consume, SHIM6_WATCH_OFTEN) },
	{ SHIM6_AT(skb_free_datagram),
	  SHIM6_MESSAGE(consume, SHIM6_WATCH_OFTEN) },
	{ SHIM6_AT(sock_common_recvmsg),
	  SHIM6_MESSAGE(receive, SHIM6_REDIRECT_OFTEN) },
	{ SHIM6_NAMED(inet6_recvmsg),
	  SHIM6_MESSAGE(receive, SHIM6_REDIRECT_OFTEN) },
};

static struct shim6_probes shim6_sends = SHIM6_PROBES(shim6_sent);
static struct shim6_probes shim6_receives = SHIM6_PROBES(shim6_received);

int shim6_ancillary_find(void)
{
	int ret;

	shim6_sent[1].at = inet6_stream_ops.sendmsg;
	shim6_received[3].at = inet6_stream_ops.recvmsg;
	ret = shim6_probes_find(&shim6_sends);
	if (ret)
		return ret;
	ret = shim6_probes_find(&shim6_receives);
	if (ret)
		shim6_probes_end(&shim6_sends);
	return ret;
}

void shim6_ancillary_end(void)
{
	shim6_probes_end(&shim6_receives);
	shim6_probes_end(&shim6_sends);
}

/* Meets sent messages from now on, if it can be. Sleeps. */
void shim6_ancillary_listen(void)
{
	shim6_probes_begin(&shim6_sends);
}

/* Meets received messages from now on. Sleeps. */
int shim6_ancillary_hear(void)
{
	return shim6_probes_begin(&shim6_receives);
}

/* The next object of ours: 1, or 0 at the end, or -EINVAL. */
int shim6_ancillary_next(const struct shim6_ancillary *call,
			 struct shim6_object *object)
{
	struct cmsghdr *cmsg = object->at;

	do {
		cmsg = cmsg ? cmsg_nxthdr(call->msg, cmsg) :
			      CMSG_FIRSTHDR(call->msg);
		if (!cmsg)
			return 0;
		if (!CMSG_OK(call->msg, cmsg))
			return -EINVAL;
	} while (cmsg->cmsg_level != SOL_SHIM);
	object->at = cmsg;
	object->type = cmsg->cmsg_type;
	object->data = CMSG_DATA(cmsg);
	object->len = cmsg->cmsg_len - sizeof(*cmsg);
	return 1;
}

/* Whether what is sent now would wait for more, or for what waits already. */
bool shim6_ancillary_corks(const struct shim6_ancillary *call)
{
	const struct sock *sk = call->sk;

	if (call->flags & MSG_MORE || !skb_queue_empty_lockless(&sk->sk_write_queue))
		return true;
	return sk->sk_protocol == IPPROTO_UDP && sk->sk_type == SOCK_DGRAM &&
	       (udp_test_bit(CORK, sk) || READ_ONCE(udp_sk(sk)->pending));
}

static void shim6_source(const struct shim6_ancillary *call,
			 struct in6_addr *from)
{
	struct cmsghdr *cmsg;

	*from = inet6_sk(call->sk)->saddr;
	for_each_cmsghdr(cmsg, call->msg)
		if (CMSG_OK(call->msg, cmsg) && cmsg->cmsg_level == SOL_IPV6 &&
		    cmsg->cmsg_type == IPV6_PKTINFO &&
		    cmsg->cmsg_len >= CMSG_LEN(sizeof(struct in6_pktinfo)) &&
		    !ipv6_addr_any(&((struct in6_pktinfo *)CMSG_DATA(cmsg))->ipi6_addr))
			*from = ((struct in6_pktinfo *)CMSG_DATA(cmsg))->ipi6_addr;
}

/* Between which identifiers a datagram is sent; -EOPNOTSUPP if nowhere. */
int shim6_ancillary_identifiers(const struct shim6_ancillary *call,
				struct in6_addr *from, struct in6_addr *to)
{
	DECLARE_SOCKADDR(const struct sockaddr_in6 *, name, call->msg->msg_name);
	struct sock *sk = call->sk;
	struct flowi6 fl6 = {
		.flowi6_proto = sk->sk_protocol,
		.flowi6_oif = READ_ONCE(sk->sk_bound_dev_if),
		.flowi6_mark = READ_ONCE(sk->sk_mark),
		.flowi6_uid = sk_uid(sk),
	};
	struct dst_entry *dst;

	if (name && (call->msg->msg_namelen < SIN6_LEN_RFC2133 ||
		     name->sin6_family != AF_INET6))
		return -EOPNOTSUPP;
	if (!name && sk->sk_state != TCP_ESTABLISHED)
		return -EOPNOTSUPP;
	*to = name ? name->sin6_addr : sk->sk_v6_daddr;
	shim6_source(call, from);
	if (!ipv6_addr_any(from) || ipv6_addr_v4mapped(to))
		return 0;
	fl6.daddr = *to;
	dst = ip6_dst_lookup_flow(sock_net(sk), sk, &fl6, NULL);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	dst_release(dst);
	*from = fl6.saddr;
	return 0;
}

/* Who sends before it has a port is given one. */
static int shim6_autobind(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);
	int ret = 0;

	lock_sock(sk);
	if (!inet->inet_num) {
		if (sk->sk_prot->get_port(sk, 0))
			ret = -EAGAIN;
		else
			inet->inet_sport = htons(inet->inet_num);
	}
	release_sock(sk);
	return ret;
}

/* As if nobody had met it: what the functions that were met do, which are met again. */
int shim6_ancillary_send(const struct shim6_ancillary *call)
{
	struct sock *sk = call->sk;

	sock_rps_record_flow(sk);
	/* Asked again under the lock. */
	if (data_race(!inet_sk(sk)->inet_num) && !sk->sk_prot->no_autobind &&
	    shim6_autobind(sk))
		return -EAGAIN;
	return READ_ONCE(sk->sk_prot)->sendmsg(sk, call->msg, call->size);
}

static int shim6_receive(const struct shim6_ancillary *call)
{
	struct sock *sk = call->sk;

	if (!(call->flags & MSG_ERRQUEUE))
		sock_rps_record_flow(sk);
	return READ_ONCE(sk->sk_prot)->recvmsg(sk, call->msg, call->size,
					       call->flags);
}

/* The datagram goes from and to these locators. */
int shim6_ancillary_send_by(const struct shim6_ancillary *call,
			    const struct in6_addr *from,
			    const struct in6_addr *to,
			    const struct shim6_choice *choice)
{
	struct shim6_call in_flight = {
		.sends = true, .from = *from, .to = *to, .choice = *choice,
	};
	int ret = shim6_call_begin(&in_flight, call->sk);

	if (ret)
		return ret;
	ret = shim6_ancillary_send(call);
	shim6_call_end(&in_flight);
	return ret;
}

/* @heard is left alone if no datagram was received. */
int shim6_ancillary_receive(const struct shim6_ancillary *call,
			    struct shim6_heard *heard)
{
	struct shim6_call in_flight = { .sends = false };
	int ret = shim6_call_begin(&in_flight, call->sk);

	if (ret)
		return ret;
	ret = shim6_receive(call);
	shim6_call_end(&in_flight);
	*heard = in_flight.heard;
	return ret;
}

int shim6_ancillary_put(const struct shim6_ancillary *call, int type,
			const u8 *data, int len)
{
	return put_cmsg(call->msg, SOL_SHIM, type, len, (void *)data);
}
