#include "plan/select.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/vec.h"
#include "plan/sequence.h"

#define MANY_GOALS 16                   /* from here on names are looked up in a map */

struct chooser {
	struct arena *arena;
	const struct plan *plan;
	struct selection *out;
	VEC(uint32_t) goals, finally;
	struct sequence sequence;
	struct map workflows, commands; /* by name, when there are many goals */
};

static struct str name_of(const struct plan *p, uint32_t step) { return plan_step_name(p, step); }

static const struct plan_workflow *find_workflow(const struct chooser *c, struct str name)
{
	const struct plan *p = c->plan;

	if (c->workflows.n)
		return map_get(&c->workflows, name);
	for (uint32_t i = 0; i < p->nworkflows; i++)
		if (str_eq(plan_str(p, p->workflows[i].name), name))
			return &p->workflows[i];
	return NULL;
}

static const struct plan_command *find_command(const struct chooser *c, struct str name)
{
	const struct plan *p = c->plan;

	if (c->commands.n)
		return map_get(&c->commands, name);
	for (uint32_t i = 0; i < p->ncommands; i++)
		if (str_eq(plan_str(p, p->commands[i].name), name))
			return &p->commands[i];
	return NULL;
}

static void index_names(struct chooser *c)
{
	const struct plan *p = c->plan;

	for (uint32_t i = 0; i < p->nworkflows; i++)
		*map_put(&c->workflows, plan_str(p, p->workflows[i].name), NULL) = (void *)&p->workflows[i];
	for (uint32_t i = 0; i < p->ncommands; i++)
		*map_put(&c->commands, plan_str(p, p->commands[i].name), NULL) = (void *)&p->commands[i];
}

