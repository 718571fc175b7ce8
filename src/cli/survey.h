/* survey.h: what a run would do now, step by step, without doing any of it: the walk of a run in topological order,
 * in which nothing is started, restored or written. What plan --status, status and explain show. */
#pragma once

#include "cli/session.h"
#include "exec/history.h"
#include "exec/reason.h"

enum survey_state {
	SURVEY_NONE,                    /* not part of the selection */
	SURVEY_HIT,                     /* nothing to do */
	SURVEY_RESTORE,                 /* its outputs would come from the cache */
	SURVEY_RUN,
	SURVEY_PENDING,                 /* runs only if what a need makes turns out different */
	SURVEY_SKIPPED,
	SURVEY_STATES
};
const char *survey_state_name(enum survey_state);       /* "hit", "restore", "would-run", "pending", "skipped" */

struct survey_step {
	enum survey_state state;
	struct digest key;              /* DIGEST_NONE: not known, or it has none */
	struct str reason;              /* one clause: why it is not a hit */
};

struct survey {
	struct session *s;
	struct history history;
	struct survey_step *steps;      /* by step id */
	size_t counts[SURVEY_STATES];
};

/* Asked for each step that is looked at while its probe (NULL: the step was not probed) and the walk say more than is
 * kept. */
struct survey_look {
	void (*see)(void *ctx, struct survey *, uint32_t step, const struct probe *, struct arena *scratch);
	void *ctx;
};

/* After session_select. look may be NULL. warn as for session_walk. */
int survey_make(struct survey *, struct session *, const struct survey_look *look, void (*warn)(void *ctx, struct str text), void *ctx,
		struct err *);
void survey_release(struct survey *);
