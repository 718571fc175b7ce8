#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

static int64_t nanoseconds(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void ident_of(const struct stat *st, struct ident *out)
{
	*out = (struct ident){
		.size = (uint64_t)st->st_size,
		.ino = st->st_ino,
		.dev = st->st_dev,
		.mtime = nanoseconds(st->st_mtim),
		.ctime = nanoseconds(st->st_ctim),
		.mode = st->st_mode,
	};
}

int file_ident(int dirfd, const char *path, struct ident *out, struct err *err)
{
	struct stat st;
	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		ident_of(&st, out);
		return 1;
	}
	*out = (struct ident){0};
	if (errno == ENOENT || errno == ENOTDIR)
		return 0;
	return err_errno(err, "unable to look at %s", path);
}

/* --- reading --- */

/* Bytes until the end; the buffer doubles, so that what /proc and pipes give, whose size is not known, costs no more. */
static int read_all(struct arena *arena, int fd, const char *path, size_t guess, size_t limit, struct str *out,
		    struct err *err)
{
	size_t cap = guess < limit ? guess + 1 : limit + 1, n = 0;
	char *text = arena_alloc(arena, cap + 1);
	for (;;) {
		ssize_t got = read(fd, text + n, cap - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "unable to read %s", path);
		if (got == 0)
			break;
		n += (size_t)got;
		if (n > limit)
			return err_set(err, ERR_SYSTEM, "unable to read %s: it is longer than %zu bytes", path, limit);
		if (n < cap)
			continue;
		cap = cap < limit / 2 ? cap * 2 : limit + 1;
		char *more = arena_alloc(arena, cap + 1);
		memcpy(more, text, n);
		text = more;
	}
	text[n] = '\0';
	*out = (struct str){text, n};
	return 1;
}

int file_read(struct arena *arena, int dirfd, const char *path, size_t limit, struct str *out, struct err *err)
{
	/* Not blocking: opening a pipe that nobody writes must not wait. */
	int fd CLEANUP_FD = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, "unable to open %s", path);
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_SYSTEM, "unable to read %s: it is a folder", path);
	if (!S_ISREG(st.st_mode))
		fcntl(fd, F_SETFL, O_RDONLY);
	else if ((uint64_t)st.st_size > limit)
		return err_set(err, ERR_SYSTEM, "unable to read %s: it is longer than %zu bytes", path, limit);
	size_t guess = S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size : 4095;
	return read_all(arena, fd, path, guess, limit, out, err);
}

/* --- writing --- */

int file_write_all(int fd, const void *bytes, size_t n)
{
	const char *at = bytes;
	while (n) {
		ssize_t put = write(fd, at, n);
		if (put >= 0) {
			at += put;
			n -= (size_t)put;
		} else if (errno == EAGAIN) {           /* somebody made a shared terminal or pipe nonblocking */
			poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

/* A name beside path that no other process, thread or machine uses. */
static char *name_beside(const char *path, const char *what)
{
	uint64_t unique;
	if (getrandom(&unique, sizeof(unique), 0) != (ssize_t)sizeof(unique))
		BUG("getrandom has no bytes");
	const char *slash = strrchr(path, '/');
	int dir = slash ? (int)(slash - path) + 1 : 0;
	char *name;
	if (asprintf(&name, "%.*s.cairn~%s~%016llx", dir, path, what, (unsigned long long)unique) < 0)
		BUG("out of memory");
	return name;
}

int file_write(int dirfd, const char *path, struct str bytes, unsigned mode, struct err *err)
{
	char *beside CLEANUP_FREE = name_beside(path, "new");
	const int how = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd CLEANUP_FD = openat(dirfd, beside, how, mode);
	if (fd < 0 && errno == ENOENT) {
		if (file_mkparents(dirfd, path, err) < 0)
			return -1;
		fd = openat(dirfd, beside, how, mode);
	}
	if (fd < 0)
		return err_errno(err, "unable to write %s", path);
	if (file_write_all(fd, bytes.s, bytes.n) == 0 && renameat(dirfd, beside, dirfd, path) == 0)
		return 0;
	err_errno(err, "unable to write %s", path);
	unlinkat(dirfd, beside, 0);
	return -1;
}

/* --- copying --- */

static int copy_by_hand(int from, int to, struct err *err)
{
	char *bytes CLEANUP_FREE = xmalloc(1 << 18);
	for (;;) {
		ssize_t n = read(from, bytes, 1 << 18);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			return 0;
		if (n < 0)
			return err_errno(err, "unable to copy a file: reading failed");
		if (file_write_all(to, bytes, (size_t)n) < 0)
			return err_errno(err, "unable to copy a file: writing failed");
	}
}

int file_copy_fd(int from, int to, struct err *err)
{
	if (lseek(from, 0, SEEK_SET) < 0 && errno != ESPIPE)
		return err_errno(err, "unable to copy a file");
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	for (;;) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, 1 << 30, 0);
		if (n > 0 || (n < 0 && errno == EINTR))
			continue;
		/* At the end, or it can't be done this way (another file system, a file of /proc that says it is
		 * empty): whatever is left behind the current offsets is read and written. */
		return copy_by_hand(from, to, err);
	}
}

/* --- the file system's clock --- */

static int ctime_of(int fd, int64_t *ns, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_errno(err, "unable to ask the file system for its time");
	*ns = nanoseconds(st.st_ctim);
	return 0;
}

/* One nameless file a file system, touched at each question: making an inode costs a hundred times more. */
static struct { int fd; dev_t dev; } fs_clock = {.fd = -1};

static int scratch_now(int dirfd, int64_t *ns, struct err *err)
{
	char *name CLEANUP_FREE = name_beside("", "now");
	int fd CLEANUP_FD = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, "unable to ask the file system for its time");
	int status = ctime_of(fd, ns, err);
	unlinkat(dirfd, name, 0);
	return status;
}

int file_fs_now(int dirfd, int64_t *ns, struct err *err)
{
	struct stat dir;
	if (fstat(dirfd, &dir) < 0)
		return err_errno(err, "unable to ask the file system for its time");
	if (fs_clock.fd < 0 || fs_clock.dev != dir.st_dev) {
		cleanup_fd(&fs_clock.fd);
		fs_clock.dev = dir.st_dev;
		fs_clock.fd = openat(dirfd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	}
	if (fs_clock.fd < 0)
		return scratch_now(dirfd, ns, err);
	if (futimens(fs_clock.fd, NULL) < 0)
		return err_errno(err, "unable to ask the file system for its time");
	return ctime_of(fs_clock.fd, ns, err);
}
