#include "resolve/linked.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "resolve/links.h"
#include "sys/sha.h"

void linked_release(struct linked *k)
{
	vec_free(&k->behind);
	vec_free(&k->inside);
}

/* As content knows it: what lies in the workspace by its relative name. */
static struct str known_as(const struct linked *k, struct str path)
{
	if (path_within(path, k->root) && path.n > k->root.n)
		return str_from(path, k->root.n + !str_is(k->root, "/"));
	return path;
}

static void rest_on(struct linked *k, struct str path, const struct ident *ident, bool listed)
{
	vec_add(&k->behind, (struct content_behind){known_as(k, path), *ident, listed});
}

static int digest_file(struct linked *k, struct str path, struct entry *entry, struct err *err)
{
	struct ident ident;
	bool racy;

	if (content_entry(k->content, known_as(k, path), entry, &ident, &racy, err) < 0)
		return -1;
	rest_on(k, path, &ident, false);
	k->racy |= racy;
	return entry->type == ENTRY_FILE;
}

/* --- folders --- */

static void add_part(struct sha256 *sha, const void *bytes, uint32_t n)
{
	sha256_add(sha, &n, sizeof(n));
	sha256_add(sha, bytes, n);
}

static int by_text(const void *a, const void *b) { return str_cmp(*(const struct str *)a, *(const struct str *)b); }

/* Names in dir, sorted; the caller frees *names. */
static int read_names(struct linked *k, struct str path, struct ident *ident, struct str **names, size_t *n, struct err *err)
{
	DIR *dir = opendir(path.s);
	VEC(struct str) v = {0};
	struct dirent *e;
	struct stat st;
	int reason;

	if (!dir || fstat(dirfd(dir), &st) < 0) {
		err_errno(err, "unable to open the folder " STR_FMT, STR_ARG(path));
		if (dir)
			closedir(dir);
		return -1;
	}
	ident_of(&st, ident);
	while (errno = 0, (e = readdir(dir))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, ".git") || !strncmp(e->d_name, ".cairn~", 7))
			continue;
		vec_add(&v, str_dup(k->arena, str_of(e->d_name)));
	}
	reason = errno;
	closedir(dir);
	*names = v.v;
	*n = v.n;
	if (v.n)
		qsort(v.v, v.n, sizeof(*v.v), by_text);
	k->seen += v.n;
	errno = reason;
	if (reason)
		return err_errno(err, "unable to list the folder " STR_FMT, STR_ARG(path));
	if (k->seen > LINKED_MAX)
		return err_set(err, ERR_SYSTEM, "unable to read the folder " STR_FMT ": a link leads to more than %d files; declare what "
			       "is needed of them instead", STR_ARG(path), LINKED_MAX);
	return 0;
}

static int add_folder(struct linked *k, struct str path, struct digest *out, struct err *err);

static int add_link(struct linked *k, struct str path, struct sha256 *sha, struct err *err)
{
	char text[PATH_MAX];
	ssize_t n = readlink(path.s, text, sizeof(text));
	struct digest digest = {0};

	if (n < 0)
		return err_errno(err, "unable to read the link " STR_FMT, STR_ARG(path));
	add_part(sha, text, n);
	if (linked_digest(k, path, &digest, err) < 0)
		return -1;
	sha256_add(sha, &digest.algo, 1);
	sha256_add(sha, digest.bytes, sizeof(digest.bytes));
	return 0;
}

static int add_child(struct linked *k, struct str dir, struct str name, struct sha256 *sha, struct err *err)
{
	struct str path = str_fmt(k->arena, STR_FMT "%s" STR_FMT, STR_ARG(dir), str_is(dir, "/") ? "" : "/", STR_ARG(name));
	struct digest digest;
	struct entry entry;
	struct ident ident;
	int got = file_ident(AT_FDCWD, path.s, &ident, err);
	char type = S_ISREG(ident.mode) ? ident.mode & 0100 ? 'x' : 'f' : S_ISDIR(ident.mode) ? 'd' : S_ISLNK(ident.mode) ? 'l' : 'o';

	if (got <= 0)                           /* gone meanwhile: the folder's identity says so too */
		return got;
	sha256_add(sha, &type, 1);
	add_part(sha, name.s, name.n);
	if (type == 'd') {
		if (add_folder(k, path, &digest, err) < 0)
			return -1;
		sha256_add(sha, digest.bytes, sizeof(digest.bytes));
	} else if (type == 'l') {
		return add_link(k, path, sha, err);
	} else if (type != 'o') {
		got = digest_file(k, path, &entry, err);
		if (got < 0)
			return -1;
		sha256_add(sha, entry.digest.bytes, sizeof(entry.digest.bytes));
	}
	return 0;
}

static int add_folder(struct linked *k, struct str path, struct digest *out, struct err *err)
{
	struct str *names = NULL;
	struct sha256 sha;
	struct ident ident;
	size_t n;
	int rc = read_names(k, path, &ident, &names, &n, err);

	if (rc == 0) {
		rest_on(k, path, &ident, true);
		vec_add(&k->inside, ident);
		sha256_begin(&sha);
		for (size_t i = 0; i < n && rc == 0; i++)
			rc = add_child(k, path, names[i], &sha, err);
		sha256_end(&sha, out);
		k->inside.n--;
	}
	free(names);
	return rc;
}

static bool is_inside(const struct linked *k, const struct ident *folder)
{
	for (size_t i = 0; i < k->inside.n; i++)
		if (k->inside.v[i].ino == folder->ino && k->inside.v[i].dev == folder->dev)
			return true;
	return false;
}

int linked_digest(struct linked *k, struct str path, struct digest *out, struct err *err)
{
	struct hops hops = {0};
	struct ident ident;
	struct entry entry;
	struct str real;
	int got = links_follow(k->arena, path, &hops, &real, &ident, err);

	*out = (struct digest){0};
	for (size_t i = 0; i < hops.n; i++)
		rest_on(k, hops.v[i].path, &hops.v[i].ident, false);
	vec_free(&hops);
	if (got == 0)
		rest_on(k, real, &ident, false);
	if (got <= 0)
		return got;
	if (sha256_init(err) < 0)
		return -1;
	if (S_ISREG(ident.mode)) {
		got = digest_file(k, real, &entry, err);
		*out = entry.digest;
		return got;
	}
	if (!S_ISDIR(ident.mode))
		return err_set(err, ERR_SYSTEM, "unable to read what " STR_FMT " points to: " STR_FMT " is neither a file nor a folder",
			       STR_ARG(path), STR_ARG(real));
	if (is_inside(k, &ident))
		return 0;
	return add_folder(k, real, out, err) < 0 ? -1 : 1;
}
