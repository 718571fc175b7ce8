/* mask.h: secrets taken out of a stream that comes in pieces. What could still turn out to be the beginning of a secret is
 * held until more comes. Secrets that overlap become one "***". */
#pragma once

#include "base/str.h"

#define MASK_SHORTEST 4                 /* anything shorter would blacken ordinary words */

struct mask {
	struct str *v;                  /* heap; bytes borrowed, without the newlines at their end */
	size_t n;
	bool first[256];                /* bytes that begin one */
};

struct mask_stream {
	struct buf held;                /* the beginning of a secret, perhaps */
	size_t covered;                 /* of it, in front: belongs to a secret whose "***" is out already */
};

#define MASK_STREAM_INIT {.held = BUF_INIT(BUF_UNLIMITED)}

/* values that are unset ({NULL}) or shorter than MASK_SHORTEST are left aside. */
void mask_init(struct mask *, const struct str *values, size_t n);
void mask_hide(struct mask *, struct str value);         /* one more, from now on */
void mask_release(struct mask *);
/* Appends to out what is known to be shown; with last, all of it. */
void mask_add(const struct mask *, struct mask_stream *, struct str bytes, bool last, struct buf *out);
