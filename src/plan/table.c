#include "plan/table.h"

#include "base/map.h"

static struct table_slot *slot_of(struct table_slot *slots, size_t cap, struct str key)
{
	size_t i = hash_bytes(key.s, key.n) & (cap - 1);

	while (slots[i].used && !str_eq(slots[i].key, key))
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

/* The old slots stay in the arena: together they are no more than the new ones. */
static void table_grow(struct table *t)
{
	size_t cap = t->cap ? t->cap * 2 : 16;
	struct table_slot *slots = arena_array(t->arena, cap, struct table_slot);

	for (size_t i = 0; i < t->cap; i++) {
		if (t->slots[i].used)
			*slot_of(slots, cap, t->slots[i].key) = t->slots[i];
	}
	t->slots = slots;
	t->cap = cap;
}

uint32_t *table_put(struct table *t, struct str key, bool *fresh)
{
	struct table_slot *slot;

	if (t->n >= t->cap / 2)
		table_grow(t);
	slot = slot_of(t->slots, t->cap, key);
	if (fresh)
		*fresh = !slot->used;
	if (!slot->used) {
		*slot = (struct table_slot){key, TABLE_NONE, 1};
		t->n++;
	}
	return &slot->value;
}

uint32_t table_get(const struct table *t, struct str key)
{
	const struct table_slot *slot = t->cap ? slot_of(t->slots, t->cap, key) : NULL;

	return slot && slot->used ? slot->value : TABLE_NONE;
}
