/* dir.c: a store in a folder: opening, records, and the files both are made of. */
#include "cache/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "sys/file.h"

/* linux/magic.h lacks some of these */
#define MAGIC_SMB 0x517bu
#define MAGIC_CIFS 0xff534d42u
#define MAGIC_SMB2 0xfe534d42u

const char *const dir_kinds[] = {"results", "paths", "blobs"};

int64_t dir_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME_COARSE, &t);
	return t.tv_sec;
}

void dir_name(int kind, const struct digest *d, char out[DIR_NAME_MAX])
{
	char hex[65];
	digest_hex(d, hex);
	snprintf(out, DIR_NAME_MAX, "%s/%.2s/%s", dir_kinds[kind], hex, hex + 2);
}

int dir_fault(const struct dir_store *s, const char *what, struct err *err)
{
	int e = errno;
	const char *todo = "";
	if (e == EROFS || e == EACCES || e == EPERM)
		todo = "; the folder must be writable by this user, or XDG_CACHE_HOME name another";
	else if (e == ENOSPC || e == EDQUOT)
		todo = "; \"cairn cache gc\" makes room";
	return err_set(err, ERR_SYSTEM, "unable to %s the cache %s: %s%s", what, s->path, strerror(e), todo);
}

/* Makes the folder that name lies in, and the one above it. */
static void make_parents(struct dir_store *s, const char *name)
{
	char dir[DIR_NAME_MAX];
	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - name), name);
		mkdirat(s->fd, dir, 0700);      /* what this could not make, the next call names */
	}
}

int dir_tmp(struct dir_store *s, char out[DIR_NAME_MAX], struct err *err)
{
	for (int tries = 0; tries < 3; tries++) {
		snprintf(out, DIR_NAME_MAX, "tmp/%s-%llx", s->nonce,
			 (unsigned long long)atomic_fetch_add(&s->counter, 1));
		int fd = openat(s->fd, out, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);
		if (fd >= 0)
			return fd;
		if (errno == ENOENT)
			make_parents(s, out);
		else if (errno != EEXIST)
			break;
	}
	return dir_fault(s, "write to", err);
}

int dir_rename(struct dir_store *s, const char *tmp, const char *name, struct err *err)
{
	if (!renameat(s->fd, tmp, s->fd, name))
		return 0;
	if (errno == ENOENT) {          /* the first of its folder, or the folder was cleared */
		make_parents(s, name);
		if (!renameat(s->fd, tmp, s->fd, name))
			return 0;
	}
	dir_fault(s, "write to", err);
	unlinkat(s->fd, tmp, 0);
	return -1;
}

int dir_keep(struct dir_store *s, const char *name, struct str bytes, struct err *err)
{
	char tmp[DIR_NAME_MAX];
	int fd = dir_tmp(s, tmp, err);
	if (fd < 0)
		return -1;
	bool written = !file_write_all(fd, bytes.s, bytes.n);
	int e = errno;
	if (close(fd) && written) {     /* network file systems say only now that the disk is full */
		written = false;
		e = errno;
	}
	if (!written) {
		unlinkat(s->fd, tmp, 0);
		errno = e;
		return dir_fault(s, "write to", err);
	}
	atomic_fetch_add(&s->added, (bytes.n + 4095) & ~(uint64_t)4095);
	return dir_rename(s, tmp, name, err);
}

bool dir_touch(struct dir_store *s, const char *name, const struct stat *st, int64_t within)
{
	if (dir_now() - st->st_mtim.tv_sec < within)
		return true;
	const struct timespec now[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};
	return !utimensat(s->fd, name, now, AT_SYMLINK_NOFOLLOW) || errno != ENOENT;
}

void dir_drop(struct dir_store *s, const char *name, const char *what)
{
	bool gone = !unlinkat(s->fd, name, 0) || errno == ENOENT;
	store_warn(&s->store, "the cache %s held a damaged %s, %s: %s", s->path, what, name,
		   gone ? "it was removed" : "it can't be removed");
}

