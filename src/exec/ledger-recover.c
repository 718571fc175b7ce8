/* ledger-recover.c: undoes, in reverse order, what a killed run was in the middle of. Only staged names
 * are removed or renamed, and only by a rename over the name they had. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <fcntl.h>

#include "base/path.h"
#include "exec/beneath.h"
#include "exec/ledger-table.h"
#include "sys/file.h"

/* 1 removed, 0 there was none, -1. */
static int remove_staged(struct beneath *at, struct str path, struct err *err)
{
	const char *name;
	struct stat st;
	int dir = beneath_parent(at, path, &name);
	if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT || errno == ENOTDIR || errno == EXDEV ? 0 :
			err_errno(err, "unable to look for " STR_FMT ", left by a run that was killed", STR_ARG(path));
	return file_remove_tree(dir, name, err) ? -1 : 1;
}

/* What stands at `from` was made by the step that was killed. */
static int move_back(struct beneath *at, struct str from, struct str to, struct err *err)
{
	const char *name;
	struct stat old, now;
	CLEANUP_BENEATH struct beneath target = BENEATH_INIT(at->rootfd);
	const char *from_name;
	int dir = beneath_parent(at, to, &name);
	if (dir < 0 || fstatat(dir, name, &old, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT || errno == ENOTDIR || errno == EXDEV ? 0 :
			err_errno(err, "unable to look for " STR_FMT ", left by a run that was killed", STR_ARG(to));
	if (beneath_mkdirs(at->rootfd, path_dir(from)) || (dir = beneath_parent(&target, from, &from_name)) < 0)
		return err_errno(err, "unable to put " STR_FMT " back from " STR_FMT " after a run that was killed",
				 STR_ARG(from), STR_ARG(to));
	bool stands = !fstatat(dir, from_name, &now, AT_SYMLINK_NOFOLLOW);
	if (stands && (S_ISDIR(old.st_mode) || S_ISDIR(now.st_mode)) && file_remove_tree(dir, from_name, err))
		return -1;
	if (renameat(at->fd, name, dir, from_name))
		return err_errno(err, "unable to put " STR_FMT " back from " STR_FMT " after a run that was killed",
				 STR_ARG(from), STR_ARG(to));
	return 1;
}

int ledger_recover(struct ledger *l, int rootfd, size_t *n, struct err *err)
{
	*n = 0;
	if (!l->npending)
		return 0;
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(rootfd);
	for (size_t i = l->pending.n; l->npending && i-- > 0;) {
		struct ledger_pending p = l->pending.v[i];
		if (p.done)
			continue;
		int rc = 0;
		if (beneath_is_staged(p.to) && (!p.from.s || beneath_sane(p.from)))
			rc = p.from.s ? move_back(&at, p.from, p.to, err) : remove_staged(&at, p.to, err);
		if (rc < 0)
			return -1;
		*n += (size_t)rc;
		ledger_settled(l, p.to);
	}
	return ledger_flush(l, err);
}
