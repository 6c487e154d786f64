// SPDX-License-Identifier: GPL-2.0
/*
 * udpecho [-b | -s LOCATOR] HOST PORT
 *
 * Echoes datagrams and prints the locators that each of them came by, "none" before
 * there is a context. The first peer that sends something is the one it serves: the
 * sockets API is for connected sockets.
 *   -b          answer by the way the datagram came
 *   -s          answer from this locator
 */
#include "locators.h"

/* One received datagram. */
struct datagram {
	char data[65536];
	size_t len;
	struct locators came;
};

static void receive(int fd, struct datagram *got)
{
	char control[256];
	struct iovec iov = { got->data, sizeof(got->data) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(fd, &msg, 0);

	if (len < 0)
		err(1, "recvmsg");
	got->len = len;
	got->came.known = 0;
	told(&msg, &got->came);
}

static void put(struct msghdr *msg, struct cmsghdr **next, int type, const struct in6_addr *addr)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = *addr };
	struct cmsghdr *cmsg = *next;

	cmsg->cmsg_level = SOL_SHIM;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(sizeof(at));
	memcpy(CMSG_DATA(cmsg), &at, sizeof(at));
	msg->msg_controllen += CMSG_SPACE(sizeof(at));
	*next = (struct cmsghdr *)((char *)cmsg + CMSG_SPACE(sizeof(at)));
}

/*
 * Sends it back from @local to @peer, or where the context says when these are NULL.
 * Nothing is sent when that is not possible.
 */
static int answer(int fd, struct datagram *got, const struct in6_addr *local,
		  const struct in6_addr *peer)
{
	union {
		struct cmsghdr first;
		char room[2 * CMSG_SPACE(sizeof(struct sockaddr_in6))];
	} control = { .room = { 0 } };
	struct cmsghdr *next = &control.first;
	struct iovec iov = { got->data, got->len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (local)
		put(&msg, &next, SHIM_LOC_LOCAL_SEND, local);
	if (peer)
		put(&msg, &next, SHIM_LOC_PEER_SEND, peer);
	if (msg.msg_controllen)
		msg.msg_control = &control;
	return sendmsg(fd, &msg, 0) < 0 ? -1 : 0;
}

/* The first datagram tells who the peer is. */
static int serve(const char *host, const char *port)
{
	struct sockaddr_in6 at = address(host, port, SOCK_DGRAM), peer;
	socklen_t len = sizeof(peer);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		err(1, "bind to %s port %s", host, port);
	fprintf(stderr, "udpecho: ready\n");
	if (recvfrom(fd, NULL, 0, MSG_PEEK, (struct sockaddr *)&peer, &len) < 0)
		err(1, "recvfrom");
	if (connect(fd, (struct sockaddr *)&peer, len))
		err(1, "connect");
	return fd;
}

int main(int argc, char **argv)
{
	static struct datagram got;
	struct in6_addr chosen, *local = NULL, *peer = NULL;
	int letter, fd, back = 0, watching = 0;

	while ((letter = getopt(argc, argv, "bs:")) != -1) {
		if (letter == 's') {
			chosen = locator(optarg);
			local = &chosen;
		} else if (letter == 'b') {
			back = 1;
		} else {
			return 1;
		}
	}
	if (argc - optind != 2 || (back && local))
		errx(1, "usage: udpecho [-b | -s LOCATOR] HOST PORT");
	setlinebuf(stdout);
	fd = serve(argv[optind], argv[optind + 1]);
	for (;;) {
		watching = watching ||
			(now_or_later(switch_on(fd, SHIM_LOC_LOCAL_RECV), "SHIM_LOC_LOCAL_RECV") &&
			 now_or_later(switch_on(fd, SHIM_LOC_PEER_RECV), "SHIM_LOC_PEER_RECV"));
		receive(fd, &got);
		printf("%zu octets over %s\n", got.len, pair(&got.came));
		if (back) {
			int told_both = strcmp(pair(&got.came), "none") != 0;

			local = told_both ? &got.came.local : NULL;
			peer = told_both ? &got.came.peer : NULL;
		}
		if (answer(fd, &got, local, peer) && now_or_later(-1, "sendmsg") == 0)
			answer(fd, &got, NULL, NULL);
	}
}
