/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The multihoming shim's sockets API: RFC 6316.
 *
 * Where RFC 6316 contradicts itself, this header decides:
 *  - SHIM_CONTEXT_DEFERRED_SETUP and SHIM_DEFERRED_CONTEXT_SETUP are one
 *    option under both of the RFC's names;
 *  - struct shim_pathexplore is also known as shim6_pathexplore;
 *  - SHIM_ASSOCIATED on an unconnected socket is refused with EOPNOTSUPP
 *    (section 6.1), it does not return 2;
 *  - lc_prio and lc_weight have 16 bits here and 8 on the wire: a local
 *    preference above 255 is refused with EINVAL, never truncated;
 *  - SHIM_APP_TIMEOUT is the Send Timeout, pe_keepaliveto the Keepalive
 *    Timeout (RFC 5534 section 7).
 */
#ifndef _UAPI_LINUX_SHIM_H
#define _UAPI_LINUX_SHIM_H

#include <linux/in6.h>
#include <linux/types.h>

/* Level of setsockopt(), getsockopt() and of ancillary data. */
#ifndef SOL_SHIM
#define SOL_SHIM 140
#endif

/* Most locators in one list. */
#define SHIM_MAX_LOCATORS 32

/*
 * Socket options (RFC 6316 section 6). Those that depend on a context give
 * EOPNOTSUPP on an unconnected socket and ENOENT without a context.
 */
#define SHIM_ASSOCIATED			128 /* 6.1: int, get: 1 with a context, else 0 */
#define SHIM_DONTSHIM			129 /* 6.2: int 0 or 1, before connect() */
#define SHIM_HOT_STANDBY		130 /* 6.3: int 0 or 1 */
#define SHIM_LOC_LOCAL_PREF		131 /* 6.4: struct shim_locator */
#define SHIM_LOC_PEER_PREF		132 /* 6.5: struct shim_locator */
#define SHIM_LOC_LOCAL_RECV		133 /* 6.6: int 0 or 1; 7: ancillary data */
#define SHIM_LOC_PEER_RECV		134 /* 6.7: int 0 or 1; 7: ancillary data */
#define SHIM_LOC_LOCAL_SEND		135 /* 6.8: struct shim_locator; 7: ancillary data */
#define SHIM_LOC_PEER_SEND		136 /* 6.9: struct shim_locator; 7: ancillary data */
#define SHIM_LOCLIST_LOCAL		137 /* 6.10: struct shim_locator[] */
#define SHIM_LOCLIST_PEER		138 /* 6.11: struct shim_locator[] */
#define SHIM_APP_TIMEOUT		139 /* 6.12: int, seconds */
#define SHIM_PATHEXPLORE		140 /* 6.13: struct shim_pathexplore */
#define SHIM_CONTEXT_DEFERRED_SETUP	141 /* 6.14: int 0 or 1 */
#define SHIM_DEFERRED_CONTEXT_SETUP	SHIM_CONTEXT_DEFERRED_SETUP

/* Ancillary data only (section 7.3): struct shim_feedback. */
#define SHIM_FEEDBACK			142

/* Extensions, from the draft before the RFC. */
#define SHIM_IF_RECV			143 /* int 0 or 1; ancillary data: int, interface index */
#define SHIM_IF_SEND			144 /* int, interface index; ancillary data */
#define SHIM_FEEDBACK_POSITIVE		145 /* int, set only */
#define SHIM_FEEDBACK_NEGATIVE		146 /* int, set only */

/* Errors (section 6.16). */
#ifndef EINVALIDLOCATOR
#define EINVALIDLOCATOR		600 /* not a locator of this context */
#define EUNVERIFIEDLOCATOR	601 /* not known yet to be reachable */
#define EUNREACHABLELOCATOR	602 /* known not to be reachable */
#define ETOOMANYLOCATORS	603 /* more than SHIM_MAX_LOCATORS, or than the buffer holds */
#endif

/* Bits of lc_flags. */
#define SHIM_LOCATOR_HBA 0x01 /* Hash-Based Address (RFC 5535) */
#define SHIM_LOCATOR_CGA 0x02 /* Cryptographically Generated Address (RFC 3972) */

/**
 * struct shim_locator - a locator (RFC 6316 section 8.1)
 * @lc_family: AF_INET6 or AF_INET
 * @lc_proto: 0, or IPPROTO_UDP behind a NAT
 * @lc_port: port number behind a NAT, network order
 * @lc_prio: priority, 0 to 65535; the lowest is preferred (RFC 2782)
 * @lc_weight: weight among those of equal priority (RFC 2782)
 * @lc_ifidx: index of the interface that has a local locator; ignored in set
 * @lc_addr: the address; an IPv4 address is IPv4-mapped
 * @lc_flags: SHIM_LOCATOR_*; ignored in set
 */
struct shim_locator {
	__u8 lc_family;
	__u8 lc_proto;
	__u16 lc_port;
	__u16 lc_prio;
	__u16 lc_weight;
	__u32 lc_ifidx;
	struct in6_addr lc_addr;
	__u16 lc_flags;
};

/**
 * struct shim_pathexplore - path exploration parameters (section 8.2)
 * @pe_probenum: Number of Initial Probes
 * @pe_keepaliveto: Keepalive Timeout, seconds
 * @pe_keepaliveint: Keepalive Interval, seconds
 * @pe_initprobeto: Initial Probe Timeout, milliseconds
 * @pe_reserved: 0
 */
struct shim_pathexplore {
	__u16 pe_probenum;
	__u16 pe_keepaliveto;
	__u16 pe_keepaliveint;
	__u16 pe_initprobeto;
	__u32 pe_reserved;
};

#define shim6_pathexplore shim_pathexplore

/* Values of fb_direction. */
#define SHIM_FEEDBACK_OUTBOUND 0
#define SHIM_FEEDBACK_INBOUND 1

/* Values of fb_indicator. */
#define SHIM_FEEDBACK_DEFAULT 0 /* not processed */
#define SHIM_FEEDBACK_UNABLE 1 /* no reachability */
#define SHIM_FEEDBACK_UNSATISFACTORY 2
#define SHIM_FEEDBACK_SATISFACTORY 3

/**
 * struct shim_feedback - what an application thinks of its path (section 8.3)
 * @fb_direction: SHIM_FEEDBACK_OUTBOUND or _INBOUND
 * @fb_indicator: SHIM_FEEDBACK_DEFAULT to _SATISFACTORY
 * @fb_reserved: ignored
 */
struct shim_feedback {
	__u8 fb_direction;
	__u8 fb_indicator;
	__u16 fb_reserved;
};

#endif /* _UAPI_LINUX_SHIM_H */
