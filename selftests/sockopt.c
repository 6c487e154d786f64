// SPDX-License-Identifier: GPL-2.0
/*
 * SOL_SHIM options of sockets without a context: every option, set and get,
 * unconnected and connected, over TCP, UDP, raw and ping sockets of both
 * families, with buffers that fit, are too short, too long, empty or not there.
 * Pins return value, errno, written length and bytes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/shim.h>

#include "kselftest_harness.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

_Static_assert(sizeof(struct shim_locator) == 32, "shim_locator");
_Static_assert(sizeof(struct shim_pathexplore) == 12, "shim_pathexplore");
_Static_assert(sizeof(struct shim_feedback) == 4, "shim_feedback");

/* What an option answers: 0 or an errno, on (unconnected, connected) sockets. */
struct option {
	int name;
	int get[2];
	int set[2];
};

static const struct option options[] = {
	{ SHIM_ASSOCIATED, { EOPNOTSUPP, 0 }, { EOPNOTSUPP, EOPNOTSUPP } },
	{ SHIM_DONTSHIM, { 0, 0 }, { 0, EOPNOTSUPP } },
	{ SHIM_LOC_LOCAL_PREF, { EOPNOTSUPP, ENOENT }, { EOPNOTSUPP, ENOENT } },
	{ SHIM_LOC_PEER_PREF, { EOPNOTSUPP, ENOENT }, { EOPNOTSUPP, ENOENT } },
	{ SHIM_LOCLIST_LOCAL, { EOPNOTSUPP, ENOENT }, { EOPNOTSUPP, ENOENT } },
	{ SHIM_LOCLIST_PEER, { EOPNOTSUPP, ENOENT }, { EOPNOTSUPP, ENOENT } },
	{ SHIM_APP_TIMEOUT, { EOPNOTSUPP, ENOENT }, { EOPNOTSUPP, ENOENT } },
	{ SHIM_PATHEXPLORE, { EOPNOTSUPP, ENOENT }, { EOPNOTSUPP, ENOENT } },
	{ SHIM_CONTEXT_DEFERRED_SETUP, { EOPNOTSUPP, 0 }, { EOPNOTSUPP, EOPNOTSUPP } },
	{ SHIM_FEEDBACK_POSITIVE, { EOPNOTSUPP, EOPNOTSUPP }, { EOPNOTSUPP, ENOENT } },
	{ SHIM_FEEDBACK_NEGATIVE, { EOPNOTSUPP, EOPNOTSUPP }, { EOPNOTSUPP, ENOENT } },
	{ SHIM_HOT_STANDBY, { EOPNOTSUPP, ENOENT }, { EOPNOTSUPP, ENOENT } },
	{ SHIM_LOC_LOCAL_RECV, { EOPNOTSUPP, ENOENT }, { EOPNOTSUPP, ENOENT } },
	{ SHIM_LOC_PEER_RECV, { EOPNOTSUPP, ENOENT }, { EOPNOTSUPP, ENOENT } },
	{ SHIM_LOC_LOCAL_SEND, { EOPNOTSUPP, ENOENT }, { EOPNOTSUPP, ENOENT } },
	{ SHIM_LOC_PEER_SEND, { EOPNOTSUPP, ENOENT }, { EOPNOTSUPP, ENOENT } },
	{ SHIM_IF_RECV, { EOPNOTSUPP, ENOENT }, { EOPNOTSUPP, ENOENT } },
	{ SHIM_IF_SEND, { EOPNOTSUPP, ENOENT }, { EOPNOTSUPP, ENOENT } },
	{ 127, { ENOPROTOOPT, ENOPROTOOPT }, { ENOPROTOOPT, ENOPROTOOPT } },
	{ 147, { ENOPROTOOPT, ENOPROTOOPT }, { ENOPROTOOPT, ENOPROTOOPT } },
	{ -1, { ENOPROTOOPT, ENOPROTOOPT }, { ENOPROTOOPT, ENOPROTOOPT } },
};

FIXTURE(sol_shim)
{
	int fd[2];		/* unconnected, connected */
	int listener;
};

FIXTURE_VARIANT(sol_shim)
{
	int family;
	int type;
	int protocol;
	const char *peer;
};

