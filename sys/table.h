/* SPDX-License-Identifier: GPL-2.0 */
/* The context table of one network namespace. */
#ifndef SHIM6_SYS_TABLE_H
#define SHIM6_SYS_TABLE_H

#include <linux/in6.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable.h>
#include <linux/timer.h>

/* What names a context (RFC 5533 6.1). */
struct shim6_key {
	struct in6_addr local;
	struct in6_addr peer;
	u32 fii;
};

/* The part of a context that the kernel's own structures point into. */
struct shim6_node {
	struct rhash_head by_ulids;
	struct rhash_head by_tag;
	struct hlist_node by_alias;
	u64 tag;
	u64 alias;		/* 0: none */
	struct shim6_key key;
	u64 hash;		/* of the key, keyed */
	struct timer_list timer;
	void *owner;		/* struct NetState of netns.rs */
	struct rcu_head rcu;
};

struct shim6_tables {
	struct rhashtable ulids;	/* shim6_node.key, unique */
	struct rhashtable tags;		/* shim6_node.tag, unique */
	struct hlist_head *aliases;	/* shim6_node.alias, not unique */
};

struct shim6_walk {
	struct rhashtable_iter iter;
};

int shim6_nodes_create(unsigned int size, unsigned int align);
void shim6_nodes_destroy(void);
void *shim6_node_alloc(void);
void shim6_node_release(void *node);

void shim6_node_init(struct shim6_node *node, void *owner);
void shim6_node_arm(struct shim6_node *node, unsigned long expires);
void shim6_node_arm_earlier(struct shim6_node *node, unsigned long expires);
void shim6_node_stop(struct shim6_node *node);
void shim6_node_free_rcu(struct shim6_node *node);

int shim6_tables_init(struct shim6_tables *tables);
int shim6_tables_reserve(struct shim6_tables *tables);
void shim6_tables_destroy(struct shim6_tables *tables);
u32 shim6_tables_len(const struct shim6_tables *tables);
struct shim6_node *shim6_by_ulids(struct shim6_tables *tables, u64 hash,
				  const u8 *local, const u8 *peer, u32 fii);
struct shim6_node *shim6_by_tag(struct shim6_tables *tables, u64 tag);
struct shim6_node *shim6_by_alias(struct shim6_tables *tables, u64 alias);
struct shim6_node *shim6_alias_next(const struct shim6_node *node, u64 alias);
int shim6_tables_insert(struct shim6_tables *tables, struct shim6_node *node);
void shim6_tables_remove(struct shim6_tables *tables, struct shim6_node *node);
void shim6_tables_set_alias(struct shim6_tables *tables,
			    struct shim6_node *node, u64 alias);

void shim6_walk_enter(struct shim6_walk *walk, struct shim6_tables *tables);
void shim6_walk_start(struct shim6_walk *walk);
struct shim6_node *shim6_walk_next(struct shim6_walk *walk);
void shim6_walk_stop(struct shim6_walk *walk);
void shim6_walk_exit(struct shim6_walk *walk);

/* Called from here: sys/entry/table.rs, sys/entry/timer.rs. */
void shim6_entry_node_retire(struct shim6_node *node);
void shim6_entry_node_free(struct shim6_node *node);
void shim6_entry_timer(struct shim6_node *node);

#endif
