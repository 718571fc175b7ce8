/* hook-file.h: the script that git runs, and the folder it lies in. What was there before is moved beside it under a name of
 * its own, runs first, and comes back when ours is taken away; nothing that somebody else wrote is ever replaced. */
#pragma once

#include "base/err.h"

/* The hooks cairn knows. */
extern const char *const hook_names[];
extern const size_t nhook_names;

struct hook_place {
	struct str top;                 /* of the work tree; absolute, real */
	struct str dir;                 /* where hook files are written */
	bool committed;                 /* dir is part of the work tree: what is in it goes to others */
	bool husky;                     /* husky starts what is in it by `sh -e`, executable or not */
	struct str lefthook;            /* its configuration, whose program writes hooks anew; {NULL} none */
	struct str elsewhere;           /* hooks lie outside of this repository: a sentence on who says so; {NULL}: they do not */
};
/* Of the repository the folder belongs to: asks git, whose configuration decides (core.hooksPath). ERR_USAGE without one. */
int hook_place_find(struct arena *, const char *folder, struct hook_place *, struct err *);

struct hook_words {
	struct str in;                  /* the workspace, from top; "" */
	struct str file;                /* its spec, from there */
	struct str workflow;            /* {NULL}: not said */
};

enum hook_state {
	HOOK_NONE,                      /* there is no such file */
	HOOK_OURS,
	HOOK_EDITED,                    /* ours once, and changed since */
	HOOK_OTHER,
};
struct hook_look {
	enum hook_state state;
	struct str path;                /* of the file */
	struct str before;              /* where the one from before is or would be */
	bool chained;                   /* it is */
	struct str command;             /* OURS: what it runs */
};
int hook_look(struct arena *, const struct hook_place *, const char *name, struct hook_look *, struct err *);
/* program: the one to fall back on when cairn is not on the PATH. *chained: there was one before. Refuses (ERR_USAGE) where
 * another manager would undo it, where it would concern other repositories, and what it could not take back. */
int hook_install(struct arena *, const struct hook_place *, const char *name, const struct hook_words *, struct str program,
		 struct hook_look *, struct err *);
/* 1 taken away, 0 there was none of ours, -1. */
int hook_uninstall(struct arena *, const struct hook_place *, const char *name, struct hook_look *, struct err *);
