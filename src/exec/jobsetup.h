/* jobsetup.h: what a step's runtime is handed: its command line, environment, folders, script and secret files. */
#pragma once

#include "exec/run.h"

struct secret_values;

/* Fills the members of job that tell of the step; its callbacks are the caller's. place numbers its private folder, which is
 * made. at: the workspace that it works in, or the copy of it. -1: a secret is not set, something it requires is not here ... */
int job_setup(struct job *, struct run *, uint32_t step, size_t place, const struct place *at, const struct secret_values *,
	      struct err *);
