/* digest.c: also the door to xxHash, whose code is taken in from its header. */
#include "base/digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/map.h"

bool digest_eq(const struct digest *a, const struct digest *b)
{
	return a->algo == b->algo &&
	       (a->algo == DIGEST_NONE || memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0);
}

void digest_hex(const struct digest *d, char out[65])
{
	static const char hex[] = "0123456789abcdef";
	for (size_t i = 0; i < sizeof(d->bytes); i++) {
		out[2 * i] = hex[d->bytes[i] >> 4];
		out[2 * i + 1] = hex[d->bytes[i] & 15];
	}
	out[64] = '\0';
}

char *digest_text(const struct digest *d, char out[DIGEST_TEXT_MAX])
{
	if (d->algo == DIGEST_NONE)
		return strcpy(out, "none");
	memcpy(out, "sha256:", 7);
	digest_hex(d, out + 7);
	return out;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool digest_parse(struct str s, struct digest *out)
{
	struct digest d = {.algo = DIGEST_SHA256};
	if (!str_starts(s, S("sha256:")) || s.n != 7 + 64)
		return false;
	for (size_t i = 0; i < sizeof(d.bytes); i++) {
		int high = hex_value(s.s[7 + 2 * i]), low = hex_value(s.s[8 + 2 * i]);
		if (high < 0 || low < 0)
			return false;
		d.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*out = d;
	return true;
}

struct xxh xxh_bytes(const void *bytes, size_t n)
{
	XXH128_hash_t hash = XXH3_128bits(n ? bytes : "", n);
	return (struct xxh){hash.low64, hash.high64};
}

uint64_t hash_bytes(const void *bytes, size_t n)
{
	return XXH3_64bits(n ? bytes : "", n);
}
