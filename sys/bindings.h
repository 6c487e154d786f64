/* SPDX-License-Identifier: GPL-2.0 */
/* All that Rust sees of the kernel's C: bindgen reads this file and no other. */
#ifndef SHIM6_SYS_BINDINGS_H
#define SHIM6_SYS_BINDINGS_H

#include <linux/ipv6.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/netfilter_ipv6.h>
#include <linux/seq_file.h>
#include <linux/skbuff.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/sock.h>

#include "addrconf.h"
#include "ancillary.h"
#include "behind.h"
#include "control.h"
#include "env.h"
#include "fork.h"
#include "frag.h"
#include "ftrace.h"
#include "genl.h"
#include "gso.h"
#include "hash.h"
#include "hook.h"
#include "icmp.h"
#include "kick.h"
#include "lock.h"
#include "netns.h"
#include "rcu.h"
#include "route.h"
#include "sig.h"
#include "skb.h"
#include "sock.h"
#include "sysctl.h"
#include "table.h"
#include "user.h"
#include "work.h"

#endif /* SHIM6_SYS_BINDINGS_H */
