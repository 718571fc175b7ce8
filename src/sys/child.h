/* child.h: a process described by a struct, then started at vfork speed: own process group, stdin
 * from /dev/null, every other fd closed on exec, default signal dispositions and an empty mask. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

struct child {
	/* set by the caller */
	const char *const *argv;        /* argv[0] is looked up in the child's PATH unless it holds a slash */
	const char *const *env;         /* NAME=VALUE; never inherited */
	const char *dir;                /* absolute; where it starts */
	int out, err;                   /* fds that become 1 and 2; -1: /dev/null */
	int in;                         /* fd that becomes 0; -1: /dev/null */
	const char *readonly;           /* a folder that it can't write, nor anything mounted in it (see confine.h); NULL */
	const char *writable;           /* one within that it can; NULL */
	bool foreground;                /* console step: stays in the terminal's process group */
	/* set by child_start */
	pid_t pid;                      /* leader of its own group */
};

/* 0; -1 with the reason (program not found names it and PATH). */
int child_start(struct child *, struct err *);
/* Readable once the child ended; closed on exec. -1 with errno. */
int child_pidfd(const struct child *);
/* The child ended, or is about to: whatever is left of its group is killed, then it is reaped. In this order, because its
 * number belongs to nobody else only until then. Not for a child that loop_child reaps. */
struct rusage;
void child_reap(const struct child *, int *status, struct rusage *);
/* Is a process left in the (reaped) child's group? What SIGKILL has hit may take a moment to end. */
bool child_group_left(const struct child *);
/* Finds a program as child_start does; false when absent. */
bool child_which(struct arena *, struct str name, struct str path, struct str dir, struct str *out);
/* Starts it and waits for its end, output (stdout, or both with merge) into out, wait status
 * in *status. What exceeds out's limit is dropped; after timeout_ms (0: none) it is killed and -1. For small tools. */
int child_output(struct child *, bool merge, uint64_t timeout_ms, struct buf *out, int *status, struct err *);
