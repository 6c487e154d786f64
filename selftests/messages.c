// SPDX-License-Identifier: GPL-2.0
/*
 * Ancillary data of SOL_SHIM: sendmsg() and recvmsg() as calls and as requests of an
 * io_uring, which the kernel does itself, or gives to a worker, or to the thread that
 * looks for requests, have the same effects and errors. messages.sh runs it; in
 * the environment are
 *  LOCAL, PEER: two locators of this host and two of the peer, all of them reached
 *   before; the first ones are the identifiers of a context;
 *  PEER_NETNS: the file of the peer's network namespace, where the interfaces x
 *   and y have its locators.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <linux/shim.h>

#include "kselftest_harness.h"
#include "ring.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define PORT 7005
#define PAIRS 4
#define LIMIT 60	/* seconds, for the slowest kernel */

FIXTURE(messages)
{
	int here, there;		/* sockets */
	struct ring sends, receives;
	struct in6_addr local[2], peer[2];
	int interface[2];		/* of the peer */
	int lent;			/* messages that the kernel reads */
};

struct way {
	bool ring;
	unsigned int setup;		/* of the ring */
	unsigned char flags;		/* of each request */
	unsigned char send;		/* opcode */
	int protocol;			/* of raw sockets; 0: UDP */
};

FIXTURE_VARIANT(messages)
{
	struct way way;
};

#define VARIANT(name, ...) FIXTURE_VARIANT_ADD(messages, name) { { __VA_ARGS__ } }
VARIANT(calls, false);
VARIANT(raw, .protocol = 253);
VARIANT(ring, true, 0, 0, IORING_OP_SENDMSG);
VARIANT(worker, true, 0, IOSQE_ASYNC, IORING_OP_SENDMSG);
VARIANT(poller, true, IORING_SETUP_SQPOLL, 0, IORING_OP_SENDMSG);
VARIANT(zerocopy, true, 0, 0, IORING_OP_SENDMSG_ZC);

/* ---- what a message says */

struct message {
	struct msghdr header;
	struct iovec payload;
	char data[64];
	union {
		char control[256];
		struct cmsghdr align;
	};
};

static struct msghdr *header_of(struct message *m, size_t controllen)
{
	m->payload = (struct iovec){ m->data, sizeof(m->data) };
	m->header = (struct msghdr){ .msg_iov = &m->payload, .msg_iovlen = 1 };
	if (controllen) {
		m->header.msg_control = m->control;
		m->header.msg_controllen = controllen;
	}
	return &m->header;
}

static void say(struct message *m, int number)
{
	memset(m, 0, sizeof(*m));
	header_of(m, 0);
	m->payload.iov_len = snprintf(m->data, sizeof(m->data), "%d", number);
}

static void object(struct message *m, int type, const void *data, size_t len)
{
	struct cmsghdr *cmsg = (void *)(m->control + m->header.msg_controllen);

	cmsg->cmsg_level = SOL_SHIM;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), data, len);
	m->header.msg_control = m->control;
	m->header.msg_controllen += CMSG_SPACE(len);
}

static void locator(struct message *m, int type, const struct in6_addr *addr)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = *addr };

	object(m, type, &sin6, sizeof(sin6));
}

/* The message @number goes by a pair of its own. */
static void choose(const FIXTURE_DATA(messages) *self, struct message *m, int number)
{
	say(m, number);
	locator(m, SHIM_LOC_LOCAL_SEND, &self->local[number % 2]);
	locator(m, SHIM_LOC_PEER_SEND, &self->peer[number / 2 % 2]);
}

/* ---- ways to send, receive and set */

static struct io_uring_sqe request(const struct way *way, int op, int fd)
{
	struct io_uring_sqe sqe;

	memset(&sqe, 0, sizeof(sqe));
	sqe.opcode = op;
	sqe.flags = way->flags;
	sqe.fd = fd;
	return sqe;
}

