/* Two steps that write one place: the same path, one below the other's folder, or patterns that may
 * match the same. Variants of one step may: at most one of them runs (select.c holds that). */
#include "plan/outputs.h"

#include "base/glob.h"
#include "base/path.h"

static bool apart(const struct outdecl *a, const struct outdecl *b)
{
	return a->by == b->by || same_command(a->by, b->by);
}

static void say_clash(struct maker *m, const struct outdecl *later, const struct outdecl *first)
{
	const struct declared *d = later->what, *o = first->what;
	struct str where = str_fmt(m->arena, "the other is declared at " STR_FMT ":%u",
				   STR_ARG(o->loc.src ? o->loc.src->path : S("")), o->loc.line);

	if (later->by->of->failed)
		return;
	later->by->of->failed = true;
	if (str_eq(d->path, o->path))
		wrong(m, d->loc, where.s, "steps " STR_FMT " and " STR_FMT " both make " STR_FMT,
		      STR_ARG(first->by->name), STR_ARG(later->by->name), STR_ARG(d->path));
	else
		wrong(m, d->loc, where.s,
		      "step " STR_FMT " makes " STR_FMT ", which meets " STR_FMT " of step " STR_FMT,
		      STR_ARG(later->by->name), STR_ARG(d->path), STR_ARG(o->path), STR_ARG(first->by->name));
}

/* The later one is to blame, whichever was looked at. */
static void clash(struct maker *m, const struct outdecl *a, const struct outdecl *b)
{
	if (a->by->number > b->by->number)
		say_clash(m, a, b);
	else
		say_clash(m, b, a);
}

/* ---- literals ---- */

static void same_literal(struct maker *m, const struct outdecl *d)
{
	const struct outmap *map = m->outs;

	for (uint32_t i = d->next; i != TABLE_NONE; i = map->all.v[i].next) {
		if (!apart(d, &map->all.v[i]))
			clash(m, d, &map->all.v[i]);
	}
}

/* A literal that stands above another must be a folder; its step may leave a part out with "!". */
static void literal_above(struct maker *m, const struct outdecl *d, struct str path)
{
	const struct outmap *map = m->outs;

	for (struct str at = path; at.n; at = path_dir(at)) {
		for (uint32_t i = table_get(&map->literals, at); i != TABLE_NONE; i = map->all.v[i].next) {
			if (!apart(d, &map->all.v[i]) && inst_covers(map->all.v[i].by, path))
				clash(m, d, &map->all.v[i]);
		}
	}
}

struct held { struct maker *m; const struct outdecl *d; };

static bool see_holder(void *ctx, const struct lead_item *item)
{
	struct held *h = ctx;
	const struct outdecl *o = &h->m->outs->all.v[item->value];

	if (!apart(h->d, o) && inst_covers(o->by, h->d->what->path))
		clash(h->m, h->d, o);
	return true;
}

static void check_literal(struct maker *m, const struct outdecl *d)
{
	struct held held = {m, d};

	same_literal(m, d);
	literal_above(m, d, path_dir(d->what->path));
	leads_each(&m->outs->globs, d->what->path, see_holder, &held);
}

/* ---- patterns ---- */

/* Has either step taken the other's pattern away, as written? */
static bool taken_away(const struct outdecl *from, const struct declared *other)
{
	for (uint32_t i = 0; i < from->by->nouts; i++) {
		const struct declared *d = &from->by->outs[i];
		struct str lead = other->path;

		if (!(d->flags & OUTPUT_NEGATED))
			continue;
		if (str_eq(d->path, other->path) || (!(d->flags & OUTPUT_GLOB) && path_within(lead, d->path)))
			return true;
	}
	return false;
}

/* A folder written with a slash and a pattern that looks into it. */
static void folder_meets(struct maker *m, const struct outdecl *d, const struct outdecl *glob)
{
	if (d->what->flags & OUTPUT_DIR && glob_may_enter(glob->what->path, d->what->path) &&
	    !apart(d, glob) && !taken_away(d, glob->what) && !taken_away(glob, d->what))
		clash(m, d, glob);
}

static void see_pattern(void *ctx, const struct outdecl *o)
{
	struct held *h = ctx;

	if (!(o->what->flags & OUTPUT_GLOB)) {
		folder_meets(h->m, o, h->d);
		return;
	}
	if (o->by->number < h->d->by->number && !apart(h->d, o) && !taken_away(h->d, o->what) &&
	    !taken_away(o, h->d->what))
		clash(h->m, h->d, o);
}

static void check_pattern(struct maker *m, const struct outdecl *d)
{
	struct held held = {m, d};
	struct str folder = glob_prefix(m->arena, d->what->path);

	literal_above(m, d, folder);
	outmap_meets(m->outs, d->what->path, see_pattern, &held);
}

int clash_check(struct maker *m)
{
	for (size_t i = 0; i < m->outs->all.n; i++) {
		const struct outdecl *d = &m->outs->all.v[i];

		if (d->what->flags & OUTPUT_GLOB)
			check_pattern(m, d);
		else
			check_literal(m, d);
	}
	return m->failed ? -1 : 0;
}
