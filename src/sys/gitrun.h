/* gitrun.h: the git program itself, for what belongs to it alone: where hooks are (with all of its configuration), work
 * trees of its own making (filters, sparse checkouts), the index that a commit under way has. */
#pragma once

#include "base/err.h"

enum git_run_env {
	GIT_ENV_OWN,                    /* as the caller has it: inside a hook, the repository and index the hook is about */
	GIT_ENV_CLEAN,                  /* without what points to a repository: dir alone says which; and no hook is run */
};

/* git -C dir ARGS (NULL-terminated). Standard output goes into out (NULL: nowhere), standard error to ours. Its exit status in
 * *status (a signal: 128 and more); -1: it could not be run. */
int git_run(const char *dir, enum git_run_env, const char *const *args, struct buf *out, int *status, struct err *);
/* The same, a status other than 0 is an error that names the first of the args. */
int git_must(const char *dir, enum git_run_env, const char *const *args, struct buf *out, struct err *);
