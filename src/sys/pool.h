/* pool.h: worker threads for hashing and packing. A job touches only its argument and owns every
 * handle it opens. With one CPU, or for few jobs, work runs on the caller. */
#pragma once

#include "base/base.h"

/* Runs work(ctx, i) for all i < n on up to `threads` threads and returns when all are done. */
void pool_each(size_t n, unsigned threads, void (*work)(void *ctx, size_t i), void *ctx);
/* CPUs this process may use: affinity and cgroup quota (v1 and v2) respected, at least 1. */
unsigned pool_cpus(void);
