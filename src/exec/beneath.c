#include "exec/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/path.h"

static bool component_sane(struct str c)
{
	return c.n && !str_eq(c, S(".")) && !str_eq(c, S("..")) && !str_starts(c, S(STAGED_PREFIX));
}

bool beneath_sane(struct str path)
{
	if (!path.n || path.s[path.n - 1] == '/' || memchr(path.s, 0, path.n))
		return false;
	struct str part;
	while (str_cut(&path, '/', &part))
		if (!component_sane(part))
			return false;
	return true;
}

bool beneath_is_staged(struct str path)
{
	return str_starts(path_name(path), S(STAGED_PREFIX));
}

/* A copy that ends with a NUL; "." for "". */
static int zero_ended(struct str path, char out[4096])
{
	if (path.n >= 4096) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (!path.n)
		path = S(".");
	memcpy(out, path.s, path.n);
	out[path.n] = 0;
	return 0;
}

static int open_resolved(int rootfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {.flags = (unsigned)flags, .mode = flags & O_CREAT ? mode : 0,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	for (int tries = 0;; tries++) {
		int fd = (int)syscall(SYS_openat2, rootfd, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN || tries == 100)         /* EAGAIN: a rename on the way */
			return fd;
	}
}

/* A folder that is a link: where it leads is not known here. */
static int open_component(int at, const char *name, int flags, mode_t mode)
{
	struct stat st;
	int fd = openat(at, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0 && flags & O_DIRECTORY && !fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISLNK(st.st_mode))
		errno = EXDEV;
	return fd;
}

/* A component at a time, through no link: for kernels before 5.6 and sandboxes that know no openat2. */
static int open_walked(int rootfd, char *path, int flags, mode_t mode)
{
	int at = rootfd, fd = -1;
	for (char *slash; (slash = strchr(path, '/')); path = slash + 1) {
		*slash = 0;
		int next = open_component(at, path, O_PATH | O_DIRECTORY, 0);
		int e = errno;
		if (at != rootfd)
			close(at);
		errno = e;
		if (next < 0)
			return -1;
		at = next;
	}
	fd = open_component(at, path, flags, mode);
	int e = errno;
	if (at != rootfd)
		close(at);
	errno = e;
	return fd;
}

static bool has_openat2(void)
{
	static atomic_int known;        /* 0 not asked, 1 yes, 2 no */
	int k = atomic_load_explicit(&known, memory_order_relaxed);
	if (!k) {
		int fd = open_resolved(AT_FDCWD, ".", O_PATH | O_CLOEXEC, 0);
		k = fd >= 0 ? 1 : 2;
		if (fd >= 0)
			close(fd);
		atomic_store(&known, k);
	}
	return k == 1;
}

int beneath_open(int rootfd, struct str path, int flags, mode_t mode)
{
	char z[4096];
	if (zero_ended(path, z))
		return -1;
	flags |= O_NOFOLLOW | O_CLOEXEC;
	if (has_openat2())
		return open_resolved(rootfd, z, flags, mode);
	if (z[0] == '/') {
		errno = EXDEV;
		return -1;
	}
	return open_walked(rootfd, z, flags, mode);
}

/* A folder, a link to one included. */
static int open_folder(int rootfd, struct str path)
{
	char z[4096];
	if (zero_ended(path, z))
		return -1;
	const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	return has_openat2() ? open_resolved(rootfd, z, flags, 0) : open_walked(rootfd, z, flags, 0);
}

int beneath_mkdirs(int rootfd, struct str path)
{
	CLEANUP_FD int fd = open_folder(rootfd, path);
	if (fd >= 0)
		return 0;
	if (errno != ENOENT || !path.n)
		return -1;
	struct str dir = path_dir(path);
	if (beneath_mkdirs(rootfd, dir))
		return -1;
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(rootfd);
	const char *name;
	int parent = beneath_parent(&at, path, &name);
	if (parent < 0 || (mkdirat(parent, name, 0777) && errno != EEXIST))
		return -1;
	fd = open_folder(rootfd, path);         /* a link to nowhere, a file */
	return fd < 0 ? -1 : 0;
}

int beneath_parent(struct beneath *at, struct str path, const char **name)
{
	struct str dir = path_dir(path);
	if (path.n >= sizeof(at->dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	bool same = at->fd >= 0 && at->n == dir.n && !memcmp(at->dir, dir.s, dir.n);
	if (!same) {
		beneath_close(at);
		at->n = dir.n;
		at->fd = dir.n ? open_folder(at->rootfd, dir) : at->rootfd;
		if (at->fd < 0)
			return -1;
	}
	memcpy(at->dir, path.s, path.n);
	at->dir[path.n] = 0;
	*name = at->dir + (dir.n ? dir.n + 1 : 0);
	return at->fd;
}

void beneath_close(struct beneath *at)
{
	if (at->fd >= 0 && at->fd != at->rootfd)
		close(at->fd);
	at->fd = -1;
}

void cleanup_beneath(struct beneath *at) { beneath_close(at); }
