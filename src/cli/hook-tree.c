#include "cli/hook-tree.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/map.h"
#include "base/path.h"
#include "cli/keep.h"
#include "cli/runner.h"
#include "cli/since.h"
#include "resolve/gitinfo.h"
#include "sys/file.h"
#include "sys/git.h"
#include "sys/gitrun.h"
#include "sys/module.h"

#define UNTRACKED_MAX (8u << 20)        /* names; where there are more, the work tree is another */

static const char *tree_path(struct checker *c) { return str_fmt(c->arena, STR_FMT "/tree", STR_ARG(c->state)).s; }

static const char *spec_in(struct checker *c, const char *dir)
{
	const struct hook_words *w = &c->words;

	return str_fmt(c->arena, "%s/" STR_FMT "%s" STR_FMT, dir, STR_ARG(w->in), w->in.n ? "/" : "", STR_ARG(w->file)).s;
}

/* --- a run --- */

void tree_check_release(struct tree_check *t)
{
	if (t->opened)
		session_close(&t->s);
	vec_free(&t->files);
	t->opened = false;
}

static void add_files(struct checker *c, struct tree_check *t, const struct watches *from)
{
	struct str tree = str_of(tree_path(c));

	for (size_t i = 0; i < from->n; i++) {
		const struct watch *w = &from->v[i];

		/* what is git's own is of this moment; the tree says it all */
		if (w->path.n && w->path.s[0] == '/' && !path_within(w->path, c->top) && !path_within(w->path, tree) &&
		    str_find(w->path, S("/.git/")) < 0)
			vec_add(&t->files, *w);
	}
}

/* What the pass rests on outside of the tree. */
static void take_facts(struct checker *c, struct tree_check *t)
{
	struct watches tools = {0};
	struct session *s = &t->s;
	struct fact_env *env;

	keep_env(s, &env, &t->facts.nenv);
	t->facts.env = env;
	keep_tools(s, &tools);
	add_files(c, t, &tools);
	add_files(c, t, &s->walk.watches);
	add_files(c, t, &s->facts);
	vec_free(&tools);
	t->facts.files = t->files.v;
	t->facts.nfiles = t->files.n;
	for (size_t i = 0; i < s->compiled.nasked; i++)
		if (s->compiled.asked[i].kind == Q_GIT)
			t->unsure = "what git says of the moment (git.*)";
	if (tools_unsure(s->tools))
		t->unsure = "a tool whose answer can't be watched";
}

static int open_in(struct checker *c, struct tree_check *t, const char *spec, struct err *err)
{
	const struct plan_words words = {.goals = {.v = &c->words.workflow, .n = c->words.workflow.s ? 1 : 0}};
	const struct common common = {.file = str_of(spec)};

	t->opened = true;
	if (session_open(&t->s, &common, &words, err) < 0)
		return -1;
	/* What was kept of an earlier run would spare looking at what the pass is to rest on. */
	snapshot_close(t->s.snapshot);
	t->s.snapshot = NULL;
	t->s.loose = true;
	t->s.preferred = str_of(c->name);
	return 0;
}

static int run_in(struct checker *c, struct tree_check *t, struct str top, struct err *err)
{
	const struct runner_options options = {.color = c->color, .verbosity = PROGRESS_NORMAL};
	int status;

	if (t->base.n)
		since_take(&t->s, str_fmt(c->arena, STR_FMT "/", STR_ARG(top)), t->changed);
	if (chdir(t->s.root.s) < 0)
		return err_errno(err, "unable to enter %s", t->s.root.s);
	status = runner_run(&t->s, &options, err);
	if (status == 0)
		take_facts(c, t);
	if (chdir(c->top.s) < 0)
		return err_errno(err, "unable to go back to %s", c->top.s);
	return status;
}

/* --- in place --- */