int dir_load(struct dir_store *s, const char *name, size_t limit, struct buf *out, struct stat *st, struct err *err)
{
	CLEANUP_FD int fd = openat(s->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : dir_fault(s, "read", err);
	if (fstat(fd, st))
		return dir_fault(s, "read", err);
	if ((uint64_t)st->st_size > limit)
		return err_set(err, ERR_SYSTEM, "unable to read %s in the cache %s: it is longer than %zu bytes", name,
			       s->path, limit);
	size_t size = st->st_size;
	out->limit = BUF_UNLIMITED;
	if (!buf_reserve(out, size + 1))
		return err_set(err, ERR_SYSTEM, "unable to read %s in the cache %s: it is too long", name, s->path);
	for (size_t n = 0; n < size;) {
		ssize_t got = read(fd, out->s + out->n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return dir_fault(s, "read", err);
		if (!got)
			break;
		n += got;
		out->n += got;
	}
	out->s[out->n] = 0;
	return 1;
}

static struct dir_store *self(struct store *s) { return (struct dir_store *)s; }

static int get(struct store *store, enum record_kind kind, const struct digest *key, struct arena *a, struct str *out,
	       struct err *err)
{
	struct dir_store *s = self(store);
	char name[DIR_NAME_MAX];
	dir_name((int)kind, key, name);
	CLEANUP_FD int fd = openat(s->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : dir_fault(s, "read", err);
	struct stat st;
	if (fstat(fd, &st))
		return dir_fault(s, "read", err);
	if (st.st_size > DIR_RECORD_MAX) {
		dir_drop(s, name, "record");
		return 0;
	}
	char *bytes = arena_alloc(a, st.st_size + 1);
	size_t n = 0;
	while (n < (size_t)st.st_size) {
		ssize_t got = read(fd, bytes + n, st.st_size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return dir_fault(s, "read", err);
		if (!got)
			break;
		n += got;
	}
	dir_touch(s, name, &st, DIR_GRACE);
	*out = (struct str){bytes, n};
	return 1;
}

static int put(struct store *store, enum record_kind kind, const struct digest *key, struct str bytes, struct err *err)
{
	struct dir_store *s = self(store);
	char name[DIR_NAME_MAX];
	dir_name((int)kind, key, name);
	if (bytes.n > DIR_RECORD_MAX)
		return err_set(err, ERR_SYSTEM, "unable to keep a record of %zu bytes: %u is the most", bytes.n,
			       DIR_RECORD_MAX);
	return dir_keep(s, name, bytes, err);
}

static int drop_record(struct store *store, enum record_kind kind, const struct digest *key, struct err *err)
{
	struct dir_store *s = self(store);
	char name[DIR_NAME_MAX];
	dir_name((int)kind, key, name);
	return unlinkat(s->fd, name, 0) && errno != ENOENT ? dir_fault(s, "remove a record from", err) : 0;
}

int dir_each_in(struct dir_store *s, int kind, unsigned shard, dir_see *see, void *ctx, struct err *err)
{
	struct dir_item item;
	char dir[DIR_NAME_MAX];
	snprintf(dir, sizeof(dir), "%s/%02x", dir_kinds[kind], shard);
	int fd = openat(s->fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : dir_fault(s, "list", err);
	DIR *d = fdopendir(fd);
	if (!d) {
		close(fd);
		return dir_fault(s, "list", err);
	}
	int rc = 0;
	for (struct dirent *e; !rc && (errno = 0, e = readdir(d));) {
		if (e->d_name[0] == '.' || fstatat(fd, e->d_name, &item.st, AT_SYMLINK_NOFOLLOW))
			continue;
		char text[DIGEST_TEXT_MAX + 256];
		int n = snprintf(text, sizeof(text), "sha256:%02x%s", shard, e->d_name);
		if (n != 7 + 64 || !digest_parse((struct str){text, (size_t)n}, &item.digest))
			item.digest.algo = DIGEST_NONE;
		if (snprintf(item.name, sizeof(item.name), "%s/%s", dir, e->d_name) < (int)sizeof(item.name))
			rc = see(ctx, &item);
	}
	if (!rc && errno)
		rc = dir_fault(s, "list", err);
	closedir(d);
	return rc;
}

int dir_each(struct dir_store *s, int kind, dir_see *see, void *ctx, struct err *err)
{
	int rc = 0;
	for (unsigned shard = 0; !rc && shard < 256; shard++)
		rc = dir_each_in(s, kind, shard, see, ctx, err);
	return rc;
}

void store_dir_age(struct store *store, enum record_kind kind, const struct digest *key, uint64_t age_s)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = dir_now() - (int64_t)age_s}};
	char name[DIR_NAME_MAX];
	dir_name((int)kind, key, name);
	utimensat(self(store)->fd, name, times, AT_SYMLINK_NOFOLLOW);
}

struct each { int (*see)(void *, const struct digest *); void *ctx; int64_t since; };

static int see_key(void *ctx, const struct dir_item *item)
{
	struct each *e = ctx;
	return item->digest.algo == DIGEST_NONE || item->st.st_mtim.tv_sec < e->since ? 0 : e->see(e->ctx, &item->digest);
}

int store_dir_used(struct store *store, enum record_kind kind, uint64_t max_age_s, int (*see)(void *, const struct digest *), void *ctx,
		   struct err *err)
{
	/* a use within DIR_GRACE of the one before is not marked */
	struct each e = {see, ctx, max_age_s ? dir_now() - (int64_t)max_age_s - DIR_GRACE : INT64_MIN};
	return dir_each(self(store), (int)kind, see_key, &e, err);
}

int store_dir_peek(struct store *store, enum record_kind kind, const struct digest *key, struct buf *out, struct err *err)
{
	char name[DIR_NAME_MAX];
	struct stat st;
	dir_name((int)kind, key, name);
	return dir_load(self(store), name, DIR_RECORD_MAX, out, &st, err);
}

static int each_record(struct store *store, enum record_kind kind, int (*see)(void *, const struct digest *), void *ctx,
		       struct err *err)
{
	struct each e = {see, ctx, INT64_MIN};
	return dir_each(self(store), (int)kind, see_key, &e, err);
}

/* For the next process's gc_due; a cache that can't be written has grown by nothing. */
static void tell_growth(struct dir_store *s)
{
	uint64_t added = atomic_load(&s->added);
	if (!added)
		return;
	CLEANUP_FD int fd = openat(s->fd, "gc", O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		dprintf(fd, "+%llu\n", (unsigned long long)added);
	else if (errno == ENOENT)
		dir_gc_told(s, added);
}

static void close_dir(struct store *store)
{
	struct dir_store *s = self(store);
	tell_growth(s);
	close(s->fd);
	free(s->path);
	free(s);
}

static const struct store_ops ops = {
	.name = "dir",
	.get = get,
	.put = put,
	.has = dir_blob_has,
	.read = dir_blob_read,
	.read_bytes = dir_blob_read_bytes,
	.write_file = dir_blob_write_file,
	.write_bytes = dir_blob_write_bytes,
	.remove = drop_record,
	.close = close_dir,
	.each_record = each_record,
};

/* NFS and the like work: names appear whole by rename, and what is read is verified. SMB does not: a
 * server may refuse to rename or remove a file that is open or read-only. */
static int check_file_system(struct dir_store *s, struct err *err)
{
	struct statfs fs;
	if (fstatfs(s->fd, &fs))
		return dir_fault(s, "look at", err);
	unsigned type = (unsigned)fs.f_type;
	if (type == MAGIC_SMB || type == MAGIC_CIFS || type == MAGIC_SMB2)
		return err_set(err, ERR_SYSTEM, "unable to use the cache %s: it lies on an SMB share, where files can't be "
			       "replaced safely; let XDG_CACHE_HOME name a folder elsewhere", s->path);
	return 0;
}

static int open_folder(struct dir_store *s, struct err *err)
{
	struct buf v1 = BUF_INIT(BUF_UNLIMITED);
	buf_fmt(&v1, "%s/v1", s->path);
	int rc = 0;
	s->fd = open(v1.s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0 && errno == ENOENT) {
		rc = file_mkdirs(AT_FDCWD, v1.s, 0700, err);
		if (rc)
			err_wrap(err, "unable to make the cache %s (it must be writable, or XDG_CACHE_HOME name another folder)",
				 s->path);
		else
			s->fd = open(v1.s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (!rc && s->fd < 0)
		rc = dir_fault(s, "open", err);
	buf_release(&v1);
	return rc ? rc : check_file_system(s, err);
}

int store_dir_open(struct str path, struct store **out, struct err *err)
{
	struct dir_store *s = xcalloc(1, sizeof(*s));
	s->store.ops = &ops;
	s->path = xcalloc(1, path.n + 1);
	memcpy(s->path, path.s, path.n);
	s->fd = -1;
	uint64_t nonce = 0;
	if (getrandom(&nonce, sizeof(nonce), GRND_NONBLOCK) != sizeof(nonce))
		nonce = (uint64_t)getpid() << 32 ^ (uint64_t)dir_now();
	snprintf(s->nonce, sizeof(s->nonce), "%016llx", (unsigned long long)nonce);
	if (open_folder(s, err)) {
		if (s->fd >= 0)
			close(s->fd);
		free(s->path);
		free(s);
		return -1;
	}
	*out = &s->store;
	return 0;
}
