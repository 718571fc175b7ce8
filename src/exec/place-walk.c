/* place-walk.c: finds what stands where a step declares outputs. Folders are opened one below the other
 * and links to folders are not followed, so nothing outside is seen. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/glob.h"
#include "base/path.h"
#include "exec/place-parts.h"

struct walk_output {
	struct place *place;
	struct arena *arena;
	const struct plan *plan;        /* NULL: everything is wanted */
	uint32_t step;
	struct str pattern;             /* {NULL}: everything below */
	bool takes_away;
	struct standings *out;
};

void standings_release(struct standings *s) { vec_free(&s->v); }

bool place_takes_away(const struct plan *plan, uint32_t step)
{
	const struct plan_span *span = &plan->steps[step].outputs;
	for (uint32_t i = 0; i < span->n; i++)
		if (plan->outputs[span->at + i].flags & OUTPUT_NEGATED)
			return true;
	return false;
}

/* inside: a folder on the way matches, and stands for all it holds. */
static bool wanted(const struct walk_output *w, struct str path, bool inside)
{
	if (w->pattern.s && !inside && !glob_match(w->pattern, path))
		return false;
	return !w->takes_away || plan_step_covers(w->plan, w->step, path);
}

static struct standing *add(struct walk_output *w, struct str path, const struct stat *st)
{
	struct standing *s = vec_push(&w->out->v);
	*s = (struct standing){.path = path, .st = *st};
	return s;
}

static int walk_open(struct walk_output *w, int fd, struct str path, bool inside, struct err *err);

static int walk_entry(struct walk_output *w, int fd, const char *name, struct str dir, bool inside, struct err *err)
{
	struct stat st;
	struct str path = dir.n ? str_fmt(w->arena, STR_FMT "/%s", STR_ARG(dir), name) : str_dup(w->arena, str_of(name));
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : err_errno(err, "unable to look at " STR_FMT, STR_ARG(path));
	if (!S_ISDIR(st.st_mode)) {
		if (wanted(w, path, inside))
			add(w, path, &st);
		return 0;
	}
	/* A pattern finds files; a folder that is an output itself is kept with all it holds, the empty ones too. */
	if (!w->pattern.s) {
		if (wanted(w, path, false))
			add(w, path, &st);
	} else {
		inside = inside || glob_match(w->pattern, path);
		if (!strcmp(name, ".git") || (!inside && !glob_may_enter(w->pattern, path)))
			return 0;
	}
	int sub = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return err_errno(err, "unable to open the folder " STR_FMT, STR_ARG(path));
	return walk_open(w, sub, path, inside, err);
}

/* Closes fd. */
static int walk_open(struct walk_output *w, int fd, struct str path, bool inside, struct err *err)
{
	DIR *d = fdopendir(fd);
	if (!d) {
		close(fd);
		return err_errno(err, "unable to list the folder " STR_FMT, STR_ARG(path));
	}
	int rc = 0;
	for (struct dirent *e; !rc && (errno = 0, e = readdir(d));) {
		const char *n = e->d_name;
		if (strcmp(n, ".") && strcmp(n, "..") && strncmp(n, STAGED_PREFIX, strlen(STAGED_PREFIX)))
			rc = walk_entry(w, fd, n, path, inside, err);
	}
	if (!rc && errno)
		rc = err_errno(err, "unable to list the folder " STR_FMT, STR_ARG(path));
	closedir(d);
	return rc;
}

/* A folder by its path; absent is nothing. */
static int walk_from(struct walk_output *w, struct str path, struct err *err)
{
	int fd = beneath_open(w->place->rootfd, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 :
			err_errno(err, "unable to open the folder " STR_FMT "%s", STR_ARG(path),
				  errno == EXDEV ? ", which leads out of the workspace" : "");
	return walk_open(w, fd, path, false, err);
}

static int lacks_parent(struct place *p, struct beneath *at, struct str path, const char **name, unsigned flags)
{
	int dir = beneath_parent(at, path, name);
	if (dir >= 0 || errno != ENOENT || !(flags & WALK_PARENTS))
		return dir;
	return beneath_mkdirs(p->rootfd, path_dir(path)) ? -1 : beneath_parent(at, path, name);
}

static int walk_literal(struct walk_output *w, struct beneath *at, struct str path, unsigned flags, struct err *err)
{
	const char *name;
	struct stat st;
	if (!beneath_sane(path))
		return err_set(err, ERR_SPEC, "unable to have the output \"" STR_FMT "\": it lies outside of the workspace, or is "
			       "the workspace itself", STR_ARG(path));
	int dir = lacks_parent(w->place, at, path, &name, flags);
	if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW)) {
		if (errno == EXDEV)
			return err_set(err, ERR_SYSTEM, "unable to have the output " STR_FMT ": a link on the way leads out of the "
				       "workspace", STR_ARG(path));
		if (errno == ENOTDIR)
			w->out->blocked = true;
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		return err_errno(err, "unable to look at the output " STR_FMT, STR_ARG(path));
	}
	struct standing *s = NULL;
	if (wanted(w, path, false)) {
		s = add(w, str_dup(w->arena, path), &st);
		s->literal = true;
	}
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (s)
		s->whole = !w->takes_away;
	return s && s->whole && flags & WALK_TOPS ? 0 : walk_from(w, path, err);
}

