/* What can be named as a goal: commands, and workflows, whose inner workflows are laid out flat. */
#include "plan/maker.h"

#include <stdlib.h>

#define FLOWS_MAX_DEPTH 256
#define AFTER_MAX (1u << 22)

struct goal {
	const uint32_t *steps; size_t n;        /* instance numbers */
	uint32_t *after; size_t nafter;         /* goals of the same list */
	bool skip;
};
struct goal_list { struct goal *v; size_t n, cap; };

struct layout {
	struct maker *m;
	struct goal_list steps, finally;
	size_t nafter;
	unsigned depth;
};

static int lay_flow(struct layout *l, const struct flow *f, bool skip);

/* ---- what an entry names ---- */

static size_t variant_steps(struct maker *m, const struct flow_goal *g, const uint32_t **out)
{
	uint32_t *list = arena_array(m->arena, g->of->n + 1, uint32_t);
	ptrdiff_t open = str_chr(g->name, '[');
	size_t n = 0;

	for (size_t i = 0; i < g->of->n; i++) {
		const struct inst *in = &g->of->v[i];
		struct str tail = open < 0 ? S("") : str_from(g->name, (size_t)open + 1),
			   own = str_from(in->name, in->of->command->name.n);

		if (in->variant != g->variant)
			continue;
		/* "test[go=1.21]" names the variant of that step, whose name goes on with its params */
		tail.n -= tail.n > 0;
		own = own.n ? str_from(own, 1) : own;
		if (open >= 0 && (!str_starts(own, tail) ||
				  (own.n > tail.n && own.s[tail.n] != ',' && own.s[tail.n] != ']')))
			continue;
		list[n++] = in->number;
	}
	*out = list;
	return n;
}

static int no_goal(struct maker *m, const struct flow_goal *g)
{
	struct loc loc = g->entry->name.loc.src ? g->entry->name.loc : g->entry->loc;

	for (size_t k = 0; g->of && g->of->missing && k < g->of->command->nparams; k++) {
		const struct spec_param *p = &g->of->command->params[k];

		if (!param_value(g->of, g->variant, p->name))
			return wrong(m, loc,
				     hint(m->arena, "write {" STR_FMT ": {" STR_FMT ": VALUE}}",
					  STR_ARG(g->name), STR_ARG(p->name)),
				     "'" STR_FMT "' needs its param '" STR_FMT "', which has no default",
				     STR_ARG(g->name), STR_ARG(p->name));
	}
	return wrong(m, loc, NULL, "'" STR_FMT "' names no step, command or workflow", STR_ARG(g->name));
}

static const struct flow *inner_flow(struct maker *m, const struct spec_workflow *w, struct str name)
{
	const struct spec_workflow *inner = spec_workflow_find(m->spec, w->file, name);

	return inner ? &m->flows[inner - m->spec->workflows] : NULL;
}

static void goal_add(struct goal_list *list, const uint32_t *steps, size_t n, bool skip)
{
	vec_add(list, (struct goal){steps, n, NULL, 0, skip});
}

static int lay_entry(struct layout *l, const struct flow *f, const struct flow_goal *g,
		     struct goal_list *list, bool skip)
{
	struct maker *m = l->m;
	const struct flow *inner = g->of ? NULL : inner_flow(m, f->workflow, g->name);
	const uint32_t *steps;
	size_t n;

	if (!g->name.n)
		return 0;
	if (inner && l->depth >= FLOWS_MAX_DEPTH)
		return wrong(m, g->entry->loc, NULL, "workflows include each other more than %u levels deep",
			     FLOWS_MAX_DEPTH);
	if (inner)
		return lay_flow(l, inner, skip || g->skip);
	n = g->variant ? variant_steps(m, g, &steps) : needs_find(m, f->workflow->file, g->name, &steps);
	if (!n)
		return no_goal(m, g);
	for (size_t i = 0; i < n && list == &l->finally; i++)
		m->insts[steps[i]]->of->finally = true;
	goal_add(list, steps, n, skip || g->skip);
	return 0;
}

/* ---- order ---- */

static bool put_after(struct layout *l, size_t from, size_t before_from, size_t before_to)
{
	for (size_t i = from; i < l->steps.n; i++) {
		struct goal *g = &l->steps.v[i];
		size_t n = g->nafter + before_to - before_from;
		uint32_t *after = arena_array(l->m->arena, n + 1, uint32_t);

		if ((l->nafter += before_to - before_from) > AFTER_MAX)
			return false;
		for (size_t k = before_from; k < before_to; k++)
			after[k - before_from] = (uint32_t)k;
		if (g->nafter)
			memcpy(after + before_to - before_from, g->after, g->nafter * sizeof(*after));
		g->after = after;
		g->nafter = n;
	}
	return true;
}

