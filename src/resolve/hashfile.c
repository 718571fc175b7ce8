#include "resolve/hashfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/sha.h"

#define SMALL 65536                     /* read at once, hashed at once */
#define CHUNK (256u << 10)

static ssize_t read_some(int fd, char *to, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = read(fd, to + have, n - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (!got)
			break;
		have += got;
	}
	return have;
}

/* Bytes read, or -1. What does not fit the small buffer is streamed. */
static int64_t hash_fd(int fd, struct digest *out)
{
	char small[SMALL], *big CLEANUP_FREE = NULL;
	ssize_t n = read_some(fd, small, sizeof(small));
	int64_t total = n;
	struct sha256 sha;

	if (n < 0)
		return -1;
	if (n < SMALL) {
		sha256_bytes(small, n, out);
		return n;
	}
	sha256_begin(&sha);
	sha256_add(&sha, small, n);
	big = xmalloc(CHUNK);
	while ((n = read_some(fd, big, CHUNK)) > 0) {
		sha256_add(&sha, big, n);
		total += n;
	}
	sha256_end(&sha, out);
	return n < 0 ? -1 : total;
}

static int ident_fd(int fd, struct ident *out)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	ident_of(&st, out);
	return 0;
}

int hashfile(int dirfd, const char *path, struct digest *digest, struct ident *ident, uint64_t *bytes, struct err *err)
{
	for (int try = 0; try < HASHFILE_TRIES; try++) {
		CLEANUP_FD int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
		struct ident after, named;
		int64_t n;

		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
			return 0;
		if (fd < 0 || ident_fd(fd, ident) < 0)
			return err_errno(err, "unable to read %s", path);
		if (!S_ISREG(ident->mode))
			return 0;
		n = hash_fd(fd, digest);
		if (n < 0 || ident_fd(fd, &after) < 0)
			return err_errno(err, "unable to read %s", path);
		*bytes += n;
		/* by its name too: it may have been replaced by a rename */
		if (!ident_eq(ident, &after) || file_ident(dirfd, path, &named, NULL) != 1 || !ident_eq(ident, &named))
			continue;
		return 1;
	}
	return err_set(err, ERR_SYSTEM, "unable to read %s: it keeps changing while it is read", path);
}
