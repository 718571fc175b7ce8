/* beneath.h: paths below a folder that never leave it: neither by "..", nor absolute, nor through a link
 * that leads out (openat2's RESOLVE_BENEATH; where the kernel has none, through no link at all). Errors
 * are errno; EXDEV says that the path leads out. Paths need no NUL. */
#pragma once

#include <sys/types.h>

#include "base/str.h"

/* What the names of cairn's own staged and moved siblings begin with. */
#define STAGED_PREFIX ".cairn~"

/* Relative, no empty, "." or ".." component, none that is a staged sibling, no NUL. */
bool beneath_sane(struct str path);
bool beneath_is_staged(struct str path);        /* its last component is a staged sibling */

/* fd or -1; links on the way are followed while they stay below, a link at the end is not. "" is the folder. */
int beneath_open(int rootfd, struct str path, int flags, mode_t mode);
int beneath_mkdirs(int rootfd, struct str path);        /* 0 or -1; what exists is fine */

/* The folder that a path's last component lies in, kept open while paths stay in it. */
struct beneath { int rootfd, fd; char dir[4096]; size_t n; };
#define BENEATH_INIT(root) {.rootfd = (root), .fd = -1}
/* Borrowed fd, or -1. *name is NUL-terminated, valid until the next call. */
int beneath_parent(struct beneath *, struct str path, const char **name);
void beneath_close(struct beneath *);
void cleanup_beneath(struct beneath *);
#define CLEANUP_BENEATH __attribute__((cleanup(cleanup_beneath)))
