/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * strerror() for the errors of SOL_SHIM that no C library knows (RFC 6316
 * section 6.16). shim(7) tells which call gives which.
 */
#ifndef _SHIM_STRERROR_H
#define _SHIM_STRERROR_H

#include <string.h>
#include <linux/shim.h>

/**
 * shim_strerror() - what an error of the multihoming shim means
 * @errnum: an errno, of any call
 *
 * Return: a sentence without a full stop; strerror()'s for all but the four of linux/shim.h.
 */
static __inline__ const char *shim_strerror(int errnum)
{
	switch (errnum) {
	case EINVALIDLOCATOR:
		return "Not a locator of this context";
	case EUNVERIFIEDLOCATOR:
		return "The peer was not reached at this locator yet";
	case EUNREACHABLELOCATOR:
		return "The peer cannot be reached at this locator";
	case ETOOMANYLOCATORS:
		return "Too many locators";
	default:
		return strerror(errnum);
	}
}

#endif /* _SHIM_STRERROR_H */