static int result_of(ssize_t ret)
{
	return ret < 0 ? -errno : ret;
}

static void begin_send(FIXTURE_DATA(messages) *self, const struct way *way,
		       const struct message *m, int flags)
{
	struct io_uring_sqe sqe = request(way, way->send, self->here);

	sqe.addr = (uintptr_t)&m->header;
	sqe.msg_flags = flags;
	ring_queue(&self->sends, &sqe);
}

static struct ring_result next_of_sends(FIXTURE_DATA(messages) *self)
{
	struct ring_result result = ring_next(&self->sends);

	/* With zerocopy a second one says that the memory may be used again. */
	if (result.flags & IORING_CQE_F_MORE)
		self->lent++;
	if (result.flags & IORING_CQE_F_NOTIF)
		self->lent--;
	return result;
}

/* Octets sent, or a negative error number. */
static int end_send(FIXTURE_DATA(messages) *self)
{
	struct ring_result result;

	do
		result = next_of_sends(self);
	while (result.flags & IORING_CQE_F_NOTIF);
	return result.res;
}

static int send_message(FIXTURE_DATA(messages) *self, const struct way *way,
			const struct message *m, int flags)
{
	int ret;

	if (!way->ring)
		return result_of(sendmsg(self->here, &m->header, flags));
	begin_send(self, way, m, flags);
	ring_submit(&self->sends);
	ret = end_send(self);
	while (self->lent)
		next_of_sends(self);
	return ret;
}

/* A receiver that waits before there is anything, if it can. */
static void begin_receive(FIXTURE_DATA(messages) *self, const struct way *way, struct message *m,
			  size_t room, int flags)
{
	struct io_uring_sqe sqe = request(way, IORING_OP_RECVMSG, self->there);

	memset(m, 0, sizeof(*m));
	header_of(m, room);
	if (!way->ring)
		return;
	sqe.addr = (uintptr_t)&m->header;
	sqe.msg_flags = flags;
	ring_queue(&self->receives, &sqe);
	ring_submit(&self->receives);
}

static int end_receive(FIXTURE_DATA(messages) *self, const struct way *way, struct message *m,
		       int flags)
{
	if (!way->ring)
		return result_of(recvmsg(self->there, &m->header, flags));
	return ring_next(&self->receives).res;
}

/* SOCKET_URING_OP_GETSOCKOPT, SOCKET_URING_OP_SETSOCKOPT */
static int ring_option(FIXTURE_DATA(messages) *self, const struct way *way, int op, int fd,
		       int name, int *value)
{
	struct io_uring_sqe sqe = request(way, IORING_OP_URING_CMD, fd);

	sqe.cmd_op = op;
	sqe.level = SOL_SHIM;
	sqe.optname = name;
	sqe.optval = (uintptr_t)value;
	sqe.optlen = sizeof(*value);
	ring_queue(&self->sends, &sqe);
	ring_submit(&self->sends);
	return ring_next(&self->sends).res;
}

static int set_int(FIXTURE_DATA(messages) *self, const struct way *way, int fd, int name, int value)
{
	if (way->ring)
		return ring_option(self, way, SOCKET_URING_OP_SETSOCKOPT, fd, name, &value);
	return result_of(setsockopt(fd, SOL_SHIM, name, &value, sizeof(value)));
}

/* ---- */

static void read_pair(struct __test_metadata *_metadata, const char *name, struct in6_addr *pair)
{
	const char *text = getenv(name);
	char a[64], b[64];

	ASSERT_TRUE(!!text);
	ASSERT_EQ(2, sscanf(text, "%63s %63s", a, b));
	ASSERT_EQ(1, inet_pton(AF_INET6, a, &pair[0]));
	ASSERT_EQ(1, inet_pton(AF_INET6, b, &pair[1]));
}

