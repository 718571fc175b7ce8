/* globwalk.h: one walk over a workspace for many patterns. Patterns hang in a tree of their literal
 * prefixes, so that a folder is opened only if some pattern can match in it, and a file is compared only with patterns
 * whose prefix is above it. */
#pragma once

#include "resolve/listing.h"

/* What is found for one question. problem: the first folder that could not be read and may hold more. */
struct wanted {
	VEC(struct str) hits;           /* mostly sorted, paths in the arena; the caller frees */
	struct str problem;
};

struct globwalk;

/* tracked: does git track path, or (below) anything below it? Asked only of what is ignored; may set *problem. */
struct globwalk *globwalk_new(struct listing *, bool (*tracked)(void *ctx, struct str path, bool below, struct str *problem), void *ctx);
void globwalk_pattern(struct globwalk *, struct str pattern, struct wanted *);
void globwalk_sources(struct globwalk *, struct wanted *);
/* Walks, fills every wanted, and frees the walk. */
void globwalk_run(struct globwalk *);
