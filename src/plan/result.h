/* result.h: what a step that succeeded left: the record that a store keeps under its key.
 * Encoded: "cairn result 1\n", length-prefixed fields, an XXH3-128 at the end. A record that does not
 * decode is damage: dropped and reported by the caller, never trusted. */
#pragma once

#include "plan/entry.h"
#include "base/err.h"

struct result {
	struct digest key;
	struct str step;                /* who made it */
	struct str root;                /* workspace root the outputs are bound to (they contain it), or "" */
	struct str bound_file;          /* ... and the output that contains it */
	int64_t started_ns;             /* wall clock */
	uint64_t duration_ns;
	struct entries outputs;         /* sorted by path; folders and what they hold; parents that are not outputs are not listed */
	struct digest log;              /* blob of frames as written by exec/log.h; DIGEST_NONE when there was no output */
	uint64_t log_size;
	struct entries found;           /* discovered inputs, sorted by path; absolute ones are host inputs */
	struct str manifest;            /* K1's manifest */
	struct str discovered;          /* K2's manifest; "" without a depfile */
};

#define RESULT_MAX (256u << 20)
void result_encode(const struct result *, struct buf *);
/* Texts point into bytes, arrays live in the arena. */
int result_decode(struct arena *, struct str bytes, struct result *, struct err *);

/* The last few sets of discovered paths found under a K1, newest first. */
#define PATHSETS_MAX 8
struct pathset { struct str *paths; size_t n; };
struct pathsets { struct pathset v[PATHSETS_MAX]; size_t n; };
void pathsets_encode(const struct pathsets *, struct buf *);
int pathsets_decode(struct arena *, struct str bytes, struct pathsets *, struct err *);
