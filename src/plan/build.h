/* build.h: makes a plan image: appends to its sections, then lays them one behind the other.
 * Texts are kept once; texts and paths given must live as long as the builder (its arena, or longer).
 * Paths get temporary ids while building; build_finish sorts them and renumbers inputs and sources.
 * Private to this room. */
#pragma once

#include "base/vec.h"
#include "plan/plan.h"
#include "plan/table.h"

#define PLAN_IMAGE_MAX UINT32_MAX       /* of a section's entries or text bytes */

struct build {
	struct arena *arena;
	struct table texts_at, path_ids;
	struct buf text;
#define X(section, type) struct { type *v; size_t n, cap; } section;
	PLAN_SECTIONS(X)
#undef X
};

void build_init(struct build *, struct arena *);
void build_release(struct build *);
struct plan_text build_text(struct build *, struct str);
/* Temporary id of a path; its producer starts as PLAN_NONE. */
uint32_t build_path(struct build *, struct str);
void build_producer(struct build *, struct str path, uint32_t step);
void build_word(struct build *, struct str);
struct plan_span build_words(struct build *, const struct str *, size_t n);
/* out: as plan_make's. Empties nothing. -1 when something is too big for the format. */
int build_finish(struct build *, struct str name, struct buf *out, struct err *);
