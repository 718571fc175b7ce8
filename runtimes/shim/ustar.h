/* ustar.h: tar archives as bytes (POSIX ustar with pax records for what does not fit): heads of entries written, archives
 * read as they come. Files, folders and symbolic links, which is all a workspace has; anything else is refused by name.
 * Part of the shim and of cairn: allocates nothing, takes nothing on trust.
 *
 * Written archives are deterministic: no owner, no name of one; who writes chooses the order and the times. */
#pragma once

#include "runtimes/shim/wire.h"

enum {
	USTAR_BLOCK = 512,
	USTAR_PATH_MAX = 4096,            /* with its NUL; also a link's target */
	USTAR_HEAD_MAX = 10240,           /* an entry's head with its pax records */
};

enum {                                  /* where the fields of a head are */
	AT_NAME = 0, AT_MODE = 100, AT_UID = 108, AT_GID = 116, AT_SIZE = 124, AT_MTIME = 136, AT_SUM = 148, AT_TYPE = 156,
	AT_LINK = 157, AT_MAGIC = 257, AT_PREFIX = 345, USTAR_NAME_SIZE = 100, USTAR_PREFIX_SIZE = 155,
};

enum ustar_type { USTAR_FILE = '0', USTAR_LINK = '2', USTAR_FOLDER = '5' };

struct ustar_entry {
	enum ustar_type type;
	uint32_t mode;                  /* 07777 */
	uint64_t size;                  /* of a file */
	uint64_t mtime;                 /* seconds; 0: none in particular */
	const char *path, *link;
};

/* Bytes of the head, a multiple of USTAR_BLOCK; 0 when path or link is too long. */
size_t ustar_head(const struct ustar_entry *, uint8_t out[USTAR_HEAD_MAX]);
static inline size_t ustar_padding(uint64_t size) { return (size_t)(-size & (USTAR_BLOCK - 1)); }
/* An archive ends with two blocks of zeros. */

/* Relative, no empty, "." or ".." component; not the whole: "." is not sane. */
bool ustar_path_sane(const char *path);

struct untar {
	/* set by the owner; -1 stops, and the owner knows why */
	int (*entry)(void *ctx, const struct ustar_entry *);      /* strings are valid within the call */
	int (*data)(void *ctx, struct bytes);                   /* of the file just begun */
	int (*end)(void *ctx);                                  /* of that file, also an empty one */
	void *ctx;
	/* its own, zeroed */
	const char *wrong;              /* what is wrong with the archive, when it is not the owner who stopped */
	enum { UNTAR_HEAD, UNTAR_PAX, UNTAR_DATA, UNTAR_PADDING, UNTAR_ENDED } state;
	uint64_t left;                  /* of the pax records or the file */
	size_t padding;
	uint64_t size;                  /* from a pax record */
	bool has_path, has_link, has_size;
	char path[USTAR_PATH_MAX], link[USTAR_PATH_MAX];
	size_t n;
	uint8_t block[USTAR_BLOCK];
	uint8_t pax[USTAR_HEAD_MAX];
};

int untar_feed(struct untar *, struct bytes);   /* 0 or -1 */
bool untar_whole(const struct untar *);         /* the archive's end was seen */
