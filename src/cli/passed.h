/* passed.h: which trees have passed which check on this machine. A note is believed only by the cairn that wrote it and only while
 * what the steps rested on outside of the tree is as it was: variables of the environment, PATH, tools and other host files, each by
 * its identity. Notes are files of a folder, named by what passed; a damaged one is none. */
#pragma once

#include "resolve/compile.h"

/* What passed: the bytes of all that says which check it was (tree, goals, spec, what it was limited to). */
struct xxh passed_name(const struct str *parts, size_t n);

struct passed_facts {
	const struct fact_env *env; size_t nenv;
	const struct watch *files; size_t nfiles;       /* only those with an absolute path count; the others are the tree's */
};
/* Found, and all that it rests on is as it was? *when: wall clock, ns. */
bool passed_find(struct arena *, const char *dir, struct xxh name, int64_t *when);
int passed_keep(const char *dir, struct xxh name, const struct passed_facts *, struct err *);
/* Removes all but the newest. */
void passed_trim(const char *dir);
