/* SPDX-License-Identifier: GPL-2.0 */
/* Randomness and hashes for the protocol core. */
#ifndef SHIM6_SYS_ENV_H
#define SHIM6_SYS_ENV_H

#include <crypto/sha1.h>
#include <crypto/sha2.h>

struct shim6_sha1 {
	struct sha1_ctx ctx;
};

struct shim6_hmac {
	struct hmac_sha256_ctx ctx;
};

struct net;

u64 shim6_random(void);
void shim6_log_cap(const struct net *net, const char *name, size_t len);
void shim6_sha1_init(struct shim6_sha1 *sha1);
void shim6_sha1_update(struct shim6_sha1 *sha1, const u8 *data, size_t len);
void shim6_sha1_final(struct shim6_sha1 *sha1, u8 *out);
void shim6_hmac_init(struct shim6_hmac *hmac, const u8 *key, size_t len);
void shim6_hmac_update(struct shim6_hmac *hmac, const u8 *data, size_t len);
void shim6_hmac_final(struct shim6_hmac *hmac, u8 *out);

#endif
