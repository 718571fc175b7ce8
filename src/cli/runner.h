/* runner.h: a run as the command line asks for it: lock, plan, events, progress, what is kept afterwards. All
 * return the exit status, or -1 with err. */
#pragma once

#include "cli/session.h"
#include "exec/progress.h"
#include "exec/run.h"

struct runner_options {
	unsigned jobs;                  /* 0: as configured */
	bool keep_going, dry_run, color;
	int force;                      /* FORCE_* */
	enum verbosity verbosity;
	struct str events;              /* file; {NULL} none */
	struct str junit;               /* file; {NULL} none */
	bool claim;                     /* leave steps for machines with other tags to these */
	struct str plan_file;           /* an exported plan to replay instead of the spec; {NULL} none */
};

int runner_run(struct session *, const struct runner_options *, struct err *);
/* Must each step be named, even if there is nothing to do? Then the snapshot must be whole. */
bool runner_names_steps(const struct runner_options *);
/* The snapshot was found to hold: every step is a hit. */
int runner_nothing(struct session *, const struct runner_options *, struct err *);
