// SPDX-License-Identifier: GPL-2.0
/*
 * fill NETNS_A NETNS_B PAIRS_FILE
 *
 * Sets up a context for each pair of the file (lines "ADDR_A ADDR_B"), through the
 * real handshake: a datagram each, and again for those that got lost or found the
 * queue full. Ends when the counters say that all are established.
 */
#include "netns.h"

#define PORT		9100
#define BATCH		32	/* the module's queue takes 64 */
#define MAX_PAIRS	8192
#define MAX_LOCALS	256
#define PATIENCE	2000	/* polls of a millisecond without progress */

static struct {
	struct sockaddr_in6 peer;
	int fd;
} pairs[MAX_PAIRS];

static struct {
	char text[64];
	int fd;
} locals[MAX_LOCALS];

static int local_socket(const char *ns, const char *text)
{
	int i;

	for (i = 0; i < MAX_LOCALS && locals[i].text[0]; i++)
		if (!strcmp(locals[i].text, text))
			return locals[i].fd;
	if (i == MAX_LOCALS)
		die("too many local addresses");
	strcpy(locals[i].text, text);
	locals[i].fd = bound_socket(ns, SOCK_DGRAM, text, PORT);
	return locals[i].fd;
}

/* How many contexts host A has set up; we are in its namespace. */
static unsigned long established(void)
{
	FILE *counters = fopen("/proc/thread-self/net/shim6", "r");
	unsigned long value, sum = 0;
	char name[64];

	if (!counters)
		die("/proc/thread-self/net/shim6");
	while (fscanf(counters, "%63s %lu", name, &value) == 2)
		if (!strncmp(name, "established_", 12))
			sum += value;
	fclose(counters);
	return sum;
}

/* Waits until @goal contexts are there, or nothing happens any more. */
static unsigned long wait_for(unsigned long goal)
{
	unsigned long last = established(), now = last;

	for (int idle = 0; now < goal && idle < PATIENCE; idle++) {
		usleep(1000);
		now = established();
		if (now != last)
			idle = 0;
		last = now;
	}
	return now;
}

int main(int argc, char **argv)
{
	unsigned long before, have, count = 0;
	char a[64], b[64];
	FILE *file;

	if (argc != 4) {
		fprintf(stderr, "usage: %s NETNS_A NETNS_B PAIRS_FILE\n", argv[0]);
		return 2;
	}
	/* Takes the datagrams, so that nobody answers with an error; never read. */
	bound_socket(argv[2], SOCK_DGRAM, "::", PORT);
	file = fopen(argv[3], "r");
	if (!file)
		die(argv[3]);
	while (count < MAX_PAIRS && fscanf(file, "%63s %63s", a, b) == 2) {
		pairs[count].fd = local_socket(argv[1], a);
		pairs[count++].peer = address(b, PORT);
	}
	fclose(file);
	enter_netns(argv[1]);
	before = have = established();
	for (int round = 0; round < 20 && have < before + count; round++) {
		for (unsigned long i = 0; i < count; i++) {
			sendto(pairs[i].fd, "", 1, 0, (struct sockaddr *)&pairs[i].peer,
			       sizeof(pairs[i].peer));
			if (i % BATCH == BATCH - 1 && !round)
				have = wait_for(before + i + 1);
		}
		have = wait_for(before + count);
	}
	printf("%lu\n", have - before);
	return have == before + count ? 0 : 1;
}
