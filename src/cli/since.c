#include "cli/since.h"

#include <stdlib.h>

#include "base/path.h"
#include "base/vec.h"
#include "cli/survey.h"
#include "resolve/affected.h"
#include "sys/git.h"
#include "sys/gitrun.h"
#include "sys/module.h"

#define CHANGED_MAX (1u << 30)          /* bytes of names */

/* --- what changed --- */

static bool is_zero(const char *oid) { return strspn(oid, "0") == strlen(oid); }

int since_default(struct session *s, struct str *rev, struct err *err)
{
	const char *base = getenv("GITHUB_BASE_REF"), *merge = getenv("CI_MERGE_REQUEST_DIFF_BASE_SHA"), *before = getenv("CI_COMMIT_BEFORE_SHA");
	const char *ci = getenv("CI"), *github = getenv("GITHUB_ACTIONS"), *gitlab = getenv("GITLAB_CI");

	if (base && *base)
		*rev = str_fmt(&s->arena, "origin/%s", base);
	else if (merge && *merge)
		*rev = str_dup(&s->arena, str_of(merge));
	else if (before && *before && !is_zero(before))
		*rev = str_dup(&s->arena, str_of(before));
	else if ((ci && *ci) || (github && *github) || (gitlab && *gitlab))
		return err_set(err, ERR_USAGE, "--affected: nothing here says what to compare with; say --since=REV (GitHub, for a push: "
			       "${{ github.event.before }})");
	else
		*rev = S("@{upstream}");
	return 0;
}

static const char *clone_says(struct session *s)
{
	CLEANUP_BUF struct buf shallow = BUF_INIT(4096), partial = BUF_INIT(1u << 16);
	static const char *const ask_shallow[] = {"rev-parse", "--is-shallow-repository", NULL};
	static const char *const ask_partial[] = {"config", "--get-regexp", "^(remote\\..*\\.promisor|extensions\\.partialclone)$", NULL};
	int status;

	if (git_run(s->root.s, GIT_ENV_CLEAN, ask_shallow, &shallow, &status, NULL) == 0 && str_starts(buf_view(&shallow), S("true")))
		return "; this clone is shallow, its history is cut off: `git fetch --unshallow` brings the rest (actions/checkout: fetch-depth: 0; "
		       "GitLab: GIT_DEPTH: 0)";
	if (git_run(s->root.s, GIT_ENV_CLEAN, ask_partial, &partial, &status, NULL) == 0 && partial.n)
		return "; this clone is partial and objects are missing: `git fetch --refetch --filter=blob:none` brings what it takes";
	return "";
}

static int cannot_tell(struct session *s, const char *rev, enum git_gap gap, struct err *err)
{
	static const char *const gaps[] = {
		[GIT_GAP_REV] = "there is no such commit here",
		[GIT_GAP_HEAD] = "there is no commit yet",
		[GIT_GAP_COMMON] = "it has no commit in common with the current one here",
		[GIT_GAP_OBJECTS] = "what git knows of the last commit in common is not here",
		[GIT_GAP_INDEX] = "git's index is told not to look at some files (assume-unchanged, skip-worktree), or they are in conflict",
	};

	if (!strcmp(rev, "@{upstream}") && gap == GIT_GAP_REV)
		return err_set(err, ERR_USAGE, "--affected: the current branch has no upstream to compare with; say --since=REV");
	return err_set(err, ERR_SYSTEM, "unable to tell what changed since %s: %s%s", rev, gaps[gap], clone_says(s));
}

/* From the top of the repository to the workspace. What lies outside of it stays, by its whole path. */
void since_take(struct session *s, struct str top, struct str names)
{
	VEC(struct str) v = {0};
	struct str name;

	while (str_cut(&names, '\0', &name)) {
		struct str path = str_fmt(&s->arena, STR_FMT STR_FMT, STR_ARG(top), STR_ARG(name));

		path.n -= path.n > 1 && path.s[path.n - 1] == '/';
		if (path_within(path, s->root) && path.n > s->root.n)
			path = str_from(path, s->root.n + (s->root.n > 1));
		vec_add(&v, str_dup(&s->arena, path));
	}
	s->changed = arena_array(&s->arena, v.n + 1, struct str);
	s->nchanged = v.n;
	if (v.n)
		memcpy(s->changed, v.v, v.n * sizeof(*v.v));
	vec_free(&v);
}

