/* hook-tree.h: one tree of a repository, checked where it is safe to: in place, when the work tree is just that before and after
 * and the steps read nothing that git does not have; else in a work tree of git's. */
#pragma once

#include "cli/hook-check.h"
#include "cli/passed.h"
#include "cli/session.h"

struct tree_check {
	/* in */
	struct str commit;              /* hex; "" for a tree without one */
	struct str tree;
	struct str base;                /* the tree that the check is limited by: only what differs from it counts; "" none */
	struct str changed;             /* ... the paths in which they differ, NUL-terminated */
	/* out */
	bool checked;                   /* the steps ran and all went well */
	const char *unsure;             /* why this says nothing of another time; NULL: nothing speaks against it */
	struct passed_facts facts;      /* what it rested on */
	/* private */
	struct session s;
	struct watches files;
	bool opened;
};

/* 0 good (also when the tree holds no such spec, which is said), the run's exit status, -1. The checker's lock is held. */
int tree_check(struct checker *, const struct check *, struct tree_check *, struct err *);
void tree_check_release(struct tree_check *);
/* The work tree that a failed or killed check left, and what is known of it. */
int tree_remove(struct checker *, struct err *);
