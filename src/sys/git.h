/* git.h: what cairn asks of git, through libgit2 in the module "git". The ownership rule is git's own
 * (safe.directory); of the user's configuration nothing else has a say in these answers but what
 * decides whether a file is modified (line endings and the like). Main thread only. */
#pragma once

#include "base/err.h"

/* Why what changed can't be told: there is no such revision, no commit yet, none in common, an object is missing, or the index
 * is told not to look at some files. */
enum git_gap { GIT_GAP_REV, GIT_GAP_HEAD, GIT_GAP_COMMON, GIT_GAP_OBJECTS, GIT_GAP_INDEX };

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

	/* What rev (an object's id, or anything git calls a revision) leads to, tags followed, as hex: a commit and its tree,
	 * or a tree and no commit (""). 1, 0 there is no such thing in this clone, or it leads to neither, -1. */
	int (*tree_of)(const char *root, const char *rev, struct buf *commit, struct buf *tree, struct err *);
	/* Are the index and the tracked files of the work tree just that tree? Files that the index is told not to look at
	 * (assume-unchanged, skip-worktree) are in doubt, so the answer is no. Paths beside it that are neither tracked nor ignored go
	 * into untracked, from the top of the repository, NUL-terminated; a repository of its own ends with a slash, empty folders are
	 * not seen. */
	int (*holds)(const char *root, const char *tree, bool *same, struct buf *untracked, struct err *);
	/* Paths in which two trees differ, from the top of the repository, NUL-terminated. 1, 0 an object that it takes is not
	 * in this clone (shallow or partial), -1. */
	int (*tree_diff)(const char *root, const char *from, const char *to, struct buf *out, struct err *);
	/* Paths that changed since the last commit that rev and HEAD have in common, uncommitted and untracked files included (ignored ones
	 * are not), from the top of the repository, NUL-terminated; a submodule's is its folder. top: of the work tree, with a final
	 * slash. 1, 0 it can't be told because of *gap, -1. */
	int (*changed)(const char *root, const char *rev, struct buf *top, struct buf *out, enum git_gap *, struct err *);
	/* The best common ancestor of a commit and all refs that match a pattern such as "refs/heads/v?". 1, 0 none known, -1. */
	int (*common)(const char *root, const char *commit, const char *refs, struct buf *base, struct err *);
};
