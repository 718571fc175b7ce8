#include "resolve/content.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/map.h"
#include "resolve/hashfile.h"
#include "resolve/linked.h"
#include "resolve/statcache.h"
#include "sys/loop.h"
#include "sys/pool.h"
#include "sys/sha.h"

#define CLOCK_FRESH 1000000             /* ns for which the file system's clock is not asked again */

enum known_state {
	KNOWN_NOT,
	KNOWN_TOLD,                     /* the digest of that identity, not looked at yet */
	KNOWN_LOOKED,
	KNOWN_FAILED,                   /* error says why; told once, then looked at again */
};

struct known {
	struct str path;
	struct entry entry;
	struct ident ident;
	enum known_state state;
	bool racy;
	struct str error;
	struct content_behind *behind;
	size_t nbehind;
};

struct content {
	struct arena *arena;
	int rootfd;
	uint64_t dev;                   /* of the workspace */
	struct str root;
	const char *cache_file;
	struct statcache *kept;
	struct map known;               /* path -> struct known * */
	int64_t opened, now;            /* the file system's clock: at the start, when last asked; 0: it has none */
	uint64_t asked;                 /* when it was asked, monotonic */
	bool learnt;
	uint64_t files, bytes;
};

/* --- time --- */

static void ask_clock(struct content *c)
{
	if (file_fs_now(c->rootfd, &c->now, NULL) < 0)
		c->now = 0;
	c->asked = loop_now();
}

static bool is_racy(const struct content *c, const struct ident *ident, int64_t now)
{
	if (ident->dev != c->dev)
		now -= CONTENT_MARGIN;
	return ident->mtime >= now || ident->ctime >= now;
}

/* An old answer of the clock is a safe one; asked anew where a newer one could help, before the file is read. */
static void clock_before(struct content *c, const struct ident *ident)
{
	if (is_racy(c, ident, c->now) && loop_now() - c->asked > CLOCK_FRESH)
		ask_clock(c);
}

/* --- open, save --- */

struct content *content_open(struct arena *arena, int rootfd, struct str root, const char *cache_file, struct err *err)
{
	struct content *c = arena_new(arena, struct content);
	struct stat st;

	if (fstat(rootfd, &st) < 0) {
		err_errno(err, "unable to look at the workspace " STR_FMT, STR_ARG(root));
		return NULL;
	}
	*c = (struct content){.arena = arena, .rootfd = rootfd, .dev = st.st_dev, .root = root};
	c->cache_file = cache_file ? str_dup(arena, str_of(cache_file)).s : NULL;
	if (cache_file)
		c->kept = statcache_open(cache_file);
	ask_clock(c);
	c->opened = c->now;
	return c;
}

void content_close(struct content *c)
{
	statcache_close(c->kept);
	map_release(&c->known);
}

int content_save(struct content *c, struct err *err)
{
	struct statcache_item *items;
	size_t n = 0;
	int rc;

	if (!c->learnt || !c->cache_file)
		return 0;
	items = xcalloc(c->known.n + 1, sizeof(*items));
	for (size_t i = 0; i < c->known.n; i++) {
		const struct known *k = c->known.entries[i].value;

		if ((k->state == KNOWN_LOOKED || k->state == KNOWN_TOLD) && k->entry.type == ENTRY_FILE && k->entry.digest.algo && !k->racy)
			items[n++] = (struct statcache_item){k->path, k->ident, k->entry.digest};
	}
	rc = statcache_save(c->kept, c->cache_file, items, n, err);
	free(items);
	c->learnt &= rc < 0;
	return rc;
}

/* --- what is known --- */

static struct known *known_of(struct content *c, struct str path)
{
	struct known *k = map_get(&c->known, path);

	if (k)
		return k;
	k = arena_new(c->arena, struct known);
	k->path = str_dup(c->arena, path);
	*map_put(&c->known, k->path, NULL) = k;
	return k;
}

static void set_entry(struct known *k, enum entry_type type, const struct ident *ident)
{
	k->state = KNOWN_LOOKED;
	k->racy = false;
	k->ident = *ident;
	k->entry = (struct entry){.path = k->path, .type = type};
	if (type == ENTRY_FILE || type == ENTRY_DIR)
		k->entry.mode = ident->mode & 07777;
	if (type == ENTRY_FILE)
		k->entry.size = ident->size;
}

static void set_file(struct known *k, const struct ident *ident, const struct digest *digest, bool racy)
{
	set_entry(k, ENTRY_FILE, ident);
	k->entry.digest = *digest;
	k->racy = racy;
}

static const char *os_path(struct str path) { return path.n ? path.s : "."; }

/* --- reading --- */

/* A file to read, for a worker. */
struct job {
	struct known *known;
	struct ident ident;
	struct digest digest;
	struct err err;
	uint64_t bytes;
	int got;                        /* as hashfile */
	bool read;                      /* it has to be */
};