static int connected(struct __test_metadata *_metadata, int protocol, const struct in6_addr *from,
		     const struct in6_addr *to)
{
	bool raw = protocol && protocol != IPPROTO_ICMPV6;
	int port = protocol ? 0 : htons(PORT);
	struct sockaddr_in6 local = { AF_INET6, port, 0, *from };
	struct sockaddr_in6 peer = { AF_INET6, port, 0, *to };
	int fd = socket(AF_INET6, raw ? SOCK_RAW : SOCK_DGRAM, protocol);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, bind(fd, (void *)&local, sizeof(local)));
	ASSERT_EQ(0, connect(fd, (void *)&peer, sizeof(peer)));
	return fd;
}

FIXTURE_SETUP(messages)
{
	const char *netns = getenv("PEER_NETNS");
	int here = open("/proc/self/ns/net", O_RDONLY), there;

	if (variant->way.ring) {
		ASSERT_EQ(0, ring_open(&self->sends, variant->way.setup));
		ASSERT_EQ(0, ring_open(&self->receives, variant->way.setup));
	}
	read_pair(_metadata, "LOCAL", self->local);
	read_pair(_metadata, "PEER", self->peer);
	ASSERT_TRUE(!!netns);
	there = open(netns, O_RDONLY);
	ASSERT_LE(0, there);
	self->here = connected(_metadata, variant->way.protocol, &self->local[0], &self->peer[0]);
	ASSERT_EQ(0, setns(there, CLONE_NEWNET));
	self->there = connected(_metadata, variant->way.protocol, &self->peer[0], &self->local[0]);
	self->interface[0] = if_nametoindex("x");
	self->interface[1] = if_nametoindex("y");
	ASSERT_EQ(0, setns(here, CLONE_NEWNET));
	ASSERT_EQ(0, set_int(self, &variant->way, self->there, SHIM_LOC_LOCAL_RECV, 1));
	ASSERT_EQ(0, set_int(self, &variant->way, self->there, SHIM_LOC_PEER_RECV, 1));
	ASSERT_EQ(0, set_int(self, &variant->way, self->there, SHIM_IF_RECV, 1));
}

FIXTURE_TEARDOWN(messages)
{
	close(self->here);
	close(self->there);
	if (variant->way.ring) {
		close(self->sends.fd);
		close(self->receives.fd);
	}
}

/* One object, and the next. */
static struct cmsghdr *is_locator(struct __test_metadata *_metadata, struct msghdr *header,
				  struct cmsghdr *cmsg, int type, const struct in6_addr *addr)
{
	struct sockaddr_in6 want = { .sin6_family = AF_INET6, .sin6_addr = *addr };

	ASSERT_TRUE(!!cmsg);
	EXPECT_EQ(SOL_SHIM, cmsg->cmsg_level);
	EXPECT_EQ(type, cmsg->cmsg_type);
	ASSERT_EQ(CMSG_LEN(sizeof(want)), cmsg->cmsg_len);
	EXPECT_EQ(0, memcmp(CMSG_DATA(cmsg), &want, sizeof(want)));
	return CMSG_NXTHDR(header, cmsg);
}

/* That the message @number was received, and how it came. */
static void came(struct __test_metadata *_metadata, FIXTURE_DATA(messages) *self, struct message *m,
		 int got, int number, int local, int peer)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&m->header);

	ASSERT_LT(0, got);
	EXPECT_EQ(number, atoi(m->data));
	EXPECT_EQ(0, m->header.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
	cmsg = is_locator(_metadata, &m->header, cmsg, SHIM_LOC_LOCAL_RECV, &self->peer[peer]);
	cmsg = is_locator(_metadata, &m->header, cmsg, SHIM_LOC_PEER_RECV, &self->local[local]);
	ASSERT_TRUE(!!cmsg);
	EXPECT_EQ(SOL_SHIM, cmsg->cmsg_level);
	EXPECT_EQ(SHIM_IF_RECV, cmsg->cmsg_type);
	ASSERT_EQ(CMSG_LEN(sizeof(int)), cmsg->cmsg_len);
	EXPECT_EQ(self->interface[peer], *(int *)CMSG_DATA(cmsg));
	EXPECT_FALSE(!!CMSG_NXTHDR(&m->header, cmsg));
}

