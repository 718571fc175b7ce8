/* table.h: texts to numbers, all in an arena, for what lives as long as a plan or its making. Keys are
 * borrowed. Private to this room. */
#pragma once

#include "base/str.h"

#define TABLE_NONE UINT32_MAX

struct table_slot { struct str key; uint32_t value, hash; };
struct table {
	struct arena *arena;
	struct table_slot *slots;       /* open addressing */
	size_t n, cap;                  /* cap: a power of two, or 0 */
};

/* The value's place, valid until the next put; *fresh (may be NULL): it is new and TABLE_NONE. */
uint32_t *table_put(struct table *, struct str key, bool *fresh);
/* TABLE_NONE when absent. */
uint32_t table_get(const struct table *, struct str key);
