/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The options of SOL_SHIM: what each answers on which socket, what it has before
 * anything was set, which values may be set, which may not and why.
 */
#ifndef SOCKOPT_H
#define SOCKOPT_H

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/shim.h>

_Static_assert(sizeof(struct shim_locator) == 32, "shim_locator");
_Static_assert(sizeof(struct shim_pathexplore) == 12, "shim_pathexplore");
_Static_assert(sizeof(struct shim_feedback) == 4, "shim_feedback");

/* ---- what each option answers */

enum state { UNCONNECTED, NO_CONTEXT, CONTEXT, STATES };
enum form { INT, EXPLORE, LOCATOR, LIST };

struct option {
	int name;
	const char *label;
	enum form form;
	int get[STATES];	/* 0 or an errno */
	int set[STATES];
};

#define OPTION(name, form, get, set) { SHIM_##name, #name, form, get, set }
#define ALWAYS { 0, 0, 0 }
#define NEVER { EOPNOTSUPP, EOPNOTSUPP, EOPNOTSUPP }
#define UNKNOWN { ENOPROTOOPT, ENOPROTOOPT, ENOPROTOOPT }
#define IF_CONNECTED { EOPNOTSUPP, 0, 0 }
#define UNLESS_CONNECTED { 0, EOPNOTSUPP, EOPNOTSUPP }
#define WITH_CONTEXT { EOPNOTSUPP, ENOENT, 0 }

static const struct option options[] = {
	OPTION(ASSOCIATED, INT, IF_CONNECTED, NEVER),
	OPTION(DONTSHIM, INT, ALWAYS, UNLESS_CONNECTED),
	OPTION(HOT_STANDBY, INT, WITH_CONTEXT, WITH_CONTEXT),
	OPTION(LOC_LOCAL_PREF, LOCATOR, WITH_CONTEXT, WITH_CONTEXT),
	OPTION(LOC_PEER_PREF, LOCATOR, WITH_CONTEXT, WITH_CONTEXT),
	OPTION(LOC_LOCAL_RECV, INT, WITH_CONTEXT, WITH_CONTEXT),
	OPTION(LOC_PEER_RECV, INT, WITH_CONTEXT, WITH_CONTEXT),
	OPTION(LOC_LOCAL_SEND, LOCATOR, WITH_CONTEXT, WITH_CONTEXT),
	OPTION(LOC_PEER_SEND, LOCATOR, WITH_CONTEXT, WITH_CONTEXT),
	OPTION(LOCLIST_LOCAL, LIST, WITH_CONTEXT, WITH_CONTEXT),
	OPTION(LOCLIST_PEER, LIST, WITH_CONTEXT, WITH_CONTEXT),
	OPTION(APP_TIMEOUT, INT, WITH_CONTEXT, WITH_CONTEXT),
	OPTION(PATHEXPLORE, EXPLORE, WITH_CONTEXT, WITH_CONTEXT),
	OPTION(CONTEXT_DEFERRED_SETUP, INT, IF_CONNECTED, NEVER),
	OPTION(DEFERRED_CONTEXT_SETUP, INT, IF_CONNECTED, NEVER),
	OPTION(FEEDBACK, INT, NEVER, NEVER),
	OPTION(IF_RECV, INT, WITH_CONTEXT, WITH_CONTEXT),
	OPTION(IF_SEND, INT, WITH_CONTEXT, WITH_CONTEXT),
	OPTION(FEEDBACK_POSITIVE, INT, NEVER, WITH_CONTEXT),
	OPTION(FEEDBACK_NEGATIVE, INT, NEVER, WITH_CONTEXT),
	OPTION(FII, INT, WITH_CONTEXT, NEVER),
	{ SHIM_PEEK | SHIM_ASSOCIATED, "PEEK|ASSOCIATED", INT, IF_CONNECTED, UNKNOWN },
	{ SHIM_PEEK | SHIM_FII, "PEEK|FII", INT, WITH_CONTEXT, UNKNOWN },
	{ SHIM_PEEK | SHIM_PATHEXPLORE, "PEEK|PATHEXPLORE", EXPLORE, WITH_CONTEXT, UNKNOWN },
	{ SHIM_PEEK | SHIM_LOCLIST_PEER, "PEEK|LOCLIST_PEER", LIST, WITH_CONTEXT, UNKNOWN },
	{ 127, "127", INT, UNKNOWN, UNKNOWN },
	{ 148, "148", INT, UNKNOWN, UNKNOWN },
	{ -1, "-1", INT, UNKNOWN, UNKNOWN },
};

