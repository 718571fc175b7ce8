/* sha.h: SHA-256 by libcrypto's EVP, behind the module "sha". Thread-safe once sha256_init has
 * returned 0 on the main thread; every other function needs that first (they call it themselves on
 * the main thread and BUG when it fails: main.c checks it once before work that hashes). */
#pragma once

#include "base/digest.h"
#include "base/err.h"

struct sha_ops {
	void *(*start)(void);
	void (*add)(void *, const void *, size_t);
	void (*end)(void *, uint8_t out[32]);           /* frees */
	void (*once)(const void *, size_t, uint8_t out[32]);
};

struct sha256 { void *state; };

int sha256_init(struct err *);
void sha256_begin(struct sha256 *);
void sha256_add(struct sha256 *, const void *, size_t);
void sha256_end(struct sha256 *, struct digest *out);
void sha256_bytes(const void *, size_t, struct digest *out);
