/* The folder of results and blobs that all workspaces of a user share: how big it is, and keeping it so. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/bundle.h"
#include "cli/cmd.h"
#include "cli/config.h"
#include "cli/refs.h"
#include "cli/show.h"
#include "spec/spec.h"
#include "sys/file.h"

#define IMPORT_AGE (26 * 3600)          /* seconds since what was imported counts as used */

struct cache_call {
	struct config config;
	struct store *store;
	struct store_limits limits;
	struct str word;                /* get: a digest; export, import: a file */
	struct str output;              /* get */
	bool json;
	struct buf out;
};

static void exact(struct buf *out, uint64_t bytes)
{
	show_size(out, bytes);
	if (bytes >= 1024)
		buf_fmt(out, " (%llu bytes)", (unsigned long long)bytes);
}

static void json_line(struct cache_call *c, const char *const *keys, const uint64_t *values, size_t n, bool named)
{
	struct json j = {.out = &c->out};

	json_open(&j, '{');
	if (named)
		json_kstr(&j, "dir", c->config.cache_dir);
	for (size_t i = 0; i < n; i++)
		json_kint(&j, keys[i], values[i]);
	json_close(&j, '}');
	buf_c(&c->out, '\n');
}

static void limits_text(const struct cache_call *c, struct buf *out)
{
	buf_z(out, "limits   ");
	if (c->limits.max_bytes)
		exact(out, c->limits.max_bytes);
	else
		buf_z(out, "no size");
	if (c->limits.max_age_s) {
		buf_z(out, ", unused for ");
		show_duration(out, c->limits.max_age_s * 1000000000ull);
	} else {
		buf_z(out, ", no age");
	}
	buf_c(out, '\n');
}

static int stats(struct cache_call *c, struct err *err)
{
	static const char *const keys[] = {"records", "blobs", "bytes", "oldest_s", "max_bytes", "max_age_s"};
	struct buf *out = &c->out;
	struct store_stats s = {0};

	if (store_dir_stats(c->store, &s, err) < 0)
		return -1;
	if (c->json) {
		json_line(c, keys, (uint64_t[]){s.records, s.blobs, s.bytes, s.oldest_s, c->limits.max_bytes, c->limits.max_age_s}, 6, true);
		return 0;
	}
	buf_z(out, "folder   ");
	show_text(out, c->config.cache_dir);
	buf_fmt(out, "\nrecords  %llu\nblobs    %llu\nsize     ", (unsigned long long)s.records, (unsigned long long)s.blobs);
	exact(out, s.bytes);
	buf_z(out, "\noldest   ");
	if (s.records + s.blobs) {
		buf_z(out, "used ");
		show_duration(out, s.oldest_s * 1000000000ull);
		buf_z(out, " ago\n");
	} else {
		buf_z(out, "nothing is kept\n");
	}
	limits_text(c, out);
	return 0;
}

static int gc(struct cache_call *c, struct err *err)
{
	static const char *const keys[] = {"removed_records", "removed_blobs", "freed_bytes", "kept_bytes"};
	struct store_gc g = {0};

	if (store_dir_gc(c->store, &c->limits, refs_of_result, &g, err) < 0)
		return -1;
	if (c->json) {
		json_line(c, keys, (uint64_t[]){g.removed_records, g.removed_blobs, g.freed_bytes, g.kept_bytes}, 4, false);
		return 0;
	}
	buf_z(&c->out, "removed ");
	show_count(&c->out, g.removed_records, "record", "records");
	buf_z(&c->out, " and ");
	show_count(&c->out, g.removed_blobs, "blob", "blobs");
	buf_z(&c->out, ", freed ");
	exact(&c->out, g.freed_bytes);
	buf_z(&c->out, "; kept ");
	exact(&c->out, g.kept_bytes);
	buf_c(&c->out, '\n');
	return 0;
}

static int verify(struct cache_call *c, struct err *err)
{
	static const char *const keys[] = {"records", "blobs", "damaged"};
	struct store_verify v = {0};

	if (store_dir_verify(c->store, refs_check, &v, err) < 0)
		return -1;
	if (c->json) {
		json_line(c, keys, (uint64_t[]){v.records, v.blobs, v.damaged}, 3, false);
	} else {
		buf_z(&c->out, "read ");
		show_count(&c->out, v.records, "record", "records");
		buf_z(&c->out, " and ");
		show_count(&c->out, v.blobs, "blob", "blobs");
		if (v.damaged)
			buf_fmt(&c->out, "; removed %llu that %s damaged\n", (unsigned long long)v.damaged, v.damaged == 1 ? "was" : "were");
		else
			buf_z(&c->out, "; all are whole\n");
	}
	return v.damaged ? 1 : 0;
}

