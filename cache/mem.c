/* mem.c: a store in memory, for tests: it keeps its contract, and fails when told to. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "cache/store.h"
#include "sys/file.h"
#include "sys/sha.h"

struct kept { struct digest key; struct str bytes; bool present; };

struct mem_store {
	struct store store;
	pthread_mutex_t lock;           /* of all that follows */
	struct arena arena;
	struct map kinds[3];            /* results, paths, blobs: the digest's bytes -> struct kept */
	unsigned calls, fail_at;
};

enum { BLOBS = 2 };

static struct mem_store *self(struct store *s) { return (struct mem_store *)s; }

/* Counts a call and takes the lock; -1 (and no lock) when it is the one to fail. */
static int enter(struct store *store, const char *what, struct err *err)
{
	struct mem_store *s = self(store);
	pthread_mutex_lock(&s->lock);
	if (++s->calls != s->fail_at)
		return 0;
	pthread_mutex_unlock(&s->lock);
	return err_set(err, ERR_SYSTEM, "unable to %s the store in memory: call %u was to fail", what, s->fail_at);
}

static int leave(struct store *store, int rc)
{
	pthread_mutex_unlock(&self(store)->lock);
	return rc;
}

static struct kept *find(struct mem_store *s, int kind, const struct digest *d)
{
	struct kept *k = map_get(&s->kinds[kind], (struct str){(const char *)d->bytes, sizeof(d->bytes)});
	return k && k->present ? k : NULL;
}

static void keep(struct mem_store *s, int kind, const struct digest *d, struct str bytes)
{
	struct kept *k = arena_new(&s->arena, struct kept);
	*k = (struct kept){*d, str_dup(&s->arena, bytes), true};
	bool fresh;
	void **place = map_put(&s->kinds[kind], (struct str){(const char *)k->key.bytes, sizeof(k->key.bytes)}, &fresh);
	if (fresh)
		*place = k;
	else
		*(struct kept *)*place = (struct kept){*d, k->bytes, true};
}

static int get(struct store *store, enum record_kind kind, const struct digest *key, struct arena *a, struct str *out,
	       struct err *err)
{
	if (enter(store, "read", err))
		return -1;
	struct kept *k = find(self(store), (int)kind, key);
	if (k)
		*out = str_dup(a, k->bytes);
	return leave(store, k != NULL);
}

static int put(struct store *store, enum record_kind kind, const struct digest *key, struct str bytes, struct err *err)
{
	if (enter(store, "write to", err))
		return -1;
	keep(self(store), (int)kind, key, bytes);
	return leave(store, 0);
}

static int has(struct store *store, const struct digest *d, size_t n, bool *present, struct err *err)
{
	if (enter(store, "look into", err))
		return -1;
	for (size_t i = 0; i < n; i++)
		present[i] = find(self(store), BLOBS, &d[i]) != NULL;
	return leave(store, 0);
}

static int read_blob(struct store *store, const struct digest *d, int to, struct err *err)
{
	if (enter(store, "read", err))
		return -1;
	struct kept *k = find(self(store), BLOBS, d);
	leave(store, 0);
	if (!k)
		return 0;
	return file_write_all(to, k->bytes.s, k->bytes.n) ? err_errno(err, "unable to write what the store holds") : 1;
}

static int read_bytes(struct store *store, const struct digest *d, size_t limit, struct buf *out, struct err *err)
{
	if (enter(store, "read", err))
		return -1;
	struct kept *k = find(self(store), BLOBS, d);
	leave(store, 0);
	if (k && k->bytes.n > limit)
		return err_set(err, ERR_SYSTEM, "unable to read a file in the store in memory: it is longer than %zu bytes",
			       limit);
	if (k)
		buf_str(out, k->bytes);
	return k != NULL;
}

static int write_bytes(struct store *store, struct str bytes, struct digest *out, struct err *err)
{
	if (enter(store, "write to", err))
		return -1;
	sha256_bytes(bytes.s, bytes.n, out);
	if (!find(self(store), BLOBS, out))
		keep(self(store), BLOBS, out, bytes);
	return leave(store, 0);
}

static int write_file(struct store *store, int from, struct digest *out, uint64_t *size, struct err *err)
{
	struct buf bytes = BUF_INIT(BUF_UNLIMITED);
	char chunk[16384];
	ssize_t got;
	while ((got = pread(from, chunk, sizeof(chunk), (off_t)bytes.n)) > 0 || (got < 0 && errno == EINTR))
		if (got > 0)
			buf_add(&bytes, chunk, (size_t)got);
	int rc = got ? err_errno(err, "unable to read a file for the store in memory") :
		       write_bytes(store, buf_view(&bytes), out, err);
	*size = bytes.n;
	buf_release(&bytes);
	return rc;
}

static int drop(struct store *store, enum record_kind kind, const struct digest *key, struct err *err)
{
	if (enter(store, "remove a record from", err))
		return -1;
	struct kept *k = find(self(store), (int)kind, key);
	if (k)
		k->present = false;
	return leave(store, 0);
}

/* Without the lock while see is called, which may use the store. */
static int each_record(struct store *store, enum record_kind kind, int (*see)(void *, const struct digest *), void *ctx,
		       struct err *err)
{
	if (enter(store, "list", err))
		return -1;
	leave(store, 0);
	struct map *m = &self(store)->kinds[kind];
	for (size_t i = 0; i < m->n; i++) {
		struct kept *k = m->entries[i].value;
		int rc = k->present ? see(ctx, &k->key) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

static void close_mem(struct store *store)
{
	struct mem_store *s = self(store);
	for (size_t i = 0; i < countof(s->kinds); i++)
		map_release(&s->kinds[i]);
	arena_release(&s->arena);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static const struct store_ops ops = {
	.name = "mem",
	.get = get,
	.put = put,
	.has = has,
	.read = read_blob,
	.read_bytes = read_bytes,
	.write_file = write_file,
	.write_bytes = write_bytes,
	.remove = drop,
	.close = close_mem,
	.each_record = each_record,
};

struct store *store_mem_open(unsigned fail_at)
{
	struct mem_store *s = xcalloc(1, sizeof(*s));
	s->store.ops = &ops;
	s->fail_at = fail_at;
	pthread_mutex_init(&s->lock, NULL);
	return &s->store;
}
