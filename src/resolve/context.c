#include "resolve/context.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "resolve/contextwild.h"

struct narrowed {
	struct str path;
	const struct contextwild *wild; /* NULL: a plain path */
};

struct reading {
	struct arena *arena;
	struct listing *listing;
	const struct context_ask *ask;
	struct narrowed *sources;
	size_t nsources;
	struct cfile_why whole;
	VEC(struct context_file) files;
	struct err *err;
};

/* A folder on the way; it becomes part of the context when something in it does. */
struct level {
	struct level *up;
	struct str path;
	bool added;
};

static struct str full_path(struct reading *r, struct str path)
{
	struct str dir = r->ask->dir;

	if (!dir.n || !path.n)
		return dir.n ? dir : path;
	return str_fmt(r->arena, STR_FMT "%s" STR_FMT, STR_ARG(dir), str_ends(dir, S("/")) ? "" : "/", STR_ARG(path));
}

/* --- narrowing --- */

static bool source_is(const struct narrowed *s, struct str path)
{
	return !s->path.n || (s->wild ? contextwild_match(s->wild, path) : str_eq(s->path, path));
}

static bool source_below(const struct narrowed *s, struct str dir)
{
	return s->wild ? contextwild_may_enter(s->wild, dir) : path_within(s->path, dir) && s->path.n > dir.n;
}

/* Is it a source itself? */
static bool wanted(const struct reading *r, struct str path)
{
	for (size_t i = 0; i < r->nsources; i++)
		if (source_is(&r->sources[i], path))
			return true;
	return false;
}

/* May a source be below it? */
static bool leads(const struct reading *r, struct str dir)
{
	for (size_t i = 0; i < r->nsources; i++)
		if (source_below(&r->sources[i], dir))
			return true;
	return false;
}

static void narrow(struct reading *r)
{
	const struct cfile_needs *needs = r->ask->needs;
	size_t n = r->whole.text.s ? 0 : needs->nsources;

	r->sources = arena_array(r->arena, n + 1, struct narrowed);
	r->nsources = 0;
	if (r->whole.text.s)
		r->sources[r->nsources++] = (struct narrowed){S(""), NULL};
	for (size_t i = 0; i < n; i++) {
		const char *problem = NULL;
		struct narrowed s = {needs->sources[i].path, NULL};

		if (needs->sources[i].wild && !(s.wild = contextwild_new(r->arena, s.path, CONTEXTWILD_SOURCE, &problem)))
			BUG("a malformed source that is not told of: %s", problem);
		r->sources[r->nsources++] = s;
	}
}

/* --- walking --- */

static struct context_file *add(struct reading *r, struct str path, enum entry_type type)
{
	struct context_file *file = vec_push(&r->files);

	*file = (struct context_file){.entry = {.path = path, .type = type, .mode = type == ENTRY_LINK ? 0777 : 0755}};
	return file;
}

static void add_level(struct reading *r, struct level *level)
{
	if (!level || level->added)
		return;
	level->added = true;
	add_level(r, level->up);
	add(r, level->path, ENTRY_DIR);
}

static int add_link(struct reading *r, struct str path)
{
	struct context_file *file = add(r, path, ENTRY_LINK);
	struct str full = full_path(r, path);
	char text[PATH_MAX];
	ssize_t n;

	if (file_ident(r->listing->rootfd, full.s, &file->ident, r->err) < 0)
		return -1;
	n = readlinkat(r->listing->rootfd, full.s, text, sizeof(text));
	if (n < 0)
		return err_errno(r->err, "unable to read the link " STR_FMT, STR_ARG(full));
	file->entry.link = (struct str){arena_dup(r->arena, text, n), n};
	return 0;
}

/* Neither file, link nor folder. */
static int add_other(struct reading *r, struct str path)
{
	struct str full = full_path(r, path);
	struct ident ident;

	if (file_ident(r->listing->rootfd, full.s, &ident, r->err) < 0)
		return -1;
	if (!ident.mode || S_ISSOCK(ident.mode))
		return 0;
	return err_set(r->err, ERR_SYSTEM, "unable to send " STR_FMT " to a container build: it is a device or a pipe; name it in "
		       ".dockerignore", STR_ARG(full));
}

static int walk(struct reading *r, struct folder *parent, struct level *up, struct str path, bool inside);

