/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the two measuring programs share: sockets inside named namespaces, and
 * the clock that under icount counts instructions (one a nanosecond).
 */
#ifndef SHIM6_BENCH_NETNS_H
#define SHIM6_BENCH_NETNS_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static inline uint64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* A namespace made by `ip netns add`. */
static void enter_netns(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

static struct sockaddr_in6 address(const char *text, uint16_t port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (inet_pton(AF_INET6, text, &a.sin6_addr) != 1) {
		fprintf(stderr, "not an IPv6 address: %s\n", text);
		exit(2);
	}
	return a;
}

/* A socket of @type in namespace @netns, bound to @local. */
static int bound_socket(const char *netns, int type, const char *local, uint16_t port)
{
	struct sockaddr_in6 a = address(local, port);
	int one = 1;
	int fd;

	enter_netns(netns);
	fd = socket(AF_INET6, type, 0);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die(local);
	return fd;
}

static inline int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

#endif /* SHIM6_BENCH_NETNS_H */