TEST_F_TIMEOUT(messages, each_goes_and_tells_its_way, LIMIT)
{
	struct message out, in;
	int i, got;

	for (i = 0; i < 3 * PAIRS; i++) {
		choose(self, &out, i);
		begin_receive(self, &variant->way, &in, sizeof(in.control), 0);
		ASSERT_EQ(out.payload.iov_len, send_message(self, &variant->way, &out, 0));
		got = end_receive(self, &variant->way, &in, 0);
		came(_metadata, self, &in, got, i, i % 2, i / 2 % 2);
	}
}

/* On one socket, and as the kernel likes: by many workers. */
TEST_F_TIMEOUT(messages, many_at_once, LIMIT)
{
	struct message out[4 * PAIRS], in;
	int seen = 0, i, got, number;

	for (i = 0; i < ARRAY_SIZE(out); i++) {
		choose(self, &out[i], i);
		if (variant->way.ring)
			begin_send(self, &variant->way, &out[i], 0);
		else
			ASSERT_LT(0, send_message(self, &variant->way, &out[i], 0));
	}
	if (variant->way.ring)
		ring_submit(&self->sends);
	for (i = 0; i < ARRAY_SIZE(out); i++) {
		if (variant->way.ring)
			EXPECT_LT(0, end_send(self));
		begin_receive(self, &variant->way, &in, sizeof(in.control), 0);
		got = end_receive(self, &variant->way, &in, 0);
		number = atoi(in.data);
		came(_metadata, self, &in, got, number, number % 2, number / 2 % 2);
		seen |= 1 << number;
	}
	EXPECT_EQ((1 << ARRAY_SIZE(out)) - 1, seen);
}

/* The extension that names an interface, and what only tells something. */
TEST_F_TIMEOUT(messages, other_objects, LIMIT)
{
	struct shim_feedback fine = { SHIM_FEEDBACK_OUTBOUND, SHIM_FEEDBACK_SATISFACTORY };
	int interface = if_nametoindex("y"), got;
	struct message out, in;

	say(&out, 1);
	object(&out, SHIM_IF_SEND, &interface, sizeof(interface));
	locator(&out, SHIM_LOC_PEER_SEND, &self->peer[1]);
	begin_receive(self, &variant->way, &in, sizeof(in.control), 0);
	ASSERT_EQ(1, send_message(self, &variant->way, &out, 0));
	got = end_receive(self, &variant->way, &in, 0);
	came(_metadata, self, &in, got, 1, 1, 1);

	say(&out, 2);
	object(&out, SHIM_FEEDBACK, &fine, sizeof(fine));
	begin_receive(self, &variant->way, &in, sizeof(in.control), 0);
	ASSERT_EQ(1, send_message(self, &variant->way, &out, 0));
	got = end_receive(self, &variant->way, &in, 0);
	came(_metadata, self, &in, got, 2, 0, 0);
}

