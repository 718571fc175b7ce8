/* place-aside.c: earlier outputs wait beside their places while a step runs, and go when it succeeds. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/map.h"
#include "base/path.h"
#include "exec/place-parts.h"

struct str place_sibling(struct place *p, struct arena *a, struct str dir)
{
	return str_fmt(a, STR_FMT "%s" STAGED_PREFIX "%s~%llu", STR_ARG(dir), dir.n ? "/" : "", p->run,
		       (unsigned long long)p->counter++);
}

/* None of what a whole folder holds may be another step's. */
static int check_below(struct place *p, struct arena *a, const struct plan *plan, uint32_t step, struct str folder,
		       struct err *err)
{
	struct standings found = {0};
	int rc = place_below(p, a, folder, &found, err);
	for (size_t i = 0; !rc && i < found.v.n; i++)
		rc = place_check_owner(p, plan, step, found.v.v[i].path, err);
	standings_release(&found);
	return rc;
}

static int check_owners(struct place *p, struct arena *a, const struct plan *plan, uint32_t step,
			const struct standings *found, struct err *err)
{
	for (size_t i = 0; i < found->v.n; i++) {
		const struct standing *s = &found->v.v[i];
		if (s->whole ? check_below(p, a, plan, step, s->path, err) : place_check_owner(p, plan, step, s->path, err))
			return -1;
	}
	return 0;
}

/* Outputs of the step's last run that it declares no longer, and that are still there; not those that it declares under
 * other options. */
static int add_undeclared(struct place *p, const struct plan *plan, struct aside *s, struct standings *found, struct err *err)
{
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(p->rootfd);
	for (size_t i = 0; i < s->old.n; i++) {
		const struct entry *e = &s->old.v[i];
		const char *name;
		struct stat st;
		if (plan_step_covers(plan, s->step, e->path) || !beneath_sane(e->path) || p->options || (e->mode & LEDGER_OF_OPTIONS))
			continue;
		if (e->type == ENTRY_DIR) {
			s->folders[s->nfolders++] = e->path;
			continue;
		}
		if (!str_eq(ledger_owner(p->ledger, e->path), plan_step_name(plan, s->step)))
			continue;
		int dir = beneath_parent(&at, e->path, &name);
		if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW)) {
			if (errno != ENOENT && errno != ENOTDIR && errno != EXDEV)
				return err_errno(err, "unable to look at the earlier output " STR_FMT, STR_ARG(e->path));
			continue;
		}
		if (!S_ISDIR(st.st_mode))
			vec_add(&found->v, (struct standing){.path = e->path, .st = st});
	}
	return 0;
}

/* Is path to be moved as it is, or with a folder above it? */
static bool moves_already(const struct standings *found, struct str path)
{
	for (size_t i = 0; i < found->v.n; i++) {
		const struct standing *f = &found->v.v[i];
		if (f->whole ? path_within(path, f->path) : str_eq(path, f->path))
			return true;
	}
	return false;
}

/* Where the step's last run left a file that a pattern finds, somebody has put a folder: it makes room as a whole. */
static int add_usurping(struct place *p, const struct plan *plan, struct aside *s, struct standings *found, struct err *err)
{
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(p->rootfd);
	for (size_t i = 0; i < s->old.n; i++) {
		const struct entry *e = &s->old.v[i];
		const char *name;
		struct stat st;
		size_t n = 0;
		if (e->type == ENTRY_DIR || !beneath_sane(e->path) || !plan_step_covers(plan, s->step, e->path))
			continue;
		int dir = beneath_parent(&at, e->path, &name);
		if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW)) {
			if (errno != ENOENT && errno != ENOTDIR && errno != EXDEV)
				return err_errno(err, "unable to look at the earlier output " STR_FMT, STR_ARG(e->path));
			continue;
		}
		if (!S_ISDIR(st.st_mode) || moves_already(found, e->path))
			continue;
		for (size_t k = 0; k < found->v.n; k++)
			if (!path_within(found->v.v[k].path, e->path))
				found->v.v[n++] = found->v.v[k];
		found->v.n = n;
		vec_add(&found->v, (struct standing){.path = e->path, .st = st, .whole = true});
	}
	return 0;
}

/* Folders stay where they are unless they are moved whole: what else they hold is not the step's. */
static void plan_moves(struct place *p, struct arena *a, struct aside *s, const struct standings *found, size_t ndeclared)
{
	s->moves = arena_array(a, found->v.n, struct move);
	for (size_t i = 0; i < found->v.n; i++) {
		const struct standing *f = &found->v.v[i];
		bool folder = S_ISDIR(f->st.st_mode);
		if (folder && !f->whole)
			continue;
		struct move *m = &s->moves[s->n++];
		m->from = f->path;
		m->to = place_sibling(p, a, path_dir(f->path));
		m->folder = folder;
		m->undeclared = i >= ndeclared;
		ledger_moving(p->ledger, m->from, m->to);
	}
}

