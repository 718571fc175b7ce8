/* hook-check.h: checks one tree of a repository by running a workflow on it, unless it is known to have passed. */
#pragma once

#include "cli/hook-file.h"

struct checker {
	struct arena *arena;
	const char *name;               /* the hook's */
	struct hook_words words;
	bool color;
	struct str top;                 /* of the work tree; absolute, real */
	struct str state;               /* absolute folder of what is kept: notes of what passed, the work tree of a check */
};

struct check {
	struct str label;               /* how the user knows it */
	struct str rev;                 /* a commit, tag or tree by its id */
	struct str before;              /* what the other side has, which limits what has to run; {NULL}: not known */
	struct str remote;              /* ... then what is known of this remote does; {NULL}: nothing is */
};

/* Where what is kept of checks in this work tree lies. */
int check_folder(struct arena *, struct str top, const struct hook_words *, struct str *out, struct err *);
/* 0 good, the exit status of the run when it is not, -1. Says what it did. */
int check_one(struct checker *, const struct check *, struct err *);
int check_forget(struct checker *, struct err *);
/* A line on standard error. */
void check_say(const char *fmt, ...) PRINTF(1, 2);
