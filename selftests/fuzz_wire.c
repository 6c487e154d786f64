// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_wire COUNT SEED SECONDS TYPE...
 *
 * Runs on a router between two hosts that speak Shim6: takes their own messages as
 * they pass, changes copies of them, and sends these to whom the originals were
 * for, COUNT of them, as soon as one of each TYPE has passed (128: payload). It
 * knows everything an attacker on the path knows: tags, nonces, validators. Of
 * payload messages it changes the header only: what is behind it is up to the
 * transport's checksum, which 16 bits cannot hold for a million of them. Prints how
 * many of each type were sent, and on the way how far it is.
 *
 * Ends with status 1 when some TYPE does not pass within SECONDS.
 */
#include <arpa/inet.h>
#include <err.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SHIM6		140
#define TYPES		128	/* of control messages; one more for payload */
#define KEPT		8	/* of each type */
#define LARGEST		1400
#define BURST		4	/* so many, then a millisecond for the hosts */
#define HEARD		32	/* so many messages that pass for one that is sent, at most */
#define TOLD		50000	/* after so many, how far it is */

struct message {
	struct ip6_hdr ip;
	uint8_t data[LARGEST];
	size_t len;		/* of data */
};

static struct message kept[TYPES + 1][KEPT];
static unsigned int passed[TYPES + 1];
static unsigned int sent[TYPES + 1];
static uint64_t state;

/* splitmix64: a run can be repeated. */
static uint64_t draw(uint64_t below)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31)) % below;
}

static int is_payload(const struct message *m)
{
	return m->data[2] & 0x80;
}

static unsigned int type_of(const struct message *m)
{
	return is_payload(m) ? TYPES : m->data[2] & 0x7f;
}

/* What arrives here with next header 140, from its IPv6 header on. */
static int tap(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SHIM6, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, sizeof(struct ip6_hdr) + LARGEST),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	struct sockaddr_ll all = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IPV6),
	};

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ||
	    bind(fd, (struct sockaddr *)&all, sizeof(all)))
		err(1, "packet socket");
	return fd;
}

/* Keeps what passed; false if there was nothing within @wait_ms. */
static int listen_to(int fd, int wait_ms)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };
	uint8_t frame[sizeof(struct ip6_hdr) + LARGEST];
	struct sockaddr_ll from;
	socklen_t from_len = sizeof(from);
	struct message *m;
	unsigned int type;
	ssize_t len;

	if (poll(&polled, 1, wait_ms) <= 0)
		return 0;
	len = recvfrom(fd, frame, sizeof(frame), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
	if (len < (ssize_t)sizeof(struct ip6_hdr) + 8 || from.sll_pkttype == PACKET_OUTGOING)
		return 1;
	type = frame[sizeof(struct ip6_hdr) + 2];
	type = type & 0x80 ? TYPES : type;
	m = &kept[type][passed[type]++ % KEPT];
	memcpy(&m->ip, frame, sizeof(m->ip));
	m->len = len - sizeof(m->ip);
	memcpy(m->data, frame + sizeof(m->ip), m->len);
	return 1;
}

/* One of those that passed, each type as likely as the others. */
static const struct message *choose(void)
{
	unsigned int type, known;

	do {
		type = draw(TYPES + 1);
	} while (!passed[type]);
	known = passed[type] < KEPT ? passed[type] : KEPT;
	return &kept[type][draw(known)];
}

/* RFC 5533 section 5.3: over the message alone. */
static void mend_checksum(struct message *m)
{
	uint32_t sum = 0;
	size_t i;

	if (m->len < 6)
		return;
	m->data[4] = 0;
	m->data[5] = 0;
	for (i = 0; i < m->len; i++)
		sum += i % 2 ? m->data[i] : m->data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	m->data[4] = ~sum >> 8;
	m->data[5] = ~sum;
}

