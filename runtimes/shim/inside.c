#include "runtimes/shim/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define DEEPEST 256                     /* folders in folders that inside_empty goes down */

static struct {
	int root, fd;
	size_t n;
	char path[4096];
} last = {.root = -1, .fd = -1};

void inside_forget(void)
{
	if (last.fd >= 0 && last.fd != last.root)
		close(last.fd);
	last.fd = last.root = -1;
}

/* One component down; `from` is closed unless it is the root. */
static int down(int root, int from, const char *name, bool make)
{
	int fd = openat(from, name, FOLDER);
	if (fd < 0 && errno == ENOENT && make && mkdirat(from, name, 0755) == 0)
		fd = openat(from, name, FOLDER);
	int reason = errno;
	if (from != root)
		close(from);
	errno = reason;
	return fd;
}

static int walk(int root, const char *path, size_t n, bool make)
{
	char copy[4096];
	memcpy(copy, path, n);
	copy[n] = '\0';
	int fd = root;
	for (char *at = copy; *at && fd >= 0;) {
		size_t part = strcspn(at, "/");
		bool more = at[part];
		at[part] = '\0';
		fd = down(root, fd, at, make);
		at += part + more;
	}
	return fd;
}

int inside_parent(int root, const char *path, bool make, const char **name)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	*name = slash ? slash + 1 : path;
	if (n >= sizeof(last.path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (last.fd >= 0 && last.root == root && last.n == n && memcmp(last.path, path, n) == 0)
		return last.fd;
	inside_forget();
	last.root = root;
	last.n = n;
	memcpy(last.path, path, n);
	return last.fd = walk(root, path, n, make);
}

int inside_root(char *path)
{
	for (char *at = path + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		int failed = mkdir(path, 0755) < 0 && errno != EEXIST && errno != EROFS;
		*at = '/';
		if (failed)
			return -1;
	}
	if (mkdir(path, 0755) < 0 && errno != EEXIST && errno != EROFS)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int empty(int folder, int depth);

static int remove_entry(int folder, const char *name, int depth)
{
	if (unlinkat(folder, name, 0) == 0)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	int inner = openat(folder, name, FOLDER);
	if (inner < 0 && errno == EACCES && fchmodat(folder, name, 0700, 0) == 0)
		inner = openat(folder, name, FOLDER);
	if (inner < 0)
		return -1;
	int failed = empty(inner, depth + 1);
	close(inner);
	return failed ? -1 : unlinkat(folder, name, AT_REMOVEDIR);
}

static int empty(int folder, int depth)
{
	int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), failed = 0;
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	if (!dir || depth > DEEPEST) {
		errno = dir ? ELOOP : errno;
		failed = -1;
	}
	if (!failed && depth)
		fchmod(folder, 0755);           /* where it was read-only and is ours; else the removal says so */
	for (struct dirent *entry; !failed && (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			failed = remove_entry(folder, entry->d_name, depth);
	int reason = errno;
	if (dir)
		closedir(dir);
	else if (again >= 0)
		close(again);
	errno = reason;
	return failed;
}

int inside_empty(int folder)
{
	return empty(folder, 0);
}
