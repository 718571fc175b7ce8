#include "plan/outputs.h"

#include <stdlib.h>

#include "base/glob.h"
#include "base/path.h"

/* ---- what an instance declares ---- */

static int declare_check(struct maker *m, const struct text *t, const char *what, struct str path)
{
	const struct spec *spec = m->spec;

	if (is_absolute(path))
		return wrong(m, t->loc, "write it relative to the folder of this file",
			     "%s can't be an absolute path", what);
	if (!path.n)
		return wrong(m, t->loc, NULL, "%s can't be the whole workspace", what);
	if (path_within(path, S(".git")))
		return wrong(m, t->loc, NULL, "%s can't lie in .git", what);
	for (size_t i = 0; i < spec->nfiles; i++) {
		if (str_eq(spec->files[i].path, path))
			return wrong(m, t->loc, NULL, "%s can't be the spec itself", what);
	}
	return 0;
}

static int declare(struct at *at, const struct spec_path *p, struct declared *d)
{
	struct arena *a = at->m->arena;
	struct str s;
	int got = at_path(at, &p->text, p->literal, &s);

	if (got)
		return got;
	/* a slash at the end says folder: text_expand keeps it, at_path does not */
	if (at_text(at, &p->text, EXPAND_RAW, &d->written) == 0 && d->written.n > 1 &&
	    d->written.s[d->written.n - 1] == '/')
		d->flags |= OUTPUT_DIR;
	if (!p->literal && glob_is(s))
		d->flags |= OUTPUT_GLOB;
	else if (!p->literal)
		s = glob_unescape(a, s);
	d->flags |= (p->optional ? OUTPUT_OPTIONAL : 0) | (p->negated ? OUTPUT_NEGATED : 0);
	d->path = s;
	d->written = path_from(a, at->vars->file->dir, s);
	d->loc = p->text.loc;
	return p->negated ? 0 : declare_check(at->m, &p->text, "an output", s);
}

static int declare_depfile(struct at *at, struct inst *in)
{
	const struct text *t = &in->of->command->depfile;
	struct str s;
	int got;

	if (!t->s.n)
		return 0;
	got = at_path(at, t, true, &s);
	if (!got)
		got = declare_check(at->m, t, "a depfile", s);
	if (got)
		return got;
	in->depfile = s;
	if (!inst_covers(in, s))
		in->outs[in->nouts++] =
			(struct declared){.path = s, .written = s, .depfile = true, .loc = t->loc};
	return 0;
}

int outputs_declare(struct at *at, struct inst *in)
{
	const struct spec_paths *paths = &in->of->command->outputs;
	struct declared *outs = arena_array(at->m->arena, paths->n + 2, struct declared);
	int rc = 0;

	for (size_t i = 0; i < paths->n; i++)
		rc |= declare(at, &paths->v[i], &outs[i]);
	if (rc)
		return rc;
	in->outs = outs;
	in->nouts = (uint32_t)paths->n;
	return declare_depfile(at, in);
}

static bool declared_holds(const struct declared *d, struct str path)
{
	return d->flags & OUTPUT_GLOB ? pattern_holds(d->path, path) : path_within(path, d->path);
}

bool inst_covers(const struct inst *in, struct str path)
{
	bool covered = false;

	for (uint32_t i = 0; i < in->nouts; i++) {
		if (!declared_holds(&in->outs[i], path))
			continue;
		if (in->outs[i].flags & OUTPUT_NEGATED)
			return false;
		covered = true;
	}
	return covered;
}

bool same_command(const struct inst *a, const struct inst *b)
{
	return a->of == b->of && (a->variant || b->variant);
}

/* ---- who declares what ---- */

static void outmap_add(struct outmap *map, struct inst *in, const struct declared *d)
{
	uint32_t at = (uint32_t)map->all.n;
	bool fresh;
	uint32_t *first;

	vec_add(&map->all, (struct outdecl){in, d, TABLE_NONE});
	if (d->flags & OUTPUT_GLOB) {
		leads_add(&map->globs, d->path, at);
		map->nleads++;
		return;
	}
	first = table_put(&map->literals, d->path, &fresh);
	if (fresh) {
		*first = at;
		map->nsorted++;
		return;
	}
	while (map->all.v[*first].next != TABLE_NONE)
		first = &map->all.v[*first].next;
	map->all.v[*first].next = at;
}

static int by_decl_path(const void *a, const void *b, void *ctx)
{
	const struct outmap *map = ctx;

	return str_cmp(map->all.v[*(const uint32_t *)a].what->path,
		       map->all.v[*(const uint32_t *)b].what->path);
}

struct leading { struct str lead; uint32_t at; };

static int by_lead(const void *a, const void *b)
{
	const struct leading *x = a, *y = b;
	int order = str_cmp(x->lead, y->lead);

	return order ? order : (x->at > y->at) - (x->at < y->at);
}

