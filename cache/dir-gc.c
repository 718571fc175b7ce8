/* dir-gc.c: makes room in the folder store: mark and sweep, exact, beside running cairns.
 *
 * Blobs are listed before records, so that a blob written meanwhile is not on the list. A blob on it that
 * a new record names was marked as used before that record was written (dir-blob.c), so it is younger
 * than the grace or has another mtime than the listed one: what goes is first moved to tmp/, looked at
 * again there, and put back when it was used. Between the two a reader finds it absent, which is a miss. */
#include "cache/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/vec.h"
#include "sys/file.h"
#include "sys/lock.h"

#define STATE_MAX 8192         /* of the file "gc": after that many lines a gc is due anyway */
#define DAY 86400

struct blob { struct digest digest; uint64_t bytes; struct timespec used; uint32_t refs; bool gone; };
struct record { struct digest digest; uint64_t bytes; struct timespec used; int kind; size_t at, n; bool gone; };

struct gc {
	struct dir_store *s;
	int (*refs)(struct str, void (*)(void *, const struct digest *), void *);
	int64_t young;                  /* used since: stays */
	VEC(struct blob) blobs;         /* sorted by digest */
	VEC(struct record) records;     /* sorted by use, oldest first, once all are listed */
	VEC(uint32_t) names;            /* record.at, .n: indices into blobs */
	uint64_t kept, kept_records;    /* bytes; the second is part of the first */
	struct store_gc *told;
};

static bool same_time(struct timespec a, struct timespec b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

/* True when it is gone. */
static bool sweep(struct gc *g, int kind, const struct digest *d, struct timespec used)
{
	char name[DIR_NAME_MAX], aside[DIR_NAME_MAX];
	struct stat st;
	dir_name(kind, d, name);
	snprintf(aside, sizeof(aside), "tmp/%s-%llx", g->s->nonce, (unsigned long long)atomic_fetch_add(&g->s->counter, 1));
	if (renameat(g->s->fd, name, g->s->fd, aside))
		return errno == ENOENT;
	if (!fstatat(g->s->fd, aside, &st, AT_SYMLINK_NOFOLLOW) && !same_time(st.st_mtim, used) &&
	    !renameat(g->s->fd, aside, g->s->fd, name))
		return false;
	unlinkat(g->s->fd, aside, 0);
	return true;
}

static void sweep_blob(struct gc *g, struct blob *b)
{
	if (b->gone || b->used.tv_sec >= g->young || !sweep(g, DIR_BLOBS, &b->digest, b->used))
		return;
	b->gone = true;
	g->kept -= b->bytes;
	g->told->removed_blobs++;
	g->told->freed_bytes += b->bytes;
}

static void sweep_record(struct gc *g, struct record *r)
{
	if (r->gone || r->used.tv_sec >= g->young || !sweep(g, r->kind, &r->digest, r->used))
		return;
	r->gone = true;
	g->kept -= r->bytes;
	g->kept_records -= r->bytes;
	g->told->removed_records++;
	g->told->freed_bytes += r->bytes;
}

/* Forgets that r names its blobs; those that nobody else names go. */
static void release_blobs(struct gc *g, struct record *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct blob *b = &g->blobs.v[g->names.v[r->at + i]];
		if (!--b->refs)
			sweep_blob(g, b);
	}
	r->n = 0;
}

static int cmp_blobs(const void *a, const void *b)
{
	return memcmp(((const struct blob *)a)->digest.bytes, ((const struct blob *)b)->digest.bytes, 32);
}

static int cmp_records(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	if (x->used.tv_nsec != y->used.tv_nsec)
		return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
	return memcmp(x->digest.bytes, y->digest.bytes, 32);
}

/* A name that is no digest: none of ours, or half of something. */
static void remove_stray(struct gc *g, const struct dir_item *item)
{
	if (item->st.st_mtim.tv_sec < g->young && !unlinkat(g->s->fd, item->name, 0))
		g->told->freed_bytes += dir_bytes(&item->st);
	else
		g->kept += dir_bytes(&item->st);
}

static int see_blob(void *ctx, const struct dir_item *item)
{
	struct gc *g = ctx;
	if (item->digest.algo == DIGEST_NONE) {
		remove_stray(g, item);
		return 0;
	}
	vec_add(&g->blobs, (struct blob){.digest = item->digest, .bytes = dir_bytes(&item->st), .used = item->st.st_mtim});
	g->kept += dir_bytes(&item->st);
	return 0;
}

static void see_ref(void *ctx, const struct digest *d)
{
	struct gc *g = ctx;
	struct blob key = {.digest = *d};
	struct blob *b = g->blobs.n ? bsearch(&key, g->blobs.v, g->blobs.n, sizeof(key), cmp_blobs) : NULL;
	if (!b)
		return;
	b->refs++;
	vec_add(&g->names, (uint32_t)(b - g->blobs.v));
}

