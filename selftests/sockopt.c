// SPDX-License-Identifier: GPL-2.0
/*
 * SOL_SHIM options: each of them set and got, on unconnected sockets and on
 * connected ones without a context, with one and after it died, over TCP, UDP,
 * raw and ping sockets of both families; with buffers that fit, are too short,
 * too long, empty or not there, and with values that mean nothing. Pins return
 * value, errno, written length and octets. sockopt.sh runs it; in the environment are
 *  LOCAL, PEER: two locators of this host, on the interfaces x and y, and two of
 *   the peer, all of them reached before; the first ones are the identifiers of a
 *   context, and at port 7 of the peer somebody accepts;
 *  FORGET: a command that ends every context.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "sockopt.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define LIMIT 120	/* seconds, for the slowest kernel */

/* ---- one call */

/* Behind it there is nothing. */
static unsigned char *end_of_memory(void)
{
	static unsigned char *end;
	long page = sysconf(_SC_PAGESIZE);

	if (!end) {
		end = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		end += 2 * page;
		mprotect(end, page, PROT_NONE);
	}
	return end;
}

enum place { HERE, NOWHERE, HALF };	/* is the user's buffer */

struct case_of {
	int fd;
	const struct option *option;
	enum state state;
};

/* A getsockopt() with so much room, which gives an errno or a value. */
static void get_case(struct __test_metadata *_metadata, const struct case_of *c,
		     enum place place, int room, int error, const struct value *value)
{
	unsigned char buf[sizeof(value->octets)], want[sizeof(buf)], *at = buf;
	socklen_t len = room, written = 0;
	int ret;

	if (place == NOWHERE)
		at = NULL;
	else if (place == HALF)
		at = end_of_memory() - room / 2;
	memset(buf, 0xa5, sizeof(buf));
	errno = 0;
	ret = getsockopt(c->fd, SOL_SHIM, c->option->name, at, &len);
	EXPECT_EQ(error ? -1 : 0, ret);
	EXPECT_EQ(error, errno) {
		TH_LOG("get %s, state %d, place %d, room %d", c->option->label,
		       c->state, place, room);
	}
	if (!error)
		written = room < value->len ? room : value->len;
	EXPECT_EQ(error ? room : written, len) {
		TH_LOG("get %s, state %d, room %d", c->option->label, c->state, room);
	}
	if (place != HERE)
		return;
	memset(want, 0xa5, sizeof(want));
	memcpy(want, value->octets, written);
	EXPECT_EQ(0, memcmp(want, buf, sizeof(buf))) {
		TH_LOG("get %s, state %d, room %d: other octets", c->option->label,
		       c->state, room);
	}
}

/* A setsockopt() with so many octets of a value. */
static void set_case(struct __test_metadata *_metadata, const struct case_of *c,
		     enum place place, int len, int error, const struct value *value)
{
	socklen_t there = len < 0 || len > value->len ? value->len : len;
	unsigned char *at = end_of_memory() - (place == HALF ? there / 2 : there);
	int ret;

	memcpy(at, value->octets, place == HALF ? there / 2 : there);
	errno = 0;
	ret = setsockopt(c->fd, SOL_SHIM, c->option->name, place == NOWHERE ? NULL : at, len);
	EXPECT_EQ(error ? -1 : 0, ret);
	EXPECT_EQ(error, errno) {
		TH_LOG("set %s, state %d, place %d, len %d of %d (%02x %02x %02x %02x ...)",
		       c->option->label, c->state, place, len, value->len,
		       value->octets[0], value->octets[1], value->octets[2], value->octets[3]);
	}
}

/* ---- all calls of an option */

static void get_cases(struct __test_metadata *_metadata, const struct case_of *c, bool dontshim)
{
	struct value value = initial(c->option, c->state, dontshim);
	int error = c->option->get[c->state], shorter = 0, room;

	/* "when the size of the buffer [...] is not large enough" (section 6.10) */
	if (c->option->form == LIST)
		shorter = ETOOMANYLOCATORS;
	for (room = 0; room < value.len; room++)
		get_case(_metadata, c, HERE, room, error ?: shorter, &value);
	get_case(_metadata, c, HERE, value.len, error, &value);
	get_case(_metadata, c, HERE, value.len + 1, error, &value);
	get_case(_metadata, c, HERE, sizeof(value.octets), error, &value);
	get_case(_metadata, c, NOWHERE, 0, error ?: shorter, &value);
	get_case(_metadata, c, NOWHERE, value.len, error ?: EFAULT, &value);
	get_case(_metadata, c, HALF, value.len, error ?: EFAULT, &value);
	get_case(_metadata, c, HERE, -1, EINVAL, &value);
	get_case(_metadata, c, HERE, INT_MIN, EINVAL, &value);
	EXPECT_EQ(-1, getsockopt(c->fd, SOL_SHIM, c->option->name, &value, NULL));
	EXPECT_EQ(EFAULT, errno);
}

