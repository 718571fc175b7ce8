/* archive.h: tar archives, through libarchive in the module "archive".
 *
 * Written are deterministic ones: entries in the order given, nothing of this machine or of the day in them. The
 * format is ustar; a name or link that ustar can't hold (long, not ASCII) and a file past 8 GiB get a PAX header,
 * in UTF-8 or else as the bytes they are, whatever the locale.
 *
 * Read are ustar, GNU and PAX, plain or compressed by zstd, which is found out by itself. Whatever stands in an archive is an
 * outsider's word: sizes and counts have limits, and no name is handed on that is not a clean relative path.
 *
 * The first call of each process is made on the main thread; after that every handle may live on a thread of its own. */
#pragma once

#include "base/err.h"

enum tar_type { TAR_FILE, TAR_DIR, TAR_LINK, TAR_HARDLINK, TAR_OTHER };

struct tar_entry {
	struct str name;                /* "a/b"; no "/" at either end, no empty, "." or ".." component, no NUL */
	enum tar_type type;
	uint16_t mode;                  /* permission bits, 07777 */
	uint64_t size;                  /* FILE */
	struct str link;                /* LINK: its text, any. HARDLINK (only read): the name of an earlier entry, clean as well */
};

/* --- writing --- */

struct tar_options {
	int64_t mtime;                  /* of every entry, in seconds since 1970 */
	uint32_t uid, gid;              /* of every entry; no names are given */
	int zstd;                       /* level, 1 to 19; 0: not compressed */
};

/* Takes n bytes; 0 or -1, which ends the writing. NULL instead of a sink: ctx points to an int, the fd to write to. */
typedef int tar_sink(void *ctx, const void *bytes, size_t n, struct err *);

struct tar_writer;

int tar_create(const struct tar_options *, tar_sink *, void *ctx, struct tar_writer **out, struct err *);
/* A file's content is what fd yields from where it stands; that it is not e->size bytes, no more and no fewer, is an
 * error. fd is looked at for a TAR_FILE only. An entry that is refused (its name is not clean, its type is not one of
 * the first three) leaves the writer as it was; after any other error only tar_drop is left. */
int tar_add(struct tar_writer *, const struct tar_entry *, int fd, struct err *);
int tar_add_bytes(struct tar_writer *, const struct tar_entry *, const void *bytes, struct err *);
/* Writes the end and frees, also when it fails. */
int tar_finish(struct tar_writer *, struct err *);
void tar_drop(struct tar_writer *);     /* frees, writes nothing more; NULL is fine */
static inline void cleanup_tar(struct tar_writer **w) { tar_drop(*w); }
#define CLEANUP_TAR __attribute__((cleanup(cleanup_tar)))

/* --- reading --- */

struct tar_limits {
	uint64_t entries;
	uint64_t file;                  /* bytes of one */
	uint64_t total;                 /* of all that is unpacked, headers and padding left out */
};

/* Up to max bytes into `into`: how many, 0 at the end, -1. NULL instead: ctx points to an int, the fd to read from. */
typedef ptrdiff_t tar_source(void *ctx, void *into, size_t max, struct err *);

struct tar_data;

struct tar_visitor {
	/* An entry; its texts last until it returns. A file's bytes are there to be taken with tar_read; what is not taken
	 * is passed over. 0: go on. -1: end with this error. Names may repeat and come in any order. */
	int (*entry)(void *ctx, const struct tar_entry *, struct tar_data *, struct err *);
	/* An entry whose name (or hard link) is not clean, or which is larger than a file may be. Passed over when this
	 * returns 0. NULL: such an archive is refused as a whole. raw need not be text; a leading "./" and slashes at
	 * the end have been taken off before. */
	int (*unclean)(void *ctx, struct str raw, const char *why, struct err *);
	void *ctx;
};

/* The whole archive. An entry named "." is passed over. One that ends early, or holds what is no tar, is an error after the
 * entries before it were told; so is one past the limits. */
int tar_walk(tar_source *, void *ctx, const struct tar_limits *, const struct tar_visitor *, struct err *);
/* Of the present entry: bytes read, 0 at the end, -1. */
ptrdiff_t tar_read(struct tar_data *, void *into, size_t max, struct err *);

/* Is it what tar_entry.name promises? */
static inline bool tar_name_clean(struct str name)
{
	struct str rest = name, part;

	if (!name.n || memchr(name.s, '\0', name.n) || name.s[name.n - 1] == '/')
		return false;
	while (str_cut(&rest, '/', &part))
		if (!part.n || str_is(part, ".") || str_is(part, ".."))
			return false;
	return true;
}

/* The module's table; used by archive.c alone. */
struct archive_ops {
	int (*create)(const struct tar_options *, tar_sink *, void *ctx, struct tar_writer **out, struct err *);
	int (*add)(struct tar_writer *, const struct tar_entry *, int fd, const void *bytes, struct err *);
	int (*finish)(struct tar_writer *, struct err *);
	void (*drop)(struct tar_writer *);
	int (*walk)(tar_source *, void *ctx, const struct tar_limits *, const struct tar_visitor *, struct err *);
	ptrdiff_t (*read)(struct tar_data *, void *into, size_t max, struct err *);
};