static void outmap_sort(struct outmap *map)
{
	struct leading *leading = xcalloc(map->nleads + 1, sizeof(*leading));
	size_t n = 0, nleads = 0;

	map->sorted = arena_array(map->arena, map->nsorted + 1, uint32_t);
	map->leads = arena_array(map->arena, map->nleads + 1, uint32_t);
	map->lead = arena_array(map->arena, map->nleads + 1, struct str);
	for (uint32_t i = 0; i < map->all.n; i++) {
		const struct declared *d = map->all.v[i].what;

		if (d->flags & OUTPUT_GLOB)
			leading[nleads++] = (struct leading){pattern_lead(map->arena, d->path), i};
		else if (table_get(&map->literals, d->path) == i)
			map->sorted[n++] = i;
	}
	qsort_r(map->sorted, n, sizeof(*map->sorted), by_decl_path, map);
	qsort(leading, nleads, sizeof(*leading), by_lead);
	for (size_t i = 0; i < nleads; i++) {
		map->leads[i] = leading[i].at;
		map->lead[i] = leading[i].lead;
	}
	free(leading);
}

struct outmap *outmap_new(struct maker *m)
{
	struct outmap *map = arena_new(m->arena, struct outmap);

	*map = (struct outmap){.arena = m->arena, .literals.arena = m->arena};
	leads_init(&map->globs, m->arena);
	/* variants last, so that what they share is first the step's own */
	for (int variants = 0; variants < 2; variants++) {
		for (size_t i = 0; i < m->spec->ncommands; i++) {
			for (size_t k = 0; k < m->made[i].n; k++) {
				struct inst *in = &m->made[i].v[k];

				for (uint32_t o = 0; o < in->nouts && !in->variant == !variants; o++) {
					if (!(in->outs[o].flags & OUTPUT_NEGATED))
						outmap_add(map, in, &in->outs[o]);
				}
			}
		}
	}
	outmap_sort(map);
	return map;
}

void outmap_release(struct outmap *map)
{
	if (map)
		vec_free(&map->all);
}

struct finding { const struct outmap *map; struct str path; const struct outdecl *found; };

static bool find_glob(void *ctx, const struct lead_item *item)
{
	struct finding *f = ctx;
	const struct outdecl *d = &f->map->all.v[item->value];

	if (!inst_covers(d->by, f->path))
		return true;
	f->found = d;
	return false;
}

const struct outdecl *outmap_find(const struct outmap *map, struct str path)
{
	struct finding f = {.map = map, .path = path};

	for (struct str at = path; at.n; at = path_dir(at)) {
		for (uint32_t i = table_get(&map->literals, at); i != TABLE_NONE; i = map->all.v[i].next) {
			if (inst_covers(map->all.v[i].by, path))
				return &map->all.v[i];
		}
	}
	leads_each(&map->globs, path, find_glob, &f);
	return f.found;
}

bool outmap_covers(const struct outmap *map, struct str path)
{
	return outmap_find(map, path) != NULL;
}

void outmap_range(const struct outmap *map, struct str lead, size_t *from, size_t *to)
{
	size_t low = 0, high = map->nsorted;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_cmp(map->all.v[map->sorted[middle]].what->path, lead) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*from = low;
	for (high = map->nsorted; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (str_starts(map->all.v[map->sorted[middle]].what->path, lead))
			low = middle + 1;
		else
			high = middle;
	}
	*to = low;
}

/* ---- what meets a pattern ---- */

struct meeting {
	const struct outmap *map;
	struct str pattern, lead, tail;
	void (*see)(void *ctx, const struct outdecl *);
	void *ctx;
};

static void meet_literal(struct meeting *mt, uint32_t first)
{
	for (uint32_t i = first; i != TABLE_NONE; i = mt->map->all.v[i].next) {
		const struct outdecl *d = &mt->map->all.v[i];

		if (glob_match(mt->pattern, d->what->path) || glob_may_enter(mt->pattern, d->what->path))
			mt->see(mt->ctx, d);
	}
}

static void meet_glob(struct meeting *mt, size_t place)
{
	const struct outdecl *d = &mt->map->all.v[mt->map->leads[place]];

	if (!pattern_disjoint(mt->lead, mt->tail, mt->map->lead[place],
			      pattern_tail(mt->map->arena, d->what->path)))
		mt->see(mt->ctx, d);
}

static size_t lead_lower(const struct outmap *map, struct str lead)
{
	size_t low = 0, high = map->nleads;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_cmp(map->lead[middle], lead) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void outmap_meets(const struct outmap *map, struct str pattern,
		  void (*see)(void *ctx, const struct outdecl *), void *ctx)
{
	struct meeting mt = {
		map, pattern, pattern_lead(map->arena, pattern), pattern_tail(map->arena, pattern), see, ctx};
	size_t from, to;

	outmap_range(map, mt.lead, &from, &to);
	for (size_t i = from; i < to; i++)
		meet_literal(&mt, map->sorted[i]);
	for (struct str at = path_dir(mt.lead); at.n; at = path_dir(at))
		meet_literal(&mt, table_get(&map->literals, at));
	for (size_t n = 0; n < mt.lead.n; n++) {        /* patterns with a shorter lead */
		struct str head = str_head(mt.lead, n);

		if (table_get(&map->globs.by_lead, head) == TABLE_NONE)
			continue;
		for (size_t i = lead_lower(map, head); i < map->nleads && str_eq(map->lead[i], head); i++)
			meet_glob(&mt, i);
	}
	for (size_t i = lead_lower(map, mt.lead); i < map->nleads && str_starts(map->lead[i], mt.lead); i++)
		meet_glob(&mt, i);
}
