#include "resolve/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "resolve/gitinfo.h"

struct folder *listing_folder(struct listing *l, struct folder *parent, struct str path)
{
	struct folder *f = map_get(&l->folders, path);

	if (f) {
		if (!f->parent)
			f->parent = parent;
		return f;
	}
	f = arena_new(l->arena, struct folder);
	f->path = str_dup(l->arena, path);
	f->parent = parent;
	*map_put(&l->folders, f->path, NULL) = f;
	return f;
}

void listing_look(struct listing *l, struct str path, const struct ident *ident, bool type)
{
	if (map_has(&l->seen, path))
		return;
	path = str_dup(l->arena, path);
	map_put(&l->seen, path, NULL);
	vec_add(&l->looked, (struct tree_dir){path, *ident, type});
}

/* --- entries --- */

static uint8_t type_of_mode(mode_t mode)
{
	return S_ISREG(mode) ? ITEM_FILE : S_ISLNK(mode) ? ITEM_LINK : S_ISDIR(mode) ? ITEM_DIR : ITEM_OTHER;
}

/* false: gone meanwhile */
static bool type_of(int fd, const struct dirent *entry, uint8_t *type)
{
	struct stat st;

	switch (entry->d_type) {
	case DT_REG:
		*type = ITEM_FILE;
		return true;
	case DT_LNK:
		*type = ITEM_LINK;
		return true;
	case DT_DIR:
		*type = ITEM_DIR;
		return true;
	case DT_UNKNOWN:                /* the file system does not say */
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return false;
		*type = type_of_mode(st.st_mode);
		return true;
	default:
		*type = ITEM_OTHER;
		return true;
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->name, ((const struct item *)b)->name);
}

/* 0, or an errno. */
static int read_entries(struct listing *l, struct folder *f, DIR *dir)
{
	VEC(struct item) items = {0};
	struct dirent *entry;
	int reason;

	while (errno = 0, (entry = readdir(dir))) {
		const char *name = entry->d_name;
		struct item item = {.n = strlen(name)};

		if (!strcmp(name, ".") || !strcmp(name, "..") || !strncmp(name, ".cairn~", 7))
			continue;
		if (!type_of(dirfd(dir), entry, &item.type))
			continue;
		item.name = arena_dup(l->arena, name, item.n);
		vec_add(&items, item);
	}
	reason = errno;
	if (items.n)
		qsort(items.v, items.n, sizeof(*items.v), by_name);
	f->items = arena_array(l->arena, items.n, struct item);
	if (items.n)
		memcpy(f->items, items.v, items.n * sizeof(*items.v));
	f->n = items.n;
	vec_free(&items);
	return reason;
}

static void set_problem(struct listing *l, struct folder *f, const char *what, int reason)
{
	f->problem = str_fmt(l->arena, "unable to %s %s" STR_FMT ": %s", what, f->path.n ? "" : "the workspace ",
			     STR_ARG(f->path.n ? f->path : l->root), strerror(reason));
}

/* A folder that is not there: so that its coming is seen. Through a link, which is there, it is looked for as "link/.". */
static void look_absent(struct listing *l, struct folder *f)
{
	struct ident ident = {0};
	struct stat st;

	f->absent = true;
	if (fstatat(l->rootfd, f->path.s, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISLNK(st.st_mode)) {
			listing_look(l, str_fmt(l->arena, STR_FMT "/.", STR_ARG(f->path)), &ident, true);
			return;
		}
		ident_of(&st, &ident);
	}
	listing_look(l, f->path, &ident, true);
}

bool folder_list(struct listing *l, struct folder *f, bool follow)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW);
	struct ident ident;
	struct stat st;
	DIR *dir = NULL;
	int fd, reason = 0;

	if (f->listed)
		return !f->absent && !f->problem.n;
	f->listed = true;
	fd = openat(l->rootfd, f->path.n ? f->path.s : ".", flags);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) {
		look_absent(l, f);
		return false;
	}
	if (fd < 0 || fstat(fd, &st) < 0 || !(dir = fdopendir(fd))) {
		set_problem(l, f, "open the folder", errno);
		if (fd >= 0)
			close(fd);
		return false;
	}
	ident_of(&st, &ident);
	listing_look(l, f->path, &ident, false);
	reason = read_entries(l, f, dir);
	closedir(dir);
	if (reason)
		set_problem(l, f, "list the folder", reason);
	return !reason;
}

const struct item *folder_item(const struct folder *f, struct str name)
{
	struct item key = {.name = name.s};

	return f->n ? bsearch(&key, f->items, f->n, sizeof(key), by_name) : NULL;
}

struct str item_path(struct listing *l, const struct folder *f, struct item *item)
{
	size_t n = f->path.n + (f->path.n && !str_is(f->path, "/")) + item->n;