/* 1: a source leads through a link. */
static int walk_item(struct reading *r, struct folder *f, struct level *level, struct item *item, bool inside)
{
	struct str name = {item->name, item->n}, path = name;
	bool here, out;

	if (!level && (str_is(name, ".dockerignore") || str_is(name, ".containerignore")))
		return 0;
	if (level)
		path = str_fmt(r->arena, STR_FMT "/" STR_FMT, STR_ARG(level->path), STR_ARG(name));
	here = inside || wanted(r, path);
	if (!here && ((item->type != ITEM_DIR && item->type != ITEM_LINK) || !leads(r, path)))
		return 0;
	out = contextignore_match(r->ask->ignore, path);
	if (out && (item->type != ITEM_DIR || !contextignore_may_enter(r->ask->ignore, path)))
		return 0;
	if (r->ask->hidden && r->ask->hidden(r->ask->ctx, full_path(r, path)))
		return 0;
	if (item->type == ITEM_DIR) {
		struct level below = {level, path, false};

		if (!out && here)
			add_level(r, &below);
		return walk(r, f, &below, path, here);
	}
	if (item->type == ITEM_LINK && !inside) {
		r->whole = (struct cfile_why){str_fmt(r->arena, "the link " STR_FMT " is a source, or on the way to one", STR_ARG(path)), {0}};
		return 1;
	}
	add_level(r, level);
	if (item->type == ITEM_LINK)
		return add_link(r, path);
	if (item->type == ITEM_OTHER)
		return add_other(r, path);
	add(r, path, ENTRY_FILE);
	return 0;
}

static int walk(struct reading *r, struct folder *parent, struct level *level, struct str path, bool inside)
{
	struct folder *f = listing_folder(r->listing, parent, full_path(r, path));

	if (!folder_list(r->listing, f, !level))
		return err_set(r->err, ERR_SYSTEM, "unable to read the context of a container build: " STR_FMT "%s",
			       STR_ARG(f->problem.n ? f->problem : full_path(r, path)),
			       f->problem.n ? "" : f->path.n ? " is no folder" : "the workspace is no folder");
	for (size_t i = 0; i < f->n; i++) {
		int rc = walk_item(r, f, level, &f->items[i], inside);

		if (rc)
			return rc;
	}
	return 0;
}

/* --- contents --- */

static int hash_file(struct reading *r, struct content *content, struct context_file *file)
{
	struct str path = full_path(r, file->entry.path);
	struct entry entry;

	if (content_entry(content, path, &entry, &file->ident, &file->racy, r->err) < 0)
		return -1;
	if (entry.type != ENTRY_FILE)
		return err_set(r->err, ERR_SYSTEM, "unable to read " STR_FMT ": it changed at this moment", STR_ARG(path));
	file->entry.size = entry.size;
	file->entry.digest = entry.digest;
	file->entry.mode = entry.mode & 0100 ? 0755 : 0644;
	return 0;
}

static int hash_files(struct reading *r, struct content *content)
{
	struct str *paths = xcalloc(r->files.n + 1, sizeof(*paths));
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < r->files.n; i++)
		if (r->files.v[i].entry.type == ENTRY_FILE)
			paths[n++] = full_path(r, r->files.v[i].entry.path);
	if (r->ask->threads > 1)
		content_prefetch(content, paths, n, r->ask->threads);
	free(paths);
	for (size_t i = 0; i < r->files.n && rc == 0; i++)
		if (r->files.v[i].entry.type == ENTRY_FILE)
			rc = hash_file(r, content, &r->files.v[i]);
	return rc;
}

static int by_path(const void *a, const void *b)
{
	return entry_cmp(&((const struct context_file *)a)->entry, &((const struct context_file *)b)->entry);
}

int context_read(struct arena *arena, struct listing *listing, struct content *content, const struct context_ask *ask,
		 struct context *out, struct err *err)
{
	struct reading r = {.arena = arena, .listing = listing, .ask = ask, .whole = ask->needs->whole, .err = err};
	int rc;

	*out = (struct context){.dir = str_dup(arena, ask->dir)};
	do {
		r.files.n = 0;
		narrow(&r);
		rc = walk(&r, NULL, NULL, S(""), wanted(&r, S("")));
	} while (rc > 0);
	if (rc == 0)
		rc = hash_files(&r, content);
	if (rc == 0) {
		out->whole = r.whole;
		out->n = r.files.n;
		out->files = arena_array(arena, out->n, struct context_file);
		if (out->n) {
			memcpy(out->files, r.files.v, out->n * sizeof(*out->files));
			qsort(out->files, out->n, sizeof(*out->files), by_path);
		}
	}
	vec_free(&r.files);
	return rc;
}