/* Both names are in one folder. */
static int rename_in(struct beneath *at, struct str from, struct str to, struct err *err)
{
	const char *name;
	int dir = beneath_parent(at, from, &name);
	if (dir < 0 || renameat(dir, name, dir, to.s + (to.n - path_name(to).n)))
		return err_errno(err, "unable to move " STR_FMT " to " STR_FMT, STR_ARG(from), STR_ARG(to));
	return 0;
}

static int do_moves(struct place *p, struct aside *s, struct err *err)
{
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(p->rootfd);
	if (!s->n)
		return 0;
	if (ledger_flush(p->ledger, err))
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		if (rename_in(&at, s->moves[i].from, s->moves[i].to, err)) {
			aside_return(p, s, NULL);
			return -1;
		}
		s->moves[i].done = true;
	}
	return 0;
}

/* All that the step's next run finds in its way, its ledger's last: those are not counted in *ndeclared. STEP_KEEP: what it
 * declares, but nothing of it is in the way. */
static int find_earlier(struct place *p, struct arena *a, struct aside *s, unsigned flags, struct standings *found,
			size_t *ndeclared, struct err *err)
{
	const struct plan *plan = s->plan;
	ledger_outputs(p->ledger, plan_step_name(plan, s->step), &s->old);
	if (place_standing(p, a, plan, s->step, flags, found, err) || (!s->keep && add_usurping(p, plan, s, found, err)) ||
	    check_owners(p, a, plan, s->step, found, err))
		return -1;
	*ndeclared = found->v.n;
	if (s->keep || !s->old.n)
		return 0;
	s->folders = arena_array(a, s->old.n, struct str);
	return add_undeclared(p, plan, s, found, err);
}

static int prepare(struct place *p, struct arena *a, struct aside *s, struct standings *found, struct err *err)
{
	size_t ndeclared;
	if (find_earlier(p, a, s, WALK_TOPS | WALK_PARENTS, found, &ndeclared, err))
		return -1;
	if (s->keep)
		return 0;
	plan_moves(p, a, s, found, ndeclared);
	return do_moves(p, s, err);
}

/* An earlier output that was a file may have stood where a folder of outputs is to be made. */
static int make_parents(struct place *p, struct arena *a, struct aside *s, struct err *err)
{
	struct standings found = {0};
	int rc = place_standing(p, a, s->plan, s->step, WALK_TOPS | WALK_PARENTS, &found, err);
	if (!rc && found.blocked)
		rc = err_set(err, ERR_SYSTEM, "a file stands where a folder of its outputs is to be made");
	standings_release(&found);
	if (rc)
		aside_return(p, s, NULL);
	return rc;
}

static int clear(struct place *p, struct arena *a, const struct plan *plan, uint32_t step, bool keep, struct aside **out,
		 struct err *err)
{
	struct aside *s = arena_new(a, struct aside);
	struct standings found = {0};
	s->plan = plan;
	s->step = step;
	s->keep = keep;
	int rc = prepare(p, a, s, &found, err);
	if (!rc && found.blocked)
		rc = make_parents(p, a, s, err);
	standings_release(&found);
	if (!rc)
		*out = s;
	return rc ? err_wrap(err, "unable to make room for " STR_FMT, STR_ARG(plan_step_name(plan, step))) : 0;
}

int aside_move(struct place *p, struct arena *a, const struct plan *plan, uint32_t step, struct aside **out, struct err *err)
{
	return clear(p, a, plan, step, false, out, err);
}

int place_clear(struct place *p, struct arena *a, const struct plan *plan, uint32_t step, struct aside **out, struct err *err)
{
	return clear(p, a, plan, step, plan->steps[step].flags & STEP_KEEP, out, err);
}

int place_earlier(struct place *p, struct arena *a, const struct plan *plan, uint32_t step, struct map *out, struct err *err)
{
	struct aside s = {.plan = plan, .step = step, .keep = plan->steps[step].flags & STEP_KEEP};
	struct standings found = {0};
	size_t ndeclared;
	int rc = find_earlier(p, a, &s, WALK_TOPS, &found, &ndeclared, err);
	for (size_t i = 0; !rc && !s.keep && i < found.v.n; i++)
		if (!S_ISDIR(found.v.v[i].st.st_mode) || found.v.v[i].whole)
			map_put(out, found.v.v[i].path, NULL);
	standings_release(&found);
	return rc;
}

