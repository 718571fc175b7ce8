/* dir-check.c: looks at the whole folder store: counts it, verifies it, empties it. */
#include "cache/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/pool.h"
#include "sys/sha.h"

struct count { struct store_stats *out; int64_t oldest; bool blobs; };

static int count_one(void *ctx, const struct dir_item *item)
{
	struct count *c = ctx;
	c->out->bytes += dir_bytes(&item->st);
	if (item->digest.algo == DIGEST_NONE)
		return 0;
	if (c->blobs)
		c->out->blobs++;
	else
		c->out->records++;
	if (item->st.st_mtim.tv_sec < c->oldest)
		c->oldest = item->st.st_mtim.tv_sec;
	return 0;
}

int store_dir_stats(struct store *store, struct store_stats *out, struct err *err)
{
	int64_t now = dir_now();
	struct count c = {out, now, false};
	*out = (struct store_stats){0};
	for (int kind = 0; kind < DIR_KINDS; kind++) {
		c.blobs = kind == DIR_BLOBS;
		if (dir_each((struct dir_store *)store, kind, count_one, &c, err))
			return -1;
	}
	out->oldest_s = (uint64_t)(now - c.oldest);
	return 0;
}

/* Verifying reads everything, so the shards share the CPUs. */
struct verify {
	struct dir_store *s;
	int (*check)(enum record_kind, struct str);
	atomic_uint_least64_t records, blobs, damaged;
	struct shard { struct verify *v; int kind; struct err err; } shards[256];
};

static int verify_record(struct shard *h, const struct dir_item *item)
{
	struct buf bytes = BUF_INIT(BUF_UNLIMITED);
	struct stat st;
	int rc = dir_load(h->v->s, item->name, DIR_RECORD_MAX, &bytes, &st, &h->err);
	if (rc == 1) {
		atomic_fetch_add(&h->v->records, 1);
		if (h->v->check((enum record_kind)h->kind, buf_view(&bytes))) {
			dir_drop(h->v->s, item->name, "record");
			atomic_fetch_add(&h->v->damaged, 1);
		}
	}
	buf_release(&bytes);
	return rc < 0 ? -1 : 0;
}

static int verify_one(void *ctx, const struct dir_item *item)
{
	struct shard *h = ctx;
	if (item->digest.algo == DIGEST_NONE) {
		dir_drop(h->v->s, item->name, "name");
		atomic_fetch_add(&h->v->damaged, 1);
		return 0;
	}
	if (h->kind != DIR_BLOBS)
		return verify_record(h, item);
	int rc = dir_blob_verify(h->v->s, &item->digest, &h->err);
	atomic_fetch_add(&h->v->blobs, 1);
	if (!rc)
		atomic_fetch_add(&h->v->damaged, 1);
	return rc < 0 ? -1 : 0;
}

static void verify_shard(void *ctx, size_t i)
{
	struct verify *v = ctx;
	struct shard *h = &v->shards[i];
	h->v = v;
	for (h->kind = 0; h->kind < DIR_KINDS; h->kind++)
		if (dir_each_in(v->s, h->kind, (unsigned)i, verify_one, h, &h->err))
			return;
}

int store_dir_verify(struct store *store, int (*check)(enum record_kind, struct str), struct store_verify *out,
		     struct err *err)
{
	if (sha256_init(err))
		return -1;
	struct verify *v = xcalloc(1, sizeof(*v));
	v->s = (struct dir_store *)store;
	v->check = check;
	pool_each(countof(v->shards), pool_cpus(), verify_shard, v);
	*out = (struct store_verify){v->records, v->blobs, v->damaged};
	int rc = 0;
	for (size_t i = 0; i < countof(v->shards); i++) {
		struct err *e = &v->shards[i].err;
		if (err_any(e) && !rc) {
			rc = -1;
			if (err)
				err_move(err, e);
		}
		err_release(e);
	}
	free(v);
	return rc;
}

static int clear_one(void *ctx, const struct dir_item *item)
{
	struct dir_store *s = ctx;
	return unlinkat(s->fd, item->name, 0) && errno != ENOENT ? 1 : 0;
}

/* The folders stay: a running cairn may be about to use them. Records go first, so that none is left
 * that names what is gone. */
int store_dir_clear(struct store *store, struct err *err)
{
	struct dir_store *s = (struct dir_store *)store;
	for (int kind = 0; kind < DIR_KINDS; kind++) {
		int rc = dir_each(s, kind, clear_one, s, err);
		if (rc)
			return rc < 0 ? -1 : dir_fault(s, "empty", err);
	}
	dir_clean_tmp(s, dir_now() - 60);
	atomic_store(&s->added, 0);
	unlinkat(s->fd, "gc", 0);
	return 0;
}

void dir_clean_tmp(struct dir_store *s, int64_t before)
{
	int fd = openat(s->fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		mkdirat(s->fd, "tmp", 0700);
		return;
	}
	DIR *d = fdopendir(fd);
	if (!d) {
		close(fd);
		return;
	}
	struct stat st;
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.' && !fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) && st.st_ctim.tv_sec < before)
			unlinkat(fd, e->d_name, 0);
	closedir(d);
}
