/* A part of a selection: select_narrow of select.h. */
#include "plan/select.h"

static void close_over_needs(const struct plan *plan, const uint8_t *wanted, bool *keep)
{
	for (uint32_t i = plan->nsteps; i-- > 0;)
		for (uint32_t k = 0; keep[i] && k < plan->steps[i].needs.n; k++) {
			uint32_t need = plan->needs[plan->steps[i].needs.at + k].step;

			keep[need] |= wanted[need] != 0;
		}
}

static size_t filter(uint32_t *steps, size_t n, const bool *keep)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (keep[steps[i]])
			steps[kept++] = steps[i];
	return kept;
}

void select_narrow(struct arena *arena, const struct plan *plan, const bool *keep, struct selection *sel)
{
	bool *stays = arena_array(arena, plan->nsteps + 1, bool), any = false;

	for (uint32_t i = 0; i < plan->nsteps; i++) {
		stays[i] = keep[i] && sel->wanted[i] && !(sel->wanted[i] & SELECT_FINALLY);
		any |= stays[i];
	}
	for (size_t i = 0; any && i < sel->nfinally; i++)
		stays[sel->finally[i]] = true;
	close_over_needs(plan, sel->wanted, stays);
	sel->n = 0;
	for (uint32_t i = 0; i < plan->nsteps; i++) {
		sel->wanted[i] = stays[i] ? sel->wanted[i] : 0;
		sel->n += stays[i];
	}
	sel->ngoals = filter(sel->goals, sel->ngoals, stays);
	sel->nfinally = filter(sel->finally, sel->nfinally, stays);
}
