// SPDX-License-Identifier: GPL-2.0
/*
 * shimcat [-l] [-s|-S LOCATOR] [-d|-D LOCATOR] HOST PORT
 *
 * A cat over TCP: standard input goes to the peer, what the peer sends to standard
 * output. Each time what is received comes over another pair of locators, a line on
 * standard error says so.
 *   -l          wait for one connection to HOST and PORT instead of making one
 *   -s -d       pin: use this source, this destination, whatever happens to them
 *   -S -D       prefer: use this source, this destination while they work
 */
#include <poll.h>
#include "locators.h"

#define RETRY_MS 100	/* how often to ask for what was too early */

/* What the user asked for on the command line. */
struct wish {
	char letter;
	int name;	/* of the option */
	const char *text;
	int done;
};

static struct wish wishes[] = {
	{ .letter = 'S', .name = SHIM_LOC_LOCAL_PREF },
	{ .letter = 'D', .name = SHIM_LOC_PEER_PREF },
	{ .letter = 's', .name = SHIM_LOC_LOCAL_SEND },
	{ .letter = 'd', .name = SHIM_LOC_PEER_SEND },
};

#define WISHES (sizeof(wishes) / sizeof(*wishes))

/* The wanted locator is liked more than all others: these get a higher number. */
static int prefer(int fd, int name, const struct in6_addr *wanted)
{
	int list_name = name == SHIM_LOC_LOCAL_PREF ? SHIM_LOCLIST_LOCAL : SHIM_LOCLIST_PEER;
	struct shim_locator list[SHIM_MAX_LOCATORS];
	socklen_t len = sizeof(list);
	size_t i;

	if (getsockopt(fd, SOL_SHIM, list_name, list, &len))
		return -1;
	for (i = 0; i < len / sizeof(*list); i++) {
		list[i].lc_prio = IN6_ARE_ADDR_EQUAL(&list[i].lc_addr, wanted) ? 0 : 1;
		if (option(fd, name, &list[i], sizeof(*list)))
			return -1;
	}
	return 0;
}

static int pin(int fd, int name, const struct in6_addr *wanted)
{
	struct shim_locator choice = { .lc_family = AF_INET6, .lc_addr = *wanted };

	return option(fd, name, &choice, sizeof(choice));
}

/* True when there is nothing left to ask for. */
static int ask(int fd)
{
	struct in6_addr wanted;
	size_t i, left = 0;
	int status;

	for (i = 0; i < WISHES; i++) {
		struct wish *wish = &wishes[i];

		if (!wish->text || wish->done)
			continue;
		wanted = locator(wish->text);
		if (wish->letter == 'S' || wish->letter == 'D')
			status = prefer(fd, wish->name, &wanted);
		else
			status = pin(fd, wish->name, &wanted);
		wish->done = now_or_later(status, wish->text);
		left += !wish->done;
	}
	return !left;
}

/* Both options, or it is too early. */
static int watch(int fd)
{
	return now_or_later(switch_on(fd, SHIM_LOC_LOCAL_RECV), "SHIM_LOC_LOCAL_RECV") &&
	       now_or_later(switch_on(fd, SHIM_LOC_PEER_RECV), "SHIM_LOC_PEER_RECV");
}

static int is_other(const struct locators *a, const struct locators *b)
{
	return !IN6_ARE_ADDR_EQUAL(&a->local, &b->local) ||
	       !IN6_ARE_ADDR_EQUAL(&a->peer, &b->peer);
}

static void write_all(const char *data, size_t len)
{
	while (len) {
		ssize_t written = write(STDOUT_FILENO, data, len);

		if (written < 0)
			err(1, "standard output");
		data += written;
		len -= written;
	}
}

/* The peer's octets to standard output; false when there are no more. */
static int from_peer(int fd, struct locators *last)
{
	static char data[1 << 16];
	char control[256];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct locators seen = { .known = 0 };
	ssize_t len = recvmsg(fd, &msg, 0);

	if (len < 0)
		err(1, "recvmsg");
	told(&msg, &seen);
	if (seen.known && is_other(&seen, last)) {
		fprintf(stderr, "shimcat: now received over %s\n", pair(&seen));
		*last = seen;
	}
	write_all(data, len);
	return len > 0;
}

/* Standard input to the peer; false when there is no more. */
static int to_peer(int fd)
{
	static char data[1 << 16];
	ssize_t len = read(STDIN_FILENO, data, sizeof(data));

	if (len < 0)
		err(1, "standard input");
	if (len && send(fd, data, len, MSG_NOSIGNAL) != len)
		err(1, "send");
	if (!len)
		shutdown(fd, SHUT_WR);
	return len > 0;
}

static void copy(int fd)
{
	struct pollfd polled[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	struct locators last = { .known = 0 };
	int watching = 0, asked = 0;

	while (polled[0].fd >= 0 || polled[1].fd >= 0) {
		watching = watching || watch(fd);
		asked = asked || ask(fd);
		if (poll(polled, 2, watching && asked ? -1 : RETRY_MS) < 0)
			err(1, "poll");
		if (polled[0].revents && !from_peer(fd, &last))
			polled[0].fd = -1;
		if (polled[1].revents && !to_peer(fd))
			polled[1].fd = -1;
	}
}

static int connected(const char *host, const char *port, int listens)
{
	struct sockaddr_in6 to = address(host, port, SOCK_STREAM);
	int on = 1, fd = socket(AF_INET6, SOCK_STREAM, 0), peer;

	if (fd < 0)
		err(1, "socket");
	if (!listens) {
		if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
			err(1, "connect to %s port %s", host, port);
		return fd;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) || listen(fd, 1))
		err(1, "listen at %s port %s", host, port);
	peer = accept(fd, NULL, NULL);
	if (peer < 0)
		err(1, "accept");
	close(fd);
	return peer;
}

int main(int argc, char **argv)
{
	int letter, listens = 0;
	size_t i;

	while ((letter = getopt(argc, argv, "ls:d:S:D:")) != -1) {
		if (letter == 'l')
			listens = 1;
		for (i = 0; i < WISHES; i++)
			if (wishes[i].letter == letter)
				wishes[i].text = optarg;
		if (letter == '?')
			return 1;
	}
	if (argc - optind != 2)
		errx(1, "usage: shimcat [-l] [-s|-S LOCATOR] [-d|-D LOCATOR] HOST PORT");
	for (i = 0; i < WISHES; i++)
		if (wishes[i].text)
			locator(wishes[i].text);
	copy(connected(argv[optind], argv[optind + 1], listens));
	return 0;
}
