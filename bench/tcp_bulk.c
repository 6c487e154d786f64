// SPDX-License-Identifier: GPL-2.0
/*
 * tcp_bulk NETNS_A ADDR_A NETNS_B ADDR_B
 *
 * The price of one byte of a bulk TCP transfer: one process holds both ends,
 * writes until the socket is full, reads until it is empty, and so on. Prints
 * the median of ROUNDS rounds in nanoseconds of CLOCK_MONOTONIC_RAW per byte;
 * under `-icount shift=0` that is instructions per byte.
 */
#include "netns.h"

#define ROUNDS		11
#define PER_ROUND	(4 << 20)
#define CHUNK		(64 << 10)

static void connected_pair(char **argv, int *client, int *server)
{
	struct sockaddr_in6 to = address(argv[4], 9200);
	int listener = bound_socket(argv[3], SOCK_STREAM, argv[4], 9200);

	if (listen(listener, 1))
		die("listen");
	*client = bound_socket(argv[1], SOCK_STREAM, argv[2], 0);
	if (connect(*client, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	*server = accept(listener, NULL, NULL);
	if (*server < 0)
		die("accept");
	close(listener);
	fcntl(*client, F_SETFL, O_NONBLOCK);
	fcntl(*server, F_SETFL, O_NONBLOCK);
}

/* Moves @bytes from @client to @server. */
static void move_bytes(int client, int server, size_t bytes)
{
	static char data[CHUNK];
	size_t sent = 0;
	size_t received = 0;

	while (received < bytes) {
		size_t want = bytes - sent < CHUNK ? bytes - sent : CHUNK;
		ssize_t n = want ? send(client, data, want, MSG_NOSIGNAL) : 0;

		if (n < 0 && errno != EAGAIN)
			die("send");
		if (n > 0)
			sent += (size_t)n;
		for (;;) {
			n = recv(server, data, CHUNK, 0);
			if (n < 0 && errno == EAGAIN)
				break;
			if (n <= 0)
				die("recv");
			received += (size_t)n;
		}
	}
}

int main(int argc, char **argv)
{
	uint64_t rounds[ROUNDS];
	int client, server;

	if (argc != 5) {
		fprintf(stderr, "usage: %s NETNS_A ADDR_A NETNS_B ADDR_B\n", argv[0]);
		return 2;
	}
	connected_pair(argv, &client, &server);
	move_bytes(client, server, 2 * PER_ROUND);
	for (int r = 0; r < ROUNDS; r++) {
		uint64_t start = clock_now();

		move_bytes(client, server, PER_ROUND);
		rounds[r] = clock_now() - start;
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), by_value);
	printf("%.4f\n", (double)rounds[ROUNDS / 2] / PER_ROUND);
	return 0;
}
