#include "plan/table.h"

#include "base/map.h"

/* Never 0, which means an empty slot. Its bits above those that choose the slot spare comparing keys. */
static uint32_t hash_of(struct str key)
{
	return (uint32_t)(hash_bytes(key.s, key.n) >> 16) | 1;
}

static struct table_slot *slot_of(struct table_slot *slots, size_t cap, struct str key, uint32_t hash)
{
	size_t i = (hash >> 1) & (cap - 1);

	while (slots[i].hash && (slots[i].hash != hash || !str_eq(slots[i].key, key)))
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

/* The old slots stay in the arena: together they are no more than the new ones. */
static void table_grow(struct table *t)
{
	size_t cap = t->cap ? t->cap * 2 : 16;
	struct table_slot *slots = arena_array(t->arena, cap, struct table_slot);

	for (size_t i = 0; i < t->cap; i++) {
		const struct table_slot *old = &t->slots[i];

		if (old->hash)
			*slot_of(slots, cap, old->key, old->hash) = *old;
	}
	t->slots = slots;
	t->cap = cap;
}

uint32_t *table_put(struct table *t, struct str key, bool *fresh)
{
	uint32_t hash = hash_of(key);
	struct table_slot *slot;

	if (t->n >= t->cap / 2)
		table_grow(t);
	slot = slot_of(t->slots, t->cap, key, hash);
	if (fresh)
		*fresh = !slot->hash;
	if (!slot->hash) {
		*slot = (struct table_slot){key, TABLE_NONE, hash};
		t->n++;
	}
	return &slot->value;
}

uint32_t table_get(const struct table *t, struct str key)
{
	const struct table_slot *slot = t->cap ? slot_of(t->slots, t->cap, key, hash_of(key)) : NULL;

	return slot && slot->hash ? slot->value : TABLE_NONE;
}
