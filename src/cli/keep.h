/* keep.h: what a run leaves for the next: snapshot, stat cache, tool memos, history; and what it removes because
 * the spec no longer has it. */
#pragma once

#include "cli/session.h"
#include "exec/run.h"

/* Faults are warnings: the run itself is over. */
void keep_state(struct session *, struct run *, struct history *, void (*warn)(void *ctx, struct str text), void *ctx);
/* Removes unmodified outputs of steps that the spec with default vars and params no longer contains. */
int keep_remove_gone(struct session *, struct place *, void (*warn)(void *ctx, struct str text), void *ctx, struct err *);
/* What all of the session's keys may rest on beside files: variables, and the tools that were looked at. A tool whose answer can't
 * be watched is one that never holds. */
void keep_env(struct session *, struct fact_env **out, size_t *n);
void keep_tools(struct session *, struct watches *out);
