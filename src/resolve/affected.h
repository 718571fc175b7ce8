/* affected.h: which steps of a plan may come to something else because files changed. It errs on the side of too many: what a plan
 * can't tell of a step makes it affected, and what it can't tell at all (a file that is gone and that a pattern may have matched,
 * a changed spec, ignore rules, facts of git) makes all of them so.
 *
 * What a depfile step discovered is not known to the plan: the caller asks for the records of those that are left
 * (affected_by_found), or counts them as affected. */
#pragma once

#include "base/map.h"
#include "plan/plan.h"
#include "plan/entry.h"
#include "resolve/compile.h"

struct affected {
	/* set by the caller */
	struct arena *arena;
	const struct plan *plan;
	const struct asked *asked; size_t nasked;       /* the questions behind the plan */
	const struct watches *facts;
	struct str root; int rootfd;
	const struct str *changed; size_t nchanged;     /* workspace-relative, absolute outside of it; a folder stands for all in it */
	/* filled */
	bool *steps;                    /* by step id */
	struct str why_all;             /* why all are; {NULL}: they are not */
	/* private */
	struct map exact, names;        /* what changed, and its base names */
};

/* Fills in, what needs an affected step included. */
void affected_find(struct affected *);
/* May what a depfile step read be another? found: its discovered inputs, as its present record has them. A changed file of
 * the same name in another folder may shadow one of these. */
bool affected_by_found(const struct affected *, const struct entries *found);
/* Marks it and what needs it. */
void affected_add(struct affected *, uint32_t step);
void affected_release(struct affected *);
