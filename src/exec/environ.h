/* environ.h: the environment and command line of a step, from its plan. */
#pragma once

#include "exec/log.h"
#include "plan/plan.h"

/* NULL-terminated NAME=VALUE: base (PATH HOME USER TMPDIR TERM), CAIRN_WORKSPACE, the step's, then pass_env for what
 * is unset, then secrets by id (an unset one is left out). */
const char *const *environ_make(struct arena *, const struct plan *, const struct plan_step *, const char *root, const char *tmp,
				const char *const *caller, const struct secret_values *);
/* The same for a step elsewhere: what is added to its image's variables, CAIRN_WORKSPACE and CAIRN_SECRETS as it sees them. */
const char *const *environ_inside(struct arena *, const struct plan *, const struct plan_step *, const char *const *caller,
				  const struct secret_values *);
/* What to run. script_file is where the script stands, for shebangs and interpreters; *needs_file says that it must be
 * written there first. */
const char *const *command_make(struct arena *, const struct plan *, const struct plan_step *, const char *script_file, bool *needs_file);
/* Value of NAME in a NULL-terminated environment, or NULL. */
const char *environ_get(const char *const *env, const char *name);
/* What of the step's `requires` is not there: a clause naming all of it, {NULL} when nothing is missing. */
struct str requires_missing(struct arena *, const struct plan *, const struct plan_step *, const char *root, const char *const *env);
/* Reads every secret of the plan: values by id, {NULL} for one that is unset. */
int secrets_load(struct arena *, const struct plan *, const char *root, const char *const *caller, struct secret_values *, struct err *);
