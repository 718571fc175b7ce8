/* compile.h: the driver of planning: reads the spec, lets plan_make ask, answers, until there is a plan.
 * Everything that was looked at on the way is kept with its identity: it is what makes the plan stale. */
#pragma once

#include "plan/make.h"
#include "resolve/watch.h"

struct compile_options {
	struct str root;                /* absolute, real */
	int rootfd;
	struct str file;                /* workspace-relative root spec */
	struct str os, arch;
	struct str runtime;             /* kind that is picked where a command allows it; {NULL}: its first */
	struct plan_options plan;
	const struct map *exclude;      /* files that are no sources though nothing declares them: left by steps that are no
					   more; NULL: none */
};

/* A question and what the answer was, as a hash: enough to see whether it still holds. */
struct asked { uint32_t kind; struct str text; struct xxh answer; };
struct fact_env { struct str name; bool set; struct xxh value; };

struct text_read { struct text_read *next; struct str path; struct xxh sum; };

struct compiled {
	struct plan plan;
	struct buf image;               /* heap; empty when the plan came from a snapshot */
	struct asked *asked; size_t nasked;
	struct fact_env *env; size_t nenv;
	struct text_read *texts;        /* spec and env files; none when the plan came from a snapshot */
};

/* Watches: spec files, env files, listed folders, files that git facts rest on. */
int compile_plan(struct arena *, const struct compile_options *, struct compiled *, struct watches *, struct err *);
/* Asks the tree and git questions again: 1 all answers are the same, 0 not, -1. What was looked at joins watches. */
int compile_still(struct arena *, const struct compile_options *, const struct asked *, size_t n, struct watches *, struct err *);
/* Do the spec and env files still say what was read? Within one tick of the clock their identities do not tell. */
bool compile_texts_same(const struct compiled *);
/* git.dirty rests on every file of the repository, which nobody watches: it is asked again at each run. */
bool compiled_asks_dirty(const struct compiled *);
void compiled_release(struct compiled *);
struct xxh fact_env_hash(const char *value);
