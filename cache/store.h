/* store.h: results and blobs. What a plug-in in cache/ implements.
 *
 * Contract
 *  - Records are small opaque bytes under (kind, key); put replaces whole or not at all.
 *  - Blobs are content under its SHA-256. Whatever read gives back has been verified: damage is
 *    dropped and answered as absent (0), never handed out.
 *  - A fault is -1 with err; callers turn it into a warning and a local run, never a failed build.
 *  - All members may block on disk; called on the main thread unless said otherwise. write_file,
 *    write_bytes, has and read may be called from pool threads at the same time (after sha256_init).
 *  - All members are mandatory unless said otherwise. */
#pragma once

#include "base/digest.h"
#include "base/err.h"

enum record_kind { RECORD_RESULT, RECORD_PATHS };

struct store;

struct store_ops {
	const char *name;               /* "dir", "mem" */
	/* 1 found (bytes in the arena), 0 absent, -1. Marks it as used. */
	int (*get)(struct store *, enum record_kind, const struct digest *key, struct arena *, struct str *out, struct err *);
	int (*put)(struct store *, enum record_kind, const struct digest *key, struct str bytes, struct err *);
	/* present[i] for each; n at once. */
	int (*has)(struct store *, const struct digest *, size_t n, bool *present, struct err *);
	/* Copies the blob to `to` (an empty file open for writing), verified. 1, 0 absent or damaged, -1. */
	int (*read)(struct store *, const struct digest *, int to, struct err *);
	/* Small blobs into memory. */
	int (*read_bytes)(struct store *, const struct digest *, size_t limit, struct buf *out, struct err *);
	/* Hashes a whole file (open for reading, at 0) and keeps its content; one read feeds both. */
	int (*write_file)(struct store *, int from, struct digest *out, uint64_t *size, struct err *);
	int (*write_bytes)(struct store *, struct str bytes, struct digest *out, struct err *);
	int (*remove)(struct store *, enum record_kind, const struct digest *key, struct err *);
	void (*close)(struct store *);
	/* Optional, NULL: not supported. */
	int (*each_record)(struct store *, enum record_kind, int (*see)(void *ctx, const struct digest *key), void *ctx, struct err *);
};

struct store {
	const struct store_ops *ops;
	/* Set by the owner, may be NULL: told of damage that was found and dropped, on the thread that found it. */
	void (*warn)(void *ctx, struct str text);
	void *warn_ctx;
};

static inline void store_close(struct store *s) { if (s) s->ops->close(s); }
void store_warn(struct store *, const char *fmt, ...) PRINTF(2, 3);     /* for those who implement one */

/* cache/dir.c: a folder shared between workspaces and worktrees of one user. Opening makes it. */
struct store_limits { uint64_t max_bytes; uint64_t max_age_s; };        /* 0: none */
int store_dir_open(struct str path, struct store **out, struct err *);
struct store_stats { uint64_t records, blobs, bytes, oldest_s; };
int store_dir_stats(struct store *, struct store_stats *, struct err *);
struct store_gc { uint64_t removed_records, removed_blobs, freed_bytes, kept_bytes; };
/* Removes records last used more than max_age ago and what no record names; then, while more than max_bytes
 * are left, what the records that were used least recently hold alone (a record still says what its step
 * made, so it outlives its blobs), at last records. Bytes are those of disk blocks, as du counts them;
 * exact. Safe beside running cairns: what was used in the last hour stays. Waits for another gc.
 * refs tells which blobs a result names (RECORD_PATHS name none); -1: damaged, it goes. */
int store_dir_gc(struct store *, const struct store_limits *,
		 int (*refs)(struct str record, void (*blob)(void *, const struct digest *), void *), struct store_gc *, struct err *);
/* Reads everything; damaged records (check says -1) and blobs are removed and counted. check and warn may be called
 * from several threads. */
struct store_verify { uint64_t records, blobs, damaged; };
int store_dir_verify(struct store *, int (*check)(enum record_kind, struct str record), struct store_verify *, struct err *);
int store_dir_clear(struct store *, struct err *);
/* Keys of the records that were used within max_age_s (0: all), in no order; a value other than 0 from see ends it and is returned. Neither
 * this nor looking at one (1, 0 absent, -1) counts as use. */
int store_dir_used(struct store *, enum record_kind, uint64_t max_age_s, int (*see)(void *ctx, const struct digest *key), void *ctx, struct err *);
int store_dir_peek(struct store *, enum record_kind, const struct digest *key, struct buf *out, struct err *);
/* As if it was last used that long ago. */
void store_dir_age(struct store *, enum record_kind, const struct digest *key, uint64_t age_s);
/* Is a gc due? Cheap: reads one small file, in which the last gc and each process since wrote its bytes. */
bool store_dir_gc_due(struct store *, const struct store_limits *);

/* cache/mem.c: the in-memory twin for tests; fails on the n-th call when told to (0: never). */
struct store *store_mem_open(unsigned fail_at);