/* With so many octets of a good value. */
static void set_lengths(struct __test_metadata *_metadata, const struct case_of *c, int error,
			const struct value *value)
{
	int len = value->len, more = INT_MAX - INT_MAX % sizeof(struct shim_locator);
	bool list = c->option->form == LIST;

	set_case(_metadata, c, HERE, len, error, value);
	set_case(_metadata, c, HERE, len + 1, error ?: list ? EINVAL : 0, value);
	set_case(_metadata, c, HERE, more, error ?: list ? ETOOMANYLOCATORS : 0, value);
	set_case(_metadata, c, HERE, INT_MAX, error ?: list ? EINVAL : 0, value);
	set_case(_metadata, c, NOWHERE, len, error ?: EFAULT, value);
	set_case(_metadata, c, NOWHERE, 0, error ?: EINVAL, value);
	set_case(_metadata, c, HALF, len, error ?: EFAULT, value);
	set_case(_metadata, c, HERE, -1, EINVAL, value);
	set_case(_metadata, c, HERE, INT_MIN, EINVAL, value);
	for (len = 0; len < value->len; len++)
		if (!list || len % sizeof(struct shim_locator) || !len)
			set_case(_metadata, c, HERE, len, error ?: EINVAL, value);
}

static void set_cases(struct __test_metadata *_metadata, const struct case_of *c, bool dontshim)
{
	struct value first = initial(c->option, c->state, dontshim), bad[32];
	int error = c->option->set[c->state], n, i;
	bool gets = !c->option->get[c->state];
	struct good good[3];

	n = good_values(c->option, good);
	for (i = 0; i < n; i++) {
		set_lengths(_metadata, c, error, &good[i].set);
		if (!gets)
			continue;
		/* Of those only one was right. */
		get_case(_metadata, c, HERE, sizeof(first.octets), 0,
			 error ? &first : &good[i].get);
	}
	n = bad_values(c->option, bad);
	for (i = 0; i < n; i++) {
		set_case(_metadata, c, HERE, bad[i].len, error ?: bad[i].error, &bad[i]);
		if (gets)
			get_case(_metadata, c, HERE, sizeof(first.octets), 0, &first);
	}
}

static struct value many(enum side side, int count, int different)
{
	struct value v = {};
	int i;

	for (i = 0; i < count; i++)
		v = and_locator(v, asked_one(side, i % different, 0, 0));
	return v;
}

/* One more than can be is not the same as what cannot be, nor is it what can. */
static void limit_of_list(struct __test_metadata *_metadata, const struct case_of *c)
{
	struct value v = many(side_of(c->option), SHIM_MAX_LOCATORS + 1, 2);
	struct value all = initial(c->option, CONTEXT, false);

	set_case(_metadata, c, HERE, v.len, ETOOMANYLOCATORS, &v);
	set_case(_metadata, c, HERE, v.len - 1, EINVAL, &v);
	v.len -= sizeof(v.list[0]);
	set_case(_metadata, c, HERE, v.len, 0, &v);
	get_case(_metadata, c, HERE, sizeof(v.octets), 0, &all);
}

/* What is named again takes no room from what may be added. */
static void list_of_one(struct __test_metadata *_metadata, const struct case_of *c)
{
	struct value v = many(LOCAL, SHIM_MAX_LOCATORS, 1);
	struct value one = locator(told_one(LOCAL, 0, 0, 0));
	struct value all = initial(c->option, CONTEXT, false);
	struct shim_locator other = asked_one(LOCAL, 1, 0, 0);

	set_case(_metadata, c, HERE, v.len, 0, &v);
	get_case(_metadata, c, HERE, sizeof(v.octets), 0, &one);
	EXPECT_EQ(0, setsockopt(c->fd, SOL_SHIM, SHIM_LOC_LOCAL_PREF, &other, sizeof(other))) {
		TH_LOG("errno %d", errno);
	}
	get_case(_metadata, c, HERE, sizeof(v.octets), 0, &all);
}