/* A refused message is not sent. */
TEST_F_TIMEOUT(messages, errors, LIMIT)
{
	struct shim_feedback nothing = { 2, SHIM_FEEDBACK_UNABLE };
	struct in6_addr unknown = IN6ADDR_LOOPBACK_INIT;
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	int interface = 9999, got;
	struct message out, in;

	begin_receive(self, &variant->way, &in, sizeof(in.control), 0);
	say(&out, 1);
	locator(&out, SHIM_LOC_LOCAL_SEND, &self->peer[0]);
	EXPECT_EQ(-EINVALIDLOCATOR, send_message(self, &variant->way, &out, 0));
	say(&out, 2);
	locator(&out, SHIM_LOC_PEER_SEND, &unknown);
	EXPECT_EQ(-EINVALIDLOCATOR, send_message(self, &variant->way, &out, 0));
	say(&out, 3);
	object(&out, SHIM_LOC_LOCAL_SEND, &v4, sizeof(v4));
	EXPECT_EQ(-EINVALIDLOCATOR, send_message(self, &variant->way, &out, 0));
	say(&out, 4);
	object(&out, SHIM_LOC_LOCAL_SEND, &self->local[0], sizeof(self->local[0]));
	EXPECT_EQ(-EINVAL, send_message(self, &variant->way, &out, 0));
	say(&out, 5);
	locator(&out, SHIM_LOC_LOCAL_SEND, &self->local[0]);
	locator(&out, SHIM_LOC_LOCAL_SEND, &self->local[0]);
	EXPECT_EQ(-EINVAL, send_message(self, &variant->way, &out, 0));
	say(&out, 6);
	object(&out, SHIM_IF_SEND, &interface, sizeof(interface));
	EXPECT_EQ(-EINVALIDLOCATOR, send_message(self, &variant->way, &out, 0));
	say(&out, 7);
	object(&out, SHIM_FEEDBACK, &nothing, sizeof(nothing));
	EXPECT_EQ(-EINVAL, send_message(self, &variant->way, &out, 0));
	say(&out, 8);
	locator(&out, SHIM_LOC_LOCAL_RECV, &self->local[0]);
	EXPECT_EQ(-EINVAL, send_message(self, &variant->way, &out, 0));
	choose(self, &out, 9);
	EXPECT_EQ(-EOPNOTSUPP, send_message(self, &variant->way, &out, MSG_MORE));
	choose(self, &out, 10);
	EXPECT_EQ(2, send_message(self, &variant->way, &out, 0));
	got = end_receive(self, &variant->way, &in, 0);
	came(_metadata, self, &in, got, 10, 0, 1);
}

/* What there is no room for is missing, and that is said; to look does not take. */
TEST_F_TIMEOUT(messages, room_and_peek, LIMIT)
{
	size_t room = CMSG_SPACE(sizeof(struct sockaddr_in6));
	struct message out, in;
	struct cmsghdr *cmsg;
	int got;

	choose(self, &out, 3);
	ASSERT_EQ(1, send_message(self, &variant->way, &out, 0));
	begin_receive(self, &variant->way, &in, sizeof(in.control), MSG_PEEK);
	got = end_receive(self, &variant->way, &in, MSG_PEEK);
	came(_metadata, self, &in, got, 3, 1, 1);
	begin_receive(self, &variant->way, &in, room, 0);
	got = end_receive(self, &variant->way, &in, 0);
	EXPECT_EQ(1, got);
	EXPECT_EQ(MSG_CTRUNC, in.header.msg_flags & MSG_CTRUNC);
	cmsg = is_locator(_metadata, &in.header, CMSG_FIRSTHDR(&in.header), SHIM_LOC_LOCAL_RECV,
			  &self->peer[1]);
	EXPECT_FALSE(!!cmsg);

	choose(self, &out, 2);
	ASSERT_EQ(1, send_message(self, &variant->way, &out, 0));
	begin_receive(self, &variant->way, &in, 0, 0);
	EXPECT_EQ(1, end_receive(self, &variant->way, &in, 0));
	EXPECT_EQ(0, in.header.msg_controllen);
}

/* recvmmsg() */
static void receive_in_one_call(struct __test_metadata *_metadata, FIXTURE_DATA(messages) *self,
				const struct way *way)
{
	struct message out, in[PAIRS];
	struct mmsghdr all[PAIRS];
	int i;

	for (i = 0; i < PAIRS; i++) {
		choose(self, &out, i);
		ASSERT_EQ(1, send_message(self, way, &out, 0));
		memset(&in[i], 0, sizeof(in[i]));
		all[i].msg_hdr = *header_of(&in[i], sizeof(in[i].control));
	}
	ASSERT_EQ(PAIRS, recvmmsg(self->there, all, PAIRS, MSG_WAITALL, NULL));
	for (i = 0; i < PAIRS; i++) {
		in[i].header = all[i].msg_hdr;
		came(_metadata, self, &in[i], all[i].msg_len, i, i % 2, i / 2 % 2);
	}
}

