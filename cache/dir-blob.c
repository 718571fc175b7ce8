/* dir-blob.c: content in the folder store. One read feeds hashing and copying, in both directions. */
#include "cache/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/sha.h"

#define CHUNK (256u << 10)
#define REFLINK_MIN (64u << 10)         /* below, copying costs no more than asking */

static struct dir_store *self(struct store *s) { return (struct dir_store *)s; }

/* A power loss may leave a name without its bytes: what is empty and should not be is no blob. */
static bool empty_by_mistake(const struct stat *st, const struct digest *d)
{
	if (st->st_size)
		return false;
	struct digest nothing;
	sha256_bytes("", 0, &nothing);
	return !digest_eq(d, &nothing);
}

int dir_blob_has(struct store *store, const struct digest *d, size_t n, bool *present, struct err *err)
{
	struct dir_store *s = self(store);
	for (size_t i = 0; i < n; i++) {
		char name[DIR_NAME_MAX];
		struct stat st;
		dir_name(DIR_BLOBS, &d[i], name);
		bool found = !fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW);
		if (!found && errno != ENOENT)
			return dir_fault(s, "look into", err);
		present[i] = found && S_ISREG(st.st_mode) && !empty_by_mistake(&st, &d[i]);
	}
	return 0;
}

/* Sends all of `from` through SHA-256 and, unless to is -1, into `to`. 0; -1 reading, -2 writing failed. */
static int stream(int from, int to, struct digest *out, uint64_t *size)
{
	CLEANUP_FREE char *chunk = xmalloc(CHUNK);
	struct sha256 sha;
	sha256_begin(&sha);
	uint64_t at = 0;
	int rc = 0;
	for (ssize_t got; (got = pread(from, chunk, CHUNK, (off_t)at)) != 0;) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			rc = -1;
			break;
		}
		sha256_add(&sha, chunk, (size_t)got);
		if (to >= 0 && file_write_all(to, chunk, (size_t)got)) {
			rc = -2;
			break;
		}
		at += (uint64_t)got;
	}
	int e = errno;
	sha256_end(&sha, out);
	errno = e;
	*size = at;
	return rc;
}

