/* snapshot.h: the compiled plan and the last state in one file a workspace and set of options, mmap'ed
 * and replaced only by rename. A run that finds everything as it was parses nothing, loads no
 * heavy library, starts nothing, and reads each file's identity once relative to an open folder.
 *
 * Layout: struct snapshot_head, then sections, 8-aligned: folders with the files in them that matter,
 * identities, environment, questions, the steps with their keys, texts, and the plan's image. What a
 * no-op reads stands together. Guarded by format, the program's build and an XXH3-128. */
#pragma once

#include "resolve/compile.h"
#include "resolve/walk.h"

struct snapshot;                        /* a mapped file */

/* The program that wrote a snapshot is part of it: another build may see things otherwise. */
struct xxh snapshot_build(void);

enum kept_state { KEPT_NOT, KEPT_HIT, KEPT_SKIPPED };   /* good as long as nothing changes; NOT: runs again */

struct snapshot_step {
	struct digest key;
	uint32_t step;                  /* id in the plan */
	uint32_t state;                 /* enum kept_state */
	uint32_t used_at, nused;        /* into refs: files its key rests on */
	uint32_t outputs_at, noutputs;  /* into outputs */
};

/* 1 opened, 0 none (absent, damaged, of another build, of another workspace at that path). */
int snapshot_open(const char *path, int rootfd, struct snapshot **);
void snapshot_close(struct snapshot *);

enum snapshot_check {
	SNAPSHOT_SAME,                  /* nothing to do */
	SNAPSHOT_PLAN,                  /* files changed, the plan holds: folders are as they were */
	SNAPSHOT_ASK,                   /* folders changed: the plan holds if compile_still says so */
	SNAPSHOT_STALE,                 /* the spec or the environment changed */
};
enum snapshot_check snapshot_check(struct snapshot *, int rootfd);

/* Opening checks only what a no-op reads. What follows is to be asked for only once this has said true. */
bool snapshot_whole(struct snapshot *);
/* How many steps are hits and skipped when all is the same; needs no more than opening. */
void snapshot_counts(const struct snapshot *, size_t *hits, size_t *skipped);
const struct plan *snapshot_plan(const struct snapshot *);
const struct snapshot_step *snapshot_steps(const struct snapshot *, uint32_t *n);
const struct asked *snapshot_asked(struct snapshot *, struct arena *, size_t *n);
/* The facts of the environment and the watches the plan rests on, to be kept on when the plan is. */
const struct fact_env *snapshot_env(struct snapshot *, struct arena *, size_t *n);
void snapshot_fact_watches(const struct snapshot *, struct arena *, bool listings, struct watches *);
/* What any step's key rests on, tools mostly, to be kept on when steps were settled without looking at them again. */
void snapshot_key_watches(const struct snapshot *, struct arena *, struct watches *);
/* Settles the step as it was if nothing that it rests on has changed since: its needs (settled), files, outputs,
 * tools. 1 done, 0 it must be looked at. After snapshot_check, and only with the snapshot's own plan. */
bool snapshot_settle(struct snapshot *, struct walk *, uint32_t step, struct digest *key);
/* All WATCH_FILE digests whose identity the last check found unchanged. */
void snapshot_teach(const struct snapshot *, struct content *);

struct snapshot_save {
	const struct plan *plan;
	const struct watches *watches;
	const struct asked *asked; size_t nasked;
	const struct fact_env *env; size_t nenv;
	const struct walk *walk;        /* outputs and used files of the steps */
	struct snapshot_step *steps; uint32_t nsteps;   /* used and outputs are filled in */
	bool quiet;                     /* every step is good: a run that finds all as it was has nothing to do */
};
int snapshot_write(const char *path, int rootfd, const struct snapshot_save *, struct err *);