#define BUFFER_SIZE 512

/* A buffer that the kernel chose: what it tells, addresses, ancillary data, the rest. */
static void open_buffer(struct __test_metadata *_metadata, const unsigned char *buffers,
			struct ring_result result, struct message *m)
{
	const unsigned char *at = buffers + (result.flags >> IORING_CQE_BUFFER_SHIFT) * BUFFER_SIZE;
	const struct io_uring_recvmsg_out *told = (const void *)at;

	ASSERT_LT(0, result.res);
	ASSERT_LE(told->controllen, sizeof(m->control));
	ASSERT_LE(told->payloadlen, sizeof(m->data));
	memset(m, 0, sizeof(*m));
	header_of(m, told->controllen);
	m->header.msg_flags = told->flags;
	at += sizeof(*told);
	memcpy(m->control, at, told->controllen);
	memcpy(m->data, at + sizeof(m->control), told->payloadlen);
}

/* One request, for which the kernel takes a buffer for each datagram. */
static void receive_by_one_request(struct __test_metadata *_metadata, FIXTURE_DATA(messages) *self,
				   const struct way *way)
{
	struct io_uring_sqe sqe = request(way, IORING_OP_PROVIDE_BUFFERS, PAIRS);
	unsigned char *buffers = calloc(PAIRS, BUFFER_SIZE);
	struct msghdr rooms = { .msg_controllen = sizeof(((struct message *)0)->control) };
	struct message out, in;
	int i;

	sqe.addr = (uintptr_t)buffers;
	sqe.len = BUFFER_SIZE;
	ring_queue(&self->receives, &sqe);
	ring_submit(&self->receives);
	ASSERT_EQ(0, ring_next(&self->receives).res);

	sqe = request(way, IORING_OP_RECVMSG, self->there);
	sqe.addr = (uintptr_t)&rooms;
	sqe.flags = IOSQE_BUFFER_SELECT;
	sqe.ioprio = IORING_RECV_MULTISHOT;
	ring_queue(&self->receives, &sqe);
	ring_submit(&self->receives);
	for (i = 0; i < PAIRS; i++) {
		choose(self, &out, i);
		ASSERT_EQ(1, send_message(self, way, &out, 0));
		open_buffer(_metadata, buffers, ring_next(&self->receives), &in);
		came(_metadata, self, &in, strlen(in.data), i, i % 2, i / 2 % 2);
	}
	free(buffers);
}

TEST_F_TIMEOUT(messages, one_call_for_all, LIMIT)
{
	if (variant->way.ring)
		receive_by_one_request(_metadata, self, &variant->way);
	else
		receive_in_one_call(_metadata, self, &variant->way);
}

/* It never has a context, and goes on as ever. */
TEST_F_TIMEOUT(messages, ipv4, LIMIT)
{
	struct sockaddr_in nobody = { AF_INET, htons(9), { htonl(INADDR_LOOPBACK) } };
	struct shim_feedback fine = { SHIM_FEEDBACK_INBOUND, SHIM_FEEDBACK_SATISFACTORY };
	int protocol = variant->way.protocol, here = self->here;
	struct message out;

	self->here = socket(AF_INET, protocol ? SOCK_RAW : SOCK_DGRAM, protocol);
	if (protocol)
		nobody.sin_port = 0;
	ASSERT_EQ(0, connect(self->here, (void *)&nobody, sizeof(nobody)));
	choose(self, &out, 1);
	EXPECT_EQ(-ENOENT, send_message(self, &variant->way, &out, 0));
	say(&out, 2);
	object(&out, SHIM_FEEDBACK, &fine, sizeof(fine));
	EXPECT_EQ(-ENOENT, send_message(self, &variant->way, &out, 0));
	say(&out, 3);
	EXPECT_EQ(1, send_message(self, &variant->way, &out, 0));
	close(self->here);
	self->here = here;
}

