/* walk.h: keys and records, step by step in topological order. The same walk serves plan --status,
 * explain, status and run, so that what is shown is what happens.
 *
 * The caller probes a step once all its needs have been settled (walk_settle or walk_settle_probe),
 * and settles it. Main thread only. */
#pragma once

#include "base/map.h"
#include "cache/store.h"
#include "plan/key.h"
#include "plan/result.h"
#include "resolve/content.h"
#include "resolve/images.h"
#include "resolve/tools.h"
#include "resolve/watch.h"

enum walk_state {
	WALK_NONE,                      /* not looked at, or not part of this run */
	WALK_KNOWN,                     /* its outputs are known */
	WALK_SKIPPED,
	WALK_FAILED,
	WALK_PENDING,                   /* would run: what it makes is not known yet */
};

struct walk_step {
	enum walk_state state;
	bool ran;                       /* made anew in this run */
	bool same;                      /* taken over from the kept state: nothing that it rests on has changed */
	struct digest key;              /* DIGEST_NONE: none */
	struct entries outputs;         /* KNOWN: sorted by path */
	const struct ident *idents;     /* parallel; NULL for a group, whose needs have them */
	const struct str *used; size_t nused;   /* paths whose content its key rests on, discovered ones too */
};

struct walk {
	struct arena *arena;            /* the run's */
	const struct plan *plan;
	struct plan_index *index;
	struct content *content;
	struct tools *tools;
	struct images *images;          /* NULL: no container step is cached */
	struct store *store;            /* NULL: no cache at all */
	struct str root;                /* absolute, real; rootfd is open on it */
	int rootfd;
	struct str os, arch, path;      /* path: PATH with home and root as tokens */
	struct digest packages; bool packages_known;
	struct walk_step *steps;        /* by step id */
	struct watches watches;         /* everything that entered a key, and outputs */
	struct map names; bool names_known;
	bool store_off;                 /* a fault switched it off for this run; said once through warn */
	void (*warn)(void *ctx, struct str text);
	void *ctx;
};

enum verdict {
	PROBE_HIT,                      /* a record, and the outputs on disk are what it says */
	PROBE_RESTORE,                  /* a record; outputs on disk differ */
	PROBE_MISS,                     /* no record */
	PROBE_UNCACHED,                 /* runs every time */
	PROBE_PENDING,                  /* rests on what a need has yet to make */
};

/* A source file as it was when it went into the key. */
struct used {
	struct str path;
	struct ident ident;
	struct digest digest;
	bool racy, made /* by a need */, listed /* a folder whose entries count: path ends in "/." */;
};

struct probe {
	enum verdict verdict;
	struct digest k1, key;          /* key: DIGEST_NONE unless a record was found or there is no depfile */
	struct buf manifest, discovered;
	struct result result;           /* HIT, RESTORE */
	VEC(struct used) used;
	struct str differs;             /* RESTORE: the first output that is not as recorded */
	bool failed_need;               /* nothing may be stored */
};

int walk_open(struct walk *, struct err *);              /* after the caller has set what is above steps */
void walk_release(struct walk *);

/* scratch lives until the caller is done with the probe. -1: an input can't be read, a tool is missing ... */
int walk_probe(struct walk *, struct arena *scratch, uint32_t step, struct probe *, struct err *);
void probe_release(struct probe *);

/* The step's outputs are these (copied into the run's arena); idents parallel or NULL; ran: made anew. */
void walk_settle(struct walk *, uint32_t step, const struct digest *key, const struct entries *, const struct ident *idents, bool ran);
void walk_settle_as(struct walk *, uint32_t step, enum walk_state);
/* Keeps which files the step's key rests on, for the next run. */
void walk_keep_used(struct walk *, uint32_t step, const struct probe *);
/* Are all its needs as they were in the kept state? */
bool walk_needs_same(const struct walk *, uint32_t step);
/* What a group hands on: the outputs of its needs. */
void walk_settle_group(struct walk *, uint32_t step);

/* Discovered inputs: normalises and reads the depfile's names. since: the file system's clock when the step
 * started; *moved is the first path that changed after it ({NULL} none). Names the step's own outputs are
 * left out; another step's output outside the transitive needs is an error. */
int walk_discover(struct walk *, struct arena *scratch, uint32_t step, const struct str *deps, size_t n, int64_t since,
		  struct probe *, struct entries *found, struct str *moved, struct err *);
/* K2 and its manifest (into probe->discovered, probe->key) for these found entries. */
int walk_key_discovered(struct walk *, struct arena *scratch, uint32_t step, const struct entries *found, struct probe *, struct err *);
/* Has a used source file changed since it was hashed? 1 yes (*moved names it), 0, -1. */
int walk_moved(struct walk *, const struct probe *, struct str *moved, struct err *);
