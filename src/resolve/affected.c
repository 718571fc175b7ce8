#include "resolve/affected.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/glob.h"
#include "base/path.h"
#include "sys/file.h"

/* Is path what changed, or in a folder that did? */
static bool touches(const struct affected *a, struct str path)
{
	for (;;) {
		if (map_has(&a->exact, path))
			return true;
		if (path.n <= 1)
			return false;
		path = path_dir(path);
	}
}

/* Has something in this folder changed? */
static bool touches_below(const struct affected *a, struct str folder)
{
	for (size_t i = 0; i < a->nchanged; i++)
		if (path_within(a->changed[i], folder) && (folder.n || a->changed[i].s[0] != '/'))
			return true;
	return touches(a, folder);
}

/* A program or file that a step names, where looking for it could lead to one that changed. */
static bool touches_name(const struct affected *a, struct str word)
{
	return word.n && map_has(&a->names, path_name(word));
}

static bool is_there(const struct affected *a, struct str path)
{
	struct ident ident;

	return file_ident(a->rootfd, str_dup(a->arena, path).s, &ident, NULL) == 1;
}

/* --- all of them --- */

static bool asks_git(struct affected *a)
{
	for (size_t i = 0; i < a->nasked; i++)
		if (a->asked[i].kind == Q_GIT) {
			a->why_all = str_fmt(a->arena, "the spec asks for git." STR_FMT, STR_ARG(a->asked[i].text));
			return true;
		}
	return false;
}

static bool shapes_plan(struct affected *a, struct str path)
{
	if (str_is(path_name(path), ".gitignore"))
		return true;
	for (size_t i = 0; i < a->facts->n; i++)
		if (a->facts->v[i].fact == FACT_SPEC && path_within(a->facts->v[i].path, path))
			return true;
	for (size_t i = 0; i < a->nasked; i++)
		if (a->asked[i].kind == Q_LINES && path_within(a->asked[i].text, path))
			return true;
	return false;
}

/* It is gone: steps that were made for it, or had it as an input by a pattern, can't be told any more. */
static bool was_matched(const struct affected *a, struct str path)
{
	if (plan_find_path(a->plan, path) != PLAN_NONE)
		return false;                   /* named literally, which the plan still shows */
	for (size_t i = 0; i < a->nasked; i++) {
		const struct asked *q = &a->asked[i];

		if (q->kind == Q_GLOB && glob_match(q->text, path))
			return true;
		if (q->kind == Q_PATH && path_within(path, q->text) && path.n != q->text.n)
			return true;
	}
	return false;
}

static bool all(struct affected *a)
{
	if (asks_git(a))
		return true;
	for (size_t i = 0; i < a->nchanged; i++) {
		struct str path = a->changed[i];

		if (shapes_plan(a, path))
			a->why_all = str_fmt(a->arena, STR_FMT " changed, on which the plan itself rests", STR_ARG(path));
		else if (path.s[0] != '/' && was_matched(a, path) && !is_there(a, path))
			a->why_all = str_fmt(a->arena, STR_FMT " is gone, and which steps had to do with it can't be told", STR_ARG(path));
		if (a->why_all.s)
			return true;
	}
	return false;
}

/* --- one by one --- */

/* Paths of the plan that changed, or lead to what did. */
static bool *mark_paths(const struct affected *a)
{
	const struct plan *plan = a->plan;
	bool *marked = arena_array(a->arena, plan->npaths + 1, bool);

	for (uint32_t i = 0; i < plan->npaths; i++) {
		struct str path = plan_path_str(plan, i);
		char target[PATH_MAX];
		struct ident ident;

		marked[i] = touches(a, path);
		if (marked[i] || file_ident(a->rootfd, path.s, &ident, NULL) != 1 || !S_ISLNK(ident.mode))
			continue;
		/* a link is what it leads to */
		if (!realpath(path.n && path.s[0] == '/' ? path.s : str_fmt(a->arena, STR_FMT "/" STR_FMT, STR_ARG(a->root), STR_ARG(path)).s, target))
			marked[i] = true;
		else if (path_within(str_of(target), a->root) && strlen(target) > a->root.n)
			marked[i] = touches_below(a, str_of(target + a->root.n + 1));
		else
			marked[i] = touches_below(a, str_of(target)) || str_eq(str_of(target), a->root);
	}
	return marked;
}