static int find_changed(struct session *s, const char *rev, struct err *err)
{
	CLEANUP_BUF struct buf top = BUF_INIT(1u << 16), names = BUF_INIT(CHANGED_MAX);
	const struct git_ops *git = module_load("git", err);
	enum git_gap gap = GIT_GAP_REV;
	int got = git ? git->changed(s->root.s, rev, &top, &names, &gap, err) : -1;
	char *real;

	if (got <= 0)
		return got < 0 ? -1 : cannot_tell(s, rev, gap, err);
	if (names.full)
		return err_set(err, ERR_SYSTEM, "unable to hold the names of what changed since %s: there are too many", rev);
	real = realpath(top.s, NULL);
	buf_clear(&top);
	buf_fmt(&top, "%s/", real && real[1] ? real : "");
	free(real);
	since_take(s, buf_view(&top), buf_view(&names));
	return 0;
}

/* --- who is affected --- */

struct looker { struct affected *a; size_t unknown; };

/* A step with a depfile that nothing else speaks against: only a record that holds now says what it reads. */
static void look(void *ctx, struct survey *v, uint32_t step, const struct probe *probe, struct arena *scratch)
{
	struct looker *l = ctx;
	bool known = probe && (probe->verdict == PROBE_HIT || probe->verdict == PROBE_RESTORE);

	(void)v;
	(void)scratch;
	if (!l->a->plan->steps[step].depfile.n || l->a->steps[step])
		return;
	if (known && !affected_by_found(l->a, &probe->result.found))
		return;
	l->unknown += !known;
	affected_add(l->a, step);
}

static bool depfiles_left(const struct session *s, const struct affected *a)
{
	for (uint32_t i = 0; i < s->plan->nsteps; i++)
		if (s->selection.wanted[i] && s->plan->steps[i].depfile.n && !a->steps[i])
			return true;
	return false;
}

static void be_silent(void *ctx, struct str text) { (void)ctx, (void)text; }

static int look_at_depfiles(struct session *s, struct affected *a, size_t *unknown, struct err *err)
{
	struct looker looker = {.a = a};
	const struct survey_look way = {look, &looker};
	struct survey survey = {0};
	int rc = 0;

	if (a->nchanged && depfiles_left(s, a))
		rc = survey_make(&survey, s, &way, be_silent, NULL, err);
	survey_release(&survey);
	*unknown = looker.unknown;
	return rc;
}

static struct str count(struct session *s, size_t n, const char *one)
{
	return str_fmt(&s->arena, "%zu %s%s", n, one, n == 1 ? "" : "s");
}

static void tell(struct session *s, const struct affected *a, uint32_t all, size_t unknown, struct str rev, void (*remark)(void *ctx, struct str text),
		 void *ctx)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);
	size_t n = 0;

	for (uint32_t i = 0; i < s->plan->nsteps; i++)
		n += a->steps[i] && s->selection.wanted[i];
	buf_fmt(&b, "%zu of " STR_FMT " may be affected by " STR_FMT, n, STR_ARG(count(s, all, "step")), STR_ARG(count(s, s->nchanged, "changed file")));
	if (rev.n)
		buf_fmt(&b, " since " STR_FMT, STR_ARG(rev));
	if (a->why_all.s)
		buf_fmt(&b, ": " STR_FMT, STR_ARG(a->why_all));
	else if (unknown)
		buf_fmt(&b, " (" STR_FMT " with a depfile because nothing is known of the last time)", STR_ARG(count(s, unknown, "step")));
	remark(ctx, buf_view(&b));
}

int since_narrow(struct session *s, void (*remark)(void *ctx, struct str text), void *ctx, struct err *err)
{
	struct str rev = s->words.since;
	uint32_t all = s->selection.n;
	struct affected a;
	size_t unknown = 0;
	int rc = 0;

	if (!s->changed && !rev.s && !s->words.affected)
		return 0;
	s->loose = true;
	if (!s->changed && !rev.s && since_default(s, &rev, err) < 0)
		return -1;
	if (!s->changed && find_changed(s, str_dup(&s->arena, rev).s, err) < 0)
		return -1;
	a = (struct affected){
		.arena = &s->arena, .plan = s->plan, .asked = s->compiled.asked, .nasked = s->compiled.nasked, .facts = &s->facts,
		.root = s->root, .rootfd = s->rootfd, .changed = s->changed, .nchanged = s->nchanged,
	};
	affected_find(&a);
	rc = look_at_depfiles(s, &a, &unknown, err);
	if (rc == 0) {
		select_narrow(&s->arena, s->plan, a.steps, &s->selection);
		tell(s, &a, all, unknown, rev, remark, ctx);
	}
	affected_release(&a);
	return rc;
}
