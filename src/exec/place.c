/* place.c: what is noted of outputs, and outputs of steps that are no more. */
#include "exec/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "exec/place-parts.h"

static bool of_other_options(const struct place *p, const struct entry *e)
{
	return p->options || (e->mode & LEDGER_OF_OPTIONS);
}

int place_note(struct place *p, struct arena *a, const struct plan *plan, uint32_t step, const struct entries *outputs, struct err *err)
{
	struct str name = plan_step_name(plan, step);
	struct entries old = {0}, all;

	ledger_outputs(p->ledger, name, &old);
	all = (struct entries){arena_array(a, outputs->n + old.n, struct entry), outputs->n};
	for (size_t i = 0; i < outputs->n; i++) {
		all.v[i] = outputs->v[i];
		all.v[i].mode |= p->options ? LEDGER_OF_OPTIONS : 0;
	}
	for (size_t i = 0; i < old.n; i++) {
		const struct entry *e = &old.v[i];

		if (of_other_options(p, e) && !plan_step_covers(plan, step, e->path) &&
		    (e->type == ENTRY_DIR || str_eq(ledger_owner(p->ledger, e->path), name)))
			all.v[all.n++] = *e;
	}
	if (all.n > outputs->n)
		qsort(all.v, all.n, sizeof(*all.v), entry_cmp);
	return ledger_set(p->ledger, name, &all, err);
}

bool place_noted(const struct place *p, const struct plan *plan, uint32_t step)
{
	struct entries known;

	if (!ledger_outputs(p->ledger, plan_step_name(plan, step), &known))
		return false;
	for (size_t i = 0; i < known.n && !p->options; i++)
		if ((known.v[i].mode & LEDGER_OF_OPTIONS) && plan_step_covers(plan, step, known.v[i].path))
			return false;
	return true;
}

/* Read-only folders that are outputs themselves are made writable for it. */
static int unlink_output(int dir, const char *name, const struct entries *old, struct str path, int flags)
{
	const struct entry *parent;
	if (!unlinkat(dir, name, flags))
		return 0;
	if (errno != EACCES || !(parent = place_find(old, path_dir(path))) || parent->type != ENTRY_DIR ||
	    fchmodat(dir, ".", 0700, 0))
		return -1;
	return unlinkat(dir, name, flags);
}

/* 1 removed, 0 there was none, 2 it is modified and stays, -1. */
static int remove_entry(struct beneath *at, const struct entries *old, const struct entry *e, struct err *err)
{
	const char *name;
	struct stat st;
	if (!beneath_sane(e->path))
		return 0;
	int dir = beneath_parent(at, e->path, &name);
	if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT || errno == ENOTDIR || errno == EXDEV ? 0 :
			err_errno(err, "unable to look at " STR_FMT, STR_ARG(e->path));
	if (e->type == ENTRY_DIR) {
		if (S_ISDIR(st.st_mode))
			unlink_output(dir, name, old, e->path, AT_REMOVEDIR);   /* when it is empty by now */
		return 0;
	}
	int same = place_unmodified(dir, name, &st, e, err);
	if (same < 0)
		return -1;
	if (!same)
		return 2;
	return unlink_output(dir, name, old, e->path, 0) ? err_errno(err, "unable to remove " STR_FMT, STR_ARG(e->path)) : 1;
}

int place_remove(struct place *p, struct str step, size_t *n, size_t *kept, struct err *err)
{
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(p->rootfd);
	struct entries old;
	*n = *kept = 0;
	if (!ledger_outputs(p->ledger, step, &old))
		return 0;
	for (size_t i = old.n; i-- > 0;) {
		const struct entry *e = &old.v[i];
		if (e->type != ENTRY_DIR && !str_eq(ledger_owner(p->ledger, e->path), step))
			continue;               /* another step's by now */
		int rc = remove_entry(&at, &old, e, err);
		if (rc < 0)
			return -1;
		*n += rc == 1;
		*kept += rc == 2;
	}
	return ledger_forget(p->ledger, step, err);
}
