/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The multihoming shim's sockets API: RFC 6316. shim(7) tells more.
 *
 * Where RFC 6316 contradicts itself, this header decides:
 *  - SHIM_CONTEXT_DEFERRED_SETUP and SHIM_DEFERRED_CONTEXT_SETUP are one
 *    option under both of the RFC's names;
 *  - struct shim_pathexplore is also known as shim6_pathexplore;
 *  - SHIM_ASSOCIATED on an unconnected socket is refused with EOPNOTSUPP
 *    (section 6.1), it does not return 2;
 *  - lc_prio and lc_weight have 16 bits here and 8 on the wire: a preference
 *    above 255 is refused with EINVAL, never truncated;
 *  - SHIM_APP_TIMEOUT is the Send Timeout, pe_keepaliveto the Keepalive
 *    Timeout (RFC 5534 section 7);
 *  - a locator in ancillary data is a struct sockaddr_in6, or sockaddr_in
 *    (section 7, note 1 of table 2), one in an option a struct shim_locator.
 */
#ifndef _UAPI_LINUX_SHIM_H
#define _UAPI_LINUX_SHIM_H

#include <linux/in6.h>
#include <linux/types.h>

#ifndef SOL_SHIM
/**
 * define SOL_SHIM - the level of setsockopt(), getsockopt() and ancillary data (section 6)
 */
#define SOL_SHIM 140
#endif

/**
 * define SHIM_MAX_LOCATORS - most locators in one list (section 13)
 */
#define SHIM_MAX_LOCATORS 32

/*
 * Socket options (section 6). All but SHIM_DONTSHIM give EOPNOTSUPP on an
 * unconnected socket; those that depend on a context give ENOENT without one.
 */

/**
 * define SHIM_ASSOCIATED - int, get: 1 with a context, else 0 (section 6.1)
 */
#define SHIM_ASSOCIATED			128

/**
 * define SHIM_DONTSHIM - int, 0 or 1: no shim for this socket (section 6.2)
 *
 * Set before the socket is connected, afterwards EOPNOTSUPP.
 */
#define SHIM_DONTSHIM			129

/**
 * define SHIM_HOT_STANDBY - int, 0 or 1: keep a second pair ready (section 6.3)
 *
 * It is probed while there is traffic, and takes over when the current pair
 * fails, without an exploration.
 */
#define SHIM_HOT_STANDBY		130

/**
 * define SHIM_LOC_LOCAL_PREF - struct shim_locator: the preferred source (section 6.4)
 */
#define SHIM_LOC_LOCAL_PREF		131

/**
 * define SHIM_LOC_PEER_PREF - struct shim_locator: the preferred destination (section 6.5)
 */
#define SHIM_LOC_PEER_PREF		132

/**
 * define SHIM_LOC_LOCAL_RECV - int, 0 or 1: tell where packets arrived (section 6.6)
 *
 * recvmsg() then gives ancillary data of this type (section 7.1).
 */
#define SHIM_LOC_LOCAL_RECV		133

/**
 * define SHIM_LOC_PEER_RECV - int, 0 or 1: tell where packets came from (section 6.7)
 *
 * recvmsg() then gives ancillary data of this type (section 7.1).
 */
#define SHIM_LOC_PEER_RECV		134

/**
 * define SHIM_LOC_LOCAL_SEND - struct shim_locator: the source to use (section 6.8)
 *
 * All octets 0: none. Also ancillary data of sendmsg() (section 7.2).
 */
#define SHIM_LOC_LOCAL_SEND		135

/**
 * define SHIM_LOC_PEER_SEND - struct shim_locator: the destination to use (section 6.9)
 *
 * All octets 0: none. Also ancillary data of sendmsg() (section 7.2).
 */
#define SHIM_LOC_PEER_SEND		136

/**
 * define SHIM_LOCLIST_LOCAL - struct shim_locator[]: our locators (section 6.10)
 *
 * In set, zeros behind the last one are not counted.
 */
#define SHIM_LOCLIST_LOCAL		137

/**
 * define SHIM_LOCLIST_PEER - struct shim_locator[]: the peer's locators (section 6.11)
 *
 * In set, zeros behind the last one are not counted.
 */
#define SHIM_LOCLIST_PEER		138

/**
 * define SHIM_APP_TIMEOUT - int, seconds: the Send Timeout; 0: the default (section 6.12)
 */
#define SHIM_APP_TIMEOUT		139

/**
 * define SHIM_PATHEXPLORE - struct shim_pathexplore: how paths are explored (section 6.13)
 */
#define SHIM_PATHEXPLORE		140

/**
 * define SHIM_CONTEXT_DEFERRED_SETUP - int, get: 1 if data flows meanwhile (section 6.14)
 */
#define SHIM_CONTEXT_DEFERRED_SETUP	141

/**
 * define SHIM_DEFERRED_CONTEXT_SETUP - the same under section 6.14's name
 */
#define SHIM_DEFERRED_CONTEXT_SETUP	SHIM_CONTEXT_DEFERRED_SETUP

/**
 * define SHIM_FEEDBACK - struct shim_feedback, ancillary data of sendmsg() only (section 7.3)
 */
#define SHIM_FEEDBACK			142

/* Extensions, from the slides of the draft before the RFC. */