/* "memset(locators, 0, sizeof(locators))", and of all that two are filled (section 6.10). */
static void room_behind_list(struct __test_metadata *_metadata, const struct case_of *c)
{
	struct value all = initial(c->option, CONTEXT, false);
	struct value v = many(side_of(c->option), 2, 2), none = {};

	none.len = SHIM_MAX_LOCATORS * sizeof(v.list[0]);
	v.len = none.len;
	set_case(_metadata, c, HERE, v.len, 0, &v);
	get_case(_metadata, c, HERE, sizeof(v.octets), 0, &all);
	v.list[2] = v.list[1];
	memset(&v.list[1], 0, sizeof(v.list[1]));
	set_case(_metadata, c, HERE, v.len, EINVAL, &v);
	set_case(_metadata, c, HERE, none.len, EINVAL, &none);
	get_case(_metadata, c, HERE, sizeof(v.octets), 0, &all);
}

static void every_option(struct __test_metadata *_metadata, int fd, enum state state,
			 bool dontshim)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		struct case_of c = { fd, &options[i], state };

		get_cases(_metadata, &c, dontshim);
		set_cases(_metadata, &c, dontshim);
		if (state == CONTEXT && c.option->form == LIST && !c.option->set[state]) {
			limit_of_list(_metadata, &c);
			room_behind_list(_metadata, &c);
		}
		if (state == CONTEXT && c.option->name == SHIM_LOCLIST_LOCAL)
			list_of_one(_metadata, &c);
	}
}

/* ---- sockets */

struct kind {
	int family;
	int type;
	int protocol;
	const char *peer;	/* NULL: PEER */
	bool dontshim;
	bool forked;		/* its context is its own */
};

#define TCP6 { AF_INET6, SOCK_STREAM, 0 }
#define UDP6 { AF_INET6, SOCK_DGRAM, 0 }
#define RAW6 { AF_INET6, SOCK_RAW, 253 }
#define PING6 { AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6 }
#define FORKED { AF_INET6, SOCK_DGRAM, 0, .forked = true }
#define DONTSHIM { AF_INET6, SOCK_DGRAM, 0, .dontshim = true }
#define ALONE(family, type, protocol, peer) { family, type, protocol, peer }

static const struct kind all_kinds[] = {
	TCP6, UDP6, RAW6, PING6, FORKED, DONTSHIM,
	ALONE(AF_INET, SOCK_DGRAM, 0, "127.0.0.1"),
	ALONE(AF_INET6, SOCK_RAW, 253, "::ffff:127.0.0.1"),
};

static socklen_t address(int family, const char *text, int port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *v6 = (void *)ss;
	struct sockaddr_in *v4 = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = family;
	v4->sin_port = htons(port);
	if (family == AF_INET6) {
		inet_pton(family, text, &v6->sin6_addr);
		return sizeof(*v6);
	}
	inet_pton(family, text, &v4->sin_addr);
	return sizeof(*v4);
}

static int unconnected(struct __test_metadata *_metadata, const struct kind *k)
{
	int fd = socket(k->family, k->type, k->protocol), value = 1;

	ASSERT_LE(0, fd);
	if (k->dontshim)
		ASSERT_EQ(0, setsockopt(fd, SOL_SHIM, SHIM_DONTSHIM, &value, sizeof(value)));
	return fd;
}

/* The address of a listener, which stays until the test ends. */
static void listener(struct __test_metadata *_metadata, const struct kind *k,
		    struct sockaddr_storage *ss, socklen_t len)
{
	int fd = socket(k->family, k->type, k->protocol);

	((struct sockaddr_in *)ss)->sin_port = 0;
	ASSERT_EQ(0, bind(fd, (void *)ss, len));
	ASSERT_EQ(0, listen(fd, 1));
	ASSERT_EQ(0, getsockname(fd, (void *)ss, &len));
}

static int connected_alone(struct __test_metadata *_metadata, const struct kind *k)
{
	int fd = unconnected(_metadata, k);
	struct sockaddr_storage ss;
	socklen_t len = address(k->family, k->peer, k->type == SOCK_RAW ? 0 : 9, &ss);

	if (k->type == SOCK_STREAM)
		listener(_metadata, k, &ss, len);
	ASSERT_EQ(0, connect(fd, (void *)&ss, len));
	return fd;
}

