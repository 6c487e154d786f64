// SPDX-License-Identifier: GPL-2.0
/* Thunks for addresses, interfaces and neighbours. */
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/notifier.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>
#include <net/ip6_route.h>
#include <net/l3mdev.h>
#include <net/ndisc.h>
#include <net/neighbour.h>
#include <net/net_namespace.h>
#include <net/netevent.h>

#include "addrconf.h"

/* The dummy device whose /128 copies keep identifiers alive. */
#define SHIM6_CATCH_ALL "shim0"

/* What sys/addrconf.rs has room for. */
static_assert(IFNAMSIZ == 16);

/* Whether an address that went from here was removed, or its prefix expired: what takes a link
 * away, or IPv6 from it, takes the addresses as well, and so do those who manage links.
 */
static bool shim6_works(const struct inet6_dev *idev)
{
	const struct net_device *dev = idev->dev;

	return netif_running(dev) && netif_carrier_ok(dev) &&
	       READ_ONCE(dev->mtu) >= IPV6_MIN_MTU &&
	       !READ_ONCE(idev->cnf.disable_ipv6) &&
	       strcmp(dev->name, SHIM6_CATCH_ALL);
}

static int shim6_inet6addr(struct notifier_block *nb, unsigned long event,
			   void *ptr)
{
	struct inet6_ifaddr *ifa = ptr;
	struct net *net = dev_net(ifa->idev->dev);

	if (event == NETDEV_DOWN && shim6_works(ifa->idev))
		shim6_entry_withdrawn(net, &ifa->addr);
	shim6_entry_addresses(net);
	return NOTIFY_DONE;
}

static int shim6_netdev(struct notifier_block *nb, unsigned long event,
			void *ptr)
{
	switch (event) {
	case NETDEV_UP:
	case NETDEV_DOWN:
	case NETDEV_CHANGE:
	case NETDEV_REGISTER:
	case NETDEV_UNREGISTER:
	case NETDEV_CHANGENAME:
	case NETDEV_CHANGEUPPER:
		shim6_entry_addresses(dev_net(netdev_notifier_info_to_dev(ptr)));
	}
	return NOTIFY_DONE;
}

/* One that never answered was not lost: who scans a link finds many of these. */
static bool shim6_was_there(const struct neighbour *neigh)
{
	return memchr_inv(neigh->ha, 0, neigh->dev->addr_len);
}

static int shim6_netevent(struct notifier_block *nb, unsigned long event,
			  void *ptr)
{
	const struct neighbour *neigh = ptr;

	if (event == NETEVENT_NEIGH_UPDATE && neigh->tbl->family == AF_INET6 &&
	    READ_ONCE(neigh->nud_state) & NUD_FAILED && shim6_was_there(neigh))
		shim6_entry_neighbours(dev_net(neigh->dev));
	return NOTIFY_DONE;
}

static struct notifier_block shim6_netevent_nb = {
	.notifier_call = shim6_netevent,
};

static struct notifier_block shim6_inet6addr_nb = {
	.notifier_call = shim6_inet6addr,
};

static struct notifier_block shim6_netdev_nb = {
	.notifier_call = shim6_netdev,
};

int shim6_notifiers_register(void)
{
	int err = register_netdevice_notifier(&shim6_netdev_nb);

	if (err)
		return err;
	err = register_inet6addr_notifier(&shim6_inet6addr_nb);
	if (err)
		goto out_netdev;
	err = register_netevent_notifier(&shim6_netevent_nb);
	if (err)
		goto out_inet6addr;
	return 0;
out_inet6addr:
	unregister_inet6addr_notifier(&shim6_inet6addr_nb);
out_netdev:
	unregister_netdevice_notifier(&shim6_netdev_nb);
	return err;
}

void shim6_notifiers_unregister(void)
{
	unregister_netevent_notifier(&shim6_netevent_nb);
	unregister_inet6addr_notifier(&shim6_inet6addr_nb);
	unregister_netdevice_notifier(&shim6_netdev_nb);
}

static enum shim6_addr_state shim6_ifa_state(const struct net_device *dev,
					     const struct inet6_ifaddr *ifa)
{
	if (!netif_running(dev) || !netif_carrier_ok(dev) ||
	    ifa->flags & IFA_F_DADFAILED)
		return SHIM6_ADDR_DOWN;
	if (ifa->flags & IFA_F_TENTATIVE)
		return SHIM6_ADDR_TENTATIVE;
	if (ifa->flags & IFA_F_DEPRECATED)
		return SHIM6_ADDR_DEPRECATED;
	return SHIM6_ADDR_USABLE;
}

enum shim6_addr_state shim6_addr_state(struct net *net,
				       const struct in6_addr *addr,
				       char device[IFNAMSIZ])
{
	enum shim6_addr_state state, best = SHIM6_ADDR_ABSENT;
	const struct inet6_ifaddr *ifa;
	const struct inet6_dev *idev;
	const struct net_device *dev;
	int vrf;

	rcu_read_lock();
	vrf = shim6_vrf(net);
	for_each_netdev_rcu(net, dev) {
		idev = __in6_dev_get(dev);
		if (!idev || !strcmp(dev->name, SHIM6_CATCH_ALL) ||
		    l3mdev_master_ifindex_rcu(dev) != vrf)
			continue;
		list_for_each_entry_rcu(ifa, &idev->addr_list, if_list) {
			if (!ipv6_addr_equal(&ifa->addr, addr))
				continue;
			state = shim6_ifa_state(dev, ifa);
			if (state > best) {
				best = state;
				strscpy_pad(device, dev->name, IFNAMSIZ);
			}
		}
	}
	rcu_read_unlock();
	return best;
}

bool shim6_next_hop_lost(struct net *net, const struct in6_addr *src,
			 const struct in6_addr *dst)
{
	struct flowi6 fl6 = {
		.flowi6_oif = shim6_vrf(net),
		.flowi6_proto = 140,
		.saddr = *src,
		.daddr = *dst,
	};
	struct dst_entry *route = ip6_dst_lookup_flow(net, NULL, &fl6, NULL);
	const struct neighbour *neigh;
	bool lost;

	if (IS_ERR(route))
		return false;
	rcu_read_lock();
	neigh = __ipv6_neigh_lookup_noref(dst_dev_rcu(route),
					  rt6_nexthop(dst_rt6_info(route), dst));
	/* The next packet asks a lost one again: it is incomplete then. */
	lost = neigh && READ_ONCE(neigh->nud_state) &
			(NUD_FAILED | NUD_INCOMPLETE);
	rcu_read_unlock();
	dst_release(route);
	return lost;
}

int shim6_catch_all(struct net *net)
{
	const struct net_device *dev;
	int ifindex = 0;

	rcu_read_lock();
	dev = dev_get_by_name_rcu(net, SHIM6_CATCH_ALL);
	if (dev)
		ifindex = dev->ifindex;
	rcu_read_unlock();
	return ifindex;
}

int shim6_vrf(struct net *net)
{
	int ifindex;

	rcu_read_lock();
	ifindex = l3mdev_master_ifindex_rcu(dev_get_by_name_rcu(net, SHIM6_CATCH_ALL));
	rcu_read_unlock();
	return ifindex;
}