/* ---- values */

struct value {
	union {
		unsigned char octets[2048];
		int number;
		struct shim_pathexplore explore;
		struct shim_locator list[SHIM_MAX_LOCATORS + 1];
	};
	socklen_t len;
	int error;		/* of what is set */
};

static struct in6_addr locators[2][2];	/* LOCAL, PEER */
static int instance;			/* SHIM_FII of the socket's context */
enum side { LOCAL, PEER };

static struct value number(int n)
{
	return (struct value){ .number = n, .len = sizeof(n) };
}

static struct value explore(int probes, int timeout, int interval, int first, int reserved)
{
	struct value v = { .len = sizeof(v.explore) };

	v.explore = (struct shim_pathexplore){ probes, timeout, interval, first, reserved };
	return v;
}

static struct value and_locator(struct value v, struct shim_locator locator)
{
	memcpy(v.octets + v.len, &locator, sizeof(locator));
	v.len += sizeof(locator);
	return v;
}

static struct value locator(struct shim_locator locator)
{
	return and_locator((struct value){}, locator);
}

/* As it is given; what is said to have no effect is there. */
static struct shim_locator asked(const char *text, int priority, int weight)
{
	struct shim_locator l;

	memset(&l, 0xff, sizeof(l));
	l.lc_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	l.lc_proto = 0;
	l.lc_prio = priority;
	l.lc_weight = weight;
	inet_pton(l.lc_family, text, &l.lc_addr);
	return l;
}

static struct shim_locator asked_one(enum side side, int which, int priority, int weight)
{
	struct shim_locator l = asked("::", priority, weight);

	l.lc_addr = locators[side][which];
	return l;
}

/* As it is told; the padding too. */
static struct shim_locator told_one(enum side side, int which, int priority, int weight)
{
	struct shim_locator l;

	memset(&l, 0, sizeof(l));
	l.lc_family = AF_INET6;
	l.lc_prio = priority;
	l.lc_weight = weight;
	l.lc_ifidx = side == LOCAL ? if_nametoindex(which ? "y" : "x") : 0;
	l.lc_addr = locators[side][which];
	l.lc_flags = SHIM_LOCATOR_HBA;
	return l;
}

static enum side side_of(const struct option *o)
{
	return strstr(o->label, "PEER") ? PEER : LOCAL;
}

static bool is_send(const struct option *o)
{
	return o->name == SHIM_LOC_LOCAL_SEND || o->name == SHIM_LOC_PEER_SEND;
}

/* What get answers before anything was set. */
static struct value initial(const struct option *o, enum state state, bool dontshim)
{
	struct shim_locator zeros;
	enum side side = side_of(o);
	struct value v;

	memset(&zeros, 0, sizeof(zeros));
	switch (o->form) {
	case EXPLORE:
		return explore(4, 15, 0, 500, 0);
	case LOCATOR:
		return locator(is_send(o) ? zeros : told_one(side, 0, 0, 0));
	case LIST:
		v = locator(told_one(side, 0, 0, 0));
		return and_locator(v, told_one(side, 1, 0, 0));
	default:
		switch (o->name) {
		case SHIM_ASSOCIATED:
		case SHIM_PEEK | SHIM_ASSOCIATED:
			return number(state == CONTEXT);
		case SHIM_FII:
		case SHIM_PEEK | SHIM_FII:
			return number(instance);
		case SHIM_DONTSHIM:
			return number(dontshim);
		case SHIM_CONTEXT_DEFERRED_SETUP:
			return number(1);
		default:
			return number(0);
		}
	}
}

struct good {
	struct value set;
	struct value get;
};