static void fork_context(struct __test_metadata *_metadata, const struct kind *k, int fd);

static int connected(struct __test_metadata *_metadata, const struct kind *k)
{
	struct sockaddr_in6 local = { AF_INET6 }, peer = { AF_INET6 };
	int fd;

	if (k->peer)
		return connected_alone(_metadata, k);
	fd = unconnected(_metadata, k);
	local.sin6_addr = locators[LOCAL][0];
	peer.sin6_addr = locators[PEER][0];
	peer.sin6_port = htons(k->type == SOCK_RAW ? 0 : 7);
	ASSERT_EQ(0, bind(fd, (void *)&local, sizeof(local)));
	ASSERT_EQ(0, connect(fd, (void *)&peer, sizeof(peer)));
	if (k->forked)
		fork_context(_metadata, k, fd);
	return fd;
}

static int get_int(int fd, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SHIM, name, &value, &len) ? -errno : value;
}

static int set_int(int fd, int name, int value)
{
	return setsockopt(fd, SOL_SHIM, name, &value, sizeof(value)) ? -errno : 0;
}

/* Two sockets with different wishes; the other one stays until the test ends. */
static void fork_context(struct __test_metadata *_metadata, const struct kind *k, int fd)
{
	struct kind plain = *k;
	int other;

	plain.forked = false;
	other = connected(_metadata, &plain);
	ASSERT_EQ(0, set_int(other, SHIM_APP_TIMEOUT, 1000));
	ASSERT_EQ(0, set_int(fd, SHIM_APP_TIMEOUT, 1001));
	ASSERT_EQ(0, set_int(fd, SHIM_APP_TIMEOUT, 0));
	ASSERT_EQ(0, get_int(fd, SHIM_APP_TIMEOUT));
	ASSERT_EQ(1000, get_int(other, SHIM_APP_TIMEOUT));
	instance = get_int(fd, SHIM_FII);
	ASSERT_NE(0, instance);
	ASSERT_EQ(0, get_int(other, SHIM_FII));
}

static enum state state_with(const struct kind *k)
{
	return k->peer || k->dontshim ? NO_CONTEXT : CONTEXT;
}

static void read_environment(struct __test_metadata *_metadata)
{
	const char *names[] = { "LOCAL", "PEER" };
	char a[64], b[64];
	int i;

	for (i = 0; i < 2; i++) {
		const char *text = getenv(names[i]);

		ASSERT_TRUE(!!text);
		ASSERT_EQ(2, sscanf(text, "%63s %63s", a, b));
		ASSERT_EQ(1, inet_pton(AF_INET6, a, &locators[i][0]));
		ASSERT_EQ(1, inet_pton(AF_INET6, b, &locators[i][1]));
	}
}

/* ---- without a context */

FIXTURE(without_context)
{
	int fd[2];		/* unconnected, connected */
};

FIXTURE_VARIANT(without_context)
{
	struct kind kind;
};

#define VARIANT(name, ...) \
	FIXTURE_VARIANT_ADD(without_context, name) { ALONE(__VA_ARGS__) }
VARIANT(tcp6, AF_INET6, SOCK_STREAM, 0, "::1");
VARIANT(udp6, AF_INET6, SOCK_DGRAM, 0, "::1");
VARIANT(raw6, AF_INET6, SOCK_RAW, 253, "::1");
VARIANT(ping6, AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, "::1");
VARIANT(tcp4, AF_INET, SOCK_STREAM, 0, "127.0.0.1");
VARIANT(udp4, AF_INET, SOCK_DGRAM, 0, "127.0.0.1");
VARIANT(raw4, AF_INET, SOCK_RAW, 253, "127.0.0.1");
VARIANT(ping4, AF_INET, SOCK_DGRAM, IPPROTO_ICMP, "127.0.0.1");
VARIANT(tcp_mapped, AF_INET6, SOCK_STREAM, 0, "::ffff:127.0.0.1");
VARIANT(udp_mapped, AF_INET6, SOCK_DGRAM, 0, "::ffff:127.0.0.1");

FIXTURE_SETUP(without_context)
{
	read_environment(_metadata);
	self->fd[UNCONNECTED] = unconnected(_metadata, &variant->kind);
	self->fd[NO_CONTEXT] = connected(_metadata, &variant->kind);
}

