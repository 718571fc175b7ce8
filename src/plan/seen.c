#include "plan/seen.h"

#include <stdlib.h>

#include "base/glob.h"
#include "base/path.h"

struct seen {
	struct maker *m;
	struct table patterns[2];       /* without sources, with; value: place in list */
	struct seen_pattern **list; size_t n, cap;
	uint32_t *mark, round;          /* by step: reached from marked */
	uint32_t *closure, nclosure;    /* those */
	const struct need_set *marked;
};

struct seen *seen_new(struct maker *m)
{
	struct seen *s = arena_new(m->arena, struct seen);

	s->m = m;
	s->patterns[0].arena = s->patterns[1].arena = m->arena;
	s->mark = arena_array(m->arena, m->ninsts + 1, uint32_t);
	s->closure = arena_array(m->arena, m->ninsts + 1, uint32_t);
	return s;
}

/* ---- needs ---- */

int seen_direct(const struct need_set *set, uint32_t step)
{
	uint32_t low = 0, high = set->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (set->steps[middle] == step)
			return set->flags[middle] & NEED_ORDER_ONLY ? SEEN_ORDER_ONLY : SEEN_COUNTS;
		if (set->steps[middle] < step)
			low = middle + 1;
		else
			high = middle;
	}
	return SEEN_NOT;
}

static void mark_set(struct seen *s, const struct need_set *set)
{
	for (uint32_t i = 0; i < set->n; i++) {
		if (s->mark[set->steps[i]] == s->round)
			continue;
		s->mark[set->steps[i]] = s->round;
		s->closure[s->nclosure++] = set->steps[i];
	}
}

const uint32_t *seen_closure(struct seen *s, const struct need_set *set, uint32_t *n)
{
	if (s->marked != set) {
		s->marked = set;
		s->nclosure = 0;
		s->round++;
		mark_set(s, set);
		for (uint32_t i = 0; i < s->nclosure; i++)
			mark_set(s, s->m->order[s->closure[i]]->needs);
	}
	*n = s->nclosure;
	return s->closure;
}

bool seen_reaches(struct seen *s, const struct need_set *set, uint32_t step)
{
	uint32_t n;

	if (!set->n || step > set->steps[set->n - 1])
		return false;
	if (seen_direct(set, step))
		return true;
	seen_closure(s, set, &n);
	return s->mark[step] == s->round;
}

/* ---- patterns ---- */

struct meet {
	struct seen_pattern *p;
	VEC(const struct outdecl *) literals;
	VEC(struct seen_maker) makers;
	struct str lead;
};

static void see_decl(void *ctx, const struct outdecl *d)
{
	struct meet *mt = ctx;
	bool folder = d->what->flags & (OUTPUT_GLOB | OUTPUT_DIR);

	if (d->by->variant || d->what->depfile)
		return;
	if (!folder && glob_match(mt->p->pattern, d->what->path)) {
		vec_add(&mt->literals, d);
		return;
	}
	/* what the pattern looks into by name is a folder for certain; others may turn out one */
	folder |= path_within(mt->lead, d->what->path) && !(d->what->flags & OUTPUT_GLOB);
	vec_add(&mt->makers, (struct seen_maker){d, folder});
}

static int by_step(const void *a, const void *b)
{
	const struct seen_maker *x = a, *y = b;
	uint32_t i = x->decl->by->step, k = y->decl->by->step;

	return i != k ? (i > k) - (i < k) : (x->decl > y->decl) - (x->decl < y->decl);
}

size_t seen_maker_at(const struct seen_pattern *p, uint32_t step)
{
	size_t low = 0, high = p->nmakers;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->makers[middle].decl->by->step < step)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void *kept(struct arena *a, const void *v, size_t n, size_t size)
{
	void *copy = arena_calloc(a, n + 1, size);

	if (n)
		memcpy(copy, v, n * size);
	return copy;
}

static void meet_outputs(struct seen *s, struct seen_pattern *p)
{
	struct arena *a = s->m->arena;
	struct meet mt = {.p = p, .lead = pattern_lead(a, p->pattern)};

	outmap_meets(s->m->outs, p->pattern, see_decl, &mt);
	p->nliterals = mt.literals.n;
	p->literals = kept(a, mt.literals.v, mt.literals.n, sizeof(*mt.literals.v));
	if (mt.makers.n)
		qsort(mt.makers.v, mt.makers.n, sizeof(*mt.makers.v), by_step);
	p->nmakers = mt.makers.n;
	p->makers = kept(a, mt.makers.v, mt.makers.n, sizeof(*mt.makers.v));
	vec_free(&mt.literals);
	vec_free(&mt.makers);
}

static void meet_sources(struct seen *s, struct seen_pattern *p, const struct answer *answer)
{
	p->sources = arena_array(s->m->arena, answer->n + 1, struct seen_source);
	for (size_t i = 0; i < answer->n; i++) {
		if (!outmap_covers(s->m->outs, answer->items[i]))
			p->sources[p->nsources++] = (struct seen_source){
				answer->items[i], build_path(&s->m->build, answer->items[i])};
	}
}

const struct seen_pattern *seen_pattern(struct seen *s, struct str pattern, bool ask_sources, struct loc loc)
{
	bool fresh;
	uint32_t *at = table_put(&s->patterns[ask_sources], pattern, &fresh);
	const struct answer *answer = NULL;
	struct seen_pattern *p;

	if (!fresh)
		return s->list[*at];
	if (s->n == s->cap) {
		struct seen_pattern **list =
			arena_array(s->m->arena, s->cap = s->cap * 2 + 16, struct seen_pattern *);

		if (s->n)
			memcpy(list, s->list, s->n * sizeof(*list));
		s->list = list;
	}
	*at = (uint32_t)s->n;
	s->list[s->n++] = NULL;
	if (ask_sources && !(answer = ask(s->m, Q_GLOB, pattern, loc)))
		return NULL;
	p = arena_new(s->m->arena, struct seen_pattern);
	p->pattern = pattern;
	if (answer)
		meet_sources(s, p, answer);
	meet_outputs(s, p);
	return s->list[s->n - 1] = p;
}