static bool by_words(const struct affected *a, const struct plan_step *s)
{
	const struct plan *plan = a->plan;

	for (uint32_t i = 0; i < s->tools.n; i++) {
		const struct plan_tool *tool = &plan->tools[s->tools.at + i];

		for (uint32_t k = 0; k < tool->words.n; k++)
			if (touches_name(a, plan_word(plan, tool->words, k)))
				return true;
	}
	for (uint32_t i = 0; i < s->argv.n; i++)
		if (touches_name(a, plan_word(plan, s->argv, i)))
			return true;
	for (uint32_t i = 0; i < s->requires.n; i++) {
		const struct plan_require *r = &plan->requires[s->requires.at + i];

		for (uint32_t k = 0; r->kind != REQUIRE_ENV && k < r->any.n; k++)
			if (touches_name(a, plan_word(plan, r->any, k)))
				return true;
	}
	for (uint32_t i = 0; i < s->axes.n; i++)        /* made for a file that is new */
		if (touches(a, plan_str(plan, plan->envs[s->axes.at + i].value)))
			return true;
	return false;
}

static bool by_place(const struct affected *a, const struct plan_step *s)
{
	const struct plan *plan = a->plan;
	const struct plan_place *place = s->place == PLAN_NONE ? NULL : &plan->places[s->place];

	if (!place)
		return false;
	for (uint32_t i = 0; i < place->mounts.n; i++) {
		const struct plan_mount *m = &plan->mounts[place->mounts.at + i];

		if (m->flags & MOUNT_INSIDE && touches_below(a, plan_str(plan, m->source)))
			return true;
	}
	if (place->image == PLAN_NONE)
		return false;
	const struct plan_image *image = &plan->images[place->image];

	if (image->kind == IMAGE_KIND_REF)
		return touches_name(a, S("cairn.lock"));
	return touches(a, plan_str(plan, image->file)) || touches_below(a, plan_str(plan, image->context));
}

static bool by_files(const struct plan *plan, const struct plan_step *s, const bool *marked)
{
	for (uint32_t i = 0; i < s->inputs.n; i++)
		if (marked[plan->inputs[s->inputs.at + i].path])
			return true;
	for (uint32_t i = 0; s->flags & STEP_ALL_SOURCES && i < plan->nsources; i++)
		if (marked[plan->sources[i]])
			return true;
	return false;
}

/* A source that is gone is none of these any more. */
static bool lost_source(const struct affected *a)
{
	for (size_t i = 0; i < a->nchanged; i++)
		if (a->changed[i].s[0] != '/' && !is_there(a, a->changed[i]))
			return true;
	return false;
}

void affected_add(struct affected *a, uint32_t step)
{
	const struct plan *plan = a->plan;

	a->steps[step] = true;
	for (uint32_t i = step + 1; i < plan->nsteps; i++)
		for (uint32_t k = 0; !a->steps[i] && k < plan->steps[i].needs.n; k++)
			a->steps[i] = a->steps[plan->needs[plan->steps[i].needs.at + k].step];
}

static void spread(struct affected *a)
{
	const struct plan *plan = a->plan;

	for (uint32_t i = 0; i < plan->nsteps; i++)
		for (uint32_t k = 0; !a->steps[i] && k < plan->steps[i].needs.n; k++)
			a->steps[i] = a->steps[plan->needs[plan->steps[i].needs.at + k].step];
}

void affected_find(struct affected *a)
{
	const struct plan *plan = a->plan;
	struct plan_index *index;
	bool *marked, lost;

	a->steps = arena_array(a->arena, plan->nsteps + 1, bool);
	a->why_all = (struct str){0};
	for (size_t i = 0; i < a->nchanged; i++) {
		*map_put(&a->exact, a->changed[i], NULL) = a;
		*map_put(&a->names, path_name(a->changed[i]), NULL) = a;
	}
	if (!a->nchanged)
		return;
	if (all(a)) {
		memset(a->steps, true, plan->nsteps);
		return;
	}
	marked = mark_paths(a);
	lost = lost_source(a);
	for (uint32_t i = 0; i < plan->nsteps; i++) {
		const struct plan_step *s = &plan->steps[i];

		a->steps[i] = by_files(plan, s, marked) || (lost && s->flags & STEP_ALL_SOURCES) || by_words(a, s) || by_place(a, s);
	}
	/* what a step made and git has was changed by hand */
	index = plan_index_new(a->arena, plan);
	for (size_t i = 0; i < a->nchanged; i++) {
		uint32_t producer = plan_index_producer(index, a->changed[i]);

		if (producer != PLAN_NONE)
			a->steps[producer] = true;
	}
	spread(a);
}

void affected_release(struct affected *a)
{
	map_release(&a->exact);
	map_release(&a->names);
}

bool affected_by_found(const struct affected *a, const struct entries *found)
{
	for (size_t i = 0; i < found->n; i++)
		if (touches(a, found->v[i].path) || touches_name(a, found->v[i].path))
			return true;
	return false;
}
