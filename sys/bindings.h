/* SPDX-License-Identifier: GPL-2.0 */
/* All that Rust sees of the kernel's C: bindgen reads this file and no other. */
#ifndef SHIM6_SYS_BINDINGS_H
#define SHIM6_SYS_BINDINGS_H

#include <linux/ipv6.h>
#include <linux/netfilter_ipv6.h>
#include <linux/skbuff.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/sock.h>

#include "behind.h"
#include "frag.h"
#include "gso.h"
#include "hook.h"
#include "icmp.h"
#include "route.h"
#include "skb.h"

#endif /* SHIM6_SYS_BINDINGS_H */