/* ---- datagrams that are put together, or cut */

/* Octets that wait for others go with them; what would choose for a part is refused. */
TEST_F_TIMEOUT(messages, corked, LIMIT)
{
	const int on = 1, off = 0;
	struct message out, in;
	int got;

	if (variant->way.protocol)
		return;
	ASSERT_EQ(0, setsockopt(self->here, SOL_UDP, UDP_CORK, &on, sizeof(on)));
	choose(self, &out, 3);
	EXPECT_EQ(-EOPNOTSUPP, send_message(self, &variant->way, &out, 0));
	ASSERT_EQ(0, setsockopt(self->here, SOL_UDP, UDP_CORK, &off, sizeof(off)));
	/* What is not copied would be lent as long as it waits. */
	if (variant->way.send == IORING_OP_SENDMSG_ZC)
		return;

	begin_receive(self, &variant->way, &in, sizeof(in.control), 0);
	say(&out, 1);
	ASSERT_EQ(1, send_message(self, &variant->way, &out, MSG_MORE));
	choose(self, &out, 3);
	EXPECT_EQ(-EOPNOTSUPP, send_message(self, &variant->way, &out, 0));
	say(&out, 2);
	ASSERT_EQ(1, send_message(self, &variant->way, &out, 0));
	got = end_receive(self, &variant->way, &in, 0);
	came(_metadata, self, &in, got, 12, 0, 0);
}

/* A call of segments of two octets each: @first, @first + 1, ... */
static void choose_segments(const FIXTURE_DATA(messages) *self, struct message *m, int way,
			    int first, int count)
{
	int i, len = 0;

	choose(self, m, way);
	for (i = 0; i < count; i++)
		len += snprintf(m->data + len, sizeof(m->data) - len, "%02d", first + i);
	m->payload.iov_len = len;
}

static void segment(struct __test_metadata *_metadata, FIXTURE_DATA(messages) *self)
{
	const int two = 2;

	ASSERT_EQ(0, setsockopt(self->here, SOL_UDP, UDP_SEGMENT, &two, sizeof(two)));
}

/* All segments of a call go its way. */
TEST_F_TIMEOUT(messages, segments, LIMIT)
{
	struct message out, in;
	int number = 10, way, i, got;

	if (variant->way.protocol)
		return;
	segment(_metadata, self);
	for (way = 0; way < PAIRS; way++) {
		choose_segments(self, &out, way, number, 3);
		ASSERT_EQ(6, send_message(self, &variant->way, &out, 0));
		for (i = 0; i < 3; i++) {
			begin_receive(self, &variant->way, &in, sizeof(in.control), 0);
			got = end_receive(self, &variant->way, &in, 0);
			came(_metadata, self, &in, got, number++, way % 2, way / 2 % 2);
		}
	}
}

/* UDP_GRO: the first object is not ours, and says how long the segments are. */
static void skip_size(struct __test_metadata *_metadata, struct message *m)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&m->header);
	size_t len;

	if (!cmsg || cmsg->cmsg_level != SOL_UDP)
		return;
	EXPECT_EQ(UDP_GRO, cmsg->cmsg_type);
	EXPECT_EQ(2, *(int *)CMSG_DATA(cmsg));
	len = CMSG_SPACE(sizeof(int));
	m->header.msg_controllen -= len;
	memmove(m->control, m->control + len, m->header.msg_controllen);
}