/* Is everything here the tree's, or an output that a step may make? Plans when it has to know that. */
static int holds(struct checker *c, struct tree_check *t, bool *same, struct err *err)
{
	CLEANUP_BUF struct buf untracked = BUF_INIT(UNTRACKED_MAX);
	const struct git_ops *git = module_load("git", err);
	struct str rest, path, in = c->words.in;
	struct plan_index *index;

	*same = false;
	if (!git || git->holds(c->top.s, t->tree.s, same, &untracked, err) < 0)
		return -1;
	*same &= !untracked.full;
	if (!*same || !untracked.n)
		return 0;
	if (!t->s.plan && session_plan(&t->s, err) < 0) {
		err_release(err);       /* perhaps because of what is not part of the tree */
		*same = false;
		return 0;
	}
	index = plan_index_new(&t->s.arena, t->s.plan);
	rest = buf_view(&untracked);
	while (*same && str_cut(&rest, '\0', &path)) {
		path.n -= path.n && path.s[path.n - 1] == '/';
		*same = path_within(path, in) && path.n > in.n && plan_index_producer(index, in.n ? str_from(path, in.n + 1) : path) != PLAN_NONE;
	}
	return 0;
}

static bool there(struct session *s, struct str path)
{
	struct ident ident;

	return file_ident(s->rootfd, str_dup(&s->arena, path).s, &ident, NULL) == 1;
}

static bool strange(struct session *s, const struct map *tracked, struct str path)
{
	return path.n && path.s[0] != '/' && !str_ends(path, S("/.")) && !map_has(tracked, path) &&
	       plan_index_producer(s->walk.index, path) == PLAN_NONE && there(s, path);
}

static struct str strange_input(struct session *s, const struct map *tracked, uint32_t step)
{
	const struct plan *plan = s->plan;
	const struct plan_span inputs = plan->steps[step].inputs;
	const struct walk_step *w = &s->walk.steps[step];

	for (uint32_t i = 0; i < inputs.n; i++)
		if (strange(s, tracked, plan_path_str(plan, plan->inputs[inputs.at + i].path)))
			return plan_path_str(plan, plan->inputs[inputs.at + i].path);
	for (size_t i = 0; i < w->nused; i++)
		if (strange(s, tracked, w->used[i]))
			return w->used[i];
	for (uint32_t i = 0; plan->steps[step].flags & STEP_ALL_SOURCES && i < plan->nsources; i++)
		if (strange(s, tracked, plan_path_str(plan, plan->sources[i])))
			return plan_path_str(plan, plan->sources[i]);
	return (struct str){0};
}

