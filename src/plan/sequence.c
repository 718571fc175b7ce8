#include "plan/sequence.h"

#define EDGES_MAX (1u << 22)

void sequence_init(struct sequence *s, struct arena *a, const struct plan *p)
{
	*s = (struct sequence){.plan = p};
	s->mark = arena_array(a, p->nsteps + 1, uint32_t);
	s->found = arena_array(a, p->nsteps + 1, uint32_t);
}

void sequence_release(struct sequence *s)
{
	vec_free(&s->order);
}

/* Marks steps and all they need; those newly marked go to found, from n on. The new n. */
static uint32_t mark_steps(struct sequence *s, struct plan_span steps, uint32_t n)
{
	const struct plan *p = s->plan;
	uint32_t at = n;

	for (uint32_t i = 0; i < steps.n; i++) {
		uint32_t step = p->refs[steps.at + i];

		if (s->mark[step] != s->round) {
			s->mark[step] = s->round;
			s->found[n++] = step;
		}
	}
	for (; at < n; at++) {
		const struct plan_step *step = &p->steps[s->found[at]];

		for (uint32_t i = 0; i < step->needs.n; i++) {
			uint32_t need = p->needs[step->needs.at + i].step;

			if (s->mark[need] != s->round) {
				s->mark[need] = s->round;
				s->found[n++] = need;
			}
		}
	}
	return n;
}

/* What comes before a goal, directly or not. A goal names only earlier ones. */
static uint32_t mark_before(struct sequence *s, struct plan_span goals, uint32_t goal, bool *before)
{
	const struct plan *p = s->plan;
	uint32_t n = 0;

	memset(before, 0, goals.n);
	before[goal] = true;
	for (uint32_t g = goal + 1; g-- > 0;) {
		const struct plan_goal *at = &p->goals[goals.at + g];

		if (!before[g])
			continue;
		if (g != goal)
			n = mark_steps(s, at->steps, n);
		for (uint32_t k = 0; k < at->after.n; k++)
			before[p->refs[at->after.at + k]] = true;
	}
	return n;
}

/* Only those that nothing new stands before have to wait: the others wait for these. */
static bool waits_for_new(const struct sequence *s, uint32_t step, uint32_t round)
{
	const struct plan_step *of = &s->plan->steps[step];

	for (uint32_t i = 0; i < of->needs.n; i++) {
		if (s->mark[s->plan->needs[of->needs.at + i].step] == round)
			return true;
	}
	return false;
}

static int add_edges(struct sequence *s, struct plan_span goals, const struct plan_goal *g, uint32_t from,
		     uint32_t to, struct err *err)
{
	const struct plan *p = s->plan;
	uint32_t fresh = ++s->round;

	for (uint32_t i = from; i < to; i++)
		s->mark[s->found[i]] = fresh;
	for (uint32_t i = from; i < to; i++) {
		if (waits_for_new(s, s->found[i], fresh))
			continue;
		for (uint32_t k = 0; k < g->after.n; k++) {
			const struct plan_goal *before = &p->goals[goals.at + p->refs[g->after.at + k]];

			if (s->order.n + before->steps.n > EDGES_MAX)
				return err_set(err, ERR_USAGE,
					       "unable to run a sequential workflow of so many steps: it "
					       "takes more than %u edges",
					       EDGES_MAX);
			for (uint32_t x = 0; x < before->steps.n; x++)
				vec_add(&s->order,
					(struct order){p->refs[before->steps.at + x], s->found[i]});
		}
	}
	return 0;
}

int sequence_add(struct sequence *s, struct plan_span goals, struct err *err)
{
	bool *before = xcalloc(goals.n + 1, sizeof(*before));
	int rc = 0;

	for (uint32_t i = 0; i < goals.n && !rc; i++) {
		const struct plan_goal *g = &s->plan->goals[goals.at + i];
		uint32_t from, to;

		if (!g->after.n)
			continue;
		s->round++;
		from = mark_before(s, goals, i, before);
		to = mark_steps(s, g->steps, from);
		rc = add_edges(s, goals, g, from, to, err);
	}
	cleanup_free(&before);
	return rc;
}

/* ---- contradictions ---- */


static void count_needs(struct sequence *s, const uint8_t *wanted, uint32_t *left)
{
	const struct plan *p = s->plan;

	for (uint32_t i = 0; i < p->nsteps; i++) {
		for (uint32_t k = 0; wanted[i] && k < p->steps[i].needs.n; k++)
			left[i] += !!wanted[p->needs[p->steps[i].needs.at + k].step];
	}
	for (size_t e = 0; e < s->order.n; e++)
		left[s->order.v[e].after]++;
}

/* Edges by the step they start from: chained through `next`, one list for both kinds. */
struct edge { uint32_t to, next; };
struct edges { VEC(struct edge) v; uint32_t *first; };

static void edge_add(struct edges *e, uint32_t from, uint32_t to)
{
	vec_add(&e->v, (struct edge){to, e->first[from]});
	e->first[from] = (uint32_t)e->v.n - 1;
}

static void edges_collect(struct sequence *s, const uint8_t *wanted, struct edges *e)
{
	const struct plan *p = s->plan;

	for (uint32_t i = 0; i < p->nsteps; i++) {
		e->first[i] = PLAN_NONE;
		for (uint32_t k = 0; wanted[i] && k < p->steps[i].needs.n; k++) {
			uint32_t need = p->needs[p->steps[i].needs.at + k].step;

			if (wanted[need])
				edge_add(e, need, i);
		}
	}
	for (size_t k = 0; k < s->order.n; k++)
		edge_add(e, s->order.v[k].before, s->order.v[k].after);
}

int sequence_check(struct sequence *s, struct arena *a, const uint8_t *wanted, struct err *err)
{
	const struct plan *p = s->plan;
	uint32_t *left = arena_array(a, p->nsteps + 1, uint32_t), n = 0;
	struct edges e = {.first = arena_array(a, p->nsteps + 1, uint32_t)};
	uint32_t stuck = PLAN_NONE;

	if (!s->order.n)
		return 0;
	count_needs(s, wanted, left);
	edges_collect(s, wanted, &e);
	for (uint32_t i = 0; i < p->nsteps; i++) {
		if (wanted[i] && !left[i])
			s->found[n++] = i;
	}
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t k = e.first[s->found[i]]; k != PLAN_NONE; k = e.v.v[k].next) {
			if (--left[e.v.v[k].to] == 0)
				s->found[n++] = e.v.v[k].to;
		}
	}
	vec_free(&e.v);
	for (uint32_t i = 0; i < p->nsteps && stuck == PLAN_NONE; i++) {
		if (wanted[i] && left[i])
			stuck = i;
	}
	if (stuck == PLAN_NONE)
		return 0;
	return err_set(err, ERR_USAGE,
		       "unable to run these goals together: sequential workflows want " STR_FMT
		       " both before and after another step; run them one by one",
		       STR_ARG(plan_step_name(p, stuck)));
}
