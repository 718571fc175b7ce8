/* Folders made and removed: the rest of file.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/file.h"

/* --- making --- */

static int check_folder(int dirfd, const char *path, struct err *err)
{
	struct stat st;
	if (fstatat(dirfd, path, &st, 0) < 0)
		return err_errno(err, "unable to make the folder %s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_SYSTEM, "unable to make the folder %s: a file is in its place", path);
	return 0;
}

/* Makes path[0..n), then its end is put back: the caller's copy is cut in place. */
static int make_folder(int dirfd, char *path, unsigned mode, struct err *err)
{
	for (bool again = false;; again = true) {
		if (mkdirat(dirfd, path, mode) == 0)
			return 0;
		if (errno == EEXIST)
			return check_folder(dirfd, path, err);
		char *slash = strrchr(path, '/');
		while (slash && slash > path && slash[1] == '\0')       /* "a/b/" */
			*slash = '\0', slash = strrchr(path, '/');
		if (errno != ENOENT || again || !slash || slash == path)
			return err_errno(err, "unable to make the folder %s", path);
		*slash = '\0';
		int made = make_folder(dirfd, path, mode, err);
		*slash = '/';
		if (made < 0)
			return -1;
	}
}

int file_mkdirs(int dirfd, const char *path, unsigned mode, struct err *err)
{
	if (!*path)
		return 0;
	char *copy CLEANUP_FREE = strdup(path);
	return make_folder(dirfd, copy, mode, err);
}

int file_mkparents(int dirfd, const char *path, struct err *err)
{
	char *copy CLEANUP_FREE = strdup(path);
	char *slash = strrchr(copy, '/');
	if (!slash || slash == copy)
		return 0;
	*slash = '\0';
	return make_folder(dirfd, copy, 0777, err);
}

/* --- removing --- */

static int remove_held(int fd);

/* A folder, all it holds first. One that its owner may not write (module caches, unpacked archives) is made
 * writable. */
static int remove_folder(int dirfd, const char *name)
{
	const int how = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	/* Some file systems skip entries of a folder that is emptied while it is read. */
	for (int pass = 0;; pass++) {
		int fd = openat(dirfd, name, how);
		if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
			fd = openat(dirfd, name, how);
		if (fd < 0 || remove_held(fd) < 0)
			return -1;
		if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
			return 0;
		if (errno != ENOTEMPTY || pass == 3)
			return -1;
	}
}

static int remove_one(int dirfd, const char *name)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	/* EISDIR is Linux, EPERM is POSIX; EACCES may be either. */
	if (errno == EISDIR || errno == EPERM)
		return remove_folder(dirfd, name);
	return -1;
}

/* Everything in the folder fd, which is closed. */
static int remove_held(int fd)
{
	DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -1;
	}
	int status = 0;
	struct dirent *entry;
	while (status == 0 && (errno = 0, entry = readdir(dir))) {
		const char *name = entry->d_name;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		status = remove_one(fd, name);
		if (status < 0 && errno == EACCES && fchmod(fd, 0700) == 0)
			status = remove_one(fd, name);
	}
	if (!entry && errno)
		status = -1;
	int reason = errno;
	closedir(dir);
	errno = reason;
	return status;
}

int file_remove_tree(int dirfd, const char *path, struct err *err)
{
	if (remove_one(dirfd, path) == 0 || errno == ENOENT || errno == ENOTDIR)
		return 0;
	return err_errno(err, "unable to remove %s", path);
}
