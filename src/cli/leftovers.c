#include "cli/leftovers.h"

#include "exec/ledger.h"

struct look {
	struct session *s;
	struct map live;                /* name of a step -> its id + 1 */
	struct map commands;            /* name -> struct plan_command */
};

static void look_begin(struct look *l, struct session *s)
{
	const struct plan *plan = s->plan;

	*l = (struct look){.s = s};
	for (uint32_t i = 0; i < plan->nsteps; i++)
		*map_put(&l->live, plan_step_name(plan, i), NULL) = (void *)(uintptr_t)(i + 1);
	for (uint32_t i = 0; i < plan->ncommands; i++)
		*map_put(&l->commands, plan_str(plan, plan->commands[i].name), NULL) = (void *)&plan->commands[i];
}

/* "cmd[a=1,b=2]" of a command that the spec still has, where a name in the brackets is one of its params: an option of some run
 * made it. A step that only some var makes does not show it; that one goes, for what a script finds by patterns of its own must
 * not depend on earlier runs. */
static bool is_variant(const struct look *l, struct str step)
{
	const struct plan *plan = l->s->plan;
	const struct plan_command *command;
	ptrdiff_t open = str_chr(step, '[');
	struct str inside, axis, name;

	if (open < 0 || !str_ends(step, S("]")) || !(command = map_get(&l->commands, str_head(step, open))))
		return false;
	inside = str_head(str_from(step, open + 1), step.n - open - 2);
	while (str_cut(&inside, ',', &axis))
		for (uint32_t p = 0; str_cut(&axis, '=', &name) && p < command->params.n; p++)
			if (str_eq(plan_str(plan, plan->params[command->params.at + p].name), name))
				return true;
	return false;
}

static void put(struct look *l, struct str path, bool kept)
{
	path = str_dup(&l->s->arena, path);
	*map_put(&l->s->leftovers, path, NULL) = l;
	if (kept)
		*map_put(&l->s->kept, path, NULL) = l;
}

static void look_at(struct look *l, struct str step, const struct entries *outputs)
{
	struct session *s = l->s;
	uintptr_t live = (uintptr_t)map_get(&l->live, step);
	bool kept = live || session_has_options(s) || is_variant(l, step);

	if (!kept)
		s->gone[s->ngone++] = str_dup(&s->arena, step);
	for (size_t i = 0; i < outputs->n; i++)
		if (!live || !plan_step_covers(s->plan, live - 1, outputs->v[i].path))
			put(l, outputs->v[i].path, kept);
}

/* Steps of the ledger that the plan no longer has, and what is not declared of what was written. */
int leftovers_find(struct session *s, struct err *err)
{
	struct ledger *ledger;
	struct look l;
	bool fresh;

	if (ledger_open(&ledger, session_ledger(s), s->rootfd, &fresh, err) < 0)
		return -1;
	look_begin(&l, s);
	s->ngone = 0;                   /* a hook plans again what it is narrowed to */
	s->gone = arena_array(&s->arena, ledger_steps(ledger), struct str);
	for (size_t i = 0; i < ledger_steps(ledger); i++) {
		struct entries outputs;

		if (ledger_outputs(ledger, ledger_step(ledger, i), &outputs))
			look_at(&l, ledger_step(ledger, i), &outputs);
	}
	map_release(&l.live);
	map_release(&l.commands);
	ledger_close(ledger);
	return 0;
}
