/* phony.c: commands, workflows and goals as phony targets. */
#include "base/vec.h"
#include "generators/gnumake.h"

/* What a phony stands for in make's words: steps' targets, names of other phonies never. */
static void step_targets(struct maker *k, struct buf *out, uint32_t step)
{
	const struct model *m = k->m;
	const struct model_step *t = &m->steps[step];

	if (k->seen[step] == k->round)
		return;
	k->seen[step] = k->round;
	for (size_t i = 0; t->written && i < t->ntargets; i++)
		make_listed(out, t->targets[i], false);
	if (m->plan->steps[step].script_kind != SCRIPT_KIND_NONE)
		return;
	for (size_t i = 0; i < t->nneeds; i++)
		step_targets(k, out, t->needs[i]);
	for (size_t i = 0; i < t->nafter; i++)
		step_targets(k, out, t->after[i]);
}

/* Steps that may fail without stopping the others, of what these rest on: a goal that is done asks whether one did. */
static void weak_slugs(struct maker *k, struct buf *out)
{
	const struct model *m = k->m;
	bool *reached = arena_array(m->arena, m->plan->nsteps + 1, bool);

	for (uint32_t i = m->plan->nsteps; i-- > 0;) {
		const struct model_step *t = &m->steps[i];

		if (!(reached[i] |= k->seen[i] == k->round) || !t->weak)
			continue;
		for (size_t n = 0; n < t->nneeds; n++)
			reached[t->needs[n]] = true;
		for (size_t n = 0; n < t->nafter; n++)
			reached[t->after[n]] = true;
	}
	for (uint32_t i = 0; i < m->plan->nsteps; i++)
		if (reached[i] && m->steps[i].written && m->plan->steps[i].flags & STEP_CONTINUE) {
			buf_c(out, ' ');
			buf_str(out, m->steps[i].slug);
		}
}

/* Sub-targets of a phony that needs an order or comes last: NAME.1, NAME.2, ... */
static struct str part_name(struct maker *k, struct str of, size_t n) { return str_fmt(k->m->arena, STR_FMT ".%zu", STR_ARG(of), n); }

static void rule(struct maker *k, struct buf *out, struct str target, const struct buf *prerequisites, const struct buf *weak)
{
	make_listed(&k->all, target, false);
	make_name(out, target, true);
	buf_c(out, ':');
	buf_str(out, buf_view(prerequisites));
	buf_c(out, '\n');
	if (weak->n) {
		buf_z(out, "\t@$(passed)");
		buf_str(out, buf_view(weak));
		buf_c(out, '\n');
	}
}

void phony_steps(struct maker *k, struct buf *out, struct str target, const uint32_t *steps, size_t n)
{
	CLEANUP_BUF struct buf list = BUF_INIT(BUF_UNLIMITED), weak = BUF_INIT(BUF_UNLIMITED);
	bool any = false;

	k->round++;
	for (size_t i = 0; i < n; i++) {
		step_targets(k, &list, steps[i]);
		any |= k->m->steps[steps[i]].weak;
	}
	if (any)
		weak_slugs(k, &weak);
	rule(k, out, target, &list, &weak);
}

static bool ordered(const struct plan *p, struct plan_span goals)
{
	for (uint32_t i = 0; i < goals.n; i++)
		if (p->goals[goals.at + i].after.n)
			return true;
	return false;
}

/* One part for all entries, or, where some wait for others, one for each. */
static void parts(struct maker *k, struct buf *out, struct str of, struct plan_span goals, size_t *n)
{
	const struct plan *p = k->m->plan;
	bool apart = ordered(p, goals);
	VEC(uint32_t) steps = {0};

	for (uint32_t i = 0; i < goals.n; i++) {
		const struct plan_goal *goal = &p->goals[goals.at + i];

		for (uint32_t s = 0; !goal->skip && s < goal->steps.n; s++)
			vec_add(&steps, p->refs[goal->steps.at + s]);
		if (!apart && i + 1 < goals.n)
			continue;
		phony_steps(k, out, part_name(k, of, ++*n), steps.v, steps.n);
		steps.n = 0;
	}
	vec_free(&steps);
}

/* A make of its own for each part, so that the next one waits; what comes last comes in any case. A step that runs every
 * time runs once in all of them. */
static void sequence(struct maker *k, struct buf *out, struct str target, size_t main, size_t all)
{
	make_listed(&k->all, target, false);
	make_name(out, target, true);
	buf_z(out, ":\n\t+@failed=0; once=$${once:-$$$$.$$(date +%s)};");
	for (size_t i = 1; i <= all; i++) {
		buf_z(out, i > main ? " \\\n\t$(MAKE) -k" : " \\\n\ttest $${failed}$(go_on) = 1 || $(MAKE)");
		buf_fmt(out, " -f $(this) --no-print-directory once=$$once '" STR_FMT "' || failed=1;", STR_ARG(part_name(k, target, i)));
	}
	buf_z(out, " \\\n\texit $$failed\n");
}

void phony_workflow(struct maker *k, struct buf *out, struct str target, const struct plan_workflow *w)
{
	const struct plan *p = k->m->plan;
	VEC(uint32_t) steps = {0};

	if (w->finally.n || ordered(p, w->steps)) {
		size_t main, all = 0;

		parts(k, out, target, w->steps, &all);
		main = all;
		parts(k, out, target, w->finally, &all);
		sequence(k, out, target, main, all);
		return;
	}
	for (uint32_t i = 0; i < w->steps.n; i++) {
		const struct plan_goal *goal = &p->goals[w->steps.at + i];

		for (uint32_t s = 0; !goal->skip && s < goal->steps.n; s++)
			vec_add(&steps, p->refs[goal->steps.at + s]);
	}
	phony_steps(k, out, target, steps.v, steps.n);
	vec_free(&steps);
}

void phony_command(struct maker *k, struct buf *out, struct str target, const struct plan_command *c)
{
	const struct plan *p = k->m->plan;
	VEC(uint32_t) steps = {0};

	for (uint32_t i = 0; i < c->steps.n; i++) {
		uint32_t step = p->refs[c->steps.at + i];

		if (k->m->g->selection->wanted[step] & SELECT_GOAL && !(p->steps[step].flags & STEP_VARIANT && !(p->steps[step].flags & STEP_ASKED)))
			vec_add(&steps, step);
	}
	phony_steps(k, out, target, steps.v, steps.n);
	vec_free(&steps);
}