FIXTURE_TEARDOWN(without_context)
{
	close(self->fd[UNCONNECTED]);
	close(self->fd[NO_CONTEXT]);
}

TEST_F_TIMEOUT(without_context, every_option_answers_as_the_rfc_says, LIMIT)
{
	every_option(_metadata, self->fd[UNCONNECTED], UNCONNECTED, false);
	every_option(_metadata, self->fd[NO_CONTEXT], NO_CONTEXT, false);
}

TEST_F(without_context, other_levels_are_not_touched)
{
	int value = -1;
	socklen_t len = sizeof(value);

	EXPECT_EQ(-1, getsockopt(self->fd[0], SOL_SHIM + 1, SHIM_DONTSHIM, &value, &len));
	EXPECT_NE(0, errno);
	ASSERT_EQ(0, getsockopt(self->fd[0], SOL_SOCKET, SO_TYPE, &value, &len));
	EXPECT_EQ(variant->kind.type, value);
}

FIXTURE(tcp)
{
	int listener;
	int fd;
};

FIXTURE_SETUP(tcp)
{
	read_environment(_metadata);
	self->listener = socket(AF_INET6, SOCK_STREAM, 0);
	self->fd = socket(AF_INET6, SOCK_STREAM, 0);
	ASSERT_LE(0, self->listener);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(tcp)
{
	close(self->listener);
	close(self->fd);
}

TEST(mptcp_is_refused)
{
	int fd = socket(AF_INET6, SOCK_STREAM, IPPROTO_MPTCP);

	if (fd < 0)
		SKIP(return, "this kernel has no MPTCP");
	EXPECT_EQ(-EOPNOTSUPP, set_int(fd, SHIM_DONTSHIM, 1));
	close(fd);
}

TEST(sctp_is_refused)
{
	const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };
	int i, fd;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		fd = socket(AF_INET6, types[i], IPPROTO_SCTP);
		if (fd < 0)
			SKIP(return, "this kernel has no SCTP");
		EXPECT_EQ(-EOPNOTSUPP, set_int(fd, SHIM_DONTSHIM, 1));
		EXPECT_EQ(-EOPNOTSUPP, get_int(fd, SHIM_ASSOCIATED));
		close(fd);
	}
}

/* "A TCP socket becomes a connected socket when the TCP connection establishment is
 * completed" (section 3), and one that was reset is none any more.
 */
TEST_F_TIMEOUT(tcp, is_unconnected_before_and_after, LIMIT)
{
	struct sockaddr_storage ss;
	socklen_t len = address(AF_INET6, "::1", 0, &ss);
	struct linger reset = { 1, 0 };
	int accepted;

	ASSERT_EQ(0, bind(self->listener, (void *)&ss, len));
	ASSERT_EQ(0, listen(self->listener, 1));
	every_option(_metadata, self->listener, UNCONNECTED, false);
	ASSERT_EQ(0, getsockname(self->listener, (void *)&ss, &len));
	ASSERT_EQ(0, connect(self->fd, (void *)&ss, len));
	accepted = accept(self->listener, NULL, NULL);
	ASSERT_LE(0, accepted);
	every_option(_metadata, accepted, NO_CONTEXT, false);
	ASSERT_EQ(0, shutdown(self->fd, SHUT_WR));
	every_option(_metadata, self->fd, NO_CONTEXT, false);
	ASSERT_EQ(0, setsockopt(accepted, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)));
	close(accepted);
	every_option(_metadata, self->fd, UNCONNECTED, false);
}

/* Until then the socket may still be told to go without the shim. */
TEST_F_TIMEOUT(tcp, is_unconnected_while_it_connects, LIMIT)
{
	struct sockaddr_in6 nobody = { AF_INET6, htons(9) };

	/* An address of the peer's link that no host has. */
	nobody.sin6_addr = locators[PEER][0];
	memset(nobody.sin6_addr.s6_addr + 8, 0xdd, 8);
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(-1, connect(self->fd, (void *)&nobody, sizeof(nobody)));
	ASSERT_EQ(EINPROGRESS, errno);
	every_option(_metadata, self->fd, UNCONNECTED, false);
}

