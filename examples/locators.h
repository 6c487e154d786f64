/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the examples share: locators as people and as the API write them, and how to
 * ask for something before there is a context.
 */
#ifndef _EXAMPLES_LOCATORS_H
#define _EXAMPLES_LOCATORS_H

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/shim.h>
#include <shim_strerror.h>

/* Where the last packet came from, and where to; zeros without a context. */
struct locators {
	struct in6_addr local;
	struct in6_addr peer;
	int known;
};

static inline struct sockaddr_in6 address(const char *host, const char *port, int socktype)
{
	struct addrinfo hints = { .ai_family = AF_INET6, .ai_socktype = socktype };
	struct sockaddr_in6 found;
	struct addrinfo *ai;
	int error = getaddrinfo(host, port, &hints, &ai);

	if (error)
		errx(1, "%s port %s: %s", host, port, gai_strerror(error));
	memcpy(&found, ai->ai_addr, sizeof(found));
	freeaddrinfo(ai);
	return found;
}

static inline struct in6_addr locator(const char *text)
{
	struct in6_addr addr;

	if (inet_pton(AF_INET6, text, &addr) != 1)
		errx(1, "'%s' is not an IPv6 address", text);
	return addr;
}

static inline int option(int fd, int name, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_SHIM, name, value, len);
}

static inline int switch_on(int fd, int name)
{
	int on = 1;

	return option(fd, name, &on, sizeof(on));
}

/*
 * Contexts are set up while data flows (SHIM_CONTEXT_DEFERRED_SETUP), and locators are
 * tried when somebody asks for them: what fails for this reason may succeed soon.
 */
static inline int is_early(int error)
{
	return error == ENOENT || error == EUNVERIFIEDLOCATOR || error == EAGAIN;
}

/* 1: done; 0: too early; all else is said, and the end. */
static inline int now_or_later(int status, const char *what)
{
	if (!status)
		return 1;
	if (errno == ENOPROTOOPT)
		errx(1, "%s: there is no shim here, the module shim6 is not loaded", what);
	if (!is_early(errno))
		errx(1, "%s: %s", what, shim_strerror(errno));
	return 0;
}

/* The locators recvmsg() told, if it did. */
static inline void told(struct msghdr *msg, struct locators *seen)
{
	struct cmsghdr *cmsg;
	struct sockaddr_in6 at;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SHIM || cmsg->cmsg_len < CMSG_LEN(sizeof(at)))
			continue;
		memcpy(&at, CMSG_DATA(cmsg), sizeof(at));
		seen->known = 1;
		if (cmsg->cmsg_type == SHIM_LOC_LOCAL_RECV)
			seen->local = at.sin6_addr;
		else if (cmsg->cmsg_type == SHIM_LOC_PEER_RECV)
			seen->peer = at.sin6_addr;
	}
}

/* Both in one line, "none" when the packet was not one of a context. */
static inline const char *pair(const struct locators *seen)
{
	static char text[2 * INET6_ADDRSTRLEN + 8];
	char local[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN];

	if (!seen->known || IN6_IS_ADDR_UNSPECIFIED(&seen->peer))
		return "none";
	inet_ntop(AF_INET6, &seen->local, local, sizeof(local));
	inet_ntop(AF_INET6, &seen->peer, peer, sizeof(peer));
	snprintf(text, sizeof(text), "%s -> %s", peer, local);
	return text;
}

#endif /* _EXAMPLES_LOCATORS_H */
