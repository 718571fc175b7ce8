/* treecopy.h: a folder copied with all it holds: files (as reflinks where the file system has them), folders, links as they
 * are written, named pipes; with their modes and times, and their owners as far as this user may give files away. Hard links
 * become files of their own; sockets and devices are left out, as are extended attributes. What vanishes meanwhile is not
 * there. May run on any thread. */
#pragma once

#include <stdatomic.h>
#include <sys/stat.h>

#include "base/err.h"

struct tree_copy {
	/* set by the caller */
	bool (*leave_out)(void *ctx, struct str path, const struct stat *);     /* NULL: nothing is; a folder with all it holds */
	void *ctx;
	const atomic_bool *stop;        /* NULL: none */
	/* filled */
	size_t nunread;                 /* files and folders that this user may not read: they are left out */
	char *unread;                   /* one of them; heap */
};

/* All that the folder `from` holds into the folder `to`, which is empty. 0; -1 also when it was stopped. */
int tree_copy(int from, int to, struct tree_copy *, struct err *);
/* What stands at `name` in folder `from`, if anything, as `to_name` in `to`, where nothing stands. */
int tree_copy_one(int from, const char *name, int to, const char *to_name, struct err *);
