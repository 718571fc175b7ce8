/* Who makes a path, and who needs whom: look-ups that the image itself has no order for. */
#include "plan/plan.h"

#include "base/glob.h"
#include "base/path.h"
#include "plan/leads.h"

struct plan_index {
	const struct plan *plan;
	struct table literals;          /* path -> step */
	struct leads globs;             /* value: step */
	uint32_t *seen;                 /* by step: the round of `reaches` that came by */
	uint32_t *stack;
	uint32_t round, of;             /* of: the step whose needs are marked */
};

static void index_outputs(struct plan_index *ix, uint32_t step)
{
	const struct plan *p = ix->plan;
	const struct plan_step *s = &p->steps[step];

	for (uint32_t i = 0; i < s->outputs.n; i++) {
		const struct plan_output *o = &p->outputs[s->outputs.at + i];
		uint32_t *slot;

		if (o->flags & OUTPUT_NEGATED)
			continue;
		if (o->flags & OUTPUT_GLOB) {
			leads_add(&ix->globs, plan_str(p, o->path), step);
			continue;
		}
		slot = table_put(&ix->literals, plan_str(p, o->path), NULL);
		if (*slot == TABLE_NONE)
			*slot = step;
	}
}

struct plan_index *plan_index_new(struct arena *a, const struct plan *p)
{
	struct plan_index *ix = arena_new(a, struct plan_index);

	*ix = (struct plan_index){.plan = p, .literals.arena = a, .of = PLAN_NONE};
	leads_init(&ix->globs, a);
	ix->seen = arena_array(a, p->nsteps + 1, uint32_t);
	ix->stack = arena_array(a, p->nsteps + 1, uint32_t);
	for (int variants = 0; variants < 2; variants++) {
		for (uint32_t i = 0; i < p->nsteps; i++) {
			if (!(p->steps[i].flags & STEP_VARIANT) == !variants)
				index_outputs(ix, i);
		}
	}
	return ix;
}

struct producer_look {
	const struct plan *plan;
	struct str path;
	uint32_t found;
};

static bool see_glob(void *ctx, const struct lead_item *item)
{
	struct producer_look *look = ctx;

	/* a "!" of the same step may take it away */
	if (!plan_step_covers(look->plan, item->value, look->path))
		return true;
	look->found = item->value;
	return false;
}

uint32_t plan_index_producer(const struct plan_index *ix, struct str path)
{
	struct producer_look look = {.plan = ix->plan, .path = path, .found = PLAN_NONE};

	for (struct str at = path; at.n; at = path_dir(at)) {
		uint32_t step = table_get(&ix->literals, at);

		if (step != TABLE_NONE && plan_step_covers(ix->plan, step, path))
			return step;
	}
	leads_each(&ix->globs, path, see_glob, &look);
	return look.found;
}

/* Marks all that step needs; asked about one step many times in a row, it marks once. */
static void mark_needs(struct plan_index *ix, uint32_t step)
{
	const struct plan *p = ix->plan;
	uint32_t n = 0;

	ix->round++;
	ix->of = step;
	ix->stack[n++] = step;
	while (n) {
		const struct plan_step *s = &p->steps[ix->stack[--n]];

		for (uint32_t i = 0; i < s->needs.n; i++) {
			uint32_t to = p->needs[s->needs.at + i].step;

			if (ix->seen[to] == ix->round)
				continue;
			ix->seen[to] = ix->round;
			ix->stack[n++] = to;
		}
	}
}

static bool needs_directly(const struct plan *p, const struct plan_step *s, uint32_t other)
{
	uint32_t low = 0, high = s->needs.n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2, step = p->needs[s->needs.at + middle].step;

		if (step == other)
			return true;
		if (step < other)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool plan_index_reaches(struct plan_index *ix, uint32_t step, uint32_t other)
{
	if (other >= step)
		return false;
	if (needs_directly(ix->plan, &ix->plan->steps[step], other))
		return true;
	if (ix->of != step)
		mark_needs(ix, step);
	return ix->seen[other] == ix->round;
}
