/* codec.h: the bytes of kept records: little-endian numbers, length-prefixed texts that a NUL
 * follows, so that what is read may go to system calls. A reader that comes upon something
 * malformed sets `bad` and yields zeros from then on. Private to this room. */
#pragma once

#include "plan/entry.h"

struct codec_in {
	struct str rest;
	bool bad;
};

void codec_put_u8(struct buf *, uint8_t);
void codec_put_u32(struct buf *, size_t);               /* BUG when it does not fit */
void codec_put_u64(struct buf *, uint64_t);
void codec_put_str(struct buf *, struct str);
void codec_put_digest(struct buf *, const struct digest *);
void codec_put_entries(struct buf *, const struct entries *);
void codec_put_sum(struct buf *);                       /* XXH3-128 of all so far */

uint8_t codec_get_u8(struct codec_in *);
uint32_t codec_get_u32(struct codec_in *);
uint64_t codec_get_u64(struct codec_in *);
struct str codec_get_str(struct codec_in *);
struct digest codec_get_digest(struct codec_in *);
/* A count of things that take at least `least` bytes each: never more than there is room for. */
uint32_t codec_get_count(struct codec_in *, size_t least);
/* Sorted by path without doubles, or bad. */
struct entries codec_get_entries(struct codec_in *, struct arena *);
/* Checks head and sum and takes both off. */
bool codec_open(struct codec_in *, struct str bytes, struct str head);
/* A path as the workspace has them: "a/b", no empty, "." or ".." component, no NUL. */
bool codec_path_inside(struct str);
/* Such a path, or an absolute one. */
bool codec_path_sound(struct str);
