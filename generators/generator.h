/* generator.h: a finished plan written as text for another tool. What a plug-in in generators/ implements.
 *
 * Contract
 *  - A generator says in check what of the plan it can't express, by step and field: nothing is dropped in silence.
 *  - What it writes runs without cairn, and depends on nothing but the plan, the selection and, where the target is
 *    bound to a place, root: the same in, the same bytes out.
 *  - write is called only after check returned 0. */
#pragma once

#include "base/err.h"
#include "plan/plan.h"
#include "plan/select.h"

struct opt_list;

struct generation {
	const struct plan *plan;
	const struct selection *selection;      /* what of the plan is written */
	bool whole;                     /* no goals were named: all commands and workflows; else goals are what it builds */
	const struct opt_list *goals;   /* as named */
	const char *root;               /* absolute: for targets that are bound to a place (compile_commands) */
	struct arena *arena;            /* lives until all is written */
	struct buf *notes;              /* what the user should know, a line each: goes to standard error */
	void *priv;                     /* the generator's own, from check to write */
};

struct generator {
	const char *name;               /* "make" */
	const char *summary;            /* one line */
	unsigned mode;                  /* of a file it is written into, less the umask */
	bool whole;                     /* without goals it takes all commands and workflows, else what a bare run does */
	int (*check)(struct generation *, struct err *);
	int (*write)(struct generation *, struct buf *out, struct err *);
};

extern const struct generator generator_make, generator_ninja, generator_sh, generator_compile_commands, generator_github;
