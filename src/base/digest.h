/* digest.h: content names. A digest carries its algorithm and prints as "sha256:hex".
 * SHA-256 names what is trusted (manifests, keys, blobs); XXH3-128 only answers "has this changed
 * since I last looked" on one machine. Hashing SHA-256 itself is sys/sha.h. */
#pragma once

#include "str.h"

enum digest_algo { DIGEST_NONE, DIGEST_SHA256 };

struct digest {
	uint8_t algo;
	uint8_t bytes[32];
};

#define DIGEST_TEXT_MAX 72
bool digest_eq(const struct digest *, const struct digest *);
/* NUL-terminated into out; returns out. */
char *digest_text(const struct digest *, char out[DIGEST_TEXT_MAX]);
void digest_hex(const struct digest *, char out[65]);
bool digest_parse(struct str, struct digest *out);

struct xxh { uint64_t lo, hi; };
struct xxh xxh_bytes(const void *, size_t n);
static inline bool xxh_eq(struct xxh a, struct xxh b) { return a.lo == b.lo && a.hi == b.hi; }
