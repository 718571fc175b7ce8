#include "cli/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/map.h"
#include "base/path.h"
#include "base/vec.h"
#include "cli/refs.h"
#include "plan/result.h"
#include "sys/file.h"
#include "sys/sha.h"

#define HEAD_NAME "cairn-bundle"
#define HEAD_TEXT "cairn bundle 1\n"
#define END_NAME "end"
#define ENTRIES_MAX 16000000u
#define LEVEL 3
#define CHUNK ((size_t)64 << 10)

static const char *const folders[] = {[RECORD_RESULT] = "results", [RECORD_PATHS] = "paths"};

/* --- writing --- */

struct writing {
	struct store *store;
	struct tar_writer *tar;
	struct bundle_stats *stats;
	struct arena arena;
	struct map written;             /* hex of blobs */
	FILE *scratch;
	struct err *err;
	VEC(struct digest) keys;
	VEC(struct digest) blobs;       /* of the record at hand */
};

static struct tar_entry file_entry(struct arena *a, const char *folder, const struct digest *d, uint64_t size)
{
	char hex[65];

	digest_hex(d, hex);
	return (struct tar_entry){.name = str_fmt(a, "%s/%s", folder, hex), .type = TAR_FILE, .mode = 0444, .size = size};
}

static int put_text(struct writing *w, const char *name, struct str text)
{
	const struct tar_entry e = {.name = str_of(name), .type = TAR_FILE, .mode = 0444, .size = text.n};

	return tar_add_bytes(w->tar, &e, text.s, w->err);
}

static int add_key(void *ctx, const struct digest *key)
{
	struct writing *w = ctx;

	vec_add(&w->keys, *key);
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(((const struct digest *)a)->bytes, ((const struct digest *)b)->bytes, 32);
}

static void add_blob(void *ctx, const struct digest *d)
{
	struct writing *w = ctx;

	vec_add(&w->blobs, *d);
}

static bool all_there(struct writing *w)
{
	bool *present = arena_array(&w->arena, w->blobs.n + 1, bool), all = true;

	if (w->store->ops->has(w->store, w->blobs.v, w->blobs.n, present, NULL) < 0)
		return false;
	for (size_t i = 0; i < w->blobs.n; i++)
		all &= present[i];
	return all;
}

/* 1 it is in the bundle, 0 it is damaged or gone, -1. */
static int write_blob(struct writing *w, const struct digest *d)
{
	int fd = fileno(w->scratch), got;
	struct tar_entry e = file_entry(&w->arena, "blobs", d, 0);
	struct stat st;

	if (map_has(&w->written, e.name))
		return 1;
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(w->err, "unable to write to a temporary file");
	got = w->store->ops->read(w->store, d, fd, w->err);
	if (got <= 0)
		return got;
	if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(w->err, "unable to read a temporary file");
	e.size = (uint64_t)st.st_size;
	if (tar_add(w->tar, &e, fd, w->err) < 0)
		return -1;
	*map_put(&w->written, e.name, NULL) = w;
	w->stats->blobs++;
	w->stats->bytes += e.size;
	return 1;
}

static int write_record(struct writing *w, enum record_kind kind, const struct digest *key)
{
	CLEANUP_BUF struct buf bytes = BUF_INIT(RESULT_MAX);
	struct tar_entry e;
	int got = store_dir_peek(w->store, kind, key, &bytes, w->err);

	w->blobs.n = 0;
	if (got <= 0)
		return got;
	if (refs_check(kind, buf_view(&bytes)) < 0 || (kind == RECORD_RESULT && refs_of_result(buf_view(&bytes), add_blob, w) < 0) || !all_there(w))
		return 0;
	for (size_t i = 0; i < w->blobs.n; i++)
		if ((got = write_blob(w, &w->blobs.v[i])) <= 0)
			return got;
	e = file_entry(&w->arena, folders[kind], key, bytes.n);
	w->stats->records++;
	return tar_add_bytes(w->tar, &e, bytes.s, w->err);
}

static int write_all(struct writing *w, uint64_t max_age_s)
{
	if (put_text(w, HEAD_NAME, S(HEAD_TEXT)) < 0)
		return -1;
	for (int kind = RECORD_RESULT; kind <= RECORD_PATHS; kind++) {
		w->keys.n = 0;
		if (store_dir_used(w->store, (enum record_kind)kind, max_age_s, add_key, w, w->err) < 0)
			return -1;
		if (w->keys.n)
			qsort(w->keys.v, w->keys.n, sizeof(*w->keys.v), by_bytes);
		for (size_t i = 0; i < w->keys.n; i++)
			if (write_record(w, (enum record_kind)kind, &w->keys.v[i]) < 0)
				return -1;
	}
	return put_text(w, END_NAME, S(""));
}

