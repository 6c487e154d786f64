// SPDX-License-Identifier: GPL-2.0
/* Thunks for the context table: rhashtable, timer_list and RCU are macros. */
#include <linux/bitops.h>
#include <linux/hash.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/rhashtable.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "table.h"

#define SHIM6_ALIAS_CHAINS 4096

static struct kmem_cache *shim6_nodes;
static siphash_key_t shim6_alias_key __read_mostly;

int shim6_nodes_create(unsigned int size, unsigned int align)
{
	get_random_bytes(&shim6_alias_key, sizeof(shim6_alias_key));
	shim6_nodes = kmem_cache_create("shim6_context", size, align, 0, NULL);
	return shim6_nodes ? 0 : -ENOMEM;
}

void shim6_nodes_destroy(void)
{
	kmem_cache_destroy(shim6_nodes);
}

void *shim6_node_alloc(void)
{
	return kmem_cache_alloc(shim6_nodes, GFP_ATOMIC);
}

void shim6_node_release(void *node)
{
	kmem_cache_free(shim6_nodes, node);
}

/* What is looked for; the addresses may lie anywhere in a packet. */
struct shim6_wanted {
	u64 hash;
	const u8 *local;
	const u8 *peer;
	u32 fii;
};

/* Any bits of a good hash are good. */
static u32 shim6_pair_bits(u64 hash, u32 seed)
{
	return ror64(hash, seed);
}

static u32 shim6_key_hash(const void *data, u32 len, u32 seed)
{
	return shim6_pair_bits(((const struct shim6_wanted *)data)->hash, seed);
}

static u32 shim6_node_hash(const void *data, u32 len, u32 seed)
{
	return shim6_pair_bits(((const struct shim6_node *)data)->hash, seed);
}

static int shim6_key_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct shim6_wanted *a = arg->key;
	const struct shim6_key *b = &((const struct shim6_node *)obj)->key;

	return memcmp(a->peer, &b->peer, sizeof(b->peer)) ||
	       memcmp(a->local, &b->local, sizeof(b->local)) ||
	       a->fii != b->fii;
}

/* Tags are random, and ours. */
static u32 shim6_tag_bits(const void *data, u32 len, u32 seed)
{
	return ((*(const u64 *)data ^ seed) * GOLDEN_RATIO_64) >> 32;
}

static const struct rhashtable_params shim6_by_ulids_params = {
	.head_offset = offsetof(struct shim6_node, by_ulids),
	.hashfn = shim6_key_hash,
	.obj_hashfn = shim6_node_hash,
	.obj_cmpfn = shim6_key_cmp,
	.automatic_shrinking = true,
};

static const struct rhashtable_params shim6_by_tag_params = {
	.key_len = sizeof(u64),
	.key_offset = offsetof(struct shim6_node, tag),
	.head_offset = offsetof(struct shim6_node, by_tag),
	.hashfn = shim6_tag_bits,
	.automatic_shrinking = true,
};

static void shim6_timer(struct timer_list *timer)
{
	struct shim6_node *node = timer_container_of(node, timer, timer);

	rcu_read_lock();
	shim6_entry_timer(node);
	rcu_read_unlock();
}

void shim6_node_init(struct shim6_node *node, void *owner)
{
	memset(node, 0, sizeof(*node));
	node->owner = owner;
	timer_setup(&node->timer, shim6_timer, 0);
}

void shim6_node_arm(struct shim6_node *node, unsigned long expires)
{
	mod_timer(&node->timer, expires);
	/* pairs with the barrier in shim6_node_arm_earlier() */
	smp_mb();
}

void shim6_node_arm_earlier(struct shim6_node *node, unsigned long expires)
{
	/* pairs with the barrier in shim6_node_arm() */
	smp_mb();
	timer_reduce(&node->timer, expires);
}

void shim6_node_stop(struct shim6_node *node)
{
	timer_shutdown(&node->timer);
}

static void shim6_node_rcu(struct rcu_head *head)
{
	shim6_entry_node_free(container_of(head, struct shim6_node, rcu));
}

void shim6_node_free_rcu(struct shim6_node *node)
{
	shim6_entry_node_retire(node);
	call_rcu(&node->rcu, shim6_node_rcu);
}

int shim6_tables_init(struct shim6_tables *tables)
{
	int err;

	err = rhashtable_init(&tables->ulids, &shim6_by_ulids_params);
	if (err)
		return err;
	tables->aliases = NULL;
	err = rhashtable_init(&tables->tags, &shim6_by_tag_params);
	if (err)
		goto err_ulids;
	return 0;

err_ulids:
	rhashtable_destroy(&tables->ulids);
	return err;
}

/* Looked at by few packets, so of one size. Contexts have no alias before. */
int shim6_tables_reserve(struct shim6_tables *tables)
{
	struct hlist_head *chains;

	if (tables->aliases)
		return 0;
	chains = kvcalloc(SHIM6_ALIAS_CHAINS, sizeof(*chains), GFP_KERNEL);
	if (!chains)
		return -ENOMEM;
	smp_store_release(&tables->aliases, chains);
	return 0;
}

