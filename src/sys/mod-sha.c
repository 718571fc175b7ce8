/* module: pkg libcrypto */
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "sys/sha.h"

/* Fetched once: a fetch by name costs more than hashing a small file. */
static EVP_MD *sha256;

__attribute__((constructor)) static void sha_fetch(void)
{
	/* The default provider is all that is needed; reading openssl.cnf takes longer than a no-op may. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static void *sha_start(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (!ctx || EVP_DigestInit_ex2(ctx, sha256, NULL) != 1)
		BUG("libcrypto is unable to begin a SHA-256");
	return ctx;
}

static void sha_add(void *ctx, const void *bytes, size_t n)
{
	if (EVP_DigestUpdate(ctx, bytes, n) != 1)
		BUG("libcrypto is unable to go on with a SHA-256");
}

static void sha_end(void *ctx, uint8_t out[32])
{
	if (EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		BUG("libcrypto is unable to end a SHA-256");
	EVP_MD_CTX_free(ctx);
}

/* Does not fail aloud: sha256_init tries it first, to see whether there is a SHA-256 at all. */
static void sha_once(const void *bytes, size_t n, uint8_t out[32])
{
	if (!sha256 || EVP_Digest(bytes, n, out, NULL, sha256, NULL) != 1)
		memset(out, 0, 32);
}

const struct sha_ops cairn_module = {
	.start = sha_start,
	.add = sha_add,
	.end = sha_end,
	.once = sha_once,
};
