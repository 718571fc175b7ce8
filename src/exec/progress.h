/* progress.h: events as a person reads them: a live view on a terminal (what runs and for how long,
 * done/total, hits), plain lines otherwise. A goal's output streams; that of the steps it needs is
 * shown only if they fail (or with verbose). Outputs of steps that run at the same time are never
 * interleaved within a line, and on a plain stream never at all: one streams, the others are
 * shown whole when they end. */
#pragma once

#include "base/str.h"
#include "exec/event.h"

enum verbosity { PROGRESS_QUIET, PROGRESS_NORMAL, PROGRESS_VERBOSE };

struct progress;
struct progress *progress_open(int out, int err, bool live, bool color, enum verbosity, bool (*is_goal)(void *ctx, struct str step), void *ctx);
/* Output of each step as a section of GitLab's job log, which folds it: collapsed when it is shown after a step that ended well. For a plain
 * stream. */
void progress_sections(struct progress *);
void progress_see(void *progress, const struct event *);
void progress_tick(struct progress *);          /* redraws the live view; call every 100 ms. The first one draws it: what is over before
						   then shows none */
void progress_suspend(struct progress *);       /* takes the live view off the screen; done by itself for a console step: its output
						   is not ours, that of the others waits until it has ended */
void progress_resume(struct progress *);
void progress_close(struct progress *);
