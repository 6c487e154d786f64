/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses, interfaces and neighbours: what can be a locator now, and when to look again. */
#ifndef SHIM6_SYS_ADDRCONF_H
#define SHIM6_SYS_ADDRCONF_H

#include <linux/if.h>
#include <linux/in6.h>
#include <net/net_namespace.h>

enum shim6_addr_state {
	SHIM6_ADDR_ABSENT,
	SHIM6_ADDR_TENTATIVE,
	SHIM6_ADDR_DOWN,
	SHIM6_ADDR_DEPRECATED,
	SHIM6_ADDR_USABLE,
};

int shim6_notifiers_register(void);
void shim6_notifiers_unregister(void);
enum shim6_addr_state shim6_addr_state(struct net *net,
				       const struct in6_addr *addr,
				       char device[IFNAMSIZ]);
/* Whether who should forward from @src to @dst does not answer solicitations; looks up a route. */
bool shim6_next_hop_lost(struct net *net, const struct in6_addr *src,
			 const struct in6_addr *dst);
int shim6_catch_all(struct net *net);
/* The VRF of the namespace's locators, which is that of the catch-all route's device; 0: none. */
int shim6_vrf(struct net *net);

/* Called from here: sys/entry/addr.rs. */
void shim6_entry_addresses(struct net *net);
void shim6_entry_withdrawn(struct net *net, const struct in6_addr *addr);
void shim6_entry_neighbours(struct net *net);

#endif
