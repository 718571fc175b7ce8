/* dir.h: the innards of the folder store, shared by dir*.c alone.
 *
 * Layout of FOLDER/v1, all of it private to the user (0700), files read-only:
 *	results/ab/cd...	record of key abcd...; paths/ likewise
 *	blobs/ab/cd...		content whose SHA-256 is abcd...
 *	tmp/			what is being written; renamed to its name when whole
 *	boot			id of the boot in which the store was last written to
 *	gc			"kept BYTES at SECONDS", then a line "+BYTES" for each process that added since
 *	gc.lock			one gc at a time
 *
 * A file's mtime says when it was last used. No fsync: a file that a power loss left empty or torn is
 * found by what it must satisfy anyway, a record by the sum at its end when it is decoded, a blob by its
 * SHA-256 whenever it is read. What is left is a blob that is only looked at to see whether it must be
 * written: one last used before this boot is read and hashed once before that look is believed. */
#pragma once

#include <stdatomic.h>
#include <sys/stat.h>

#include "cache/store.h"

#define DIR_SMALL (1u << 20)            /* blobs below are read into memory whole */
#define DIR_RECORD_MAX (256u << 20)
#define DIR_GRACE 3600                  /* seconds: what was used since then stays */
#define DIR_NAME_MAX 96

struct dir_store {
	struct store store;
	char *path;                     /* as given, for messages */
	int fd;                         /* FOLDER/v1 */
	char nonce[17];                 /* tells this process's names in tmp/ from others' */
	atomic_uint_least64_t counter;
	atomic_uint_least64_t added;    /* bytes, for the next gc_due */
	atomic_int_least64_t boot;      /* seconds: when this boot first wrote here; 0 not yet asked */
};

extern const char *const dir_kinds[];   /* "results", "paths", "blobs" */
enum { DIR_RESULTS, DIR_PATHS, DIR_BLOBS, DIR_KINDS };

int64_t dir_now(void);
void dir_name(int kind, const struct digest *, char out[DIR_NAME_MAX]);
/* Says what failed, on which cache, and what to do about it; from errno. -1. */
int dir_fault(const struct dir_store *, const char *what, struct err *);

/* A new file in tmp/, open for reading and writing; its name in out. */
int dir_tmp(struct dir_store *, char out[DIR_NAME_MAX], struct err *);
/* Gives it its name; its folder is made when absent. The temporary one goes, whatever happens. */
int dir_rename(struct dir_store *, const char *tmp, const char *name, struct err *);
/* Both for bytes at hand. */
int dir_keep(struct dir_store *, const char *name, struct str bytes, struct err *);
/* Marks as used unless it was within `within` seconds. False when it is no longer there. */
bool dir_touch(struct dir_store *, const char *name, const struct stat *, int64_t within);
/* Damage: removed, said. */
void dir_drop(struct dir_store *, const char *name, const char *what);
/* All of a small file into memory: 1, 0 absent, -1. */
int dir_load(struct dir_store *, const char *name, size_t limit, struct buf *out, struct stat *, struct err *);

/* One file met by a walk; digest.algo is DIGEST_NONE when the name is no digest. */
struct dir_item { char name[DIR_NAME_MAX]; struct digest digest; struct stat st; };
typedef int dir_see(void *ctx, const struct dir_item *);
/* The files of one kind, or only of shard 0..255 of it; stops at the first value that is not 0 and returns it. */
int dir_each(struct dir_store *, int kind, dir_see *, void *ctx, struct err *);
int dir_each_in(struct dir_store *, int kind, unsigned shard, dir_see *, void *ctx, struct err *);
static inline uint64_t dir_bytes(const struct stat *st) { return (uint64_t)st->st_blocks * 512; }

/* Writes the file "gc": that much is there now. */
void dir_gc_told(struct dir_store *, uint64_t kept);
/* Removes what was last touched in tmp/ before that second, and makes the folder when it is absent. */
void dir_clean_tmp(struct dir_store *, int64_t before);

/* dir-blob.c */
int dir_blob_has(struct store *, const struct digest *, size_t n, bool *present, struct err *);
int dir_blob_read(struct store *, const struct digest *, int to, struct err *);
int dir_blob_read_bytes(struct store *, const struct digest *, size_t limit, struct buf *out, struct err *);
int dir_blob_write_file(struct store *, int from, struct digest *out, uint64_t *size, struct err *);
int dir_blob_write_bytes(struct store *, struct str bytes, struct digest *out, struct err *);
/* Reads and hashes it: 1 sound, 0 absent or damaged (then it is dropped), -1. */
int dir_blob_verify(struct dir_store *, const struct digest *, struct err *);
