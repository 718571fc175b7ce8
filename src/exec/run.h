/* run.h: carries a selection out: probe, restore or run each step, record what came of it. The schedule decides
 * what may start; a step's own life is job.c's; what to say is events'. */
#pragma once

#include "exec/event.h"
#include "exec/history.h"
#include "exec/place.h"
#include "plan/select.h"
#include "resolve/snapshot.h"
#include "resolve/walk.h"
#include "runtimes/runtime.h"

struct run_options {
	unsigned jobs;
	bool keep_going, dry_run;
	enum { FORCE_NONE, FORCE_GOALS, FORCE_ALL } force;
	const struct str *tags; size_t ntags;   /* offered by this machine */
	bool claim;                     /* leave what would have to run on a machine with other tags to that, with what needs it */
	const char *const *environ;     /* the caller's */
	const struct str *insecure; size_t ninsecure;   /* registries that may speak http */
	struct str engine, engine_where;        /* of containers, as configured, and who said so */
	bool tty;                       /* tick the progress view */
	void (*tick)(void *ctx); void *tick_ctx;        /* each 100 ms while something runs */
};

struct run {
	struct run_options options;
	const struct plan *plan;
	const struct selection *selection;
	struct walk *walk;
	struct snapshot *kept;          /* the plan is its; NULL: no state was kept */
	struct place *place;
	struct history *history;
	struct events *events;
	const struct runtime *runtimes[RUNTIME_KIND_POD + 1];   /* by kind; NULL: no step of it is selected */
	void *sessions[RUNTIME_KIND_POD + 1];   /* of those that have one and have started a step */
	const char *state_dir;          /* absolute; tmp folders and logs of failed steps */
	struct arena *arena;
	int64_t clock; uint64_t clock_at;       /* the file system's time, and when it was asked for */
	/* filled */
	size_t counts[STATE_UNKNOWN + 1];
	int interrupted;                /* signal, 0 none */
	bool changed;                   /* something ran or was restored */
	bool dirty;                     /* some step's inputs moved: nothing may be believed unchanged */
	bool lost;                      /* a step could not be run at all (exit status 3) */
};

/* The session of a runtime, opened when it is first asked for; NULL when the runtime has none. */
int run_session(struct run *, struct loop *, uint32_t runtime, void **session, struct err *);
/* 0 even when steps failed (see counts); -1 when the run itself could not be carried out. */
int run_all(struct run *, struct err *);
