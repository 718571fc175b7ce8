#include "resolve/content.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "resolve/contentparts.h"
#include "resolve/hashfile.h"
#include "resolve/linked.h"
#include "sys/loop.h"
#include "sys/sha.h"

#define CLOCK_FRESH 1000000             /* ns for which the file system's clock is not asked again */

/* --- time --- */

void content_ask_clock(struct content *c)
{
	if (file_fs_now(c->rootfd, &c->now, NULL) < 0)
		c->now = 0;
	c->asked = loop_now();
}

bool content_is_racy(const struct content *c, const struct ident *ident, int64_t now)
{
	if (ident->dev != c->dev)
		now -= CONTENT_MARGIN;
	return ident->mtime >= now || ident->ctime >= now;
}

/* An old answer of the clock is a safe one; asked anew where a newer one could help, before the file is read. */
static void clock_before(struct content *c, const struct ident *ident)
{
	if (content_is_racy(c, ident, c->now) && loop_now() - c->asked > CLOCK_FRESH)
		content_ask_clock(c);
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
	content_ask_clock(c);
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

struct known *content_known(struct content *c, struct str path)
{
	struct known *k = map_get(&c->known, path);

	if (k)
		return k;
	k = arena_new(c->arena, struct known);
	k->path = str_dup(c->arena, path);
	*map_put(&c->known, k->path, NULL) = k;
	return k;
}

void known_set(struct known *k, enum entry_type type, const struct ident *ident)
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

void known_set_file(struct known *k, const struct ident *ident, const struct digest *digest, bool racy)
{
	known_set(k, ENTRY_FILE, ident);
	k->entry.digest = *digest;
	k->racy = racy;
}

/* --- looking --- */

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
		known_set(k, ENTRY_LINK, ident);
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
		known_set_file(k, ident, &digest, false);
		return 0;
	}
	if (sha256_init(err) < 0)
		return -1;
	clock_before(c, ident);
	got = hashfile(c->rootfd, k->path.s, &digest, ident, &c->bytes, err);
	if (got < 0)
		return -1;
	if (!got) {
		known_set(k, ENTRY_ABSENT, &(struct ident){0});
		return 0;
	}
	c->files++;
	c->learnt = true;
	known_set_file(k, ident, &digest, content_is_racy(c, ident, c->now));
	return 0;
}

int content_look(struct content *c, struct known *k, struct err *err)
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
		known_set(k, ENTRY_ABSENT, &ident);
	else if (S_ISDIR(ident.mode))
		known_set(k, ENTRY_DIR, &ident);
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
	struct known *k = content_known(c, path);

	if (k->state == KNOWN_FAILED) {
		k->state = KNOWN_NOT;
		return err_set(err, ERR_SYSTEM, STR_FMT, STR_ARG(k->error));
	}
	if (k->state != KNOWN_LOOKED && content_look(c, k, err) < 0) {
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
	struct known *k = content_known(c, path);
	struct digest kept;

	known_set_file(k, ident, digest, content_is_racy(c, ident, c->opened));
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

void content_counts(const struct content *c, uint64_t *files, uint64_t *bytes)
{
	*files = c->files;
	*bytes = c->bytes;
}
