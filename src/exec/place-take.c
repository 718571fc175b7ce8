/* place-take.c: what a step wrote into a private copy of the workspace is moved to where it belongs: renamed if the copy is on
 * the same file system, else copied beside its place and renamed there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/path.h"
#include "exec/place-parts.h"
#include "sys/treecopy.h"

struct take {
	struct place *p, *from;
	struct arena *arena;
	struct beneath source, target;
};

/* The folder fd is open for its path only. */
static int make_writable(int dir, const char *name)
{
	return fchmodat(dir, name, 0700, 0);
}

static int rename_new(int from, const char *name, int to, const char *to_name)
{
	int rc = renameat2(from, name, to, to_name, RENAME_NOREPLACE);
	if (rc && errno == EINVAL)              /* a file system that does not know the flag */
		rc = renameat(from, name, to, to_name);
	return rc;
}

/* A folder is renamed by who may write it and what it lies in. */
static int rename_out(int from, const char *name, int to, const char *to_name, const struct stat *st)
{
	bool locked = S_ISDIR(st->st_mode) && (st->st_mode & 0300) != 0300;
	if (locked && make_writable(from, name))
		return -1;
	int rc = rename_new(from, name, to, to_name);
	if (rc && errno == EACCES && !make_writable(from, "."))
		rc = rename_new(from, name, to, to_name);
	if (!locked)
		return rc;
	int reason = errno;
	fchmodat(rc ? from : to, rc ? name : to_name, st->st_mode & 07777, 0);
	errno = reason;
	return rc;
}

static int copy_beside(struct take *t, int from, const char *name, int to, struct str path, const char *to_name, struct err *err)
{
	struct str sibling = place_sibling(t->p, t->arena, path_dir(path));
	const char *beside = path_name(sibling).s;
	ledger_staging(t->p->ledger, sibling);
	int rc = ledger_flush(t->p->ledger, err);
	if (!rc)
		rc = tree_copy_one(from, name, to, beside, err);
	if (!rc && rename_new(to, beside, to, to_name))
		rc = err_errno(err, "unable to move %s to its place", beside);
	if (!rc || !file_remove_tree(to, beside, NULL))
		ledger_settled(t->p->ledger, sibling);
	return rc;
}

static int take_one(struct take *t, const struct standing *s, struct err *err)
{
	const char *name, *to_name;
	if (S_ISDIR(s->st.st_mode) && !s->whole)
		return beneath_mkdirs(t->p->rootfd, s->path) ? err_errno(err, "unable to make the folder " STR_FMT, STR_ARG(s->path)) : 0;
	int from = beneath_parent(&t->source, s->path, &name);
	int to = from < 0 || beneath_mkdirs(t->p->rootfd, path_dir(s->path)) ? -1 : beneath_parent(&t->target, s->path, &to_name);
	if (to < 0)
		return err_errno(err, "unable to bring the output " STR_FMT " into the workspace", STR_ARG(s->path));
	if (!rename_out(from, name, to, to_name, &s->st))
		return 0;
	if (errno != EXDEV)
		return err_errno(err, "unable to bring the output " STR_FMT " into the workspace", STR_ARG(s->path));
	return copy_beside(t, from, name, to, s->path, to_name, err) ?
		err_wrap(err, "unable to bring the output " STR_FMT " into the workspace", STR_ARG(s->path)) : 0;
}

/* Folders that were made one by one, the deepest first. */
static int set_modes(struct take *t, const struct standings *found, struct err *err)
{
	for (size_t i = found->v.n; i-- > 0;) {
		const struct standing *s = &found->v.v[i];
		const char *name;
		if (!S_ISDIR(s->st.st_mode) || s->whole)
			continue;
		int dir = beneath_parent(&t->target, s->path, &name);
		if (dir < 0 || fchmodat(dir, name, s->st.st_mode & 07777, 0))
			return err_errno(err, "unable to set the mode of " STR_FMT, STR_ARG(s->path));
	}
	return 0;
}

int place_take(struct place *p, struct place *from, struct arena *a, const struct plan *plan, uint32_t step, struct aside **aside,
	       struct err *err)
{
	struct take t = {p, from, a, BENEATH_INIT(from->rootfd), BENEATH_INIT(p->rootfd)};
	struct standings found = {0};
	int rc = place_standing(from, a, plan, step, WALK_TOPS | WALK_NEEDED, &found, err) || aside_move(p, a, plan, step, aside, err) ? -1 : 0;
	for (size_t i = 0; !rc && i < found.v.n; i++)
		rc = take_one(&t, &found.v.v[i], err);
	if (!rc)
		rc = set_modes(&t, &found, err);
	beneath_close(&t.source);
	beneath_close(&t.target);
	standings_release(&found);
	return rc;
}
