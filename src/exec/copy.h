/* copy.h: the private copy of the workspace that a step with `workspace: copy` works in: all that is on disk, whether git
 * ignores it or not, as treecopy.h copies it; but for the step's own earlier outputs, .git (unless the step names something in
 * it among its inputs), staged siblings and cairn's own state.
 *
 * It lies in the state folder, under a name that is the step's own, so that what holds the path is the same each time. The next
 * run removes what a killed one left there. */
#pragma once

#include "base/map.h"
#include "exec/run.h"
#include "sys/treecopy.h"

#define COPIES "copy"                   /* their folder in the state folder */

struct copy {
	struct place at;                /* rootfd (-1: it does not stand) and root of the copy; no store, no content */
	atomic_bool stop;               /* set to have copy_make end early */
	size_t nunread; const char *unread;     /* what could not be read and is not in it; one of them */
	/* its own */
	struct arena *arena;
	int from;                       /* the workspace */
	struct map left_out;            /* paths */
	dev_t state_dev; ino_t state_ino;
	bool with_git;
	struct err err;                 /* of the thread */
};

/* Says what is to be left out and where it will be; nothing is made. -1 also when an output is another step's. */
struct copy *copy_new(struct arena *, const struct run *, uint32_t step, struct err *);
/* These two take long and run on any thread; the second also removes what the first had begun to make. */
void copy_make(struct copy *);
void copy_drop(struct copy *);
/* What came of the last of them: 0, -1. */
int copy_result(struct copy *, struct err *);
/* Parents of literal outputs, as in the workspace. */
int copy_prepare(struct copy *, const struct plan *, uint32_t step, struct err *);
/* What a name that a step wrote in the copy means: a path of the workspace, or an absolute one outside of both. */
struct str copy_origin(const struct copy *, struct arena *, struct str workdir, struct str name, struct str root);
