/* First the folders, one after the other, so that depth costs no handles; then the files, on all CPUs; then modes and times of
 * the folders, the deepest first. */
#include "sys/treecopy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/vec.h"
#include "sys/file.h"
#include "sys/pool.h"

struct node { const char *path; struct stat st; };

struct copying {
	int from, to;
	struct tree_copy *t;
	struct arena arena;
	VEC(struct node) folders;       /* each behind the one it lies in; the first is the top, "" */
	VEC(struct node) files;
	pthread_mutex_t lock;           /* of what follows, while files are copied */
	struct err *err;
	atomic_bool failed;
};

static bool stopped(const struct copying *c)
{
	return c->t->stop && atomic_load(c->t->stop);
}

static int fail(struct copying *c, const char *path)
{
	int reason = errno;
	pthread_mutex_lock(&c->lock);
	if (!c->failed) {
		errno = reason;
		err_errno(c->err, "unable to copy %s", path);
	}
	c->failed = true;
	pthread_mutex_unlock(&c->lock);
	return -1;
}

static void unreadable(struct copying *c, const char *path)
{
	pthread_mutex_lock(&c->lock);
	if (!c->t->nunread++)
		c->t->unread = strdup(path);
	pthread_mutex_unlock(&c->lock);
}

/* 0 when it is left out for a reason that is no fault. */
static int not_opened(struct copying *c, const char *path)
{
	if (errno == EACCES || errno == EPERM)
		unreadable(c, path);
	else if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != ENXIO)
		return fail(c, path);
	return 0;
}

/* --- what a node is beside its content --- */

static bool ours(const struct stat *st)
{
	return st->st_uid == geteuid() && st->st_gid == getegid();
}