/* The first file in the workspace that the run rested on and git does not have; {NULL}: none. */
static int find_strange(struct session *s, struct str *out, struct err *err)
{
	struct map tracked = MAP_INIT;
	struct str *paths;
	size_t n;
	bool found;

	*out = (struct str){0};
	if (git_tracked(&s->arena, s->root, &paths, &n, &found, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		*map_put(&tracked, paths[i], NULL) = s;
	for (size_t i = 0; i < s->facts.n && !out->s; i++)
		if (s->facts.v[i].fact == FACT_SPEC && strange(s, &tracked, s->facts.v[i].path))
			*out = s->facts.v[i].path;
	for (uint32_t i = 0; i < s->plan->nsteps && !out->s; i++)
		if (s->selection.wanted[i])
			*out = strange_input(s, &tracked, i);
	map_release(&tracked);
	return 0;
}

/* 0 it passed, its exit status when it did not, -1. *elsewhere: this work tree can't tell, and said why. */
static int in_place(struct checker *c, const struct check *check, struct tree_check *t, bool *elsewhere, struct err *err)
{
	const char *spec = spec_in(c, c->top.s);
	struct str path = {0};
	bool same;
	int status;

	*elsewhere = true;
	if (access(spec, F_OK) < 0)
		return 0;
	if (open_in(c, t, spec, err) < 0 || holds(c, t, &same, err) < 0)
		return -1;
	if (!same)
		return 0;
	*elsewhere = false;
	status = run_in(c, t, c->top, err);
	if (status < 0 || status > 128)
		return status;
	if (holds(c, t, &same, err) < 0 || (t->s.walk.index && find_strange(&t->s, &path, err) < 0))
		return -1;
	*elsewhere = !same || t->s.moved || path.s;
	if (path.s)
		check_say("%s: " STR_FMT ": the check read " STR_FMT ", which git does not have", c->name, STR_ARG(check->label), STR_ARG(path));
	else if (*elsewhere)
		check_say("%s: " STR_FMT ": files changed while they were checked", c->name, STR_ARG(check->label));
	t->checked = status == 0 && !*elsewhere;
	return status;
}

/* --- in a work tree of its own --- */

static int forget_state(struct checker *c, struct err *err)
{
	const struct common common = {.file = str_of(spec_in(c, tree_path(c)))};
	struct session s = {.rootfd = -1};
	int rc = 0;

	if (access(common.file.s, F_OK) == 0 && session_open(&s, &common, &(struct plan_words){.goals = {0}}, err) == 0)
		rc = file_remove_tree(AT_FDCWD, s.state.s, err);
	session_close(&s);
	return rc;
}

int tree_remove(struct checker *c, struct err *err)
{
	const char *tree = tree_path(c);
	int status;

	if (access(tree, F_OK) < 0)
		return 0;
	if (forget_state(c, err) < 0)
		err_release(err);       /* it costs some room only */
	if (file_remove_tree(AT_FDCWD, tree, err) < 0)
		return -1;
	return git_run(c->top.s, GIT_ENV_CLEAN, (const char *const[]){"worktree", "prune", NULL}, NULL, &status, err);
}

/* What git checks out is a commit: a tree that has none gets one that no ref leads to. */
static int commit_for(struct checker *c, struct tree_check *t, struct str *out, struct err *err)
{
	CLEANUP_BUF struct buf hex = BUF_INIT(256);
	const char *const args[] = {
		"-c", "user.name=cairn", "-c", "user.email=cairn@localhost", "commit-tree", "-m", "what is about to be committed", t->tree.s, NULL,
	};

	*out = t->commit;
	if (out->n)
		return 0;
	if (git_must(c->top.s, GIT_ENV_CLEAN, args, &hex, err) < 0)
		return -1;
	*out = str_dup(c->arena, str_trim(buf_view(&hex)));
	return 0;
}

static int make_tree(struct checker *c, struct tree_check *t, struct err *err)
{
	const char *tree = tree_path(c);
	struct str commit;

	if (tree_remove(c, err) < 0 || commit_for(c, t, &commit, err) < 0 || file_mkparents(AT_FDCWD, tree, err) < 0)
		return -1;
	if (git_must(c->top.s, GIT_ENV_CLEAN, (const char *const[]){"worktree", "add", "--quiet", "--detach", tree, commit.s, NULL}, NULL, err) < 0)
		return -1;
	if (access(str_fmt(c->arena, "%s/.gitmodules", tree).s, F_OK) == 0)
		return err_set(err, ERR_RUNTIME, "unable to check " STR_FMT " apart from the work tree here, which differs from it: it has submodules, and "
			       "checking these out is not built yet. Commit or stash what differs, then it is checked in place", STR_ARG(t->commit));
	return 0;
}

static int apart(struct checker *c, const struct check *check, struct tree_check *t, struct err *err)
{
	const char *spec = spec_in(c, tree_path(c));
	int status;

	tree_check_release(t);
	*t = (struct tree_check){.commit = t->commit, .tree = t->tree, .base = t->base, .changed = t->changed};
	if (make_tree(c, t, err) < 0)
		return -1;
	if (access(spec, F_OK) < 0) {
		check_say("%s: " STR_FMT " has no " STR_FMT "%s" STR_FMT ": nothing is checked", c->name, STR_ARG(check->label), STR_ARG(c->words.in),
			  c->words.in.n ? "/" : "", STR_ARG(c->words.file));
		return tree_remove(c, err);
	}
	check_say("%s: " STR_FMT " is checked apart from the work tree here, which differs", c->name, STR_ARG(check->label));
	status = open_in(c, t, spec, err) < 0 ? -1 : run_in(c, t, str_of(tree_path(c)), err);
	t->checked = status == 0 && !t->s.moved;
	if (status)
		check_say("%s: what was checked is kept until the next check: %s", c->name, tree_path(c));
	return status ? status : tree_remove(c, err);
}

int tree_check(struct checker *c, const struct check *check, struct tree_check *t, struct err *err)
{
	bool elsewhere;
	int status = in_place(c, check, t, &elsewhere, err);

	return elsewhere && status >= 0 ? apart(c, check, t, err) : status;
}