int bundle_write(struct store *store, uint64_t max_age_s, tar_sink *sink, void *ctx, struct bundle_stats *stats, struct err *err)
{
	struct writing w = {.store = store, .stats = stats, .scratch = tmpfile(), .err = err};
	int rc = -1;

	*stats = (struct bundle_stats){0};
	if (!w.scratch)
		err_errno(err, "unable to make a temporary file");
	else if (sha256_init(err) == 0 && tar_create(&(struct tar_options){.zstd = LEVEL}, sink, ctx, &w.tar, err) == 0)
		rc = write_all(&w, max_age_s);
	if (rc == 0)
		rc = tar_finish(w.tar, err);
	else
		tar_drop(w.tar);
	if (w.scratch)
		fclose(w.scratch);
	map_release(&w.written);
	vec_free(&w.keys);
	vec_free(&w.blobs);
	arena_release(&w.arena);
	return rc;
}

/* --- reading --- */

struct reading {
	struct store *store;
	struct bundle_stats *stats;
	const struct bundle_told *told;
	FILE *scratch;
	size_t seen;
	bool ended;
};

static int drop(struct reading *r, struct str name, const char *why)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);

	r->stats->dropped++;
	buf_fmt(&b, STR_FMT ": %s", STR_ARG(name), why);
	r->told->dropped(r->told->ctx, buf_view(&b));
	return 0;
}

/* Content into the scratch file, hashed on the way. */
static int spill(struct reading *r, struct tar_data *data, struct digest *out, struct err *err)
{
	CLEANUP_FREE char *chunk = xmalloc(CHUNK);
	int fd = fileno(r->scratch);
	struct sha256 sha;
	ptrdiff_t got;
	int rc = 0;

	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(err, "unable to write to a temporary file");
	sha256_begin(&sha);
	while ((got = tar_read(data, chunk, CHUNK, err)) > 0 && rc == 0) {
		sha256_add(&sha, chunk, (size_t)got);
		if (file_write_all(fd, chunk, (size_t)got) < 0)
			rc = err_errno(err, "unable to write to a temporary file");
	}
	sha256_end(&sha, out);
	return got < 0 ? -1 : rc;
}

static int take_blob(struct reading *r, const struct tar_entry *e, const struct digest *want, struct tar_data *data, struct err *err)
{
	struct digest have;
	uint64_t size;
	bool there = false;

	if (r->store->ops->has(r->store, want, 1, &there, err) < 0)
		return -1;
	if (there)
		return 0;
	if (spill(r, data, &have, err) < 0)
		return -1;
	if (!digest_eq(&have, want))
		return drop(r, e->name, "its content has another SHA-256");
	if (r->store->ops->write_file(r->store, fileno(r->scratch), &have, &size, err) < 0)
		return -1;
	r->stats->blobs++;
	r->stats->bytes += size;
	return 0;
}

struct lacks { struct store *store; bool any; };

static void look_for(void *ctx, const struct digest *d)
{
	struct lacks *l = ctx;
	bool there = false;

	l->any |= l->store->ops->has(l->store, d, 1, &there, NULL) < 0 || !there;
}

static bool hash_is(struct str bytes, const struct digest *want)
{
	struct digest have;

	sha256_bytes(bytes.s, bytes.n, &have);
	return digest_eq(&have, want);
}

/* What speaks against a record under that key; NULL: nothing. */
static const char *judge(struct reading *r, enum record_kind kind, const struct digest *key, struct str bytes, struct arena *a)
{
	struct lacks lacks = {.store = r->store};
	struct pathsets sets;
	struct result result;

	if (kind == RECORD_PATHS)
		return pathsets_decode(a, bytes, &sets, NULL) < 0 ? "it is damaged or of another format" : NULL;
	if (result_decode(a, bytes, &result, NULL) < 0)
		return "it is damaged or of another format";
	if (!digest_eq(&result.key, key) || !hash_is(result.discovered.n ? result.discovered : result.manifest, key))
		return "it is of another key";
	for (size_t i = 0; i < result.outputs.n; i++)
		if (!tar_name_clean(result.outputs.v[i].path))
			return "it names an output outside of the workspace";
	if (refs_of_result(bytes, look_for, &lacks) < 0 || lacks.any)
		return "content that it names is missing";
	return NULL;
}

