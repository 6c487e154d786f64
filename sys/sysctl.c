// SPDX-License-Identifier: GPL-2.0
/* Thunks for net.shim6.*. */
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/sysctl.h>
#include <net/net_namespace.h>

#include "sysctl.h"

#define SHIM6_NAME_LEN 32

struct shim6_sysctl_entry {
	char name[SHIM6_NAME_LEN];
	unsigned int min;
	unsigned int max;
	size_t at;
	void *owner;
};

struct shim6_sysctls {
	struct ctl_table_header *header;
	struct ctl_table *table;
	struct shim6_sysctl_entry entries[];
};

static int shim6_sysctl_handler(const struct ctl_table *table, int write,
				void *buffer, size_t *lenp, loff_t *ppos)
{
	struct shim6_sysctl_entry *entry = container_of(table->extra1,
							struct shim6_sysctl_entry,
							min);
	u32 value = READ_ONCE(*(u32 *)table->data);
	struct ctl_table copy = *table;
	int err;

	copy.data = &value;
	err = proc_douintvec_minmax(&copy, write, buffer, lenp, ppos);
	if (write && !err)
		err = shim6_entry_config(entry->owner, entry->at, value);
	return err;
}

struct shim6_sysctls *shim6_sysctl_register(struct net *net, void *owner,
					    u32 *values,
					    const struct shim6_sysctl_field *fields,
					    size_t count)
{
	struct shim6_sysctls *sysctls;
	size_t i;

	sysctls = kzalloc(struct_size(sysctls, entries, count), GFP_KERNEL);
	if (!sysctls)
		return NULL;
	sysctls->table = kcalloc(count, sizeof(*sysctls->table), GFP_KERNEL);
	if (!sysctls->table)
		goto err;
	for (i = 0; i < count; i++) {
		struct shim6_sysctl_entry *entry = &sysctls->entries[i];

		if (fields[i].name_len >= SHIM6_NAME_LEN)
			goto err;
		memcpy(entry->name, fields[i].name, fields[i].name_len);
		entry->min = fields[i].min;
		entry->max = fields[i].max;
		entry->at = i;
		entry->owner = owner;
		sysctls->table[i] = (struct ctl_table){
			.procname = entry->name,
			.data = &values[i],
			.maxlen = sizeof(values[i]),
			.mode = 0644,
			.proc_handler = shim6_sysctl_handler,
			.extra1 = &entry->min,
			.extra2 = &entry->max,
		};
	}
	sysctls->header = register_net_sysctl_sz(net, "net/shim6",
						 sysctls->table, count);
	if (!sysctls->header)
		goto err;
	return sysctls;

err:
	kfree(sysctls->table);
	kfree(sysctls);
	return NULL;
}

void shim6_sysctl_unregister(struct shim6_sysctls *sysctls)
{
	unregister_net_sysctl_table(sysctls->header);
	kfree(sysctls->table);
	kfree(sysctls);
}
