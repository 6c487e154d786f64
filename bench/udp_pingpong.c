// SPDX-License-Identifier: GPL-2.0
/*
 * udp_pingpong NETNS_A ADDR_A NETNS_B ADDR_B [PAIRS_FILE]
 *
 * The price of one 64-byte datagram, sent and received: one process holds both
 * ends, so that on one CPU everything between send() and the return of recv()
 * is the packet's own work, softirq included. Prints the median of ROUNDS rounds
 * in nanoseconds of CLOCK_MONOTONIC_RAW, which under `-icount shift=0` are
 * instructions.
 *
 * With PAIRS_FILE (lines "ADDR_A ADDR_B") the datagrams walk over all of these
 * pairs in turn: so a table full of contexts is looked into everywhere.
 */
#include "netns.h"

#define SIZE		64
#define ROUNDS		21
#define PER_ROUND	256
#define MAX_PAIRS	256

struct flow {
	int tx;
	int rx;
};

static void open_flow(struct flow *flow, char *const ns[2], const char *a, const char *b,
		      uint16_t port)
{
	struct sockaddr_in6 peer;

	flow->tx = bound_socket(ns[0], SOCK_DGRAM, a, port);
	flow->rx = bound_socket(ns[1], SOCK_DGRAM, b, port);
	peer = address(b, port);
	if (connect(flow->tx, (struct sockaddr *)&peer, sizeof(peer)))
		die("connect");
	peer = address(a, port);
	if (connect(flow->rx, (struct sockaddr *)&peer, sizeof(peer)))
		die("connect");
}

/* One datagram there; the return way is taken every 16th time, so that both directions live. */
static void once(const struct flow *flow, int reverse)
{
	static char data[SIZE];
	int from = reverse ? flow->rx : flow->tx;
	int to = reverse ? flow->tx : flow->rx;

	if (send(from, data, SIZE, 0) != SIZE)
		die("send");
	if (recv(to, data, SIZE, 0) != SIZE)
		die("recv");
}

int main(int argc, char **argv)
{
	static struct flow flows[MAX_PAIRS];
	uint64_t rounds[ROUNDS];
	size_t count = 0;
	size_t next = 0;
	char *ns[2];

	if (argc != 5 && argc != 6) {
		fprintf(stderr, "usage: %s NETNS_A ADDR_A NETNS_B ADDR_B [PAIRS_FILE]\n", argv[0]);
		return 2;
	}
	ns[0] = argv[1];
	ns[1] = argv[3];
	if (argc == 6) {
		FILE *pairs = fopen(argv[5], "r");
		char a[64], b[64];

		if (!pairs)
			die(argv[5]);
		while (count < MAX_PAIRS && fscanf(pairs, "%63s %63s", a, b) == 2)
			open_flow(&flows[count++], ns, a, b, 9100);
		fclose(pairs);
	} else {
		open_flow(&flows[count++], ns, argv[2], argv[4], 9100);
	}
	if (!count)
		return 2;

	/* Routes, neighbours, contexts' cached routes: outside the measure. */
	for (size_t i = 0; i < 4 * count; i++)
		once(&flows[i % count], (i / count) & 1);
	for (int r = 0; r < ROUNDS; r++) {
		uint64_t start = clock_now();

		for (int i = 0; i < PER_ROUND; i++) {
			once(&flows[next], (i & 15) == 15);
			next = (next + 1) % count;
		}
		rounds[r] = clock_now() - start;
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), by_value);
	printf("%.1f\n", (double)rounds[ROUNDS / 2] / PER_ROUND);
	return 0;
}
