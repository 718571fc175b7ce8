/* The order of steps: needs first; among those that may come next, the first by command and instance. */
#include "plan/maker.h"

#include <stdlib.h>

struct heap { uint32_t *v, n; };

static void heap_put(struct heap *h, uint32_t x)
{
	uint32_t i = h->n++;

	for (; i && h->v[(i - 1) / 2] > x; i = (i - 1) / 2)
		h->v[i] = h->v[(i - 1) / 2];
	h->v[i] = x;
}

static uint32_t heap_take(struct heap *h)
{
	uint32_t top = h->v[0], x = h->v[--h->n], i = 0, child;

	while ((child = 2 * i + 1) < h->n) {
		child += child + 1 < h->n && h->v[child + 1] < h->v[child];
		if (h->v[child] >= x)
			break;
		h->v[i] = h->v[child];
		i = child;
	}
	h->v[i] = x;
	return top;
}

/* ---- sets ----
 * Instances that share a set wait for it as one, so that a thousand steps that need a thousand others
 * are two thousand edges, not a million. */


struct edge { uint32_t set, next; };

struct sorter {
	struct maker *m;
	struct need_set **sets; uint32_t nsets;
	uint32_t *left;                 /* by set */
	uint32_t *members, *next_member;        /* by set: first instance; by instance: another */
	uint32_t *edges;                /* by instance: first edge to a set that holds it */
	VEC(struct edge) edge;
	struct heap ready;
};

static void sets_collect(struct sorter *s)
{
	struct maker *m = s->m;

	s->sets = arena_array(m->arena, m->ninsts + 1, struct need_set *);
	s->left = arena_array(m->arena, m->ninsts + 1, uint32_t);
	s->members = arena_array(m->arena, m->ninsts + 1, uint32_t);
	s->next_member = arena_array(m->arena, m->ninsts + 1, uint32_t);
	s->edges = arena_array(m->arena, m->ninsts + 1, uint32_t);
	memset(s->edges, 255, m->ninsts * sizeof(*s->edges));
	for (uint32_t i = 0; i < m->ninsts; i++) {
		struct need_set *set = m->insts[i]->needs;
		bool same = i && s->nsets && s->sets[s->nsets - 1] == set;

		if (!same) {
			s->sets[s->nsets] = set;
			s->left[s->nsets] = set->n;
			s->members[s->nsets++] = PLAN_NONE;
		}
		s->next_member[i] = s->members[s->nsets - 1];
		s->members[s->nsets - 1] = i;
		for (uint32_t k = 0; k < set->n && !same; k++) {
			vec_add(&s->edge, (struct edge){s->nsets - 1, s->edges[set->steps[k]]});
			s->edges[set->steps[k]] = (uint32_t)s->edge.n - 1;
		}
	}
}

static void set_ready(struct sorter *s, uint32_t set)
{
	for (uint32_t i = s->members[set]; i != PLAN_NONE; i = s->next_member[i])
		heap_put(&s->ready, i);
}

/* ---- cycles ---- */

static struct loc need_loc(struct maker *m, const struct inst *in, uint32_t other)
{
	const struct spec_command *c = in->of->command;

	for (size_t k = 0; k < c->nneeds; k++) {
		const uint32_t *list;
		struct str name;
		struct at at;
		size_t n;

		at_init(&at, m, in->of->vars, in->of, in, in->variant);
		if (at_text(&at, &c->needs[k].step, EXPAND_RAW, &name))
			continue;
		n = needs_find(m, c->file, name, &list);
		for (size_t i = 0; i < n; i++) {
			if (list[i] == other)
				return c->needs[k].step.loc;
		}
	}
	return c->loc;
}

/* From any step that has no place, going to a need that has none comes back at last. */
static int say_cycle(struct maker *m)
{
	CLEANUP_BUF struct buf chain = BUF_INIT(8192);
	uint32_t *seen = arena_array(m->arena, m->ninsts + 1, uint32_t),
		 *path = arena_array(m->arena, m->ninsts + 1, uint32_t);
	uint32_t n = 0, at = 0, from;

	while (m->insts[at]->step != PLAN_NONE)
		at++;
	while (!seen[at]) {
		const struct need_set *set = m->insts[at]->needs;

		path[n++] = at;
		seen[at] = n;
		for (uint32_t k = 0; k < set->n; k++) {
			if (m->insts[set->steps[k]]->step == PLAN_NONE) {
				at = set->steps[k];
				break;
			}
		}
	}
	from = seen[at] - 1;
	for (uint32_t i = from; i < n; i++)
		buf_fmt(&chain, STR_FMT " -> ", STR_ARG(m->insts[path[i]]->name));
	buf_fmt(&chain, STR_FMT, STR_ARG(m->insts[at]->name));
	return wrong(m, need_loc(m, m->insts[path[n - 1]], at), "each needs the one behind it",
		     "steps need each other in a circle: " STR_FMT "%s", STR_ARG(buf_view(&chain)),
		     chain.full ? " ..." : "");
}

/* ---- order ---- */

static int by_number(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Instance numbers become step ids. */
static void set_renumber(struct maker *m, struct need_set *set)
{
	uint64_t *both = xcalloc(set->n + 1, sizeof(*both));

	for (uint32_t i = 0; i < set->n; i++)
		both[i] = (uint64_t)m->insts[set->steps[i]]->step << 8 | set->flags[i];
	qsort(both, set->n, sizeof(*both), by_number);
	for (uint32_t i = 0; i < set->n; i++) {
		set->steps[i] = (uint32_t)(both[i] >> 8);
		set->flags[i] = (uint8_t)both[i];
	}
	free(both);
}

static uint32_t take_all(struct sorter *s)
{
	struct maker *m = s->m;
	uint32_t placed = 0;

	for (uint32_t i = 0; i < s->nsets; i++) {
		if (!s->left[i])
			set_ready(s, i);
	}
	while (s->ready.n) {
		struct inst *in = m->insts[heap_take(&s->ready)];

		in->step = placed;
		m->order[placed++] = in;
		for (uint32_t e = s->edges[in->number]; e != PLAN_NONE; e = s->edge.v[e].next) {
			if (--s->left[s->edge.v[e].set] == 0)
				set_ready(s, s->edge.v[e].set);
		}
	}
	return placed;
}

int order_steps(struct maker *m)
{
	struct sorter s = {.m = m};
	int rc = 0;

	m->order = arena_array(m->arena, m->ninsts + 1, struct inst *);
	s.ready.v = arena_array(m->arena, m->ninsts + 1, uint32_t);
	for (uint32_t i = 0; i < m->ninsts; i++)
		m->insts[i]->step = PLAN_NONE;
	sets_collect(&s);
	if (take_all(&s) < m->ninsts)
		rc = say_cycle(m);
	for (uint32_t i = 0; i < s.nsets && !rc; i++)
		set_renumber(m, s.sets[i]);
	vec_free(&s.edge);
	return rc;
}
