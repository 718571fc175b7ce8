/* gitinfo.h: facts from git through libgit2 (module "git", see sys/git.h). Without a repository every
 * fact is absent, and the module is not loaded. */
#pragma once

#include "plan/facts.h"
#include "sys/file.h"
#include "sys/git.h"

/* Answers Q_GIT: branch, commit, short, tag, dirty. */
int git_answer(struct arena *, struct str root, const struct question *, struct answer *, struct err *);
/* Paths below root that git tracks, sorted as str_cmp does. */
int git_tracked(struct arena *, struct str root, struct str **paths, size_t *n, bool *found, struct err *);
/* Files whose identity the answers rest on (absolute; they may be absent): those of git_ops.looked, and the places where
 * a nearer repository would be. "dirty" rests on every tracked file as well. */
int git_looked(struct arena *, struct str root, struct str **paths, size_t *n, struct err *);
/* The folder at or above root that holds a .git; false and {NULL} when there is none on this file system. missing: where one
 * was looked for in vain, absolute. */
bool git_top(struct arena *, struct str root, struct str *top, struct str **missing, size_t *n);
