#include "cli/leftovers.h"

#include "exec/ledger.h"

/* "cmd[a=1,b=2]" of a command that still exists, where a name in the brackets is one of its params: an option of
 * some run made it, and options of one run never remove anything. */
static bool is_variant(const struct plan *plan, struct str step)
{
	ptrdiff_t open = str_chr(step, '[');
	struct str inside, axis, name;

	if (open < 0 || !str_ends(step, S("]")))
		return false;
	for (uint32_t c = 0; c < plan->ncommands; c++) {
		const struct plan_command *command = &plan->commands[c];

		if (!str_eq(plan_str(plan, command->name), str_head(step, open)))
			continue;
		inside = str_head(str_from(step, open + 1), step.n - open - 2);
		while (str_cut(&inside, ',', &axis))
			for (uint32_t p = 0; str_cut(&axis, '=', &name) && p < command->params.n; p++)
				if (str_eq(plan_str(plan, plan->params[command->params.at + p].name), name))
					return true;
	}
	return false;
}

/* Steps of the ledger that the plan no longer has, and what they left. */
int leftovers_find(struct session *s, struct err *err)
{
	struct ledger *ledger;
	struct map live = MAP_INIT;
	bool fresh;

	if (ledger_open(&ledger, session_ledger(s), s->rootfd, &fresh, err) < 0)
		return -1;
	for (uint32_t i = 0; i < s->plan->nsteps; i++)
		*map_put(&live, plan_step_name(s->plan, i), NULL) = s;
	s->gone = arena_array(&s->arena, ledger_steps(ledger), struct str);
	for (size_t i = 0; i < ledger_steps(ledger); i++) {
		struct str step = ledger_step(ledger, i);
		struct entries outputs;

		if (map_has(&live, step) || is_variant(s->plan, step) || !ledger_outputs(ledger, step, &outputs))
			continue;
		s->gone[s->ngone++] = str_dup(&s->arena, step);
		for (size_t k = 0; k < outputs.n; k++)
			*map_put(&s->leftovers, str_dup(&s->arena, outputs.v[k].path), NULL) = s;
	}
	map_release(&live);
	ledger_close(ledger);
	return 0;
}