static void shim6_node_end(void *ptr, void *unused)
{
	struct shim6_node *node = ptr;

	timer_shutdown_sync(&node->timer);
	shim6_node_free_rcu(node);
}

void shim6_tables_destroy(struct shim6_tables *tables)
{
	rhashtable_destroy(&tables->tags);
	rhashtable_free_and_destroy(&tables->ulids, shim6_node_end, NULL);
	kvfree(tables->aliases);
}

u32 shim6_tables_len(const struct shim6_tables *tables)
{
	return atomic_read(&tables->ulids.nelems);
}

struct shim6_node *shim6_by_ulids(struct shim6_tables *tables, u64 hash,
				  const u8 *local, const u8 *peer, u32 fii)
{
	struct shim6_wanted wanted = {
		.hash = hash, .local = local, .peer = peer, .fii = fii,
	};

	return rhashtable_lookup(&tables->ulids, &wanted, shim6_by_ulids_params);
}

struct shim6_node *shim6_by_tag(struct shim6_tables *tables, u64 tag)
{
	return rhashtable_lookup(&tables->tags, &tag, shim6_by_tag_params);
}

/* Peers choose aliases, not chains. */
static struct hlist_head *shim6_alias_chain(struct hlist_head *chains,
					    u64 alias)
{
	u64 hash = siphash_1u64(alias, &shim6_alias_key);

	return &chains[hash & (SHIM6_ALIAS_CHAINS - 1)];
}

/*
 * A context that gets another alias while somebody looks at it leads him into another chain: he
 * may miss one, which is as if its message had been lost.
 */
static struct shim6_node *shim6_alias_from(struct hlist_node *link, u64 alias)
{
	struct shim6_node *node;

	for (; link; link = rcu_dereference_raw(hlist_next_rcu(link))) {
		node = hlist_entry(link, struct shim6_node, by_alias);
		if (READ_ONCE(node->alias) == alias)
			return node;
	}
	return NULL;
}

struct shim6_node *shim6_by_alias(struct shim6_tables *tables, u64 alias)
{
	struct hlist_head *chains = smp_load_acquire(&tables->aliases);
	struct hlist_head *chain;

	if (!chains)
		return NULL;
	chain = shim6_alias_chain(chains, alias);
	return shim6_alias_from(rcu_dereference_raw(hlist_first_rcu(chain)),
				alias);
}

struct shim6_node *shim6_alias_next(const struct shim6_node *node, u64 alias)
{
	struct hlist_node *link = (struct hlist_node *)&node->by_alias;

	return shim6_alias_from(rcu_dereference_raw(hlist_next_rcu(link)),
				alias);
}

int shim6_tables_insert(struct shim6_tables *tables, struct shim6_node *node)
{
	struct shim6_wanted wanted = {
		.hash = node->hash,
		.local = node->key.local.s6_addr,
		.peer = node->key.peer.s6_addr,
		.fii = node->key.fii,
	};
	int err;

	err = rhashtable_lookup_insert_key(&tables->ulids, &wanted,
					   &node->by_ulids,
					   shim6_by_ulids_params);
	if (err)
		return err;
	err = rhashtable_lookup_insert_fast(&tables->tags, &node->by_tag,
					    shim6_by_tag_params);
	if (err)
		rhashtable_remove_fast(&tables->ulids, &node->by_ulids,
				       shim6_by_ulids_params);
	return err;
}

void shim6_tables_remove(struct shim6_tables *tables, struct shim6_node *node)
{
	shim6_tables_set_alias(tables, node, 0);
	rhashtable_remove_fast(&tables->tags, &node->by_tag,
			       shim6_by_tag_params);
	rhashtable_remove_fast(&tables->ulids, &node->by_ulids,
			       shim6_by_ulids_params);
}

void shim6_tables_set_alias(struct shim6_tables *tables,
			    struct shim6_node *node, u64 alias)
{
	if (alias == node->alias)
		return;
	if (node->alias)
		hlist_del_rcu(&node->by_alias);
	WRITE_ONCE(node->alias, alias);
	if (alias)
		hlist_add_head_rcu(&node->by_alias,
				   shim6_alias_chain(tables->aliases, alias));
}

void shim6_walk_enter(struct shim6_walk *walk, struct shim6_tables *tables)
{
	rhashtable_walk_enter(&tables->ulids, &walk->iter);
}

void shim6_walk_start(struct shim6_walk *walk)
{
	rhashtable_walk_start(&walk->iter);
}

struct shim6_node *shim6_walk_next(struct shim6_walk *walk)
{
	struct shim6_node *node;

	/* -EAGAIN: the table was resized, and the walk goes on from its start */
	do {
		node = rhashtable_walk_next(&walk->iter);
	} while (IS_ERR(node));
	return node;
}

void shim6_walk_stop(struct shim6_walk *walk)
{
	rhashtable_walk_stop(&walk->iter);
}

void shim6_walk_exit(struct shim6_walk *walk)
{
	rhashtable_walk_exit(&walk->iter);
}
