/* SPDX-License-Identifier: GPL-2.0 */
/* Thunks over the static inlines of a socket buffer. */
#ifndef SHIM6_SYS_SKB_H
#define SHIM6_SYS_SKB_H

#include <linux/skbuff.h>
#include <linux/ipv6.h>

enum {
	SHIM6_CHECKSUM_NONE = CHECKSUM_NONE,
	SHIM6_CHECKSUM_UNNECESSARY = CHECKSUM_UNNECESSARY,
	SHIM6_CHECKSUM_COMPLETE = CHECKSUM_COMPLETE,
	SHIM6_CHECKSUM_PARTIAL = CHECKSUM_PARTIAL,
	/* a bit of inet6_skb_parm.flags that the kernel leaves free */
	SHIM6_CB_TRANSLATED = 512,
};

/*
 * Where in cb[] the shim leaves a note of 32 bits for who receives a packet:
 * twice, because reassembly uses the first place (struct ipfrag_skb_cb) and
 * segmentation the second one (struct skb_gso_cb).
 */
enum {
	SHIM6_CB_NOTE = 24,
	SHIM6_CB_NOTE_AGAIN = 40,
	SHIM6_CB_L3SLAVE = IP6SKB_L3SLAVE,
};

/* What a socket received. */
struct shim6_heard {
	struct in6_addr local;	/* :: if it was nothing of IPv6's */
	struct in6_addr peer;
	u32 note;
	int interface;
};

/* What connection tracking makes of a packet that leaves between locators. */
enum shim6_track {
	SHIM6_TRACK_OWN,	/* its addresses are its own */
	SHIM6_TRACK_NAT,	/* they are translated */
	SHIM6_TRACK_LOST,	/* its connection is not to be */
};

int shim6_skb_cow_head(struct sk_buff *skb, unsigned int room,
		       unsigned int spare);
bool shim6_skb_may_pull(struct sk_buff *skb, unsigned int len);
void shim6_skb_pull_csum(struct sk_buff *skb, const void *start,
			 unsigned int len);
void shim6_skb_push_csum(struct sk_buff *skb, const void *start,
			 unsigned int len);
enum shim6_track shim6_skb_track(struct sk_buff *skb);
bool shim6_skb_sec_path(const struct sk_buff *skb);
void shim6_skb_heard(const struct sk_buff *skb, struct shim6_heard *heard);
bool shim6_skb_dontfrag(const struct sk_buff *skb);
void shim6_skb_tell_too_big(struct sk_buff *skb, unsigned int mtu);
void shim6_skb_drop(struct sk_buff *skb);
struct sk_buff *shim6_skb_unlink_next(struct sk_buff *skb);

#endif
