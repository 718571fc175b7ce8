/* sha2.h: SHA-256 (FIPS 180-4) without a library. For the shim; cairn itself uses sys/sha.h, which is faster. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct sha2 {
	uint32_t h[8];
	uint64_t total;
	uint8_t block[64];
};

void sha2_begin(struct sha2 *);
void sha2_add(struct sha2 *, const void *, size_t n);
void sha2_end(struct sha2 *, uint8_t out[32]);
