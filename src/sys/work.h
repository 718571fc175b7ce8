/* work.h: one thing that takes long, done by a thread while the loop goes on. */
#pragma once

#include "sys/loop.h"

struct work;

/* Calls work(ctx) on a thread of its own, which touches ctx only and owns every handle it opens; then done(ctx) from the
 * loop, never before this returns. Until then ctx stays. There is no way to stop it but one that work() looks for. NULL: it
 * was not begun. */
struct work *work_begin(struct loop *, void (*work)(void *ctx), void (*done)(void *ctx), void *ctx, struct err *);
