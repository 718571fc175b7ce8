/* select.h: goals -> the steps of one run. */
#pragma once

#include "plan/plan.h"

struct order { uint32_t before, after; };

struct selection {
	uint8_t *wanted;                /* by step id: SELECT_* */
	uint32_t n;                     /* steps wanted, finally ones included */
	uint32_t *goals; size_t ngoals; /* step ids */
	uint32_t *finally; size_t nfinally;
	struct order *order; size_t norder;     /* additional edges of sequential workflows */
};
enum { SELECT_WANTED = 1, SELECT_GOAL = 2, SELECT_SKIP = 4 /* by a workflow entry's condition */, SELECT_FINALLY = 8 };

/* goals: step, command or workflow names; in step patterns only * and ? are wild; none: the workflow
 * "default". An unknown name is ERR_USAGE with a suggestion; without goals and default it is ERR_USAGE
 * that says what there is. A command without steps (a param missing) says which. Two variants of one
 * step with the same outputs are refused. */
int select_goals(struct arena *, const struct plan *, const struct str *goals, size_t n, struct selection *, struct err *);
/* Leaves of a selection what `keep` (by step id) names and what that needs; finally steps stay as long as anything else does. */
void select_narrow(struct arena *, const struct plan *, const bool *keep, struct selection *);