FIXTURE_VARIANT_ADD(sol_shim, tcp6) { AF_INET6, SOCK_STREAM, 0, "::1" };
FIXTURE_VARIANT_ADD(sol_shim, udp6) { AF_INET6, SOCK_DGRAM, 0, "::1" };
FIXTURE_VARIANT_ADD(sol_shim, raw6) { AF_INET6, SOCK_RAW, 253, "::1" };
FIXTURE_VARIANT_ADD(sol_shim, tcp4) { AF_INET, SOCK_STREAM, 0, "127.0.0.1" };
FIXTURE_VARIANT_ADD(sol_shim, udp4) { AF_INET, SOCK_DGRAM, 0, "127.0.0.1" };
FIXTURE_VARIANT_ADD(sol_shim, raw4) { AF_INET, SOCK_RAW, 253, "127.0.0.1" };
FIXTURE_VARIANT_ADD(sol_shim, tcp_mapped) { AF_INET6, SOCK_STREAM, 0, "::ffff:127.0.0.1" };
FIXTURE_VARIANT_ADD(sol_shim, udp_mapped) { AF_INET6, SOCK_DGRAM, 0, "::ffff:127.0.0.1" };

static socklen_t address(int family, const char *text, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *v6 = (void *)ss;
	struct sockaddr_in *v4 = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = family;
	if (family == AF_INET6) {
		inet_pton(family, text, &v6->sin6_addr);
		return sizeof(*v6);
	}
	inet_pton(family, text, &v4->sin_addr);
	return sizeof(*v4);
}

FIXTURE_SETUP(sol_shim)
{
	struct sockaddr_storage ss;
	socklen_t len = address(variant->family, variant->peer, &ss);
	int i;

	self->listener = -1;
	for (i = 0; i < 2; i++) {
		self->fd[i] = socket(variant->family, variant->type, variant->protocol);
		ASSERT_LE(0, self->fd[i]);
	}
	if (variant->type == SOCK_STREAM) {
		self->listener = socket(variant->family, variant->type, 0);
		ASSERT_EQ(0, bind(self->listener, (void *)&ss, len));
		ASSERT_EQ(0, listen(self->listener, 1));
		ASSERT_EQ(0, getsockname(self->listener, (void *)&ss, &len));
	} else if (variant->type == SOCK_DGRAM) {
		((struct sockaddr_in *)&ss)->sin_port = htons(9);
	}
	ASSERT_EQ(0, connect(self->fd[1], (void *)&ss, len));
}

FIXTURE_TEARDOWN(sol_shim)
{
	close(self->fd[0]);
	close(self->fd[1]);
	if (self->listener >= 0)
		close(self->listener);
}

static int error_of(int ret)
{
	return ret ? errno : 0;
}

TEST_F(sol_shim, every_option_answers_as_the_rfc_says)
{
	struct shim_locator list[SHIM_MAX_LOCATORS];
	socklen_t len;
	int i, c, got, value;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		for (c = 0; c < 2; c++) {
			len = sizeof(list);
			got = error_of(getsockopt(self->fd[c], SOL_SHIM,
						  options[i].name, list, &len));
			EXPECT_EQ(options[i].get[c], got) {
				TH_LOG("get %d, connected %d", options[i].name, c);
			}
			value = 1;
			got = error_of(setsockopt(self->fd[c], SOL_SHIM,
						  options[i].name, &value,
						  sizeof(value)));
			EXPECT_EQ(options[i].set[c], got) {
				TH_LOG("set %d, connected %d", options[i].name, c);
			}
		}
	}
}

TEST_F(sol_shim, associated_is_zero_without_a_context)
{
	int value = -1;
	socklen_t len = sizeof(value);

	ASSERT_EQ(0, getsockopt(self->fd[1], SOL_SHIM, SHIM_ASSOCIATED, &value, &len));
	EXPECT_EQ(0, value);
	EXPECT_EQ(sizeof(value), len);
}

TEST_F(sol_shim, dontshim_is_kept)
{
	int value = 1;
	socklen_t len = sizeof(value);

	ASSERT_EQ(0, setsockopt(self->fd[0], SOL_SHIM, SHIM_DONTSHIM, &value, len));
	value = -1;
	ASSERT_EQ(0, getsockopt(self->fd[0], SOL_SHIM, SHIM_DONTSHIM, &value, &len));
	EXPECT_EQ(1, value);
	value = 0;
	ASSERT_EQ(0, setsockopt(self->fd[0], SOL_SHIM, SHIM_DONTSHIM, &value, len));
	value = -1;
	ASSERT_EQ(0, getsockopt(self->fd[0], SOL_SHIM, SHIM_DONTSHIM, &value, &len));
	EXPECT_EQ(0, value);
}

