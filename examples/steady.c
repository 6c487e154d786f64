// SPDX-License-Identifier: GPL-2.0
/*
 * steady [-i INTERVAL_MS] [-w WAIT_MS] [-n COUNT] HOST PORT
 *
 * A client that wants answers soon: it asks a UDP server that echoes, COUNT times (0,
 * until it is interrupted) every INTERVAL_MS (200). As soon as there is a context it asks for
 *   - a second pair of locators that stands by (SHIM_HOT_STANDBY),
 *   - a Send Timeout of a second (SHIM_APP_TIMEOUT) and quick probes (SHIM_PATHEXPLORE),
 * and it tells the shim what it notices itself: an answer (SHIM_FEEDBACK, satisfactory),
 * none within WAIT_MS (400; unable). A line for each request without an answer, and one
 * at the end; the exit status is 1 if more than one in ten had none.
 */
#include <poll.h>
#include <signal.h>
#include <time.h>
#include "locators.h"

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Everything this program wants of its context; false when it is too early. */
static int prepare(int fd)
{
	struct shim_pathexplore explore = { .pe_probenum = 4, .pe_initprobeto = 100 };
	int seconds = 1;

	return now_or_later(option(fd, SHIM_APP_TIMEOUT, &seconds, sizeof(seconds)),
			    "SHIM_APP_TIMEOUT") &&
	       now_or_later(option(fd, SHIM_PATHEXPLORE, &explore, sizeof(explore)),
			    "SHIM_PATHEXPLORE") &&
	       now_or_later(switch_on(fd, SHIM_HOT_STANDBY), "SHIM_HOT_STANDBY");
}

/* A request, and with it what the last one taught; -1: there is no context for that. */
static int request(int fd, unsigned int number, int indicator)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct shim_feedback))];
	} control = {
		.head = {
			.cmsg_level = SOL_SHIM, .cmsg_type = SHIM_FEEDBACK,
			.cmsg_len = CMSG_LEN(sizeof(struct shim_feedback)),
		},
	};
	struct shim_feedback feedback = {
		.fb_direction = SHIM_FEEDBACK_OUTBOUND, .fb_indicator = indicator,
	};
	struct iovec iov = { &number, sizeof(number) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	memcpy(CMSG_DATA(&control.head), &feedback, sizeof(feedback));
	if (indicator != SHIM_FEEDBACK_DEFAULT) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	return sendmsg(fd, &msg, 0) < 0 ? -1 : 0;
}

/* Whether the answer to @number came before @until; late ones of others are passed over. */
static int answered(int fd, unsigned int number, long long until)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };
	unsigned int got;

	for (;;) {
		long long left = until - now_ms();

		if (left <= 0 || poll(&polled, 1, (int)left) <= 0)
			return 0;
		if (recv(fd, &got, sizeof(got), MSG_DONTWAIT) == sizeof(got) && got == number)
			return 1;
	}
}

static int parse(const char *text, int least)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*end || end == text || value < least || value > 1000000)
		errx(1, "'%s' must be between %d and 1000000", text, least);
	return (int)value;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = interrupt };
	int letter, fd, interval = 200, wait = 400, count = 0, prepared = 0;
	int indicator = SHIM_FEEDBACK_DEFAULT;
	unsigned int asked, missed = 0;
	long long last, longest = 0;
	struct sockaddr_in6 to;

	while ((letter = getopt(argc, argv, "i:w:n:")) != -1) {
		if (letter == 'i')
			interval = parse(optarg, 1);
		else if (letter == 'w')
			wait = parse(optarg, 1);
		else if (letter == 'n')
			count = parse(optarg, 0);
		else
			return 1;
	}
	if (argc - optind != 2)
		errx(1, "usage: steady [-i INTERVAL_MS] [-w WAIT_MS] [-n COUNT] HOST PORT");
	setlinebuf(stdout);
	to = address(argv[optind], argv[optind + 1], SOCK_DGRAM);
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "connect to %s port %s", argv[optind], argv[optind + 1]);

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	last = now_ms();
	for (asked = 0; !interrupted && (!count || asked < (unsigned int)count); asked++) {
		long long start = now_ms();

		if (!prepared && prepare(fd)) {
			prepared = 1;
			printf("request %u: a second pair stands by from now on\n", asked);
		}
		if (request(fd, asked, prepared ? indicator : SHIM_FEEDBACK_DEFAULT))
			warnx("request %u: %s", asked, shim_strerror(errno));
		if (answered(fd, asked, start + wait)) {
			long long gap = now_ms() - last;

			longest = gap > longest ? gap : longest;
			last += gap;
			indicator = SHIM_FEEDBACK_SATISFACTORY;
		} else if (interrupted) {
			break;
		} else {
			printf("request %u: no answer within %d ms\n", asked, wait);
			missed++;
			indicator = SHIM_FEEDBACK_UNABLE;
		}
		if (start + interval > now_ms())
			usleep((start + interval - now_ms()) * 1000);
	}
	printf("%u requests, %u without an answer, longest time without one %lld ms\n",
	       asked, missed, longest);
	return missed * 10 > asked;
}
