#include "base/map.h"

#include <stdlib.h>

void map_release(struct map *m)
{
	free(m->entries);
	free(m->slots);
	*m = (struct map)MAP_INIT;
}

/* The slot that holds key, or the empty one where it would go. At least one is always empty. */
static uint32_t *slot_of(const struct map *m, struct str key)
{
	size_t mask = m->nslots - 1;
	for (size_t i = hash_bytes(key.s, key.n) & mask;; i = (i + 1) & mask) {
		uint32_t *slot = &m->slots[i];
		if (!*slot || str_eq(m->entries[*slot - 1].key, key))
			return slot;
	}
}

static void grow(struct map *m)
{
	if (m->nslots > UINT32_MAX / 2)
		BUG("a map of %zu entries", m->n);
	m->nslots = m->nslots ? m->nslots * 2 : 16;
	m->cap = m->nslots / 2;         /* at most half full */
	m->entries = xrealloc(m->entries, m->cap * sizeof(*m->entries));
	free(m->slots);
	m->slots = xcalloc(m->nslots, sizeof(*m->slots));
	for (size_t i = 0; i < m->n; i++)
		*slot_of(m, m->entries[i].key) = (uint32_t)i + 1;
}

void **map_put(struct map *m, struct str key, bool *fresh)
{
	if (m->n == m->cap)
		grow(m);
	uint32_t *slot = slot_of(m, key);
	if (fresh)
		*fresh = !*slot;
	if (!*slot) {
		m->entries[m->n] = (struct map_entry){key, NULL};
		*slot = (uint32_t)++m->n;
	}
	return &m->entries[*slot - 1].value;
}

void *map_get(const struct map *m, struct str key)
{
	uint32_t slot = m->n ? *slot_of(m, key) : 0;
	return slot ? m->entries[slot - 1].value : NULL;
}

bool map_has(const struct map *m, struct str key)
{
	return m->n && *slot_of(m, key);
}
