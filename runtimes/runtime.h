/* runtime.h: start, watch and stop one step. What a plug-in in runtimes/ implements.
 *
 * Contract
 *  - Mandatory: name, check, start, cancel, release. Nothing here blocks but check.
 *  - A runtime reports through the callbacks of the job and never includes exec/. output may be called
 *    any number of times before done; done exactly once after a start that returned 0.
 *  - Leaves no process behind: whatever the step started in its process group is gone before done. */
#pragma once

#include "base/err.h"
#include "plan/plan.h"
#include "sys/loop.h"

enum job_end {
	JOB_EXITED,                     /* status: 0-255 */
	JOB_SIGNALLED,                  /* status: signal number */
	JOB_UNKNOWN,                    /* the engine can no longer say */
};

struct job_usage { uint64_t user_us, system_us, max_rss_kb; };

struct job {
	/* set by the caller before start; stays valid until release */
	const struct plan *plan;
	const struct plan_step *step;
	struct arena *arena;            /* released after the job */
	const char *root;               /* absolute workspace root */
	const char *dir;                /* absolute folder it starts in */
	const char *tmp;                /* absolute private TMPDIR, exists, removed by the caller */
	const char *const *argv;        /* what to run; the script, if any, stands in script_file */
	const char *const *env;         /* complete environment */
	struct loop *loop;
	bool terminal;                  /* console step: inherits the terminal instead of pipes */
	void (*output)(void *ctx, int stream /* 1 or 2 */, struct str bytes);
	void (*done)(void *ctx, enum job_end, int status, const struct job_usage *);
	void *ctx;
	/* the runtime's own */
	void *priv;
};

struct runtime {
	const char *name;               /* kind: "native" */
	/* Can this step be honoured here, field by field? Called before anything runs. */
	int (*check)(const struct plan *, const struct plan_step *, struct err *);
	int (*start)(struct job *, struct err *);
	/* Asks it to end with sig, all its processes; may be called again with SIGKILL. */
	void (*cancel)(struct job *, int sig);
	void (*release)(struct job *);
};

extern const struct runtime runtime_native;
extern const struct runtime runtime_fake;       /* for tests: exit status, output and delay by the script's text */