/* Before the mode, which giving away may change. */
static void give(int dir, const char *name, const struct stat *st)
{
	if (!ours(st) && fchownat(dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return;                 /* this user may not */
}

static int dress(int dir, const char *name, const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	give(dir, name, st);
	if (!S_ISLNK(st->st_mode) && fchmodat(dir, name, st->st_mode & 07777, 0) < 0)
		return -1;
	return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
}

static int copy_link(int from, const char *name, int to, const char *to_name, const struct stat *st)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(from, name, text, sizeof(text) - 1);
	if (n < 0)
		return -1;
	text[n] = '\0';
	return symlinkat(text, to, to_name) < 0 ? -1 : dress(to, to_name, st);
}

/* The mode may forbid to write what is being written, so it comes last. */
static int copy_file(int in, int to, const char *to_name, const struct stat *st, struct err *err)
{
	int out CLEANUP_FD = openat(to, to_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return err_errno(err, "unable to write %s", to_name);
	if (file_copy_fd(in, out, err) < 0)
		return -1;
	return dress(to, to_name, st) < 0 ? err_errno(err, "unable to set the mode of %s", to_name) : 0;
}

/* --- folders --- */

static int copy_other(struct copying *c, int dir, const char *name, const struct node *n)
{
	int rc = S_ISLNK(n->st.st_mode) ? copy_link(dir, name, c->to, n->path, &n->st) :
		 mkfifoat(c->to, n->path, 0600) < 0 ? -1 : dress(c->to, n->path, &n->st);
	return rc < 0 && errno != ENOENT ? fail(c, n->path) : 0;
}

static int see(struct copying *c, int dir, const char *folder, const char *name)
{
	struct node n = {str_fmt(&c->arena, "%s%s%s", folder, *folder ? "/" : "", name).s, {0}};
	if (fstatat(dir, name, &n.st, AT_SYMLINK_NOFOLLOW) < 0)
		return not_opened(c, n.path);
	if (c->t->leave_out && c->t->leave_out(c->t->ctx, str_of(n.path), &n.st))
		return 0;
	if (S_ISDIR(n.st.st_mode))
		vec_add(&c->folders, n);
	else if (S_ISREG(n.st.st_mode))
		vec_add(&c->files, n);
	else if (S_ISLNK(n.st.st_mode) || S_ISFIFO(n.st.st_mode))
		return copy_other(c, dir, name, &n);
	return 0;
}

/* Closes fd. */
static int list(struct copying *c, int fd, const char *folder)
{
	DIR *d = fdopendir(fd);
	int rc = 0;
	if (!d) {
		close(fd);
		return fail(c, folder);
	}
	for (struct dirent *e; !rc && (errno = 0, e = readdir(d));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			rc = see(c, fd, folder, e->d_name);
	if (!rc && errno)
		rc = fail(c, folder);
	closedir(d);
	return rc;
}

/* One that may not be read is not made: dress() passes over it. */
static int copy_folder(struct copying *c, struct node *n)
{
	const char *path = *n->path ? n->path : ".";
	int fd = openat(c->from, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		n->st.st_mode = 0;
		return not_opened(c, path);
	}
	if (*n->path && mkdirat(c->to, n->path, 0700) < 0) {
		close(fd);
		return fail(c, path);
	}
	return list(c, fd, n->path);
}

static int copy_folders(struct copying *c)
{
	for (size_t i = 0; i < c->folders.n; i++) {
		struct node n = c->folders.v[i];        /* the array grows */
		if (stopped(c) || copy_folder(c, &n) < 0)
			return -1;
		c->folders.v[i].st.st_mode = n.st.st_mode;
	}
	return 0;
}

static int dress_folders(struct copying *c)
{
	for (size_t i = c->folders.n; i-- > 0;) {
		const struct node *n = &c->folders.v[i];
		if (n->st.st_mode && dress(c->to, *n->path ? n->path : ".", &n->st) < 0)
			return fail(c, n->path);
	}
	return 0;
}

/* --- files --- */

/* On a pool thread. */
static void copy_nth(void *ctx, size_t i)
{
	struct copying *c = ctx;
	const struct node *n = &c->files.v[i];
	struct err err = ERR_INIT;
	struct stat st;
	if (stopped(c) || c->failed)
		return;
	int in CLEANUP_FD = openat(c->from, n->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (in < 0 || fstat(in, &st) < 0) {
		not_opened(c, n->path);
		return;
	}
	if (!S_ISREG(st.st_mode) || copy_file(in, c->to, n->path, &st, &err) == 0)
		return;
	pthread_mutex_lock(&c->lock);
	if (!c->failed && c->err) {
		err_move(c->err, &err);
		err_wrap(c->err, "unable to copy %s", n->path);
	}
	c->failed = true;
	pthread_mutex_unlock(&c->lock);
	err_release(&err);
}

static int copy_all(struct copying *c)
{
	if (copy_folders(c) < 0)
		return -1;
	if (c->files.n)
		pool_each(c->files.n, c->files.n > 16 ? pool_cpus() : 1, copy_nth, c);
	return c->failed || stopped(c) ? -1 : dress_folders(c);
}

int tree_copy(int from, int to, struct tree_copy *t, struct err *err)
{
	struct copying c = {.from = from, .to = to, .t = t, .err = err, .lock = PTHREAD_MUTEX_INITIALIZER};
	struct node top = {.path = ""};
	t->nunread = 0;
	t->unread = NULL;
	if (fstat(from, &top.st) < 0)
		return err_errno(err, "unable to copy a folder");
	vec_add(&c.folders, top);
	int rc = copy_all(&c);
	if (rc < 0 && !c.failed)
		err_set(err, ERR_SYSTEM, "it was stopped while a folder was copied");
	vec_free(&c.folders);
	vec_free(&c.files);
	arena_release(&c.arena);
	return rc;
}

static int copy_one_folder(int from, const char *name, int to, const char *to_name, struct err *err)
{
	struct tree_copy t = {0};
	const int how = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if (mkdirat(to, to_name, 0700) < 0)
		return err_errno(err, "unable to make the folder %s", to_name);
	int in CLEANUP_FD = openat(from, name, how), out CLEANUP_FD = openat(to, to_name, how);
	if (in < 0 || out < 0)
		return err_errno(err, "unable to copy %s", name);
	int rc = tree_copy(in, out, &t, err);
	if (rc == 0 && t.nunread)
		rc = err_set(err, ERR_SYSTEM, "unable to copy %s: %s in it can't be read", name, t.unread);
	free(t.unread);
	return rc;
}

int tree_copy_one(int from, const char *name, int to, const char *to_name, struct err *err)
{
	struct stat st;
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "unable to copy %s", name);
	if (S_ISDIR(st.st_mode))
		return copy_one_folder(from, name, to, to_name, err);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, name, to, to_name, &st) < 0 ? err_errno(err, "unable to copy the link %s", name) : 0;
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_SYSTEM, "unable to copy %s: it is neither a file, a folder nor a link", name);
	int in CLEANUP_FD = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return in < 0 ? err_errno(err, "unable to copy %s", name) : copy_file(in, to, to_name, &st, err);
}
