/* SPDX-License-Identifier: GPL-2.0 */
/* RSA signatures of the kernel's crypto. */
#ifndef SHIM6_SYS_SIG_H
#define SHIM6_SYS_SIG_H

#include <linux/types.h>

struct crypto_sig;

struct crypto_sig *shim6_sig_new(int *err);
void shim6_sig_free(struct crypto_sig *sig);
int shim6_sig_set_public(struct crypto_sig *sig, const u8 *key, u32 len);
int shim6_sig_set_private(struct crypto_sig *sig, const u8 *key, u32 len);
u32 shim6_sig_octets(struct crypto_sig *sig);
int shim6_sig_verify(struct crypto_sig *sig, const u8 *signature, u32 len,
		     const u8 *digest, u32 digest_len);
int shim6_sig_sign(struct crypto_sig *sig, const u8 *digest, u32 digest_len,
		   u8 *signature, u32 room);

#endif
