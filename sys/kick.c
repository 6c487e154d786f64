// SPDX-License-Identifier: GPL-2.0
/* Thunk: walks the established TCP sockets of a namespace. */
#include <net/inet_connection_sock.h>
#include <net/inet_hashtables.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "kick.h"
#include "sock.h"

#define SHIM6_BATCH 16

/*
 * A timer that fires at once does what the retransmission timer does; without
 * its backoff, since what was lost says nothing about the new path.
 */
static void shim6_kick_sock(struct sock *sk, void *owner)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	lock_sock(sk);
	if (sk_fullsock(sk) && icsk->icsk_pending &&
	    !((1 << sk->sk_state) & (TCPF_CLOSE | TCPF_LISTEN))) {
		icsk->icsk_backoff = 0;
		if (tcp_sk(sk)->srtt_us) {
			icsk->icsk_rto = __tcp_set_rto(tcp_sk(sk));
			tcp_bound_rto(sk);
		}
		if (tcp_sk(sk)->packets_out)
			smp_store_release(&icsk->icsk_pending, ICSK_TIME_RETRANS);
		sk_reset_timer(sk, &sk->tcp_retransmit_timer, jiffies);
	}
	release_sock(sk);
}

static void shim6_ends(const struct sock *sk, struct shim6_ends *ends)
{
	ends->local = inet6_sk(sk)->saddr;
	ends->peer = sk->sk_v6_daddr;
	ends->fork = shim6_sock_fork(sk);
	ends->protocol = sk->sk_protocol;
	ends->local_port = inet_sk(sk)->inet_num;
	ends->peer_port = ntohs(inet_sk(sk)->inet_dport);
}

static bool shim6_kick_match(struct sock *sk, struct net *net, void *owner,
			     u32 generation)
{
	struct shim6_ends ends;

	if (!sk_fullsock(sk) || sk->sk_family != AF_INET6 ||
	    !net_eq(sock_net(sk), net))
		return false;
	shim6_ends(sk, &ends);
	return shim6_entry_wants_kick(owner, &ends, generation);
}

/* Takes up to a batch of a bucket's sockets, after the first "skip" that match. */
static u32 shim6_kick_collect(struct inet_hashinfo *hashinfo, u32 bucket,
			      u32 skip, struct sock **batch, struct net *net,
			      void *owner, u32 generation)
{
	struct inet_ehash_bucket *head = &hashinfo->ehash[bucket];
	spinlock_t *lock = inet_ehash_lockp(hashinfo, bucket);
	struct hlist_nulls_node *pos;
	struct sock *sk;
	u32 seen = 0, found = 0;

	if (hlist_nulls_empty(&head->chain))
		return 0;
	spin_lock_bh(lock);
	sk_nulls_for_each(sk, pos, &head->chain) {
		if (!shim6_kick_match(sk, net, owner, generation))
			continue;
		if (seen++ < skip)
			continue;
		if (found == SHIM6_BATCH)
			break;
		sock_hold(sk);
		batch[found++] = sk;
	}
	spin_unlock_bh(lock);
	return found;
}

static void shim6_use_sock(struct sock *sk, void *owner)
{
	struct shim6_ends ends;

	shim6_ends(sk, &ends);
	shim6_entry_in_use(owner, &ends);
}

/* Acts on all sockets that match, and says on how many. */
static u32 shim6_tcp_walk(struct net *net, void *owner, u32 generation,
			  void (*act)(struct sock *sk, void *owner))
{
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;
	struct sock *batch[SHIM6_BATCH];
	u32 bucket, i, found, skip, acted = 0;

	for (bucket = 0; bucket <= hashinfo->ehash_mask; bucket++) {
		skip = 0;
		do {
			found = shim6_kick_collect(hashinfo, bucket, skip,
						   batch, net, owner,
						   generation);
			for (i = 0; i < found; i++) {
				act(batch[i], owner);
				sock_put(batch[i]);
			}
			skip += found;
			acted += found;
		} while (found == SHIM6_BATCH);
		if (!(bucket & 1023))
			cond_resched();
	}
	return acted;
}

u32 shim6_tcp_kick(struct net *net, void *owner, u32 generation)
{
	return shim6_tcp_walk(net, owner, generation, shim6_kick_sock);
}

void shim6_tcp_users(struct net *net, void *owner, u32 generation)
{
	shim6_tcp_walk(net, owner, generation, shim6_use_sock);
}