TEST(accepted_children_inherit_dontshim)
{
	struct kind k = { AF_INET6, SOCK_STREAM, 0, .dontshim = true };
	int client = socket(AF_INET6, SOCK_STREAM, 0);
	int listener = unconnected(_metadata, &k), child;
	struct sockaddr_storage ss;
	socklen_t len = address(AF_INET6, "::1", 0, &ss);

	ASSERT_EQ(0, bind(listener, (void *)&ss, len));
	ASSERT_EQ(0, listen(listener, 1));
	ASSERT_EQ(0, getsockname(listener, (void *)&ss, &len));
	ASSERT_EQ(0, connect(client, (void *)&ss, len));
	child = accept(listener, NULL, NULL);
	ASSERT_LE(0, child);
	EXPECT_EQ(1, get_int(child, SHIM_DONTSHIM));
	EXPECT_EQ(0, get_int(client, SHIM_DONTSHIM));
	close(child);
	close(client);
	close(listener);
}

/* ---- with a context */

FIXTURE(with_context)
{
	int fd[2];		/* unconnected, connected */
};

FIXTURE_VARIANT(with_context)
{
	struct kind kind;
};

#undef VARIANT
#define VARIANT(name, ...) FIXTURE_VARIANT_ADD(with_context, name) { __VA_ARGS__ }
VARIANT(tcp6, TCP6);
VARIANT(udp6, UDP6);
VARIANT(raw6, RAW6);
VARIANT(ping6, PING6);
VARIANT(forked, FORKED);
VARIANT(dontshim, DONTSHIM);
VARIANT(tcp4, ALONE(AF_INET, SOCK_STREAM, 0, "127.0.0.1"));
VARIANT(udp_mapped, ALONE(AF_INET6, SOCK_DGRAM, 0, "::ffff:127.0.0.1"));

FIXTURE_SETUP(with_context)
{
	read_environment(_metadata);
	self->fd[0] = unconnected(_metadata, &variant->kind);
	self->fd[1] = connected(_metadata, &variant->kind);
}

FIXTURE_TEARDOWN(with_context)
{
	close(self->fd[0]);
	close(self->fd[1]);
}

TEST_F_TIMEOUT(with_context, every_option_answers_as_the_rfc_says, LIMIT)
{
	enum state state = state_with(&variant->kind);
	bool dontshim = variant->kind.dontshim;

	if (!dontshim)
		every_option(_metadata, self->fd[0], UNCONNECTED, false);
	every_option(_metadata, self->fd[1], state, dontshim);
}

/* ---- after it died */

/* What a socket may remember when its context is gone. */
static void use(struct __test_metadata *_metadata, int fd)
{
	struct shim_locator local = asked_one(LOCAL, 0, 0, 0), peer = asked_one(PEER, 0, 0, 0);

	ASSERT_EQ(1, get_int(fd, SHIM_ASSOCIATED));
	ASSERT_EQ(0, set_int(fd, SHIM_LOC_LOCAL_RECV, 1));
	ASSERT_EQ(0, set_int(fd, SHIM_LOC_PEER_RECV, 1));
	ASSERT_EQ(0, set_int(fd, SHIM_IF_RECV, 1));
	ASSERT_EQ(0, setsockopt(fd, SOL_SHIM, SHIM_LOC_LOCAL_SEND, &local, sizeof(local)));
	ASSERT_EQ(0, setsockopt(fd, SOL_SHIM, SHIM_LOC_PEER_SEND, &peer, sizeof(peer)));
	ASSERT_EQ(0, set_int(fd, SHIM_HOT_STANDBY, 1));
}

FIXTURE(after_context)
{
	int fd[ARRAY_SIZE(all_kinds)];
};

FIXTURE_SETUP(after_context)
{
	int i;

	read_environment(_metadata);
	for (i = 0; i < ARRAY_SIZE(all_kinds); i++) {
		self->fd[i] = connected(_metadata, &all_kinds[i]);
		if (state_with(&all_kinds[i]) == CONTEXT)
			use(_metadata, self->fd[i]);
	}
	ASSERT_TRUE(!!getenv("FORGET"));
	ASSERT_EQ(0, system(getenv("FORGET")));
}

FIXTURE_TEARDOWN(after_context)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(all_kinds); i++)
		close(self->fd[i]);
}

TEST_F_TIMEOUT(after_context, every_option_answers_as_the_rfc_says, LIMIT)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(all_kinds); i++) {
		every_option(_metadata, self->fd[i], NO_CONTEXT, all_kinds[i].dontshim);
		ASSERT_TRUE(__test_passed(_metadata)) {
			TH_LOG("socket %d of all kinds", i);
		}
	}
}

TEST_HARNESS_MAIN