/* --- it succeeded --- */

static int save_move(struct place *p, struct aside *s, struct beneath *at, struct move *m, struct err *err)
{
	const char *name;
	bool unmodified;
	if (m->folder)
		return place_save_below(p, m->to, m->from, &s->old, err);
	int dir = beneath_parent(at, m->to, &name);
	if (dir < 0)
		return err_errno(err, "unable to look at " STR_FMT, STR_ARG(m->to));
	if (place_save(p, dir, name, m->from, &s->old, &unmodified, err))
		return -1;
	if (!m->undeclared || unmodified)
		return 0;
	/* the user's by now: it stays */
	const char *was = m->from.s + (m->from.n - path_name(m->from).n);
	m->back = !renameat2(dir, name, dir, was, RENAME_NOREPLACE);
	return 0;
}

int aside_save(struct place *p, struct aside *s, struct err *err)
{
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(p->rootfd);
	for (size_t i = 0; i < s->n; i++)
		if (save_move(p, s, &at, &s->moves[i], err))
			return -1;
	for (size_t i = 0; i < s->n; i++) {
		if (s->moves[i].back)
			ledger_settled(p->ledger, s->moves[i].to);
		else
			ledger_staging(p->ledger, s->moves[i].to);
	}
	return 0;
}

/* What can't be removed now is so at the next start. */
void aside_drop(struct place *p, struct aside *s)
{
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(p->rootfd);
	const char *name;
	int dir;
	for (size_t i = 0; i < s->n; i++) {
		struct move *m = &s->moves[i];
		if (m->back || (dir = beneath_parent(&at, m->to, &name)) < 0)
			continue;
		if (m->folder ? !file_remove_tree(dir, name, NULL) : !unlinkat(dir, name, 0))
			ledger_settled(p->ledger, m->to);
	}
	for (size_t i = s->nfolders; i-- > 0;)
		if ((dir = beneath_parent(&at, s->folders[i], &name)) >= 0)
			unlinkat(dir, name, AT_REMOVEDIR);      /* unless something is in it */
	s->n = s->nfolders = 0;
}

int place_commit(struct place *p, struct aside *s, struct err *err)
{
	if (!s->n && !s->nfolders)
		return 0;
	if (aside_save(p, s, err) || ledger_flush(p->ledger, err))
		return -1;
	aside_drop(p, s);
	return 0;
}

/* --- it failed --- */

static int return_move(struct beneath *at, struct move *m, struct err *err)
{
	const char *name;
	struct stat st;
	int dir = beneath_parent(at, m->from, &name);
	if (dir < 0)
		return err_errno(err, "unable to put " STR_FMT " back: it is in " STR_FMT, STR_ARG(m->from), STR_ARG(m->to));
	const char *aside = m->to.s + (m->to.n - path_name(m->to).n);
	bool stands = !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW);
	if (stands && (m->folder || S_ISDIR(st.st_mode)) && file_remove_tree(dir, name, err))
		return -1;
	if (renameat(dir, aside, dir, name))
		return err_errno(err, "unable to put " STR_FMT " back: it is in " STR_FMT, STR_ARG(m->from), STR_ARG(m->to));
	return 0;
}

int aside_return(struct place *p, struct aside *s, struct err *err)
{
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(p->rootfd);
	int rc = 0;
	for (size_t i = s->n; i-- > 0;) {
		struct move *m = &s->moves[i];
		if (m->done && !m->back && return_move(&at, m, rc ? NULL : err))
			rc = -1;                /* the others go on; this one stays journalled */
		else
			ledger_settled(p->ledger, m->to);
	}
	s->n = 0;
	return rc;
}

int place_rollback(struct place *p, struct aside *s, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct standings found = {0};
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(p->rootfd);
	int rc = s->keep ? 0 : place_standing(p, &a, s->plan, s->step, WALK_TOPS, &found, err);
	for (size_t i = found.v.n; !rc && i-- > 0;) {
		const struct standing *f = &found.v.v[i];
		const char *name;
		int dir = beneath_parent(&at, f->path, &name);
		if (dir < 0)
			continue;
		if (!S_ISDIR(f->st.st_mode))
			rc = unlinkat(dir, name, 0) && errno != ENOENT ?
				err_errno(err, "unable to remove the unfinished output " STR_FMT, STR_ARG(f->path)) : 0;
		else if (f->whole)
			rc = file_remove_tree(dir, name, err);
	}
	standings_release(&found);
	arena_release(&a);
	return aside_return(p, s, rc ? NULL : err) || rc ? -1 : 0;
}
