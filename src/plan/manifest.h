/* manifest.h: the canonical list of fields whose SHA-256 is a key. It is kept with the result, so
 * that explain and diff can name the field that differs.
 *
 * Format: "cairn manifest 1\n", then for each field: u8 length of tag, tag, u8 count of parts, each
 * part u32le length and bytes. Fields stand in the order of key.c; a tag may repeat (one field an
 * input): a field of several parts is one of those, and its first part is its name. */
#pragma once

#include "base/err.h"

#define MANIFEST_MAX (64u << 20)

void manifest_begin(struct buf *);
void manifest_add(struct buf *, const char *tag, const struct str *parts, size_t n);
#define manifest_field(b, tag, ...) \
	manifest_add((b), (tag), (struct str[]){__VA_ARGS__}, countof(((struct str[]){__VA_ARGS__})))

struct manifest_item { struct str tag; struct str parts[8]; size_t n; };
/* Steps through; *at starts as 0. 1, 0 at the end, -1 malformed (more than 8 parts are). */
int manifest_next(struct str manifest, size_t *at, struct manifest_item *);

struct manifest_change {
	struct str tag, name;           /* name: first of several parts, else "" */
	struct str before, after;       /* the other parts joined by a blank; {NULL}: not there */
};
/* What differs, in the order of b, then what only a has. In the arena. -1 when one is malformed. */
int manifest_diff(struct arena *, struct str a, struct str b, struct manifest_change **out, size_t *n);
