// SPDX-License-Identifier: GPL-2.0
/* Thunks for randomness, hashes and the log. */
#include <crypto/sha1.h>
#include <crypto/sha2.h>
#include <linux/net.h>
#include <linux/random.h>
#include <net/net_namespace.h>

#include "env.h"

u64 shim6_random(void)
{
	return get_random_u64();
}

void shim6_log_cap(const struct net *net, const char *name, size_t len)
{
	net_notice_ratelimited("shim6: net.shim6.%.*s is reached, contexts are refused (network namespace %u)\n",
			       (int)len, name, net->ns.inum);
}

void shim6_sha1_init(struct shim6_sha1 *sha1)
{
	sha1_init(&sha1->ctx);
}

void shim6_sha1_update(struct shim6_sha1 *sha1, const u8 *data, size_t len)
{
	sha1_update(&sha1->ctx, data, len);
}

void shim6_sha1_final(struct shim6_sha1 *sha1, u8 *out)
{
	sha1_final(&sha1->ctx, out);
}

void shim6_hmac_init(struct shim6_hmac *hmac, const u8 *key, size_t len)
{
	hmac_sha256_init_usingrawkey(&hmac->ctx, key, len);
}

void shim6_hmac_update(struct shim6_hmac *hmac, const u8 *data, size_t len)
{
	hmac_sha256_update(&hmac->ctx, data, len);
}

void shim6_hmac_final(struct shim6_hmac *hmac, u8 *out)
{
	hmac_sha256_final(&hmac->ctx, out);
}
