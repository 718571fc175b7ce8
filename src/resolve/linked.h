/* linked.h: a digest of what a link leads to. A file: its content. A folder: SHA-256 over its entries in
 * byte order of their names, each as type (f, x, d, l, o), name, and content, digest of the folder, or link text and digest
 * of what it leads to. A link in it that leads back to a folder it lies in counts by its text. .git and
 * .cairn~* are left out. */
#pragma once

#include "base/vec.h"
#include "resolve/content.h"

#define LINKED_MAX 1000000              /* entries behind one link */

struct linked {
	/* set by the caller */
	struct content *content;
	struct arena *arena;
	struct str root;
	/* found */
	VEC(struct content_behind) behind;      /* the caller frees */
	bool racy;
	/* on the way */
	VEC(struct ident) inside;       /* folders being read */
	size_t seen;
};

/* path is absolute. 1, 0 it leads nowhere, -1. */
int linked_digest(struct linked *, struct str path, struct digest *, struct err *);
void linked_release(struct linked *);