/* Values to set, and what get answers then. The last one restores the first state. */
static int good_values(const struct option *o, struct good *good)
{
	enum side side = side_of(o);
	int ints[3] = { 1, 0 }, n = 2, i;
	struct shim_locator zeros;

	memset(&zeros, 0, sizeof(zeros));
	switch (o->form) {
	case EXPLORE:
		good[0].set = explore(7, 0, 2, 250, 0);
		good[0].get = explore(7, 15, 2, 250, 0);
		good[1].set = explore(0, 0, 0, 0, 0);
		good[1].get = explore(4, 15, 0, 500, 0);
		return 2;
	case LOCATOR:
		good[0].set = locator(asked_one(side, 0, 0, 7));
		good[0].get = locator(told_one(side, 0, 0, is_send(o) ? 0 : 7));
		good[1].set = locator(is_send(o) ? zeros : asked_one(side, 0, 0, 0));
		good[1].get = locator(is_send(o) ? zeros : told_one(side, 0, 0, 0));
		return 2;
	case LIST:
		good[0].set = locator(asked_one(side, 0, 0, 255));
		good[0].get = locator(told_one(side, 0, 0, 255));
		good[1].set = and_locator(locator(asked_one(side, 0, 0, 0)),
					  asked_one(side, 1, 0, 0));
		good[1].get = and_locator(locator(told_one(side, 0, 0, 0)),
					  told_one(side, 1, 0, 0));
		return 2;
	default:
		switch (o->name) {
		case SHIM_APP_TIMEOUT:
			memcpy(ints, (int[]){ 3600, 1, 0 }, sizeof(ints));
			n = 3;
			break;
		case SHIM_IF_SEND:
			ints[0] = if_nametoindex("x");
			break;
		}
		for (i = 0; i < n; i++) {
			good[i].set = number(ints[i]);
			good[i].get = good[i].set;
		}
		return n;
	}
}

static struct value error(struct value v, int errno_of_it)
{
	v.error = errno_of_it;
	return v;
}

static int bad_locators(const struct option *o, struct value *bad)
{
	enum side side = side_of(o), other = side == LOCAL ? PEER : LOCAL;
	struct shim_locator right = asked_one(side, 0, 0, 0), wrong[9], *w = wrong;
	int n = 0, i, at;

	*w = right;
	w++->lc_proto = IPPROTO_UDP;
	*w = right;
	w++->lc_family = AF_UNSPEC;
	*w = right;
	w++->lc_family = AF_UNIX;
	if (!is_send(o)) {
		*w++ = asked_one(side, 0, 256, 0);
		*w++ = asked_one(side, 0, 0, 256);
	}
	at = w - wrong;
	*w++ = asked("192.0.2.1", 0, 0);
	*w++ = asked("::ffff:192.0.2.1", 0, 0);
	*w++ = asked("2001:db8::1", 0, 0);
	*w++ = asked_one(other, 0, 0, 0);
	for (i = 0; i < w - wrong; i++) {
		struct value v = locator(wrong[i]);
		int why = i < at ? EINVAL : EINVALIDLOCATOR;

		bad[n++] = error(v, why);
		if (o->form != LIST)
			continue;
		/* Where it is in the list makes no difference. */
		bad[n++] = error(and_locator(v, right), why);
		bad[n++] = error(and_locator(locator(right), wrong[i]), why);
	}
	return n;
}

/* Values of the right length that mean nothing. */
static int bad_values(const struct option *o, struct value *bad)
{
	static const int flags[] = { -1, 2, 256, 65537, INT_MIN };
	static const int times[] = { -1, 3601, INT_MAX, INT_MIN };
	const int *ints = flags;
	int n = ARRAY_SIZE(flags), i;

	switch (o->form) {
	case EXPLORE:
		bad[0] = error(explore(17, 0, 0, 0, 0), EINVAL);
		bad[1] = error(explore(0, 3601, 0, 0, 0), EINVAL);
		bad[2] = error(explore(0, 0, 3601, 0, 0), EINVAL);
		bad[3] = error(explore(0, 0, 0, 9, 0), EINVAL);
		bad[4] = error(explore(0, 0, 0, 60001, 0), EINVAL);
		bad[5] = error(explore(0, 0, 0, 0, 1), EINVAL);
		return 6;
	case LOCATOR:
	case LIST:
		return bad_locators(o, bad);
	default:
		break;
	}
	switch (o->name) {
	case SHIM_FEEDBACK_POSITIVE:
	case SHIM_FEEDBACK_NEGATIVE:
		return 0;
	case SHIM_APP_TIMEOUT:
		ints = times;
		n = ARRAY_SIZE(times);
		break;
	case SHIM_IF_SEND:
		bad[0] = error(number(-1), EINVAL);
		bad[1] = error(number(9999), EINVALIDLOCATOR);
		bad[2] = error(number(if_nametoindex("lo")), EINVALIDLOCATOR);
		return 3;
	}
	for (i = 0; i < n; i++)
		bad[i] = error(number(ints[i]), EINVAL);
	return n;
}

#endif /* SOCKOPT_H */