TEST_F(sol_shim, dontshim_is_a_boolean)
{
	int value;

	for (value = -1; value < 4; value += value ? 3 : 2) {
		EXPECT_EQ(-1, setsockopt(self->fd[0], SOL_SHIM, SHIM_DONTSHIM,
					 &value, sizeof(value)));
		EXPECT_EQ(EINVAL, errno);
	}
}

TEST_F(sol_shim, set_length)
{
	long long value = 1;
	int len;

	for (len = 0; len < sizeof(int); len++) {
		EXPECT_EQ(-1, setsockopt(self->fd[0], SOL_SHIM, SHIM_DONTSHIM, &value, len));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(0, setsockopt(self->fd[0], SOL_SHIM, SHIM_DONTSHIM, &value, sizeof(value)));
	EXPECT_EQ(-1, setsockopt(self->fd[0], SOL_SHIM, SHIM_DONTSHIM, NULL, sizeof(int)));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(sol_shim, get_length)
{
	unsigned char buf[8];
	socklen_t len;
	int room, i;

	for (room = 0; room <= sizeof(buf); room++) {
		int written = room < sizeof(int) ? room : sizeof(int);

		memset(buf, 0xa5, sizeof(buf));
		len = room;
		ASSERT_EQ(0, getsockopt(self->fd[1], SOL_SHIM, SHIM_ASSOCIATED, buf, &len));
		EXPECT_EQ(written, len);
		for (i = 0; i < sizeof(buf); i++)
			EXPECT_EQ(i < written ? 0 : 0xa5, buf[i]);
	}
	len = -1;
	EXPECT_EQ(-1, getsockopt(self->fd[1], SOL_SHIM, SHIM_ASSOCIATED, buf, &len));
	EXPECT_EQ(EINVAL, errno);
	len = sizeof(int);
	EXPECT_EQ(-1, getsockopt(self->fd[1], SOL_SHIM, SHIM_ASSOCIATED, NULL, &len));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, getsockopt(self->fd[1], SOL_SHIM, SHIM_ASSOCIATED, buf, NULL));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(sol_shim, other_levels_are_not_touched)
{
	int value = -1;
	socklen_t len = sizeof(value);

	EXPECT_EQ(-1, getsockopt(self->fd[0], SOL_SHIM + 1, SHIM_DONTSHIM, &value, &len));
	EXPECT_NE(0, errno);
	ASSERT_EQ(0, getsockopt(self->fd[0], SOL_SOCKET, SO_TYPE, &value, &len));
	EXPECT_EQ(variant->type, value);
}

TEST(mptcp_is_refused)
{
	int fd = socket(AF_INET6, SOCK_STREAM, IPPROTO_MPTCP), value = 1;

	if (fd < 0)
		SKIP(return, "this kernel has no MPTCP");
	EXPECT_EQ(-1, setsockopt(fd, SOL_SHIM, SHIM_DONTSHIM, &value, sizeof(value)));
	EXPECT_EQ(EOPNOTSUPP, errno);
	close(fd);
}

TEST(accepted_children_inherit_dontshim)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int listener = socket(AF_INET6, SOCK_STREAM, 0);
	int client = socket(AF_INET6, SOCK_STREAM, 0);
	socklen_t len = sizeof(sin6);
	int value = 1, child;

	ASSERT_EQ(0, setsockopt(listener, SOL_SHIM, SHIM_DONTSHIM, &value, sizeof(value)));
	ASSERT_EQ(0, bind(listener, (void *)&sin6, sizeof(sin6)));
	ASSERT_EQ(0, listen(listener, 1));
	ASSERT_EQ(0, getsockname(listener, (void *)&sin6, &len));
	ASSERT_EQ(0, connect(client, (void *)&sin6, sizeof(sin6)));
	child = accept(listener, NULL, NULL);
	ASSERT_LE(0, child);
	value = -1;
	len = sizeof(value);
	ASSERT_EQ(0, getsockopt(child, SOL_SHIM, SHIM_DONTSHIM, &value, &len));
	EXPECT_EQ(1, value);
	ASSERT_EQ(0, getsockopt(client, SOL_SHIM, SHIM_DONTSHIM, &value, &len));
	EXPECT_EQ(0, value);
	close(child);
	close(client);
	close(listener);
}

TEST_HARNESS_MAIN
