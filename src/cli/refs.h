/* refs.h: what the cache has to know of its records to be cleaned and checked. */
#pragma once

#include "cache/store.h"

/* For store_dir_gc: hands each blob that an encoded result names to blob. -1: not a result. */
int refs_of_result(struct str record, void (*blob)(void *, const struct digest *), void *ctx);
/* For store_dir_verify: 0 when the record is whole. */
int refs_check(enum record_kind, struct str record);
