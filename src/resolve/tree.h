/* tree.h: the files of a workspace: one walk answers all glob questions, after the rules of
 * plans-and-keys 3:
 *  - `*` and `**` match dot files; `**` follows no link to a folder, a literal component or `*` does.
 *  - `.git` (folder or file) is seen only by a pattern whose literal prefix names it; cairn's own
 *    staged siblings (.cairn~*) are seen by nobody.
 *  - An ignored folder is entered only by a pattern whose literal prefix names it or something below;
 *    also where git tracks files in it. Ignored files elsewhere are seen like others.
 *  - Ignored is what .gitignore files say, with or without git: those of the workspace and, in a git
 *    work tree, of the folders above up to its top, unless they ignore the workspace itself: then
 *    it is no part of that tree. Neither .git/info/exclude nor a global file counts: both are no
 *    part of the tree, and a key must not depend on them.
 *  - Sources (Q_SOURCES) are the files and links that are not ignored, and those that are but that git
 *    tracks (as a forced `git add` does). Nested repositories, submodules and work trees are folders like
 *    others: the rules of those around them hold as well as their own.
 *  - Sockets, devices and pipes are not files. A folder that can't be read is a problem of every
 *    question it concerns. */
#pragma once

#include "plan/facts.h"
#include "sys/file.h"

/* What was looked at, with its identity, taken before it was read: what makes an answer stale. Trust an
 * identity only if it is older than the file system's clock before tree_answer was called. */
struct tree_dir {
	struct str path;                /* workspace-relative ("" is the workspace) or absolute */
	struct ident ident;             /* absent: mode 0. A folder reached through a link: the folder's */
	bool type;                      /* only its type counts: a path of Q_PATH, a place where a .git may appear */
};

struct tree;
struct tree *tree_open(struct arena *, int rootfd, struct str root);
void tree_close(struct tree *);
/* Answers Q_GLOB, Q_PATH, Q_SOURCES for all n questions in one walk; leaves answers of other kinds alone. found is false
 * for a glob without a match. Items of Q_PATH behind the first are whole paths. */
int tree_answer(struct tree *, const struct question *, size_t n, struct answer *, struct err *);
/* All folders, ignore files and single paths looked at so far, once each. */
const struct tree_dir *tree_looked(const struct tree *, size_t *n);
