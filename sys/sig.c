// SPDX-License-Identifier: GPL-2.0
/* Thunks for RSA signatures. */
#include <crypto/sig.h>
#include <linux/err.h>

#include "sig.h"

struct crypto_sig *shim6_sig_new(int *err)
{
	struct crypto_sig *sig = crypto_alloc_sig("pkcs1(rsa,sha1)", 0, 0);

	*err = PTR_ERR_OR_ZERO(sig);
	return IS_ERR(sig) ? NULL : sig;
}

void shim6_sig_free(struct crypto_sig *sig)
{
	crypto_free_sig(sig);
}

int shim6_sig_set_public(struct crypto_sig *sig, const u8 *key, u32 len)
{
	return crypto_sig_set_pubkey(sig, key, len);
}

int shim6_sig_set_private(struct crypto_sig *sig, const u8 *key, u32 len)
{
	return crypto_sig_set_privkey(sig, key, len);
}

u32 shim6_sig_octets(struct crypto_sig *sig)
{
	return crypto_sig_maxsize(sig);
}

int shim6_sig_verify(struct crypto_sig *sig, const u8 *signature, u32 len,
		     const u8 *digest, u32 digest_len)
{
	return crypto_sig_verify(sig, signature, len, digest, digest_len);
}

int shim6_sig_sign(struct crypto_sig *sig, const u8 *digest, u32 digest_len,
		   u8 *signature, u32 room)
{
	return crypto_sig_sign(sig, digest, digest_len, signature, room);
}
