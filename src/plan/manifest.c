#include "plan/manifest.h"

#include <stdlib.h>

#include "base/map.h"

#define MANIFEST_HEAD "cairn manifest 1\n"

static void put_u32(struct buf *b, size_t n)
{
	if (n > UINT32_MAX)
		BUG("a manifest field of %zu bytes", n);
	buf_add(b, (uint8_t[]){n & 255, n >> 8 & 255, n >> 16 & 255, n >> 24 & 255}, 4);
}

static uint32_t get_u32(const char *p)
{
	const uint8_t *u = (const uint8_t *)p;

	return u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
}

void manifest_begin(struct buf *b)
{
	buf_clear(b);
	buf_z(b, MANIFEST_HEAD);
}

void manifest_add(struct buf *b, const char *tag, const struct str *parts, size_t n)
{
	size_t len = strlen(tag);

	if (len > 255 || n > countof(((struct manifest_item *)0)->parts))
		BUG("manifest field %s has %zu parts", tag, n);
	buf_c(b, (char)len);
	buf_add(b, tag, len);
	buf_c(b, (char)n);
	for (size_t i = 0; i < n; i++) {
		put_u32(b, parts[i].n);
		buf_str(b, parts[i]);
	}
}

int manifest_next(struct str m, size_t *at, struct manifest_item *item)
{
	size_t head = sizeof(MANIFEST_HEAD) - 1, i = *at, n;

	if (!i) {
		if (!str_starts(m, S(MANIFEST_HEAD)))
			return -1;
		i = head;
	}
	if (i == m.n)
		return 0;
	n = (uint8_t)m.s[i++];
	if (m.n - i < n + 1)
		return -1;
	*item = (struct manifest_item){.tag = {m.s + i, n}};
	i += n;
	n = (uint8_t)m.s[i++];
	if (n > countof(item->parts))
		return -1;
	for (; item->n < n; item->n++) {
		uint32_t len;

		if (m.n - i < 4)
			return -1;
		len = get_u32(m.s + i);
		i += 4;
		if (m.n - i < len)
			return -1;
		item->parts[item->n] = (struct str){m.s + i, len};
		i += len;
	}
	*at = i;
	return 1;
}

/* ---- differences ---- */

static struct str item_name(const struct manifest_item *item)
{
	return item->n > 1 ? item->parts[0] : S("");
}

static struct str item_value(struct arena *a, const struct manifest_item *item)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);

	for (size_t i = item->n > 1; i < item->n; i++) {
		if (b.n)
			buf_c(&b, ' ');
		buf_str(&b, item->parts[i]);
	}
	return str_dup(a, buf_view(&b));
}

static struct str item_key(struct arena *a, const struct manifest_item *item)
{
	struct str name = item_name(item);

	return str_fmt(a, STR_FMT "%c" STR_FMT, STR_ARG(item->tag), item->n > 1 ? 1 : 2, STR_ARG(name));
}

static bool item_eq(const struct manifest_item *a, const struct manifest_item *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!str_eq(a->parts[i], b->parts[i]))
			return false;
	}
	return true;
}

/* Every field by tag and name; -1 when malformed. */
static int items_read(struct arena *a, struct str m, struct map *out)
{
	struct manifest_item item;
	size_t at = 0;
	int got;

	while ((got = manifest_next(m, &at, &item)) > 0) {
		struct manifest_item *kept = arena_new(a, struct manifest_item);

		*kept = item;
		*map_put(out, item_key(a, &item), NULL) = kept;
	}
	return got;
}

static void changes_add(struct arena *a, const struct map *from, const struct map *other, bool only_missing,
			bool swap, struct manifest_change *out, size_t *n)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct manifest_item *here = from->entries[i].value,
					   *there = map_get(other, from->entries[i].key);
		struct manifest_change *c = &out[*n];
		struct str mine, theirs = {0};

		if (there && (only_missing || item_eq(here, there)))
			continue;
		mine = item_value(a, here);
		if (there)
			theirs = item_value(a, there);
		*c = (struct manifest_change){here->tag, item_name(here), swap ? mine : theirs,
					      swap ? theirs : mine};
		++*n;
	}
}

int manifest_diff(struct arena *arena, struct str a, struct str b, struct manifest_change **out, size_t *n)
{
	struct map in_a = MAP_INIT, in_b = MAP_INIT;
	int rc = -1;

	*n = 0;
	if (items_read(arena, a, &in_a) == 0 && items_read(arena, b, &in_b) == 0) {
		*out = arena_array(arena, in_a.n + in_b.n + 1, struct manifest_change);
		changes_add(arena, &in_b, &in_a, false, false, *out, n);
		changes_add(arena, &in_a, &in_b, true, true, *out, n);
		rc = 0;
	}
	map_release(&in_a);
	map_release(&in_b);
	return rc;
}