static int open_blob(struct dir_store *s, const struct digest *d, char name[DIR_NAME_MAX], int *fd, struct stat *st,
		     struct err *err)
{
	dir_name(DIR_BLOBS, d, name);
	*fd = openat(s->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return errno == ENOENT ? 0 : dir_fault(s, "read", err);
	return fstat(*fd, st) ? dir_fault(s, "read", err) : 1;
}

static int read_small(struct dir_store *s, const struct digest *d, const char *name, int from, size_t size, int to,
		      struct err *err)
{
	CLEANUP_FREE char *bytes = xmalloc(size + 1);   /* what is longer by now has another digest */
	size_t n = 0;
	while (n < size) {
		ssize_t got = pread(from, bytes + n, size - n, (off_t)n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return dir_fault(s, "read", err);
		if (!got)
			break;
		n += (size_t)got;
	}
	struct digest is;
	sha256_bytes(bytes, n, &is);
	if (!digest_eq(&is, d)) {
		dir_drop(s, name, "file");
		return 0;
	}
	return file_write_all(to, bytes, n) ? err_errno(err, "unable to write what the cache holds") : 1;
}

static int read_big(struct dir_store *s, const struct digest *d, const char *name, int from, int to, struct err *err)
{
	struct digest is;
	uint64_t size;
	bool linked = !ioctl(to, FICLONE, from);
	int rc = stream(from, linked ? -1 : to, &is, &size);
	if (rc == -1)
		return dir_fault(s, "read", err);
	if (rc)
		return err_errno(err, "unable to write what the cache holds");
	if (digest_eq(&is, d))
		return 1;
	dir_drop(s, name, "file");
	return ftruncate(to, 0) ? err_errno(err, "unable to empty a file again") : 0;
}

int dir_blob_read(struct store *store, const struct digest *d, int to, struct err *err)
{
	struct dir_store *s = self(store);
	char name[DIR_NAME_MAX];
	struct stat st;
	CLEANUP_FD int from = -1;
	int rc = open_blob(s, d, name, &from, &st, err);
	if (rc <= 0)
		return rc;
	return (uint64_t)st.st_size < REFLINK_MIN ? read_small(s, d, name, from, (size_t)st.st_size, to, err) :
						    read_big(s, d, name, from, to, err);
}

int dir_blob_read_bytes(struct store *store, const struct digest *d, size_t limit, struct buf *out, struct err *err)
{
	struct dir_store *s = self(store);
	char name[DIR_NAME_MAX];
	struct stat st;
	struct buf bytes = BUF_INIT(BUF_UNLIMITED);
	dir_name(DIR_BLOBS, d, name);
	int rc = dir_load(s, name, limit, &bytes, &st, err);
	if (rc == 1) {
		struct digest is;
		sha256_bytes(bytes.s, bytes.n, &is);
		if (digest_eq(&is, d)) {
			buf_str(out, buf_view(&bytes));
		} else {
			dir_drop(s, name, "file");
			rc = 0;
		}
	}
	buf_release(&bytes);
	return rc;
}

int dir_blob_verify(struct dir_store *s, const struct digest *d, struct err *err)
{
	char name[DIR_NAME_MAX];
	struct stat st;
	struct digest is;
	uint64_t size;
	CLEANUP_FD int from = -1;
	int rc = open_blob(s, d, name, &from, &st, err);
	if (rc <= 0)
		return rc;
	if (stream(from, -1, &is, &size))
		return dir_fault(s, "read", err);
	if (digest_eq(&is, d))
		return 1;
	dir_drop(s, name, "file");
	return 0;
}

/* When this boot first wrote here, as the file system's clock has it. The file "boot" holds the id of
 * the boot that made it; one of an earlier boot is replaced, and all that is older than the new one is
 * older than the boot. Without /proc nothing is taken to be old. */
static int64_t boot_time(struct dir_store *s)
{
	int64_t known = atomic_load(&s->boot);
	if (known)
		return known;
	int64_t found = INT64_MIN;
	char id[64], kept[64];
	struct stat st;
	CLEANUP_FD int now = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = now < 0 ? -1 : read(now, id, sizeof(id));
	if (n > 0) {
		CLEANUP_FD int old = openat(s->fd, "boot", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (old >= 0 && read(old, kept, sizeof(kept)) == n && !memcmp(id, kept, (size_t)n) && !fstat(old, &st))
			found = st.st_mtim.tv_sec;
		else if (!dir_keep(s, "boot", (struct str){id, (size_t)n}, NULL) && !fstatat(s->fd, "boot", &st, 0))
			found = st.st_mtim.tv_sec;
	}
	atomic_store(&s->boot, found);
	return found;
}

/* Is the blob there, so that it need not be written? Then it is marked as used, so that a gc spares it
 * until the record that will name it is written: twice as often as a gc's grace needs. */
static bool kept_already(struct dir_store *s, const char *name, const struct digest *d, uint64_t size)
{
	struct stat st;
	if (fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return false;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size) {
		dir_drop(s, name, "file");
		return false;
	}
	if (st.st_mtim.tv_sec < boot_time(s)) {
		if (dir_blob_verify(s, d, NULL) != 1)
			return false;
		return dir_touch(s, name, &st, 0);
	}
	return dir_touch(s, name, &st, DIR_GRACE / 2);
}

int dir_blob_write_bytes(struct store *store, struct str bytes, struct digest *out, struct err *err)
{
	struct dir_store *s = self(store);
	char name[DIR_NAME_MAX];
	sha256_bytes(bytes.s, bytes.n, out);
	dir_name(DIR_BLOBS, out, name);
	return kept_already(s, name, out, bytes.n) ? 0 : dir_keep(s, name, bytes, err);
}

/* A big file goes into tmp/ while it is hashed: the name is that of what was copied, not of what the
 * file may have become. A reflink is hashed after it is made: it can no longer change. */
static int write_big(struct dir_store *s, int from, struct digest *out, uint64_t *size, struct err *err)
{
	char tmp[DIR_NAME_MAX], name[DIR_NAME_MAX];
	int to = dir_tmp(s, tmp, err);
	if (to < 0)
		return -1;
	int rc = !ioctl(to, FICLONE, from) ? stream(to, -1, out, size) : stream(from, to, out, size);
	int e = errno;
	if (close(to) && !rc) {
		rc = -2;
		e = errno;
	}
	if (!rc) {
		dir_name(DIR_BLOBS, out, name);
		if (!kept_already(s, name, out, *size)) {
			atomic_fetch_add(&s->added, *size);
			return dir_rename(s, tmp, name, err);
		}
	}
	unlinkat(s->fd, tmp, 0);
	errno = e;
	if (rc == -1)
		return err_errno(err, "unable to read a file for the cache");
	return rc ? dir_fault(s, "write to", err) : 0;
}

int dir_blob_write_file(struct store *store, int from, struct digest *out, uint64_t *size, struct err *err)
{
	struct stat st;
	if (fstat(from, &st))
		return err_errno(err, "unable to look at a file for the cache");
	if (st.st_size >= DIR_SMALL)
		return write_big(self(store), from, out, size, err);
	size_t n = 0, cap = (size_t)st.st_size + 1;
	CLEANUP_FREE char *bytes = xmalloc(cap);
	for (ssize_t got; (got = pread(from, bytes + n, cap - n, (off_t)n)) != 0;) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "unable to read a file for the cache");
		n += (size_t)got;
		if (n == cap)           /* it grows while it is read */
			return write_big(self(store), from, out, size, err);
	}
	*size = n;
	return dir_blob_write_bytes(store, (struct str){bytes, n}, out, err);
}
