/* place-restore.c: puts a result's outputs into the workspace. All of it is staged beside its place before
 * anything changes; then what stands there goes aside as before a run, and the staged are renamed in. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/map.h"
#include "base/path.h"
#include "exec/place-parts.h"
#include "sys/pool.h"
#include "sys/sha.h"

/* What is renamed in one: a file, a link, a folder with all it holds. */
struct unit {
	const struct entry *e;
	struct str staged;
	bool placed;
};

struct restore {
	struct place *p;
	struct arena *a;
	const struct plan *plan;
	uint32_t step;
	const struct entries *outputs;
	struct unit *units; size_t nunits;
	struct str *staged;             /* parallel to outputs: where it is made */
	const struct entry **files; size_t nfiles;
	struct err *errs; int *rcs;     /* parallel to files */
};

/* A record may come from elsewhere: it can name only what the step declares, each once and in order. */
static int check_outputs(const struct restore *r, struct err *err)
{
	for (size_t i = 0; i < r->outputs->n; i++) {
		const struct entry *e = &r->outputs->v[i];
		if (e->type == ENTRY_ABSENT || !beneath_sane(e->path) || !plan_step_covers(r->plan, r->step, e->path) ||
		    (i && str_cmp(r->outputs->v[i - 1].path, e->path) >= 0))
			return err_set(err, ERR_SYSTEM, "its record names \"" STR_FMT "\", which is none of its outputs",
				       STR_ARG(e->path));
	}
	return 0;
}

/* 1 all are there, 0, -1. */
static int has_blobs(struct restore *r, struct err *err)
{
	struct digest *d = arena_array(r->a, r->outputs->n, struct digest);
	bool *present = arena_array(r->a, r->outputs->n, bool);
	size_t n = 0;
	for (size_t i = 0; i < r->outputs->n; i++)
		if (r->outputs->v[i].type == ENTRY_FILE)
			d[n++] = r->outputs->v[i].digest;
	if (n && r->p->store->ops->has(r->p->store, d, n, present, err))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!present[i])
			return 0;
	return 1;
}

/* The nearest folder above path that exists: a staged sibling lies there until its parents are made. */
static struct str standing_parent(struct beneath *at, struct str path)
{
	const char *name;
	struct str dir = path_dir(path);
	while (dir.n && beneath_parent(at, path, &name) < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		path = dir;
		dir = path_dir(path);
	}
	return dir;
}

/* Who belongs to a folder that comes whole is made within its staged folder. */
static void plan_units(struct restore *r)
{
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(r->p->rootfd);
	struct map folders = MAP_INIT;          /* path -> where it is made */
	bool whole = !place_takes_away(r->plan, r->step);
	r->units = arena_array(r->a, r->outputs->n, struct unit);
	r->staged = arena_array(r->a, r->outputs->n, struct str);
	r->files = arena_array(r->a, r->outputs->n, const struct entry *);
	for (size_t i = 0; i < r->outputs->n; i++) {
		const struct entry *e = &r->outputs->v[i];
		struct str *in = folders.n ? map_get(&folders, path_dir(e->path)) : NULL;
		if (in) {
			r->staged[i] = str_fmt(r->a, STR_FMT "/" STR_FMT, STR_ARG(*in), STR_ARG(path_name(e->path)));
		} else {
			r->staged[i] = place_sibling(r->p, r->a, standing_parent(&at, e->path));
			r->units[r->nunits++] = (struct unit){.e = e, .staged = r->staged[i]};
			ledger_staging(r->p->ledger, r->staged[i]);
		}
		if (e->type == ENTRY_DIR && whole)
			*map_put(&folders, e->path, NULL) = &r->staged[i];
		if (e->type == ENTRY_FILE)
			r->files[r->nfiles++] = e;
	}
	map_release(&folders);
}

/* --- staging --- */