static int lay_steps(struct layout *l, const struct flow *f, bool skip)
{
	const struct spec_workflow *w = f->workflow;
	size_t before_from = l->steps.n, before_to = l->steps.n;
	int rc = 0;

	for (size_t i = 0; i < w->nsteps; i++) {
		size_t from = l->steps.n;

		rc |= lay_entry(l, f, &f->steps[i], &l->steps, skip);
		if (!w->sequential || l->steps.n == from)
			continue;
		if (!put_after(l, from, before_from, before_to))
			return wrong(l->m, w->loc, NULL, "the sequential workflow '" STR_FMT "' is too big",
				     STR_ARG(w->name));
		before_from = from;
		before_to = l->steps.n;
	}
	return rc;
}

static int lay_flow(struct layout *l, const struct flow *f, bool skip)
{
	int rc;

	l->depth++;
	rc = lay_steps(l, f, skip);
	for (size_t i = 0; i < f->workflow->nfinally; i++)
		rc |= lay_entry(l, f, &f->finally[i], &l->finally, skip);
	l->depth--;
	return rc;
}

/* ---- into the image ---- */

static struct plan_span write_steps(struct maker *m, const uint32_t *numbers, size_t n)
{
	struct build *b = &m->build;
	struct plan_span span = {(uint32_t)b->refs.n, (uint32_t)n};

	for (size_t i = 0; i < n; i++)
		vec_add(&b->refs, m->insts[numbers[i]]->step);
	return span;
}

static struct plan_span write_goals(struct maker *m, const struct goal_list *list)
{
	struct build *b = &m->build;
	struct plan_span span = {(uint32_t)b->goals.n, (uint32_t)list->n};

	for (size_t i = 0; i < list->n; i++) {
		const struct goal *g = &list->v[i];
		struct plan_goal out = {.skip = g->skip, .steps = write_steps(m, g->steps, g->n)};

		out.after = (struct plan_span){(uint32_t)b->refs.n, (uint32_t)g->nafter};
		for (size_t k = 0; k < g->nafter; k++)
			vec_add(&b->refs, g->after[k]);
		vec_add(&b->goals, out);
	}
	return span;
}

static void write_flow(struct layout *l, const struct spec_workflow *w)
{
	struct build *b = &l->m->build;
	struct plan_workflow out = {.name = build_text(b, w->name),
				    .summary = build_text(b, w->summary.n ? w->summary : S("")),
				    .sequential = w->sequential};

	out.steps = write_goals(l->m, &l->steps);
	out.finally = write_goals(l->m, &l->finally);
	vec_add(&b->workflows, out);
}

static void write_command(struct maker *m, const struct made *of)
{
	const struct spec_command *c = of->command;
	struct build *b = &m->build;
	struct plan_command out = {.name = build_text(b, c->name),
				   .summary = build_text(b, c->summary.n ? c->summary : S("")),
				   .line = c->loc.line,
				   .col = c->loc.col,
				   .file = build_text(b, c->file->path)};

	out.steps.at = (uint32_t)b->refs.n;
	for (size_t i = 0; i < of->n; i++) {
		if (!of->v[i].variant || of->v[i].variant->asked)
			vec_add(&b->refs, of->v[i].step);
	}
	out.steps.n = (uint32_t)b->refs.n - out.steps.at;
	out.params = (struct plan_span){(uint32_t)b->params.n, (uint32_t)c->nparams};
	for (size_t i = 0; i < c->nparams; i++) {
		const struct spec_param *p = &c->params[i];
		struct str preset = p->required ? S("") : value_text(m->arena, &p->preset);

		vec_add(&b->params,
			(struct plan_param){build_text(b, p->name), build_text(b, preset),
					    build_text(b, p->help.n ? p->help : S("")), p->required});
	}
	vec_add(&b->commands, out);
}

int goals_resolve(struct maker *m)
{
	for (size_t i = 0; i < m->spec->ncommands; i++)
		write_command(m, &m->made[i]);
	for (size_t i = 0; i < m->spec->nworkflows; i++) {
		struct layout l = {.m = m};

		if (lay_flow(&l, &m->flows[i], false) == 0)
			write_flow(&l, &m->spec->workflows[i]);
		vec_free(&l.steps);
		vec_free(&l.finally);
	}
	for (size_t i = 0; i < m->spec->nfiles; i++) {
		struct plan_text path = build_text(&m->build, m->spec->files[i].path);

		vec_add(&m->build.specs, path);
	}
	return m->failed ? -1 : 0;
}
