#include "resolve/gitinfo.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/path.h"
#include "base/vec.h"
#include "sys/module.h"

#define GIT_OUTPUT_MAX (1u << 30)       /* paths of an index */

static struct str join(struct arena *arena, struct str dir, const char *name)
{
	return str_fmt(arena, STR_FMT "%s%s", STR_ARG(dir), str_is(dir, "/") ? "" : "/", name);
}

/* Is there a .git in dir that git would take for a repository? If not, *missing is what it lacks. */
static bool holds_git(struct arena *arena, struct str dir, struct str *missing)
{
	struct ident ident;

	*missing = join(arena, dir, ".git");
	if (file_ident(AT_FDCWD, missing->s, &ident, NULL) != 1)
		return false;
	if (!S_ISDIR(ident.mode))
		return true;
	*missing = join(arena, dir, ".git/HEAD");
	return file_ident(AT_FDCWD, missing->s, &ident, NULL) == 1;
}

bool git_top(struct arena *arena, struct str root, struct str *top, struct str **missing, size_t *n)
{
	VEC(struct str) v = {0};
	struct str lacks;
	struct stat st;
	dev_t device = 0;

	*top = (struct str){0};
	for (struct str dir = str_dup(arena, root); stat(dir.s, &st) == 0; dir = str_dup(arena, path_dir(dir))) {
		if (dir.n == root.n)
			device = st.st_dev;
		if (st.st_dev != device)
			break;
		if (holds_git(arena, dir, &lacks)) {
			*top = dir;
			break;
		}
		vec_add(&v, lacks);
		if (dir.n <= 1)
			break;
	}
	*n = v.n;
	*missing = arena_array(arena, v.n, struct str);
	if (v.n)
		memcpy(*missing, v.v, v.n * sizeof(*v.v));
	vec_free(&v);
	return top->s;
}

static bool has_git(struct arena *arena, struct str root)
{
	struct str top, *missing;
	size_t n;

	return git_top(arena, root, &top, &missing, &n);
}

int git_answer(struct arena *arena, struct str root, const struct question *q, struct answer *answer, struct err *err)
{
	CLEANUP_BUF struct buf value = BUF_INIT(GIT_OUTPUT_MAX);
	const struct git_ops *git;

	*answer = (struct answer){0};
	if (!has_git(arena, root))
		return 0;
	git = module_load("git", err);
	if (!git || git->fact(str_dup(arena, root).s, str_dup(arena, q->text).s, &value, &answer->found, err) < 0)
		return -1;
	if (!answer->found)
		return 0;
	answer->items = arena_new(arena, struct str);
	answer->items[0] = str_dup(arena, buf_view(&value));
	answer->n = 1;
	return 0;
}

/* NUL-terminated texts behind those in v. */
static void split(struct arena *arena, struct str texts, struct str **v, size_t *n)
{
	size_t before = *n, count = 0;
	struct str all = str_dup(arena, texts), one, *out;

	for (size_t i = 0; i < texts.n; i++)
		count += !texts.s[i];
	out = arena_array(arena, before + count, struct str);
	if (before)
		memcpy(out, *v, before * sizeof(*out));
	while (*n < before + count && str_cut(&all, '\0', &one))
		out[(*n)++] = one;
	*v = out;
}

static int check_full(const struct buf *b, struct err *err)
{
	return b->full ? err_set(err, ERR_SYSTEM, "unable to hold the names of git's index: there are more than %u bytes of them",
				 GIT_OUTPUT_MAX) : 0;
}

int git_tracked(struct arena *arena, struct str root, struct str **paths, size_t *n, bool *found, struct err *err)
{
	CLEANUP_BUF struct buf names = BUF_INIT(GIT_OUTPUT_MAX);
	const struct git_ops *git;

	*found = false;
	*n = 0;
	*paths = NULL;
	if (!has_git(arena, root))
		return 0;
	git = module_load("git", err);
	if (!git || git->tracked(str_dup(arena, root).s, &names, found, err) < 0 || check_full(&names, err) < 0)
		return -1;
	split(arena, buf_view(&names), paths, n);
	return 0;
}

int git_looked(struct arena *arena, struct str root, struct str **paths, size_t *n, struct err *err)
{
	CLEANUP_BUF struct buf names = BUF_INIT(GIT_OUTPUT_MAX);
	const struct git_ops *git;
	struct str top;

	if (!git_top(arena, root, &top, paths, n))
		return 0;
	git = module_load("git", err);
	if (!git || git->looked(str_dup(arena, root).s, &names, err) < 0 || check_full(&names, err) < 0)
		return -1;
	split(arena, buf_view(&names), paths, n);
	return 0;
}