static int missing(const struct plan *plan, uint32_t step, const struct plan_output *o, struct err *err)
{
	return err_set(err, ERR_SYSTEM, "the step " STR_FMT " succeeded, but nothing is at its output \"" STR_FMT "\"",
		       STR_ARG(plan_step_name(plan, step)), STR_ARG(plan_str(plan, o->path)));
}

static int walk_output(struct walk_output *w, struct beneath *at, const struct plan_output *o, unsigned flags,
		       struct err *err)
{
	struct str path = plan_str(w->plan, o->path);
	size_t before = w->out->v.n;
	int rc;
	w->pattern = (struct str){NULL, 0};
	if (o->flags & OUTPUT_GLOB) {
		struct str prefix = glob_prefix(w->arena, path);
		w->pattern = path;
		rc = prefix.n && !beneath_sane(prefix) ?
			err_set(err, ERR_SPEC, "unable to have the outputs \"" STR_FMT "\": they lie outside of the workspace", STR_ARG(path)) :
			walk_from(w, prefix, err);
	} else {
		rc = walk_literal(w, at, path, flags, err);
	}
	if (!rc && flags & WALK_NEEDED && !(o->flags & OUTPUT_OPTIONAL) && w->out->v.n == before)
		return missing(w->plan, w->step, o, err);
	if (!rc && flags & WALK_NEEDED && o->flags & OUTPUT_DIR && w->out->v.n > before && !S_ISDIR(w->out->v.v[before].st.st_mode))
		return err_set(err, ERR_SYSTEM, "the step " STR_FMT " declares the output " STR_FMT "/ as a folder, but made a file",
			       STR_ARG(plan_step_name(w->plan, w->step)), STR_ARG(path));
	return rc;
}

static int cmp_standing(const void *a, const void *b)
{
	const struct standing *x = a, *y = b;
	int c = str_cmp(x->path, y->path);
	return c ? c : (int)y->literal - (int)x->literal;       /* of two findings the one that is a name's own first */
}

static bool inside_whole(const struct standings *s, size_t n, const size_t *wholes, size_t nwholes)
{
	for (size_t i = 0; i < nwholes; i++)
		if (wholes[i] != n && path_within(s->v.v[n].path, s->v.v[wholes[i]].path))
			return true;
	return false;
}

static void tidy(struct standings *s, unsigned flags)
{
	if (s->v.n < 2)
		return;
	qsort(s->v.v, s->v.n, sizeof(*s->v.v), cmp_standing);
	size_t n = 0;
	VEC(size_t) wholes = {0};
	for (size_t i = 0; i < s->v.n; i++) {
		if (n && str_eq(s->v.v[n - 1].path, s->v.v[i].path))
			continue;
		s->v.v[n] = s->v.v[i];
		if (flags & WALK_TOPS && inside_whole(s, n, wholes.v, wholes.n))
			continue;
		if (s->v.v[n].whole)
			vec_add(&wholes, n);
		n++;
	}
	s->v.n = n;
	vec_free(&wholes);
}

int place_standing(struct place *p, struct arena *a, const struct plan *plan, uint32_t step, unsigned flags,
		   struct standings *out, struct err *err)
{
	const struct plan_span *span = &plan->steps[step].outputs;
	struct walk_output w = {.place = p, .arena = a, .plan = plan, .step = step, .out = out,
				.takes_away = place_takes_away(plan, step)};
	CLEANUP_BENEATH struct beneath at = BENEATH_INIT(p->rootfd);
	for (uint32_t i = 0; i < span->n; i++) {
		const struct plan_output *o = &plan->outputs[span->at + i];
		if (!(o->flags & OUTPUT_NEGATED) && walk_output(&w, &at, o, flags, err))
			return -1;
	}
	tidy(out, flags);
	return 0;
}

int place_below(struct place *p, struct arena *a, struct str folder, struct standings *out, struct err *err)
{
	struct walk_output w = {.place = p, .arena = a, .out = out};
	return walk_from(&w, folder, err);
}
