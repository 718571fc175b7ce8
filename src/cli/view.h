/* view.h: a command that looks at a workspace and changes nothing: its options, its session, its output.
 * Takes no lock and waits for none.
 *
 *	struct view v;
 *	int rc = view_options(&v, &cmd_x, opts, countof(opts), argc, argv, VIEW_GOALS, err);
 *	if (rc == 0 && !v.helped) rc = view_plan(&v, err) ...; cmd_print(&v.out, err)
 *	return view_close(&v, rc); */
#pragma once

#include "cli/session.h"

struct view {
	struct arena arena;             /* options */
	struct common common;
	struct plan_words words;
	struct session s;
	bool opened;
	bool helped;                    /* -h was given and answered: there is nothing more to do */
	struct buf out;                 /* what to print */
};

enum view_words {
	VIEW_NONE,                      /* takes options only */
	VIEW_NAMES,                     /* words are names of its own (words.goals) */
	VIEW_GOALS,                     /* words are goals, with params and what follows -- */
};

int view_options(struct view *, const struct command *, const struct opt *own, size_t n, int argc, char **argv, enum view_words,
		 struct err *);
int view_open(struct view *, struct err *);             /* the session */
int view_plan(struct view *, struct err *);             /* the session and its plan */
/* Goals -> selection; none given: the workflow "default", or all commands where there is none. After view_plan. */
int view_select(struct view *, struct err *);
/* For session_walk: a warning goes to standard error. */
void view_warn(void *view, struct str text);
int view_close(struct view *, int rc);                  /* returns rc */