static int clear(struct cache_call *c, struct err *err)
{
	struct store_stats s = {0};

	if (store_dir_stats(c->store, &s, err) < 0 || store_dir_clear(c->store, err) < 0)
		return -1;
	if (c->json) {
		json_line(c, (const char *const[]){"freed_bytes"}, &s.bytes, 1, false);
		return 0;
	}
	buf_z(&c->out, "freed ");
	exact(&c->out, s.bytes);
	buf_c(&c->out, '\n');
	return 0;
}

/* Appends all of from to what `to` already holds. */
static int pour(int from, int to, struct err *err)
{
	char bytes[1 << 16];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(from, bytes, sizeof(bytes), at)) > 0) {
		if (file_write_all(to, bytes, n) < 0)
			return errno == EPIPE ? 0 : err_errno(err, "unable to write a blob");
		at += n;
	}
	return n < 0 ? err_errno(err, "unable to read a blob") : 0;
}

/* The content of a blob, to standard output or into a new file. Nothing is handed out before all of it was checked. */
static int get(struct cache_call *c, struct err *err)
{
	FILE *checked = tmpfile();
	CLEANUP_FD int fd = -1;
	char name[PATH_MAX];
	struct digest digest;
	int got = -1;

	snprintf(name, sizeof(name), STR_FMT, STR_ARG(c->output));
	if (!checked)
		return err_errno(err, "unable to make a temporary file");
	if (!digest_parse(c->word, &digest))
		err_set(err, ERR_USAGE, "cairn cache get takes a digest such as sha256:6b86..., not '" STR_FMT "'", STR_ARG(c->word));
	else if ((got = c->store->ops->read(c->store, &digest, fileno(checked), err)) == 0)
		got = err_set(err, ERR_USAGE, "the cache holds no " STR_FMT, STR_ARG(c->word));
	if (got == 1 && c->output.s && (fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) < 0)
		got = err_errno(err, "unable to make %s", name);
	if (got == 1 && pour(fileno(checked), fd < 0 ? 1 : fd, err) < 0) {
		if (fd >= 0)
			unlink(name);
		got = -1;
	}
	fclose(checked);
	return got < 0 ? -1 : 0;
}

/* --- bundles --- */

static void bundle_said(struct cache_call *c, const char *done, const struct bundle_stats *s)
{
	static const char *const keys[] = {"records", "blobs", "bytes", "known", "dropped"};

	if (c->json) {
		json_line(c, keys, (uint64_t[]){s->records, s->blobs, s->bytes, s->known, s->dropped}, 5, false);
		return;
	}
	buf_fmt(&c->out, "%s ", done);
	show_count(&c->out, s->records, "record", "records");
	buf_z(&c->out, " and ");
	show_count(&c->out, s->blobs, "blob", "blobs");
	buf_z(&c->out, " of ");
	exact(&c->out, s->bytes);
	if (s->known)
		buf_fmt(&c->out, "; %llu %s there already", (unsigned long long)s->known, s->known == 1 ? "was" : "were");
	if (s->dropped)
		buf_fmt(&c->out, "; dropped %llu", (unsigned long long)s->dropped);
	buf_c(&c->out, '\n');
}

static int export(struct cache_call *c, struct err *err)
{
	bool standard = str_is(c->word, "-");
	struct bundle_stats stats;
	char name[PATH_MAX], beside[PATH_MAX];
	int fd = 1, rc;

	snprintf(name, sizeof(name), STR_FMT, STR_ARG(c->word));
	if (snprintf(beside, sizeof(beside), STR_FMT ".new-%ld", STR_ARG(c->word), (long)getpid()) >= (int)sizeof(beside))
		return err_set(err, ERR_USAGE, "unable to write %s: the name is too long", name);
	if (!standard && (fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) < 0)
		return err_errno(err, "unable to make %s", beside);
	rc = bundle_write(c->store, c->limits.max_age_s, NULL, &fd, &stats, err);
	if (!standard && close(fd) < 0 && rc == 0)
		rc = err_errno(err, "unable to write %s", beside);
	if (!standard && rc == 0 && rename(beside, name) < 0)
		rc = err_errno(err, "unable to name %s", name);
	if (!standard && rc < 0)
		unlink(beside);
	if (rc == 0 && !standard)
		bundle_said(c, "exported", &stats);
	return rc;
}

static void say_dropped(void *ctx, struct str text)
{
	CLEANUP_BUF struct buf out = BUF_INIT(BUF_UNLIMITED);

	(void)ctx;
	buf_z(&out, "cairn: warning: dropped ");
	show_text(&out, text);
	buf_c(&out, '\n');
	file_write_all(2, out.s, out.n);
}

/* It was not used here: what is used after all is marked then, and can be told from the rest. */
static void age_taken(void *ctx, enum record_kind kind, const struct digest *key)
{
	const struct cache_call *c = ctx;

	store_dir_age(c->store, kind, key, IMPORT_AGE);
}