/* Datagrams that the kernel hands up as one came the same way, which that tells. */
TEST_F_TIMEOUT(messages, merged, LIMIT)
{
	struct message out, in;
	const int on = 1;
	int seen = 0, merged = 0, way, got;

	if (variant->way.protocol)
		return;
	segment(_metadata, self);
	ASSERT_EQ(0, setsockopt(self->there, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	for (way = 0; way < PAIRS; way++) {
		choose_segments(self, &out, way, 10 + 3 * way, 3);
		ASSERT_EQ(6, send_message(self, &variant->way, &out, 0));
	}
	while (seen < 3 * PAIRS) {
		begin_receive(self, &variant->way, &in, sizeof(in.control), 0);
		got = end_receive(self, &variant->way, &in, 0);
		ASSERT_LT(0, got);
		skip_size(_metadata, &in);
		way = seen / 3;
		/* None has segments of two calls. */
		ASSERT_GE(3, seen % 3 + got / 2);
		merged += got > 2;
		in.data[2] = 0;
		came(_metadata, self, &in, got, 10 + seen, way % 2, way / 2 % 2);
		seen += got / 2;
	}
	TH_LOG("%d of %d super-packets arrived as one", merged, PAIRS);
}

/* ---- ping sockets */

static int counter(const char *name)
{
	FILE *file = fopen("/proc/net/shim6", "r");
	int value = -1, number;
	char word[64];

	while (file && fscanf(file, "%63s %d", word, &number) == 2)
		if (!strcmp(word, name))
			value = number;
	if (file)
		fclose(file);
	return value;
}

/* The kernel of the peer answers, in the way that its context goes. */
TEST_F_TIMEOUT(messages, echo, LIMIT)
{
	int here = connected(_metadata, IPPROTO_ICMPV6, &self->local[0], &self->peer[0]);
	const unsigned char request[8] = { 128 };
	int chosen = counter("tx_chosen"), on = 1, type, got;
	struct message out, in;
	struct cmsghdr *cmsg;

	if (variant->way.ring)
		return;
	for (type = SHIM_LOC_LOCAL_RECV; type <= SHIM_LOC_PEER_RECV; type++)
		ASSERT_EQ(0, setsockopt(here, SOL_SHIM, type, &on, sizeof(on)));
	choose(self, &out, 3);
	memcpy(out.data, request, sizeof(request));
	out.payload.iov_len = sizeof(request);
	ASSERT_EQ(sizeof(request), sendmsg(here, &out.header, 0));
	EXPECT_EQ(chosen + 1, counter("tx_chosen"));
	memset(&in, 0, sizeof(in));
	got = recvmsg(here, header_of(&in, sizeof(in.control)), 0);
	ASSERT_EQ(sizeof(request), got);
	EXPECT_EQ(129, in.data[0] & 0xff);
	cmsg = is_locator(_metadata, &in.header, CMSG_FIRSTHDR(&in.header), SHIM_LOC_LOCAL_RECV,
			  &self->local[0]);
	cmsg = is_locator(_metadata, &in.header, cmsg, SHIM_LOC_PEER_RECV, &self->peer[0]);
	EXPECT_FALSE(!!cmsg);
	close(here);
}

/* Linux lets an io_uring get options of SOL_SOCKET only. */
TEST_F_TIMEOUT(messages, options, LIMIT)
{
	int value = -1, ret;

	EXPECT_EQ(-EINVAL, set_int(self, &variant->way, self->there, SHIM_LOC_LOCAL_RECV, 2));
	EXPECT_EQ(-EOPNOTSUPP, set_int(self, &variant->way, self->there, SHIM_ASSOCIATED, 1));
	EXPECT_EQ(-ENOPROTOOPT, set_int(self, &variant->way, self->there, 127, 1));
	EXPECT_EQ(0, set_int(self, &variant->way, self->here, SHIM_FEEDBACK_POSITIVE, 1));
	if (!variant->way.ring)
		return;
	ret = ring_option(self, &variant->way, SOCKET_URING_OP_GETSOCKOPT, self->there,
			  SHIM_LOC_LOCAL_RECV, &value);
	if (ret != -EOPNOTSUPP) {
		EXPECT_EQ(sizeof(value), ret);
		EXPECT_EQ(1, value);
	}
}

TEST_HARNESS_MAIN