/* Only * and ? are wild in a step pattern; both cross any character, for names are no paths. */
static bool wild_match(struct str pattern, struct str name)
{
	size_t p = 0, n = 0, star = SIZE_MAX, mark = 0;

	while (n < name.n) {
		if (p < pattern.n && pattern.s[p] == '*') {
			star = p++;
			mark = n;
		} else if (p < pattern.n && (pattern.s[p] == '?' || pattern.s[p] == name.s[n])) {
			p++;
			n++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			n = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.s[p] == '*')
		p++;
	return p == pattern.n;
}

/* --- what a goal's name means --- */

static void add_goal(struct chooser *c, uint32_t step, uint8_t flags, bool last)
{
	uint8_t *wanted = &c->out->wanted[step];

	/* wanted twice, once without a condition: it is not skipped */
	if (*wanted & SELECT_GOAL && !(*wanted & flags & SELECT_SKIP)) {
		*wanted &= (uint8_t)~SELECT_SKIP;
		flags = 0;
	}
	*wanted |= SELECT_WANTED | SELECT_GOAL | flags;
	if (last)
		vec_add(&c->finally, step);
	else
		vec_add(&c->goals, step);
}

static void add_entry(struct chooser *c, const struct plan_goal *goal, bool last)
{
	for (uint32_t i = 0; i < goal->steps.n; i++)
		add_goal(c, c->plan->refs[goal->steps.at + i], goal->skip ? SELECT_SKIP : 0, last);
}

static int add_workflow(struct chooser *c, const struct plan_workflow *w, struct err *err)
{
	for (uint32_t i = 0; i < w->steps.n; i++)
		add_entry(c, &c->plan->goals[w->steps.at + i], false);
	for (uint32_t i = 0; i < w->finally.n; i++)
		add_entry(c, &c->plan->goals[w->finally.at + i], true);
	return sequence_add(&c->sequence, w->steps, err) < 0 ||
			       sequence_add(&c->sequence, w->finally, err) < 0
		       ? -1
		       : 0;
}

static int no_steps(struct chooser *c, const struct plan_command *command, struct err *err)
{
	const struct plan *p = c->plan;

	for (uint32_t i = 0; i < command->params.n; i++) {
		const struct plan_param *param = &p->params[command->params.at + i];

		if (param->required)
			return err_set(err, ERR_USAGE, STR_FMT " needs --" STR_FMT "=VALUE",
				       STR_ARG(plan_str(p, command->name)),
				       STR_ARG(plan_str(p, param->name)));
	}
	return err_set(err, ERR_USAGE, STR_FMT " has no steps: what it is made for each of is empty",
		       STR_ARG(plan_str(p, command->name)));
}

/* A variant made for this run's params stands for its command; other variants are for the workflows that ask for them. */
static int add_command(struct chooser *c, const struct plan_command *command, struct err *err)
{
	bool asked = false;

	if (!command->steps.n)
		return no_steps(c, command, err);
	for (uint32_t i = 0; i < command->steps.n; i++)
		asked |= c->plan->steps[c->plan->refs[command->steps.at + i]].flags & STEP_ASKED;
	for (uint32_t i = 0; i < command->steps.n; i++) {
		uint32_t step = c->plan->refs[command->steps.at + i];

		if (c->plan->steps[step].flags & (asked ? STEP_ASKED : STEP_VARIANT) ? asked : !asked)
			add_goal(c, step, 0, false);
	}
	return 0;
}

/* What is meant by a name without its folder, or misspelled. */
static struct str meant(struct arena *a, struct str goal, const struct str *names, size_t n)
{
	struct str behind = str_fmt(a, ":" STR_FMT, STR_ARG(goal));

	for (size_t i = 0; i < n; i++)
		if (str_ends(names[i], behind))
			return names[i];
	return str_nearest(goal, names, n);
}

static int unknown(struct chooser *c, struct str goal, struct err *err)
{
	const struct plan *p = c->plan;
	size_t n = 0;
	struct str *names = arena_array(c->arena, p->ncommands + p->nworkflows, struct str), near;

	for (uint32_t i = 0; i < p->ncommands; i++)
		names[n++] = plan_str(p, p->commands[i].name);
	for (uint32_t i = 0; i < p->nworkflows; i++)
		names[n++] = plan_str(p, p->workflows[i].name);
	near = meant(c->arena, goal, names, n);
	if (near.s)
		return err_set(err, ERR_USAGE,
			       "there is no step, command or workflow \"" STR_FMT
			       "\"; did you mean \"" STR_FMT "\"?",
			       STR_ARG(goal), STR_ARG(near));
	return err_set(err, ERR_USAGE,
		       "there is no step, command or workflow \"" STR_FMT
		       "\"; `cairn list` shows what there is",
		       STR_ARG(goal));
}

static int add_name(struct chooser *c, struct str goal, struct err *err)
{
	const struct plan *p = c->plan;
	const struct plan_workflow *workflow = find_workflow(c, goal);
	const struct plan_command *command = workflow ? NULL : find_command(c, goal);
	bool any = false;

	if (workflow)
		return add_workflow(c, workflow, err);
	if (command)
		return add_command(c, command, err);
	for (uint32_t i = 0; i < p->nsteps; i++) {
		if (!str_eq(name_of(p, i), goal) && !wild_match(goal, name_of(p, i)))
			continue;
		add_goal(c, i, 0, false);
		any = true;
	}
	return any ? 0 : unknown(c, goal, err);
}

static int without_goals(struct chooser *c, struct err *err)
{
	const struct plan *p = c->plan;
	const struct plan_workflow *w = find_workflow(c, S("default"));
	CLEANUP_BUF struct buf names = BUF_INIT(8192);

	if (w)
		return add_workflow(c, w, err);
	for (uint32_t i = 0; i < p->nworkflows; i++)
		buf_fmt(&names, "\n  " STR_FMT "  " STR_FMT, STR_ARG(plan_str(p, p->workflows[i].name)),
			STR_ARG(plan_str(p, p->workflows[i].summary)));
	for (uint32_t i = 0; i < p->ncommands; i++)
		buf_fmt(&names, "\n  " STR_FMT "  " STR_FMT, STR_ARG(plan_str(p, p->commands[i].name)),
			STR_ARG(plan_str(p, p->commands[i].summary)));
	return err_set(err, ERR_USAGE,
		       "what should run? Name a goal, or write a workflow \"default\". There is:" STR_FMT,
		       STR_ARG(buf_view(&names)));
}

/* --- what goals need --- */

/* Needs stand before their dependents, so one walk backwards closes the set. What only finally steps need is theirs. */
static void close_over_needs(struct chooser *c)
{
	uint8_t *wanted = c->out->wanted;
	bool *main = arena_array(c->arena, c->plan->nsteps, bool);

	for (size_t i = 0; i < c->goals.n; i++)
		main[c->goals.v[i]] = true;
	for (uint32_t i = c->plan->nsteps; i-- > 0;) {
		const struct plan_step *s = &c->plan->steps[i];

		for (uint32_t k = 0; wanted[i] && k < s->needs.n; k++) {
			uint32_t need = c->plan->needs[s->needs.at + k].step;

			wanted[need] |= SELECT_WANTED;
			main[need] |= main[i];
		}
	}
	for (uint32_t i = 0; i < c->plan->nsteps; i++) {
		if (wanted[i] && !main[i])
			wanted[i] |= SELECT_FINALLY;
		c->out->n += !!wanted[i];
	}
}

/* A condition of one entry holds back nothing that another goal wants. */
static void settle_skips(struct chooser *c)
{
	uint8_t *wanted = c->out->wanted;

	for (uint32_t i = 0; i < c->plan->nsteps; i++) {
		const struct plan_step *s = &c->plan->steps[i];

		for (uint32_t k = 0; wanted[i] && !(wanted[i] & SELECT_SKIP) && k < s->needs.n; k++)
			wanted[c->plan->needs[s->needs.at + k].step] &= ~SELECT_SKIP;
	}
}

static int check_variants(struct chooser *c, struct err *err)
{
	const struct plan *p = c->plan;
	struct map by_output = MAP_INIT;
	int rc = 0;

	for (uint32_t i = 0; i < p->nsteps && rc == 0; i++) {
		for (uint32_t k = 0; c->out->wanted[i] && k < p->steps[i].outputs.n && rc == 0; k++) {
			const struct plan_output *o = &p->outputs[p->steps[i].outputs.at + k];
			bool fresh;
			void **slot;

			if (o->flags & OUTPUT_NEGATED)
				continue;
			slot = map_put(&by_output, plan_str(p, o->path), &fresh);
			if (fresh)
				*slot = (void *)&p->steps[i];
			else if (*slot != &p->steps[i])
				rc = err_set(err, ERR_USAGE,
					     STR_FMT " and " STR_FMT
						     " are two variants of one step and both make " STR_FMT
						     "; run them apart",
					     STR_ARG(plan_str(p, ((const struct plan_step *)*slot)->name)),
					     STR_ARG(name_of(p, i)), STR_ARG(plan_str(p, o->path)));
		}
	}
	map_release(&by_output);
	return rc;
}

static void *keep(struct arena *a, const void *v, size_t n, size_t size)
{
	void *copy = arena_calloc(a, n, size);

	return n ? memcpy(copy, v, n * size) : copy;
}

static int choose(struct chooser *c, const struct str *goals, size_t n, struct err *err)
{
	if (!n)
		return without_goals(c, err);
	if (n > MANY_GOALS)
		index_names(c);
	for (size_t i = 0; i < n; i++)
		if (add_name(c, goals[i], err) < 0)
			return -1;
	return 0;
}

int select_goals(struct arena *arena, const struct plan *plan, const struct str *goals, size_t n,
		 struct selection *out, struct err *err)
{
	struct chooser c = {.arena = arena, .plan = plan, .out = out};
	int rc;

	*out = (struct selection){.wanted = arena_alloc(arena, plan->nsteps + 1)};
	sequence_init(&c.sequence, arena, plan);
	rc = choose(&c, goals, n, err);
	if (rc == 0) {
		close_over_needs(&c);
		settle_skips(&c);
		rc = check_variants(&c, err) < 0 ? -1 : sequence_check(&c.sequence, arena, out->wanted, err);
	}
	out->goals = keep(arena, c.goals.v, c.goals.n, sizeof(*c.goals.v));
	out->finally = keep(arena, c.finally.v, c.finally.n, sizeof(*c.finally.v));
	out->order = keep(arena, c.sequence.order.v, c.sequence.order.n, sizeof(struct order));
	out->ngoals = c.goals.n;
	out->nfinally = c.finally.n;
	out->norder = c.sequence.order.n;
	vec_free(&c.goals);
	vec_free(&c.finally);
	sequence_release(&c.sequence);
	map_release(&c.workflows);
	map_release(&c.commands);
	return rc;
}