/* On a pool thread. */
static void stage_file(void *ctx, size_t n)
{
	struct restore *r = ctx;
	const struct entry *e = r->files[n];
	struct err *err = &r->errs[n];
	struct str path = r->staged[e - r->outputs->v];
	CLEANUP_FD int fd = beneath_open(r->p->rootfd, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	r->rcs[n] = -1;
	if (fd < 0) {
		err_errno(err, "unable to write " STR_FMT, STR_ARG(path));
		return;
	}
	r->rcs[n] = r->p->store->ops->read(r->p->store, &e->digest, fd, err);
	if (r->rcs[n] == 1 && fchmod(fd, e->mode & 07777))
		r->rcs[n] = err_errno(err, "unable to set the mode of " STR_FMT, STR_ARG(path));
}

static int stage_others(struct restore *r, struct err *err)
{
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(r->p->rootfd);
	for (size_t i = 0; i < r->outputs->n; i++) {
		const struct entry *e = &r->outputs->v[i];
		const char *name;
		if (e->type == ENTRY_FILE)
			continue;
		int dir = beneath_parent(&at, r->staged[i], &name);
		int rc = dir < 0 ? -1 : e->type == ENTRY_DIR ? mkdirat(dir, name, 0700) :
			symlinkat(str_dup(r->a, e->link).s, dir, name);
		if (rc)
			return err_errno(err, "unable to make " STR_FMT, STR_ARG(r->staged[i]));
	}
	return 0;
}

/* 1 all staged, 0 a blob is missing, -1. */
static int stage(struct restore *r, struct err *err)
{
	int rc = 1;
	if (ledger_flush(r->p->ledger, err) || stage_others(r, err))
		return -1;
	r->errs = arena_array(r->a, r->nfiles, struct err);
	r->rcs = arena_array(r->a, r->nfiles, int);
	if (r->nfiles)
		pool_each(r->nfiles, r->nfiles > 4 ? pool_cpus() : 1, stage_file, r);
	for (size_t n = 0; n < r->nfiles; n++) {
		if (r->rcs[n] < rc) {
			rc = r->rcs[n];
			if (rc < 0 && err)
				err_move(err, &r->errs[n]);
		}
		err_release(&r->errs[n]);
	}
	return rc;
}

/* What could not be removed stays in the journal. */
static void unstage(struct restore *r)
{
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(r->p->rootfd);
	for (size_t i = 0; i < r->nunits; i++) {
		const char *name;
		int dir = beneath_parent(&at, r->units[i].staged, &name);
		if (dir < 0 ? errno == ENOENT : !file_remove_tree(dir, name, NULL))
			ledger_settled(r->p->ledger, r->units[i].staged);
	}
}

/* --- placing --- */

static int rename_in(struct restore *r, struct beneath *from, struct beneath *to, struct unit *u, struct err *err)
{
	const char *name, *staged;
	struct stat st;
	int dir = beneath_parent(to, u->e->path, &name);
	if (dir < 0 && errno == ENOENT)
		dir = beneath_mkdirs(r->p->rootfd, path_dir(u->e->path)) ? -1 : beneath_parent(to, u->e->path, &name);
	int old = dir < 0 ? -1 : beneath_parent(from, u->staged, &staged);
	if (old < 0)
		return err_errno(err, "unable to restore " STR_FMT, STR_ARG(u->e->path));
	if (u->e->type == ENTRY_DIR && !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode))
		return unlinkat(old, staged, AT_REMOVEDIR) ? err_errno(err, "unable to restore " STR_FMT, STR_ARG(u->e->path)) : 0;
	int rc = renameat2(old, staged, dir, name, RENAME_NOREPLACE);
	if (rc && errno == EINVAL)              /* a file system that does not know the flag */
		rc = renameat(old, staged, dir, name);
	if (rc)
		return err_errno(err, "unable to restore " STR_FMT, STR_ARG(u->e->path));
	u->placed = true;
	return 0;
}

static int place_units(struct restore *r, struct err *err)
{
	CLEANUP_BENEATH struct beneath from = BENEATH_INIT(r->p->rootfd), to = BENEATH_INIT(r->p->rootfd);
	for (size_t i = 0; i < r->nunits; i++)
		if (rename_in(r, &from, &to, &r->units[i], err))
			return -1;
	return 0;
}

/* Deepest first: a read-only folder can't be renamed, nor can anything in it. */
static int set_folder_modes(struct restore *r, struct err *err)
{
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(r->p->rootfd);
	for (size_t i = r->outputs->n; i-- > 0;) {
		const struct entry *e = &r->outputs->v[i];
		const char *name;
		if (e->type != ENTRY_DIR)
			continue;
		int dir = beneath_parent(&at, e->path, &name);
		if (dir < 0 || fchmodat(dir, name, e->mode & 07777, 0))
			return err_errno(err, "unable to set the mode of " STR_FMT, STR_ARG(e->path));
	}
	return 0;
}

static void unplace(struct restore *r)
{
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(r->p->rootfd);
	for (size_t i = r->nunits; i-- > 0;) {
		const char *name;
		int dir = r->units[i].placed ? beneath_parent(&at, r->units[i].e->path, &name) : -1;
		if (dir >= 0)
			file_remove_tree(dir, name, NULL);
	}
}

/* One write says that the old may go and the new is there. */
static int settle(struct restore *r, struct err *err)
{
	struct ledger *l = r->p->ledger;
	for (size_t i = 0; i < r->nunits; i++)
		ledger_settled(l, r->units[i].staged);
	return place_note(r->p, r->a, r->plan, r->step, r->outputs, err) || ledger_flush(l, err) ? -1 : 0;
}

static int replace(struct restore *r, struct err *err)
{
	struct aside *aside;
	if (aside_move(r->p, r->a, r->plan, r->step, &aside, err))
		return -1;
	if (place_units(r, err) || set_folder_modes(r, err) || aside_save(r->p, aside, err) || settle(r, err)) {
		unplace(r);
		aside_return(r->p, aside, NULL);
		return -1;
	}
	aside_drop(r->p, aside);
	return 1;
}

int place_restore(struct place *p, struct arena *a, const struct plan *plan, uint32_t step, const struct result *result,
		  struct err *err)
{
	struct restore r = {.p = p, .a = a, .plan = plan, .step = step, .outputs = &result->outputs};
	if (!p->store)
		return 0;
	if (check_outputs(&r, err) || sha256_init(err))
		return -1;
	int rc = has_blobs(&r, err);
	if (rc <= 0)
		return rc;
	plan_units(&r);
	rc = stage(&r, err);
	if (rc == 1)
		rc = replace(&r, err);
	if (rc != 1)
		unstage(&r);
	return rc;
}
