/* hook-run.h: what the installed hooks start: is what is about to be pushed or committed good? Checked is that content alone: in place
 * when the work tree is just that, else in a work tree of git's for the time of the check. */
#pragma once

#include "base/err.h"
#include "cli/hook-file.h"

struct hook_call {
	const char *name;               /* pre-push, pre-commit */
	struct hook_words words;
	struct str remote;              /* pre-push: its name or URL; {NULL} not said */
	bool color;
};

/* In the top folder of a work tree, as git starts hooks; pre-push reads its refs from standard input. The exit status, or -1. */
int hook_run(struct arena *, const struct hook_call *, struct err *);
/* Removes the work tree that a failed check left. */
int hook_forget(struct arena *, struct str top, const struct hook_words *, struct err *);