/**
 * define SHIM_IF_RECV - int, 0 or 1: tell the interface packets arrived at (extension)
 *
 * recvmsg() then gives ancillary data of this type: int, interface index.
 */
#define SHIM_IF_RECV			143

/**
 * define SHIM_IF_SEND - int, index of the interface to use, 0: any (extension)
 *
 * Also ancillary data of sendmsg(), there without 0.
 */
#define SHIM_IF_SEND			144

/**
 * define SHIM_FEEDBACK_POSITIVE - int, set, of any value: the path works (extension)
 */
#define SHIM_FEEDBACK_POSITIVE		145

/**
 * define SHIM_FEEDBACK_NEGATIVE - int, set, of any value: it works badly or not (extension)
 */
#define SHIM_FEEDBACK_NEGATIVE		146

/**
 * define SHIM_FII - int, get: which context of its two addresses the socket has (extension)
 *
 * The Forked Instance Identifier (RFC 5533 section 4.2); 0 is the default context.
 */
#define SHIM_FII			147

/**
 * define SHIM_PEEK - bit of an option's number in getsockopt(): only look (extension)
 *
 * The answer is the same, and the question changes nothing: it sets no context
 * up, and does not make the shim look at ancillary data. For those who look at
 * the sockets of others.
 */
#define SHIM_PEEK			0x100

/* Errors of the options above. */

#ifndef EINVALIDLOCATOR
/**
 * define EINVALIDLOCATOR - errno: not a locator of this context (section 6.16)
 */
#define EINVALIDLOCATOR		600
#endif

#ifndef EUNVERIFIEDLOCATOR
/**
 * define EUNVERIFIEDLOCATOR - errno: the peer was never reached there (section 6.16)
 */
#define EUNVERIFIEDLOCATOR	601
#endif

#ifndef EUNREACHABLELOCATOR
/**
 * define EUNREACHABLELOCATOR - errno: the peer does not answer there (section 6.16)
 */
#define EUNREACHABLELOCATOR	602
#endif

#ifndef ETOOMANYLOCATORS
/**
 * define ETOOMANYLOCATORS - errno: more than SHIM_MAX_LOCATORS, or than the buffer holds
 *
 * Sections 6.10 and 6.11; section 6.16 has forgotten it.
 */
#define ETOOMANYLOCATORS	603
#endif

/**
 * define SHIM_LOCATOR_HBA - bit of lc_flags: Hash-Based Address (section 8.1; RFC 5535)
 */
#define SHIM_LOCATOR_HBA 0x01

/**
 * define SHIM_LOCATOR_CGA - bit of lc_flags: Cryptographically Generated Address
 * (section 8.1; RFC 3972)
 */
#define SHIM_LOCATOR_CGA 0x02

/**
 * struct shim_locator - a locator (section 8.1)
 * @lc_family: AF_INET6 or AF_INET
 * @lc_proto: 0, or IPPROTO_UDP behind a NAT
 * @lc_port: port number behind a NAT (section 8.1.1), else 0
 * @lc_prio: priority, 0 to 65535; the lowest is preferred (RFC 2782)
 * @lc_weight: weight among those of equal priority, 0 to 65535 (RFC 2782)
 * @lc_ifidx: index of the interface that has a local locator, 0 for none; ignored in set
 * @lc_addr: the address, network order; an IPv4 address is IPv4-mapped
 * @lc_flags: SHIM_LOCATOR_*; ignored in set
 *
 * 32 octets, the last two of which are padding: 0 in get, ignored in set.
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
 * @pe_probenum: Number of Initial Probes (RFC 5534 section 7)
 * @pe_keepaliveto: Keepalive Timeout, seconds (RFC 5534 section 7)
 * @pe_keepaliveint: Keepalive Interval, seconds (RFC 5534 section 4.1)
 * @pe_initprobeto: Initial Probe Timeout, milliseconds (RFC 5534 section 7)
 * @pe_reserved: 0
 */
struct shim_pathexplore {
	__u16 pe_probenum;
	__u16 pe_keepaliveto;
	__u16 pe_keepaliveint;
	__u16 pe_initprobeto;
	__u32 pe_reserved;
};

/**
 * define shim6_pathexplore - the same under section 6.13's name
 */
#define shim6_pathexplore shim_pathexplore

/**
 * define SHIM_FEEDBACK_OUTBOUND - fb_direction: from here to the peer (section 8.3)
 */
#define SHIM_FEEDBACK_OUTBOUND 0

/**
 * define SHIM_FEEDBACK_INBOUND - fb_direction: from the peer to here (section 8.3)
 */
#define SHIM_FEEDBACK_INBOUND 1

/**
 * define SHIM_FEEDBACK_DEFAULT - fb_indicator: not to be processed (section 8.3)
 */
#define SHIM_FEEDBACK_DEFAULT 0

/**
 * define SHIM_FEEDBACK_UNABLE - fb_indicator: nothing gets through (section 8.3)
 */
#define SHIM_FEEDBACK_UNABLE 1

/**
 * define SHIM_FEEDBACK_UNSATISFACTORY - fb_indicator: not good enough (section 8.3)
 */
#define SHIM_FEEDBACK_UNSATISFACTORY 2

/**
 * define SHIM_FEEDBACK_SATISFACTORY - fb_indicator: good enough (section 8.3)
 */
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
