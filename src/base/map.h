/* map.h: string to pointer, iterated in insertion order, so that whatever is built from one is
 * deterministic. Open addressing beside a dense entry array; no removal. Keys are borrowed and
 * must outlive the map. */
#pragma once

#include "str.h"

struct map_entry {
	struct str key;
	void *value;
};

struct map {
	struct map_entry *entries;      /* insertion order */
	size_t n, cap;
	uint32_t *slots;                /* index + 1 into entries, 0 empty */
	size_t nslots;
};

#define MAP_INIT {0}
void map_release(struct map *);
/* The value's place: new and NULL when *fresh (may be NULL) says so. Valid until the next put. */
void **map_put(struct map *, struct str key, bool *fresh);
/* NULL when absent. */
void *map_get(const struct map *, struct str key);
bool map_has(const struct map *, struct str key);

/* A 64-bit hash of bytes, for tables in memory only. */
uint64_t hash_bytes(const void *, size_t n);
