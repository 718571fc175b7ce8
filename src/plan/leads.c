#include "plan/leads.h"

#include "base/glob.h"

static bool is_wild(char c)
{
	return c == '*' || c == '?' || c == '[' || c == ']' || c == '{' || c == '}';
}

struct str pattern_lead(struct arena *a, struct str pattern)
{
	size_t i = 0;

	while (i < pattern.n && !is_wild(pattern.s[i]))
		i += pattern.s[i] == '\\' && i + 1 < pattern.n ? 2 : 1;
	return glob_unescape(a, str_head(pattern, i));
}

struct str pattern_tail(struct arena *a, struct str pattern)
{
	size_t from = 0;

	for (size_t i = 0; i < pattern.n; i++) {
		if (is_wild(pattern.s[i]))
			from = i + 1;
		else if (pattern.s[i] == '\\' && i + 1 < pattern.n)
			i++;
	}
	if (from && from < pattern.n && pattern.s[from] == '/')
		from++;
	return glob_unescape(a, str_from(pattern, from));
}

/* One tail must end with the other, or no path has both. A match that is a folder may hold paths with
 * any tail, but then two tails that differ name different folders, unless one lies in the other. */
bool pattern_disjoint(struct str lead_a, struct str tail_a, struct str lead_b, struct str tail_b)
{
	if (!str_starts(lead_a, lead_b) && !str_starts(lead_b, lead_a))
		return true;
	return tail_a.n && tail_b.n && !str_ends(tail_a, tail_b) && !str_ends(tail_b, tail_a);
}

bool pattern_holds(struct str pattern, struct str path)
{
	for (;;) {
		ptrdiff_t slash;

		if (glob_match(pattern, path))
			return true;
		slash = str_rchr(path, '/');
		if (slash <= 0)
			return false;
		path.n = (size_t)slash;
	}
}

void leads_init(struct leads *l, struct arena *a)
{
	*l = (struct leads){.by_lead.arena = a};
}

/* A bigger copy in the arena. */
static void *grown(struct arena *a, const void *v, size_t n, size_t *cap, size_t size)
{
	void *more;

	*cap = *cap ? *cap * 2 : 8;
	more = arena_calloc(a, *cap, size);
	if (n)
		memcpy(more, v, n * size);
	return more;
}

static void lengths_add(struct leads *l, size_t n)
{
	size_t at = 0;

	while (at < l->nlengths && l->lengths[at] < n)
		at++;
	if (at < l->nlengths && l->lengths[at] == n)
		return;
	if (l->nlengths == l->caplengths)
		l->lengths =
			grown(l->by_lead.arena, l->lengths, l->nlengths, &l->caplengths, sizeof(*l->lengths));
	memmove(l->lengths + at + 1, l->lengths + at, (l->nlengths - at) * sizeof(*l->lengths));
	l->lengths[at] = n;
	l->nlengths++;
}

static struct lead_list *list_of(struct leads *l, struct str lead)
{
	bool fresh;
	uint32_t *at = table_put(&l->by_lead, lead, &fresh);

	if (!fresh)
		return &l->lists[*at];
	if (l->nlists == l->caplists)
		l->lists = grown(l->by_lead.arena, l->lists, l->nlists, &l->caplists, sizeof(*l->lists));
	*at = (uint32_t)l->nlists;
	lengths_add(l, lead.n);
	return &l->lists[l->nlists++];
}

void leads_add(struct leads *l, struct str pattern, uint32_t value)
{
	struct lead_list *list = list_of(l, pattern_lead(l->by_lead.arena, pattern));
	struct lead_item *item = arena_new(l->by_lead.arena, struct lead_item);

	*item = (struct lead_item){pattern, value, NULL};
	if (list->last)
		list->last->next = item;
	else
		list->first = item;
	list->last = item;
}

void leads_each(const struct leads *l, struct str path, bool (*see)(void *ctx, const struct lead_item *),
		void *ctx)
{
	for (size_t i = 0; i < l->nlengths && l->lengths[i] <= path.n; i++) {
		uint32_t list = table_get(&l->by_lead, str_head(path, l->lengths[i]));
		const struct lead_item *item = list == TABLE_NONE ? NULL : l->lists[list].first;

		for (; item; item = item->next) {
			if (pattern_holds(item->pattern, path) && !see(ctx, item))
				return;
		}
	}
}
