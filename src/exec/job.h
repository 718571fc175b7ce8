/* job.h: one step being executed: from its earlier outputs moved aside to its result stored. */
#pragma once

#include "exec/log.h"
#include "exec/run.h"

struct step_job;

/* What a job came to; texts live in its arena until job_free. */
struct job_outcome {
	enum step_state state;
	bool has_status; int status; int signal;
	uint64_t duration_ns;
	uint32_t attempts;
	struct digest key;              /* DIGEST_NONE: nothing was stored */
	struct digest log;
	struct str log_file;
	struct str reason;              /* why it failed, or why it ran */
	bool lost;                      /* it could not be run at all */
	bool moved;                     /* an input changed while it ran */
};

/* Takes over probe and scratch. Reports through done (never before this returns). -1 with nothing started: the
 * caller still owns probe and scratch. */
struct job_call {
	struct run *run;
	struct loop *loop;
	uint32_t step;
	size_t place;                   /* its TMPDIR's number: no other job has it now */
	struct probe *probe;            /* heap */
	struct arena *scratch;          /* heap; the probe's */
	struct str reason;              /* why it runs */
	const struct secret_values *secrets;    /* every secret of the spec that is set, by id */
	void (*ended)(void *ctx, struct step_job *);    /* its process ended well; outputs are looked at next */
	void (*done)(void *ctx, struct step_job *, const struct job_outcome *);
	void *ctx;
};
struct step_job *job_begin(const struct job_call *);
uint32_t job_step(const struct step_job *);
void job_cancel(struct step_job *, int sig);    /* to end as cancelled */
void job_free(struct step_job *);