	if (!item->path)
		item->path = str_fmt(l->arena, STR_FMT "%s%s", STR_ARG(f->path),
				     f->path.n && !str_is(f->path, "/") ? "/" : "", item->name).s;
	return (struct str){item->path, n};
}

/* --- ignore rules --- */

/* Reads dir's .gitignore, which stands at `path`. A link or a folder of that name is none, as for git. 1, 0, or -1 with errno. */
static int read_ignore(struct listing *l, struct str path, struct str *text)
{
	CLEANUP_FD int fd = openat(l->rootfd, path.s, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	CLEANUP_BUF struct buf b = BUF_INIT(LISTING_IGNORE_MAX);
	struct ident ident = {0};
	struct stat st;
	char bytes[8192];
	ssize_t n;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) {
		file_ident(l->rootfd, path.s, &ident, NULL);
		listing_look(l, path, &ident, false);
		return 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	ident_of(&st, &ident);
	listing_look(l, path, &ident, false);
	if (!S_ISREG(st.st_mode))
		return 0;
	while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0)
			buf_add(&b, bytes, n);
		if (b.full) {
			errno = EFBIG;
			return -1;
		}
	}
	*text = str_dup(l->arena, buf_view(&b));
	return 1;
}

/* dir: as the rules know it, relative to the top of the work tree. */
static int add_rules(struct listing *l, struct str path, struct str dir, const struct ignore **rules, struct str *problem)
{
	struct str text;
	int got = read_ignore(l, path, &text);

	if (got < 0)
		*problem = str_fmt(l->arena, "unable to read " STR_FMT ": %s", STR_ARG(path), strerror(errno));
	if (got > 0)
		*rules = ignore_new(l->arena, *rules, dir, text);
	return got < 0 ? -1 : 0;
}

int folder_rules(struct listing *l, struct folder *f, const struct ignore **rules)
{
	struct str none = S(".gitignore"), path = none;
	struct str problem = {0};

	if (f->rules_known) {
		*rules = f->rules;
		return f->problem.n ? -1 : 0;
	}
	f->rules_known = true;
	f->rules = NULL;
	if (f->parent ? folder_rules(l, f->parent, &f->rules) < 0 : listing_above(l, &problem) < 0) {
		f->problem = f->parent ? f->parent->problem : problem;
		return -1;
	}
	if (!f->parent)
		f->rules = l->above;
	if (f->path.n)
		path = str_fmt(l->arena, STR_FMT "/.gitignore", STR_ARG(f->path));
	if (!f->listed || folder_item(f, none)) {
		struct str dir = str_fmt(l->arena, STR_FMT STR_FMT, STR_ARG(l->prefix), STR_ARG(f->path));

		if (!f->path.n && dir.n)
			dir.n--;
		if (add_rules(l, path, dir, &f->rules, &f->problem) < 0)
			return -1;
	}
	*rules = f->rules;
	return 0;
}

/* The rules of all folders from the top of the work tree down to above the workspace, which is `below` in it. */
static int add_above(struct listing *l, struct str top, struct str below, struct str *problem)
{
	const struct ignore *rules = NULL;

	for (size_t at = 0;;) {
		struct str dir = str_head(below, at ? at - 1 : 0);
		struct str path = str_fmt(l->arena, STR_FMT "%s" STR_FMT "%s.gitignore", STR_ARG(top),
					  str_is(top, "/") ? "" : "/", STR_ARG(dir), dir.n ? "/" : "");
		ptrdiff_t slash;

		if (add_rules(l, path, dir, &rules, problem) < 0)
			return -1;
		slash = str_chr(str_from(below, at), '/');
		at = slash < 0 ? below.n : at + slash;
		if (ignore_match(rules, str_head(below, at), true))
			return 0;
		if (slash < 0)
			break;
		at++;
	}
	l->in_git = true;
	l->above = rules;
	l->prefix = str_fmt(l->arena, STR_FMT "/", STR_ARG(below));
	return 0;
}

int listing_above(struct listing *l, struct str *problem)
{
	struct str top, *missing;
	size_t n;

	if (l->above_known)
		return 0;
	l->above_known = true;
	l->prefix = S("");
	git_top(l->arena, l->root, &top, &missing, &n);
	for (size_t i = 0; i < n; i++)
		listing_look(l, missing[i], &(struct ident){0}, true);
	if (!top.s)
		return 0;
	if (str_eq(top, l->root)) {
		l->in_git = true;
		return 0;
	}
	return add_above(l, top, str_from(l->root, top.n + !str_is(top, "/")), problem);
}

void listing_release(struct listing *l)
{
	map_release(&l->folders);
	map_release(&l->seen);
	vec_free(&l->looked);
}