static int see_record(struct gc *g, const struct dir_item *item, int kind)
{
	if (item->digest.algo == DIGEST_NONE) {
		remove_stray(g, item);
		return 0;
	}
	struct record r = {.digest = item->digest, .bytes = dir_bytes(&item->st), .used = item->st.st_mtim, .kind = kind,
			   .at = g->names.n};
	if (kind == DIR_RESULTS) {
		struct buf bytes = BUF_INIT(BUF_UNLIMITED);
		struct stat st;
		int found = dir_load(g->s, item->name, DIR_RECORD_MAX, &bytes, &st, NULL);
		bool sound = found == 1 && !g->refs(buf_view(&bytes), see_ref, g);
		buf_release(&bytes);
		if (found == 1 && !sound) {
			dir_drop(g->s, item->name, "record");
			for (; g->names.n > r.at; g->names.n--)
				g->blobs.v[g->names.v[g->names.n - 1]].refs--;
			g->told->removed_records++;
			g->told->freed_bytes += r.bytes;
			return 0;
		}
	}
	r.n = g->names.n - r.at;
	vec_add(&g->records, r);
	g->kept += r.bytes;
	g->kept_records += r.bytes;
	return 0;
}
static int see_result(void *ctx, const struct dir_item *item) { return see_record(ctx, item, DIR_RESULTS); }
static int see_paths(void *ctx, const struct dir_item *item) { return see_record(ctx, item, DIR_PATHS); }

static int list_all(struct gc *g, struct err *err)
{
	if (dir_each(g->s, DIR_BLOBS, see_blob, g, err))
		return -1;
	if (g->blobs.n)
		qsort(g->blobs.v, g->blobs.n, sizeof(*g->blobs.v), cmp_blobs);
	if (dir_each(g->s, DIR_RESULTS, see_result, g, err) || dir_each(g->s, DIR_PATHS, see_paths, g, err))
		return -1;
	if (g->records.n)
		qsort(g->records.v, g->records.n, sizeof(*g->records.v), cmp_records);
	return 0;
}

static void make_room(struct gc *g, const struct store_limits *limits)
{
	int64_t now = g->young + DIR_GRACE;
	for (size_t i = 0; limits->max_age_s && i < g->records.n; i++) {
		struct record *r = &g->records.v[i];
		if (now - r->used.tv_sec <= (int64_t)limits->max_age_s)
			break;
		sweep_record(g, r);
		if (r->gone)
			release_blobs(g, r);
	}
	for (size_t i = 0; i < g->blobs.n; i++)
		if (!g->blobs.v[i].refs)
			sweep_blob(g, &g->blobs.v[i]);
	if (!limits->max_bytes)
		return;
	for (size_t i = 0; g->kept > limits->max_bytes && i < g->records.n; i++)
		if (!g->records.v[i].gone && g->records.v[i].used.tv_sec < g->young)
			release_blobs(g, &g->records.v[i]);
	/* Records are small: where young blobs alone are too much, dropping all records would not help. */
	for (size_t i = 0; g->kept > limits->max_bytes && g->kept_records > limits->max_bytes / 8 && i < g->records.n; i++)
		sweep_record(g, &g->records.v[i]);
}

void dir_gc_told(struct dir_store *s, uint64_t kept)
{
	char text[96];
	int n = snprintf(text, sizeof(text), "kept %llu at %lld\n", (unsigned long long)kept, (long long)dir_now());
	dir_keep(s, "gc", (struct str){text, (size_t)n}, NULL);
	atomic_store(&s->added, 0);
}

int store_dir_gc(struct store *store, const struct store_limits *limits,
		 int (*refs)(struct str, void (*)(void *, const struct digest *), void *), struct store_gc *out, struct err *err)
{
	struct gc g = {.s = (struct dir_store *)store, .refs = refs, .told = out};
	*out = (struct store_gc){0};
	struct buf lock = BUF_INIT(BUF_UNLIMITED);
	buf_fmt(&lock, "%s/v1/gc.lock", g.s->path);
	bool busy;
	long holder;
	CLEANUP_FD int held = lock_take(lock.s, true, &busy, &holder, err);
	buf_release(&lock);
	if (held < 0)
		return -1;
	g.young = dir_now() - DIR_GRACE;
	dir_clean_tmp(g.s, g.young);    /* what processes that were killed left */
	int rc = list_all(&g, err);
	if (!rc) {
		make_room(&g, limits);
		out->kept_bytes = g.kept;
		dir_gc_told(g.s, g.kept);
	}
	vec_free(&g.blobs);
	vec_free(&g.records);
	vec_free(&g.names);
	return rc;
}

/* Reads "kept N at T" and the "+N" lines; false when the file is none of ours. */
static bool read_state(struct str text, uint64_t *kept, uint64_t *added, uint64_t *at)
{
	struct str line;
	*kept = *added = *at = 0;
	while (str_cut(&text, '\n', &line)) {
		uint64_t n;
		struct str word;
		if (str_starts(line, S("+")) && str_u64(str_from(line, 1), &n)) {
			*added += n;
		} else if (str_starts(line, S("kept "))) {
			line = str_from(line, 5);
			if (!str_cut(&line, ' ', &word) || !str_u64(word, kept) || !str_starts(line, S("at ")) ||
			    !str_u64(str_from(line, 3), at))
				return false;
		} else {
			return false;
		}
	}
	return true;
}

bool store_dir_gc_due(struct store *store, const struct store_limits *limits)
{
	struct dir_store *s = (struct dir_store *)store;
	char text[STATE_MAX + 1];
	uint64_t kept = 0, added = 0, at = 0;
	CLEANUP_FD int fd = openat(s->fd, "gc", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		ssize_t n = read(fd, text, sizeof(text));
		if (n < 0)
			return false;
		if (n > STATE_MAX || !read_state((struct str){text, (size_t)n}, &kept, &added, &at))
			return true;
	}
	added += atomic_load(&s->added);
	int64_t age = at ? dir_now() - (int64_t)at : 0;
	if (limits->max_age_s && age > DAY && kept + added)
		return true;
	/* What stays for being young must not make every run try again. */
	return limits->max_bytes && kept + added > limits->max_bytes && (age > 600 || !at || added > limits->max_bytes / 16);
}
