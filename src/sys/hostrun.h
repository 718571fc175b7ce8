/* hostrun.h: a command that somebody elsewhere asked to have run on this machine: its input and output go through the
 * hands of the caller, who may hold them back, so nothing piles up here. It gets a process group of its own, which is
 * killed when its leader has ended, or when the command is freed.
 *
 * Callbacks come from the loop only, never from within a call of these functions; they may call anything here but
 * hostrun_free, save `done`, which may. */
#pragma once

#include "base/err.h"
#include "sys/loop.h"

struct hostrun;

struct hostrun_how {
	const char *const *argv, *const *env;
	const char *dir;                        /* absolute */
};

struct hostrun_calls {
	/* Takes what it has room for and returns how much that is; when that is not all, no more comes before hostrun_more.
	 * No bytes: the stream is at its end, told once. */
	size_t (*output)(void *ctx, int stream /* 1 or 2 */, struct str bytes);
	/* The command has room for input, or has read so much of it. Its input is what hostrun_input was given. */
	void (*taken)(void *ctx, size_t n);
	/* Once: it ended, what was left of its group was killed, and all its output was taken. */
	void (*done)(void *ctx, bool signalled, int status);
};

/* -1 as child_start. Nothing of `how` is used after it returned. */
struct hostrun *hostrun_start(struct loop *, const struct hostrun_how *, const struct hostrun_calls *, void *ctx, struct err *);
/* Copied; no bytes: the end of input. What comes after the command has closed its input is counted as taken. */
void hostrun_input(struct hostrun *, struct str bytes);
void hostrun_more(struct hostrun *, int stream);
void hostrun_signal(struct hostrun *, int sig);         /* to the group */
/* Kills its group when it runs still; done is not called. NULL is fine. */
void hostrun_free(struct hostrun *);
