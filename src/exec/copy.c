#include "exec/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "exec/place-parts.h"

/* Does the step name something of a repository as an input? */
static bool names_git(const struct plan *plan, const struct plan_step *s)
{
	for (uint32_t i = 0; i < s->inputs.n; i++) {
		struct str path = plan_path_str(plan, plan->inputs[s->inputs.at + i].path), part;

		while (str_cut(&path, '/', &part))
			if (str_is(part, ".git"))
				return true;
	}
	return false;
}

/* The folder as others see it: a step that asks where it is must get the same text. */
static int locate(struct copy *c, const struct run *run, struct str name, struct err *err)
{
	const char *folder = str_fmt(c->arena, "%s/" COPIES, run->state_dir).s;
	struct xxh sum = xxh_bytes(name.s, name.n);
	char real[PATH_MAX];
	struct stat st;

	if (stat(run->state_dir, &st) < 0)
		return err_errno(err, "unable to look at %s", run->state_dir);
	c->state_dev = st.st_dev;
	c->state_ino = st.st_ino;
	if (file_mkdirs(AT_FDCWD, folder, 0700, err) < 0)
		return -1;
	if (!realpath(folder, real))
		return err_errno(err, "unable to look at %s", folder);
	c->at.root = str_fmt(c->arena, "%s/%016llx", real, (unsigned long long)sum.lo).s;
	return 0;
}

struct copy *copy_new(struct arena *a, const struct run *run, uint32_t step, struct err *err)
{
	struct copy *c = arena_new(a, struct copy);

	c->arena = a;
	c->from = run->place->rootfd;
	c->at = (struct place){.rootfd = -1, .ledger = run->place->ledger};
	c->with_git = names_git(run->plan, &run->plan->steps[step]);
	if (locate(c, run, plan_step_name(run->plan, step), err) == 0 &&
	    place_earlier(run->place, a, run->plan, step, &c->left_out, err) == 0)
		return c;
	map_release(&c->left_out);
	return NULL;
}

static bool leave_out(void *ctx, struct str path, const struct stat *st)
{
	const struct copy *c = ctx;
	struct str name = path_name(path);

	return (str_is(name, ".git") && !c->with_git) || beneath_is_staged(path) || map_has(&c->left_out, path) ||
	       (st->st_ino == c->state_ino && st->st_dev == c->state_dev && S_ISDIR(st->st_mode));
}

static int make(struct copy *c, struct err *err)
{
	struct tree_copy t = {.leave_out = leave_out, .ctx = c, .stop = &c->stop};
	int rc;

	if (file_remove_tree(AT_FDCWD, c->at.root, err) < 0)
		return -1;
	if (mkdir(c->at.root, 0700) < 0)
		return err_errno(err, "unable to make %s", c->at.root);
	c->at.rootfd = open(c->at.root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->at.rootfd < 0)
		return err_errno(err, "unable to open %s", c->at.root);
	rc = tree_copy(c->from, c->at.rootfd, &t, err);
	c->nunread = t.nunread;
	c->unread = t.unread ? str_dup(c->arena, str_of(t.unread)).s : NULL;
	free(t.unread);
	return rc;
}

void copy_make(struct copy *c)
{
	if (make(c, &c->err) < 0)
		err_wrap(&c->err, "unable to make a private copy of the workspace");
	map_release(&c->left_out);
}

void copy_drop(struct copy *c)
{
	map_release(&c->left_out);
	cleanup_fd(&c->at.rootfd);
	c->at.rootfd = -1;
	if (file_remove_tree(AT_FDCWD, c->at.root, &c->err) < 0)
		err_wrap(&c->err, "the step's private copy of the workspace is left until the next run");
}

int copy_result(struct copy *c, struct err *err)
{
	if (!err_any(&c->err))
		return 0;
	if (err)
		err_move(err, &c->err);
	err_release(&c->err);
	return -1;
}

int copy_prepare(struct copy *c, const struct plan *plan, uint32_t step, struct err *err)
{
	struct standings found = {0};
	int rc = place_standing(&c->at, c->arena, plan, step, WALK_TOPS | WALK_PARENTS, &found, err);

	if (!rc && found.blocked)
		rc = err_set(err, ERR_SYSTEM, "a file stands where a folder of its outputs is to be made");
	standings_release(&found);
	return rc;
}

struct str copy_origin(const struct copy *c, struct arena *a, struct str workdir, struct str name, struct str root)
{
	struct str copy = str_of(c->at.root), full = name, path;

	if (!name.n || name.s[0] != '/')
		full = str_fmt(a, STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(copy), STR_ARG(workdir), STR_ARG(name));
	path_join(a, S(""), full, &path);
	if (!path_within(path, copy))
		return path;
	return str_fmt(a, STR_FMT STR_FMT, STR_ARG(root), STR_ARG(str_from(path, copy.n)));
}
