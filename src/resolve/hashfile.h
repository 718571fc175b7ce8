/* hashfile.h: the SHA-256 of a file, together with the identity under which it was read. */
#pragma once

#include "base/digest.h"
#include "sys/file.h"

/* Reads the regular file at path (never through a link; relative to dirfd) to its end. One that changes meanwhile is
 * read again, at most HASHFILE_TRIES times. 1 read, 0 absent or no longer a file, -1. Needs sha256_init; thread-safe. */
#define HASHFILE_TRIES 3
int hashfile(int dirfd, const char *path, struct digest *, struct ident *, uint64_t *bytes, struct err *);