struct jobs { struct content *c; struct job *v; };

static void job_look(void *ctx, size_t i)
{
	struct jobs *jobs = ctx;
	struct job *j = &jobs->v[i];

	j->got = file_ident(jobs->c->rootfd, os_path(j->known->path), &j->ident, &j->err);
	if (j->got == 1 && S_ISREG(j->ident.mode))
		j->read = !statcache_find(jobs->c->kept, j->known->path, &j->ident, &j->digest);
}

static void job_read(void *ctx, size_t i)
{
	struct jobs *jobs = ctx;
	struct job *j = &jobs->v[i];

	if (j->read)
		j->got = hashfile(jobs->c->rootfd, j->known->path.s, &j->digest, &j->ident, &j->bytes, &j->err);
}

/* What a worker found becomes known. Links and what is neither are left to content_entry. */
static void job_take(struct content *c, struct job *j)
{
	struct known *k = j->known;

	if (j->read && j->got == 1) {
		c->files++;
		c->bytes += j->bytes;
		c->learnt = true;
	}
	if (j->got < 0) {
		k->state = KNOWN_FAILED;
		k->error = str_dup(c->arena, str_of(j->err.text ? j->err.text : "unable to read a file"));
	} else if (j->got == 1 && S_ISREG(j->ident.mode)) {
		set_file(k, &j->ident, &j->digest, j->read && is_racy(c, &j->ident, c->now));
	} else if (j->got == 1 && S_ISDIR(j->ident.mode)) {
		set_entry(k, ENTRY_DIR, &j->ident);
	} else if (!j->got && !j->read) {
		set_entry(k, ENTRY_ABSENT, &j->ident);
	}
	err_release(&j->err);
}

void content_prefetch(struct content *c, const struct str *paths, size_t n, unsigned threads)
{
	struct jobs jobs = {c, xcalloc(n + 1, sizeof(struct job))};
	size_t count = 0, reads = 0;

	for (size_t i = 0; i < n; i++) {
		struct known *k = known_of(c, paths[i]);

		if (k->state == KNOWN_NOT) {
			k->state = KNOWN_FAILED;        /* so that a path given twice is one job */
			jobs.v[count++].known = k;
		}
	}
	pool_each(count, threads, job_look, &jobs);
	for (size_t i = 0; i < count; i++)
		reads += jobs.v[i].read;
	if (reads) {
		ask_clock(c);
		if (sha256_init(NULL) == 0)
			pool_each(count, threads, job_read, &jobs);
		else                            /* content_entry says why */
			for (size_t i = 0; i < count; i++)
				jobs.v[i].got *= !jobs.v[i].read;
	}
	for (size_t i = 0; i < count; i++) {
		jobs.v[i].known->state = KNOWN_NOT;
		job_take(c, &jobs.v[i]);
	}
	free(jobs.v);
}

static int look_link(struct content *c, struct known *k, const struct ident *ident, struct err *err)
{
	struct linked linked = {.content = c, .arena = c->arena, .root = c->root};
	struct str path = k->path;
	struct digest digest;
	char text[PATH_MAX];
	ssize_t n = readlinkat(c->rootfd, path.s, text, sizeof(text));
	int got;

	if (n < 0)
		return err_errno(err, "unable to read the link " STR_FMT, STR_ARG(path));
	if (path.s[0] != '/')
		path = str_fmt(c->arena, STR_FMT "%s" STR_FMT, STR_ARG(c->root), str_is(c->root, "/") ? "" : "/", STR_ARG(path));
	got = linked_digest(&linked, path, &digest, err);
	if (got >= 0) {
		set_entry(k, ENTRY_LINK, ident);
		k->entry.link = (struct str){arena_dup(c->arena, text, n), n};
		k->entry.digest = digest;
		k->racy = linked.racy;
		k->nbehind = linked.behind.n;
		k->behind = arena_array(c->arena, k->nbehind, struct content_behind);
		if (k->nbehind)
			memcpy(k->behind, linked.behind.v, k->nbehind * sizeof(*k->behind));
	}
	linked_release(&linked);
	return got < 0 ? -1 : 0;
}

static int look_file(struct content *c, struct known *k, struct ident *ident, bool read, struct err *err)
{
	struct digest digest;
	int got;

	if (!read && statcache_find(c->kept, k->path, ident, &digest)) {
		set_file(k, ident, &digest, false);
		return 0;
	}
	if (sha256_init(err) < 0)
		return -1;
	clock_before(c, ident);
	got = hashfile(c->rootfd, k->path.s, &digest, ident, &c->bytes, err);
	if (got < 0)
		return -1;
	if (!got) {
		set_entry(k, ENTRY_ABSENT, &(struct ident){0});
		return 0;
	}
	c->files++;
	c->learnt = true;
	set_file(k, ident, &digest, is_racy(c, ident, c->now));
	return 0;
}

