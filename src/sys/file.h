/* file.h: files by path or relative to an open folder: whole reads with a limit, writes beside and
 * renamed, stat identities. Paths are NUL-terminated. */
#pragma once

#include <sys/stat.h>

#include "base/err.h"

/* What says that a file is still the one that was read. Times in ns. */
struct ident {
	uint64_t size, ino, dev;
	int64_t mtime, ctime;
	uint32_t mode;                  /* 0: absent */
	uint32_t pad;
};

static inline bool ident_eq(const struct ident *a, const struct ident *b)
{
	return a->size == b->size && a->ino == b->ino && a->dev == b->dev && a->mtime == b->mtime &&
	       a->ctime == b->ctime && a->mode == b->mode;
}
void ident_of(const struct stat *, struct ident *);
/* lstat relative to dirfd. 1, 0 absent (also ENOTDIR; *out zeroed), -1. */
int file_ident(int dirfd, const char *path, struct ident *out, struct err *);

/* 1 read, 0 absent, -1 failed (too long: says the limit). The text ends with a NUL and lives in the arena. */
int file_read(struct arena *, int dirfd, const char *path, size_t limit, struct str *out, struct err *);
/* Writes beside and renames; parents are made. mode as in open(2). */
int file_write(int dirfd, const char *path, struct str bytes, unsigned mode, struct err *);
int file_mkdirs(int dirfd, const char *path, unsigned mode, struct err *);
int file_mkparents(int dirfd, const char *path, struct err *);
/* Removes a tree; absent is fine; never follows a link. */
int file_remove_tree(int dirfd, const char *path, struct err *);
int file_write_all(int fd, const void *, size_t n);     /* 0 or -1 with errno */
/* Copies all of `from` to `to`: reflink where the file system has it, else copy_file_range or read/write. */
int file_copy_fd(int from, int to, struct err *);
/* The file system's own "now" in ns: the ctime of an O_TMPFILE made in folder dirfd, which leaves the folder's own
 * times alone (they are facts); where the file system has none, of a scratch file that is removed. Main thread only. */
int file_fs_now(int dirfd, int64_t *ns, struct err *);