static int import(struct cache_call *c, struct err *err)
{
	bool standard = str_is(c->word, "-");
	const struct bundle_told told = {say_dropped, age_taken, c};
	struct bundle_stats stats;
	char name[PATH_MAX];
	int fd = 0, rc;

	snprintf(name, sizeof(name), STR_FMT, STR_ARG(c->word));
	if (!standard && (fd = open(name, O_RDONLY | O_CLOEXEC)) < 0)
		return err_errno(err, "unable to open the bundle %s", name);
	rc = bundle_read(c->store, NULL, &fd, c->config.cache_max_bytes, &told, &stats, err);
	if (!standard)
		close(fd);
	if (rc < 0)
		return err_wrap(err, "the bundle %s (%llu records of it were taken)", name, (unsigned long long)stats.records);
	bundle_said(c, "imported", &stats);
	return stats.dropped ? 1 : 0;
}

static const struct action { const char *name; int (*act)(struct cache_call *, struct err *); const char *takes; } actions[] = {
	{"stats", stats, NULL}, {"gc", gc, NULL}, {"verify", verify, NULL}, {"clear", clear, NULL}, {"get", get, "digest"},
	{"export", export, "file"}, {"import", import, "file"},
};

static const struct action *action_find(struct cache_call *c, const struct opt_rest *rest, struct err *err)
{
	struct str names[countof(actions)], word = rest->words.n ? rest->words.v[0] : S("stats"), near;

	for (size_t i = 0; i < countof(actions); i++) {
		const char *takes = actions[i].takes;

		if (str_is(word, actions[i].name) && (rest->words.n > 1u + !!takes || rest->after.n || (takes && rest->words.n < 2))) {
			err_set(err, ERR_USAGE, "cairn cache %s takes %s%s; usage: %s", actions[i].name, takes ? "one " : "no argument",
				takes ? takes : "", cmd_cache.usage);
			return NULL;
		}
		if (takes && rest->words.n == 2)
			c->word = rest->words.v[1];
		if (str_is(word, actions[i].name))
			return &actions[i];
		names[i] = str_of(actions[i].name);
	}
	near = str_nearest(word, names, countof(names));
	if (near.s)
		err_set(err, ERR_USAGE, "unknown action '" STR_FMT "' of the cache; did you mean '" STR_FMT "'?", STR_ARG(word), STR_ARG(near));
	else
		err_set(err, ERR_USAGE, "unknown action '" STR_FMT "' of the cache: stats, gc, verify, clear, get, export and import are", STR_ARG(word));
	return NULL;
}

static int limits_read(struct cache_call *c, const struct action *action, struct str size, struct str age, struct err *err)
{
	c->limits = (struct store_limits){c->config.cache_max_bytes, c->config.cache_max_age_s};
	if ((size.s && action->act != gc) || (age.s && action->act != gc && action->act != export))
		return err_set(err, ERR_USAGE, "--max-size and --max-age belong to `cairn cache gc`, and --max-age to `cairn cache export`");
	if (action->act == export)
		c->limits = (struct store_limits){0, 0};
	if (size.s && !spec_size(size, &c->limits.max_bytes))
		return err_set(err, ERR_USAGE, "--max-size takes a size such as 10g or 500m, not '" STR_FMT "'", STR_ARG(size));
	if (age.s && !config_age(age, &c->limits.max_age_s))
		return err_set(err, ERR_USAGE, "--max-age takes an age such as 30d or 12h, not '" STR_FMT "'", STR_ARG(age));
	return 0;
}

static int cache(int argc, char **argv, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct cache_call c = {.out = BUF_INIT(BUF_UNLIMITED)};
	struct str size = {0}, age = {0};
	const struct action *action;
	struct common common;
	struct opt_rest rest;
	bool helped;
	const struct opt opts[] = {
		{0, "json", OPT_FLAG, &c.json, NULL, "print JSON"},
		{'o', "output", OPT_STR, &c.output, "FILE", "get: write into this new file"},
		{0, "max-size", OPT_STR, &size, "SIZE", "gc: keep this much (10g, 500m; 0: no limit)"},
		{0, "max-age", OPT_STR, &age, "AGE", "gc: keep, export: take what was used within this time (30d, 12h; 0: no limit)"},
	};
	int rc = cmd_options(&arena, &cmd_cache, opts, countof(opts), argc, argv, false, &common, &rest, &helped, err);

	if (rc == 0 && !helped) {
		rc = -1;
		action = action_find(&c, &rest, err);
		if (action && config_read(&arena, &c.config, err) == 0 && limits_read(&c, action, size, age, err) == 0 &&
		    store_dir_open(c.config.cache_dir, &c.store, err) == 0) {
			rc = action->act(&c, err);
			if (rc >= 0 && cmd_print(&c.out, err) < 0)
				rc = -1;
		}
	}
	store_close(c.store);
	buf_release(&c.out);
	arena_release(&arena);
	return rc;
}

const struct command cmd_cache = {"cache", "show, shrink, check, empty or hand on the cache", "cairn cache [stats|gc|verify|clear|get DIGEST|export FILE|import FILE]", cache};