static int look(struct content *c, struct known *k, struct err *err)
{
	struct ident ident;
	int got = file_ident(c->rootfd, os_path(k->path), &ident, err);

	if (got < 0)
		return -1;
	if (k->state == KNOWN_TOLD && ident_eq(&ident, &k->ident)) {
		k->state = KNOWN_LOOKED;
		return 0;
	}
	if (!got)
		set_entry(k, ENTRY_ABSENT, &ident);
	else if (S_ISDIR(ident.mode))
		set_entry(k, ENTRY_DIR, &ident);
	else if (S_ISLNK(ident.mode))
		return look_link(c, k, &ident, err);
	else if (S_ISREG(ident.mode))
		return look_file(c, k, &ident, false, err);
	else
		return err_set(err, ERR_SYSTEM, "unable to read " STR_FMT ": it is neither a file nor a link nor a folder", STR_ARG(k->path));
	return 0;
}

int content_entry(struct content *c, struct str path, struct entry *out, struct ident *ident, bool *racy, struct err *err)
{
	struct known *k = known_of(c, path);

	if (k->state == KNOWN_FAILED) {
		k->state = KNOWN_NOT;
		return err_set(err, ERR_SYSTEM, STR_FMT, STR_ARG(k->error));
	}
	if (k->state != KNOWN_LOOKED && look(c, k, err) < 0) {
		k->state = KNOWN_NOT;
		return -1;
	}
	*out = k->entry;
	if (ident)
		*ident = k->ident;
	if (racy)
		*racy = k->racy;
	return 0;
}

const struct content_behind *content_behind(const struct content *c, struct str path, size_t *n)
{
	const struct known *k = map_get(&c->known, path);
	bool link = k && k->state == KNOWN_LOOKED && k->entry.type == ENTRY_LINK;

	*n = link ? k->nbehind : 0;
	return link ? k->behind : NULL;
}

void content_tell(struct content *c, struct str path, const struct ident *ident, const struct digest *digest)
{
	struct known *k = known_of(c, path);
	struct digest kept;

	set_file(k, ident, digest, is_racy(c, ident, c->opened));
	k->state = KNOWN_TOLD;
	c->learnt |= !statcache_find(c->kept, k->path, ident, &kept) || !digest_eq(&kept, digest);
}

void content_forget(struct content *c, struct str path)
{
	struct known *k = map_get(&c->known, path);

	if (!k || k->state == KNOWN_NOT)
		return;
	k->state = KNOWN_NOT;
	for (size_t i = 0; k->entry.type == ENTRY_LINK && i < k->nbehind; i++)
		content_forget(c, k->behind[i].path);
}

/* --- settling --- */

static bool wants_settling(const struct known *k, enum entry_type type)
{
	return k->racy && k->entry.type == type && (k->state == KNOWN_LOOKED || k->state == KNOWN_TOLD);
}

static int settle_files(struct content *c, size_t *moved, struct err *err)
{
	struct jobs jobs = {c, xcalloc(c->known.n + 1, sizeof(struct job))};
	size_t n = 0;

	for (size_t i = 0; i < c->known.n; i++)
		if (wants_settling(c->known.entries[i].value, ENTRY_FILE))
			jobs.v[n++] = (struct job){.known = c->known.entries[i].value, .read = true};
	if (n && sha256_init(err) < 0) {
		free(jobs.v);
		return -1;
	}
	pool_each(n, n > 1 ? pool_cpus() : 1, job_read, &jobs);
	for (size_t i = 0; i < n; i++) {
		struct job *j = &jobs.v[i];
		struct digest before = j->known->entry.digest;

		j->known->state = KNOWN_NOT;
		job_take(c, j);
		if (j->known->state != KNOWN_LOOKED || j->known->racy || !digest_eq(&before, &j->known->entry.digest))
			++*moved;
	}
	free(jobs.v);
	return 0;
}

int content_settle(struct content *c, size_t *moved, struct err *err)
{
	*moved = 0;
	ask_clock(c);
	if (settle_files(c, moved, err) < 0)
		return -1;
	for (size_t i = 0; i < c->known.n; i++) {
		struct known *k = c->known.entries[i].value;
		struct digest before = k->entry.digest;

		if (!wants_settling(k, ENTRY_LINK))
			continue;
		k->state = KNOWN_NOT;
		if (look(c, k, err) < 0)
			return -1;
		*moved += k->racy || !digest_eq(&before, &k->entry.digest);
	}
	return 0;
}

void content_counts(const struct content *c, uint64_t *files, uint64_t *bytes)
{
	*files = c->files;
	*bytes = c->bytes;
}