static int read_bytes(const struct tar_entry *e, struct tar_data *data, struct arena *a, struct str *out, struct err *err)
{
	char *bytes = arena_alloc(a, e->size + 1);
	size_t n = 0;
	ptrdiff_t got;

	while (n < e->size && (got = tar_read(data, bytes + n, e->size - n, err)) != 0) {
		if (got < 0)
			return -1;
		n += (size_t)got;
	}
	*out = (struct str){bytes, n};
	return 0;
}

static int take_record(struct reading *r, const struct tar_entry *e, enum record_kind kind, const struct digest *key, struct tar_data *data,
		       struct err *err)
{
	struct arena a = ARENA_INIT;
	struct str bytes, have;
	const char *why;
	int rc = r->store->ops->get(r->store, kind, key, &a, &have, err);

	if (rc > 0 && refs_check(kind, have) == 0) {
		r->stats->known++;      /* ours stays */
		rc = 0;
	} else if (rc < 0 || read_bytes(e, data, &a, &bytes, err) < 0) {
		rc = -1;
	} else if ((why = judge(r, kind, key, bytes, &a))) {
		rc = drop(r, e->name, why);
	} else {
		rc = r->store->ops->put(r->store, kind, key, bytes, err);
		r->stats->records += rc == 0;
		if (rc == 0 && r->told->taken)
			r->told->taken(r->told->ctx, kind, key);
	}
	arena_release(&a);
	return rc;
}

static bool digest_named(struct str hex, struct digest *out)
{
	char text[DIGEST_TEXT_MAX];

	if (hex.n != 64)
		return false;
	snprintf(text, sizeof(text), "sha256:" STR_FMT, STR_ARG(hex));
	return digest_parse(str_of(text), out);
}

static int take_head(const struct tar_entry *e, struct tar_data *data, struct err *err)
{
	char text[sizeof(HEAD_TEXT)] = "";
	ptrdiff_t got = 0;

	if (str_is(e->name, HEAD_NAME) && e->type == TAR_FILE && e->size == sizeof(HEAD_TEXT) - 1)
		got = tar_read(data, text, sizeof(HEAD_TEXT) - 1, err);
	if (got < 0)
		return -1;
	return strcmp(text, HEAD_TEXT) ? err_set(err, ERR_USAGE, "it is no bundle that this version of cairn reads") : 0;
}

static int take(void *ctx, const struct tar_entry *e, struct tar_data *data, struct err *err)
{
	struct reading *r = ctx;
	struct str folder = path_dir(e->name);
	struct digest digest;

	if (!r->seen++)
		return take_head(e, data, err);
	r->ended = str_is(e->name, END_NAME);
	if (r->ended)
		return 0;
	if (e->type != TAR_FILE || !digest_named(path_name(e->name), &digest))
		return drop(r, e->name, "it is nothing that belongs into a bundle");
	if (str_is(folder, "blobs"))
		return take_blob(r, e, &digest, data, err);
	for (int kind = RECORD_RESULT; kind <= RECORD_PATHS; kind++)
		if (str_is(folder, folders[kind]))
			return e->size > RESULT_MAX ? drop(r, e->name, "it is longer than a record may be") :
			       take_record(r, e, (enum record_kind)kind, &digest, data, err);
	return drop(r, e->name, "it is nothing that belongs into a bundle");
}

static int take_unclean(void *ctx, struct str raw, const char *why, struct err *err)
{
	struct reading *r = ctx;

	(void)err;
	r->ended = false;
	r->seen++;
	return drop(r, raw, why);
}

int bundle_read(struct store *store, tar_source *source, void *ctx, uint64_t max_bytes, const struct bundle_told *told,
		struct bundle_stats *stats, struct err *err)
{
	struct reading r = {.store = store, .stats = stats, .told = told, .scratch = tmpfile()};
	uint64_t most = max_bytes ? max_bytes : (uint64_t)1 << 40;
	const struct tar_limits limits = {.entries = ENTRIES_MAX, .file = most, .total = most};
	const struct tar_visitor visitor = {take, take_unclean, &r};
	int rc = -1;

	*stats = (struct bundle_stats){0};
	if (!r.scratch)
		err_errno(err, "unable to make a temporary file");
	else if (sha256_init(err) == 0)
		rc = tar_walk(source, ctx, &limits, &visitor, err);
	if (rc == 0 && !r.seen)
		rc = err_set(err, ERR_USAGE, "it is empty");
	else if (rc == 0 && !r.ended)
		rc = err_set(err, ERR_SYSTEM, "it ends early");
	if (r.scratch)
		fclose(r.scratch);
	return rc;
}
