/* git.h: what cairn asks of git, through libgit2 in the module "git". The ownership rule is git's own
 * (safe.directory); of the user's configuration nothing else has a say in these answers but what
 * decides whether a file is modified (line endings and the like). Main thread only. */
#pragma once

#include "base/err.h"

/* All take the workspace's folder, absolute and real; its repository is searched upwards, not across file systems. */
struct git_ops {
	/* "branch": HEAD's branch, absent when detached. "commit": HEAD's, absent before the first. "short": of it,
	 * 7 digits or as many as it takes. "tag": one that names exactly this commit, annotated ones first, the newest of
	 * them. "dirty": "true" when a tracked file differs from the commit. */
	int (*fact)(const char *root, const char *name, struct buf *out, bool *found, struct err *);
	/* Paths below root in the index, those of submodules too, NUL-terminated, sorted. */
	int (*tracked)(const char *root, struct buf *out, bool *found, struct err *);
	/* Files the facts rest on (but "dirty", which rests on every tracked file), NUL-terminated absolute paths: HEAD, the
	 * branch, packed-refs, the folder of tags, the index and those of submodules. Any may be absent. */
	int (*looked)(const char *root, struct buf *out, struct err *);
};
