/* gather.h: what enters a step's key, brought together: the parts of walk.c. Private to this room. */
#pragma once

#include "base/vec.h"
#include "resolve/walk.h"

struct gather { VEC(struct entry) v; bool pending; };

static inline bool need_counts(const struct plan_need *need) { return !(need->flags & NEED_ORDER_ONLY); }
/* Sorts by path and keeps the first of each. */
void entries_unique(struct entry *, size_t *n);
/* The record's entry for path, or NULL. */
const struct entry *output_of(const struct walk_step *, struct str path);
/* A file on disk; it joins what the probe used. */
int source_entry(struct walk *, struct probe *, struct str path, struct entry *out, struct err *);
/* What a need made counts as used, like a source: it must stay as it is while the step runs. */
/* What a link leads to is used as well: its own identity says nothing of that. */
int use_behind(struct walk *, struct probe *, struct str link, struct err *);
void use_output(struct probe *, const struct walk_step *from, const struct entry *);
int gather_inputs(struct walk *, const struct plan_step *, struct probe *, struct gather *, struct err *);
int gather_facts(struct walk *, struct arena *, const struct plan_step *, struct key_facts *, struct err *);

/* A record of the store; a fault switches the store off for the run and is no record. */
bool walk_store_get(struct walk *, enum record_kind, const struct digest *key, struct arena *, struct str *out);
/* A result that holds here; a damaged one is dropped. */
bool walk_result(struct walk *, const struct digest *key, struct arena *, struct result *out);
/* Tries the last few sets of discovered paths under K1: sets the verdict and, with a record, key and result. */
int probe_pathsets(struct walk *, struct arena *, uint32_t step, struct probe *, struct err *);
void watch_used(struct walk *, const struct probe *, size_t from);