static void splice(struct message *m, size_t room)
{
	const struct message *other = choose();
	size_t from = draw(other->len), to = draw(room), len = draw(other->len - from) + 1;

	if (len > room - to)
		len = room - to;
	memcpy(m->data + to, other->data + from, len);
}

/* One change somewhere in the first @room octets. */
static void change(struct message *m, size_t room)
{
	static const uint8_t edges[] = { 0, 1, 0x7f, 0x80, 0xfe, 0xff };
	size_t at = draw(room);

	switch (draw(6)) {
	case 0:
		m->data[at] ^= 1 << draw(8);
		break;
	case 1:
		m->data[at] = draw(256);
		break;
	case 2:
		m->data[at] = edges[draw(sizeof(edges))];
		break;
	case 3:
		splice(m, room);
		break;
	case 4:
		/* The length that the message itself tells. */
		m->data[1] += draw(7) - 3;
		break;
	case 5:
		m->ip.ip6_src = choose()->ip.ip6_src;
		break;
	}
}

static void cut_or_grow(struct message *m)
{
	size_t len = draw(2) ? draw(m->len) + 1 : m->len + draw(LARGEST - m->len + 1);

	while (m->len < len)
		m->data[m->len++] = draw(256);
	m->len = len;
	if (draw(2)) {
		/* Told rightly. */
		m->len = (m->len + 7) / 8 * 8;
		if (m->len > LARGEST)
			m->len = LARGEST / 8 * 8;
		m->data[1] = m->len / 8 - 1;
	}
}

static void send_changed(int fd)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6 };
	struct message m = *choose();
	int i, changes = draw(4), payload = is_payload(&m);

	sent[type_of(&m)]++;
	for (i = 0; i <= changes; i++)
		change(&m, payload ? 8 : m.len);
	if (!payload && !draw(4))
		cut_or_grow(&m);
	/* A payload message that says it is a control message now is one. */
	if (!is_payload(&m) && draw(8))
		mend_checksum(&m);
	m.ip.ip6_plen = htons(m.len);
	to.sin6_addr = m.ip.ip6_dst;
	/* Some source addresses cannot be sent from: that is not what is tested. */
	sendto(fd, &m, sizeof(m.ip) + m.len, 0, (struct sockaddr *)&to, sizeof(to));
}

/* What has passed meanwhile. A busy host passes more than that without end. */
static void listen_all(int fd, int wait_ms)
{
	int i;

	for (i = 0; i < HEARD && listen_to(fd, wait_ms); i++)
		wait_ms = 0;
}

static void wait_for(int packets, unsigned int type, time_t seconds)
{
	struct timespec now, start;

	if (type > TYPES)
		errx(1, "'%u' is not a type", type);
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!passed[type]) {
		listen_to(packets, 100);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - start.tv_sec > seconds)
			errx(1, "no message of type %u passed", type);
	}
}

int main(int argc, char **argv)
{
	unsigned long i, count = argc > 4 ? strtoul(argv[1], NULL, 10) : 0;
	int raw = socket(AF_INET6, SOCK_RAW, IPPROTO_RAW), packets;
	unsigned int type;

	if (!count)
		errx(1, "usage: fuzz_wire COUNT SEED SECONDS TYPE...");
	if (raw < 0)
		err(1, "raw socket");
	state = strtoull(argv[2], NULL, 10);
	packets = tap();
	printf("ready\n");
	fflush(stdout);
	for (i = 4; i < (unsigned long)argc; i++)
		wait_for(packets, strtoul(argv[i], NULL, 10), atol(argv[3]));
	for (i = 0; i < count; i++) {
		listen_all(packets, i % BURST ? 0 : 1);
		send_changed(raw);
		if (!((i + 1) % TOLD))
			fprintf(stderr, "# %lu of %lu sent\n", i + 1, count);
	}
	for (type = 0; type <= TYPES; type++)
		if (sent[type])
			printf("%s %u: %u passed, %u sent\n", type == TYPES ? "payload" : "type",
			       type % TYPES, passed[type], sent[type]);
	return 0;
}
