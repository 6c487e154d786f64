/* SPDX-License-Identifier: GPL-2.0 */
/* Control messages: protocol 140 in, messages out. */
#ifndef SHIM6_SYS_CONTROL_H
#define SHIM6_SYS_CONTROL_H

#include <linux/skbuff.h>
#include <net/net_namespace.h>

/* What becomes of a packet in the handler. */
enum shim6_rcv {
	SHIM6_RCV_DONE,		/* freed */
	SHIM6_RCV_DROP,		/* freed, as one that should not have come */
	SHIM6_RCV_REFUSE,	/* answered with an ICMPv6 error */
	SHIM6_RCV_AGAIN,	/* its next header is looked at */
};

/* What came in: the message from the Shim6 header on. */
struct shim6_message {
	struct in6_addr src;
	struct in6_addr dst;
	const u8 *head;		/* from the IPv6 header up to the message */
	u32 head_len;
	const u8 *data;
	u32 len;
};

/* What an ICMPv6 error says about a packet of ours. */
struct shim6_icmp {
	const u8 *packet;	/* in error, from its IPv6 header on */
	u32 len;
	u32 info;
	u8 type;
	u8 code;
};

int shim6_protocol_register(void);
void shim6_protocol_unregister(void);
bool shim6_message_open(struct sk_buff *skb, struct shim6_message *message);
struct sk_buff *shim6_message_new(const struct in6_addr *src,
				  const struct in6_addr *dst,
				  const u8 *data, u32 len);
void shim6_message_link(struct sk_buff *skb, struct sk_buff *next);
struct sk_buff *shim6_message_unlink(struct sk_buff *skb);
int shim6_message_send(struct net *net, struct sk_buff *skb, int not_by);
void shim6_message_drop(struct sk_buff *skb);

/* Called from here: sys/entry/control.rs. */
enum shim6_rcv shim6_entry_control(struct net *net, struct sk_buff *skb);
void shim6_entry_icmp(struct net *net, const struct shim6_icmp *error);

#endif
