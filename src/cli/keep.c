#include "cli/keep.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli/refs.h"
#include "resolve/imagelock.h"
#include "sys/file.h"

#define SNAPSHOTS_KEPT 8
#define SETTLE_TRIES 50

struct keeper {
	struct session *s;
	void (*warn)(void *ctx, struct str text);
	void *ctx;
};

static void complain(struct keeper *k, const char *what, struct err *err)
{
	k->warn(k->ctx, str_fmt(&k->s->arena, "%s: %s", what, err->text ? err->text : "unknown fault"));
	err_release(err);
}

/* What was written within the last tick of the file system's clock could change again unseen: wait for the next. */
static int wait_for_clock(int rootfd, struct err *err)
{
	int64_t first, now;

	if (file_fs_now(rootfd, &first, err) < 0)
		return -1;
	for (int i = 0; i < SETTLE_TRIES; i++) {
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		if (file_fs_now(rootfd, &now, err) < 0)
			return -1;
		if (now > first)
			return 0;
	}
	return err_set(err, ERR_SYSTEM, "the file system's clock stands still");
}

/* Which steps end well when all is as it is now; a selection with any other is never quiet. */
static struct snapshot_step *step_rows(struct session *s, const struct run *run, uint32_t *n, bool *quiet)
{
	struct snapshot_step *rows = arena_array(&s->arena, s->selection.n, struct snapshot_step);

	*n = 0;
	for (uint32_t i = 0; i < s->plan->nsteps; i++) {
		const struct walk_step *w = &s->walk.steps[i];
		const struct plan_step *step = &s->plan->steps[i];
		bool group = step->script_kind == SCRIPT_KIND_NONE;
		struct snapshot_step row = {.key = w->key, .step = i, .state = KEPT_HIT};

		if (!s->selection.wanted[i])
			continue;
		if (w->state == WALK_SKIPPED) {
			row.state = KEPT_SKIPPED;
		} else if (w->state != WALK_KNOWN || (!group && !w->key.algo)) {
			row = (struct snapshot_step){.step = i};
			*quiet = false;
		}
		rows[(*n)++] = row;
	}
	*quiet &= !run->dirty && !run->interrupted;
	return rows;
}

/* The facts as they are after the run: 1 the plan holds still. Listings are taken anew, for outputs changed folders. */
static int facts_after(struct session *s, struct watches *out, struct err *err)
{
	struct watches before = s->facts;

	if (!compile_texts_same(&s->compiled))
		return 0;
	/* other leftovers are removed by now, or are the user's */
	s->compile.exclude = s->kept.n ? &s->kept : NULL;
	for (size_t i = 0; i < before.n; i++)
		if (before.v[i].fact == FACT_SPEC)
			vec_add(out, before.v[i]);
	return compile_still(&s->arena, &s->compile, s->compiled.asked, s->compiled.nasked, out, err);
}

void keep_env(struct session *s, struct fact_env **out, size_t *n)
{
	static const char *const always[] = {"PATH", "HOME"};
	const struct plan *plan = s->plan;

	*n = 0;
	*out = arena_array(&s->arena, s->compiled.nenv + countof(always) + plan->npasses, struct fact_env);
	for (size_t i = 0; i < s->compiled.nenv; i++)
		(*out)[(*n)++] = s->compiled.env[i];
	for (size_t i = 0; i < countof(always) + plan->npasses; i++) {
		struct str name = i < countof(always) ? str_of(always[i]) : plan_str(plan, plan->passes[i - countof(always)].name);
		const char *value = getenv(name.s);

		if (i < countof(always) || plan->passes[i - countof(always)].key)
			(*out)[(*n)++] = (struct fact_env){name, value, fact_env_hash(value)};
	}
}

static void watch_tool(struct watches *out, struct str path, const struct ident *ident)
{
	watch_add(out, path, ident, S_ISDIR(ident->mode) ? WATCH_TYPE : WATCH_FILE, FACT_NONE, NULL);
	out->v[out->n - 1].any_key = true;
}

void keep_tools(struct session *s, struct watches *out)
{
	struct ident lock;
	size_t n;
	const struct tools_look *looked = tools_looked(s->tools, &n);

	for (size_t i = 0; i < n; i++)
		watch_tool(out, looked[i].path, &looked[i].ident);
	if (tools_unsure(s->tools))             /* "must be absent": never so, and keys are made again */
		watch_tool(out, S("/proc"), &(struct ident){0});
	if (images_lock(s->images, &lock))
		watch_tool(out, S(IMAGELOCK_FILE), &lock);
}

/* Only the last few plans are kept; the oldest go. */
static void drop_old(struct session *s)
{
	struct { char name[64]; int64_t at; } found[256];
	size_t n = 0;
	DIR *dir = opendir(s->state.s);
	struct dirent *e;

	while (dir && (e = readdir(dir)) && n < countof(found)) {
		struct ident ident;

		if (strncmp(e->d_name, "plan-", 5) || strlen(e->d_name) >= sizeof(found[n].name) ||
		    file_ident(dirfd(dir), e->d_name, &ident, NULL) != 1)
			continue;
		strcpy(found[n].name, e->d_name);
		found[n++].at = ident.mtime;
	}
	while (n > SNAPSHOTS_KEPT) {
		size_t oldest = 0;

		for (size_t i = 1; i < n; i++)
			if (found[i].at < found[oldest].at)
				oldest = i;
		unlinkat(dirfd(dir), found[oldest].name, 0);
		found[oldest] = found[--n];
	}
	if (dir)
		closedir(dir);
}

/* An image that is not pinned has to be asked about at each run, which is more than nothing to do. */
static bool images_pinned(const struct session *s, const struct run *run)
{
	for (uint32_t i = 0; i < s->plan->nsteps; i++) {
		const struct plan_step *step = &s->plan->steps[i];
		const struct image_fact *fact;

		if (!run->selection->wanted[i] || !plan_image_of(s->plan, step))
			continue;
		fact = images_known(s->walk.images, s->plan->places[step->place].image);
		if (!fact || !fact->pinned)
			return false;
	}
	return true;
}

static int write_snapshot(struct keeper *k, struct run *run, struct err *err)
{
	struct session *s = k->s;
	bool looked = run->changed || !s->plan_kept || s->check != SNAPSHOT_PLAN;
	struct watches all = {0};
	struct fact_env *env;
	size_t nenv;
	uint32_t nsteps;
	bool quiet = !compiled_asks_dirty(&s->compiled);
	struct snapshot_save save = {.plan = s->plan, .asked = s->compiled.asked, .nasked = s->compiled.nasked};
	int still = 1;

	if (looked)
		still = facts_after(s, &all, err);
	else
		for (size_t i = 0; i < s->facts.n; i++)
			vec_add(&all, s->facts.v[i]);
	if (still <= 0) {               /* the spec's files are not what they were when it was planned: plan again next time */
		unlink(s->snapshot_path.s);
		vec_free(&all);
		return still;
	}
	if (s->plan_kept)
		snapshot_key_watches(s->snapshot, &s->arena, &all);
	keep_tools(s, &all);
	for (size_t i = 0; i < s->walk.watches.n; i++)
		vec_add(&all, s->walk.watches.v[i]);
	keep_env(s, &env, &nenv);
	save.steps = step_rows(s, run, &nsteps, &quiet);
	quiet &= images_pinned(s, run);
	save.nsteps = nsteps;
	save.walk = &s->walk;
	save.watches = &all;
	save.env = env;
	save.nenv = nenv;
	save.quiet = quiet;
	still = snapshot_write(s->snapshot_path.s, s->rootfd, &save, err);
	vec_free(&all);
	drop_old(s);
	return still;
}

/* The cache is kept within its bounds by those who use it; most runs only look whether it is time. */
static void bound_cache(struct keeper *k)
{
	struct session *s = k->s;
	struct store_limits limits = {s->config.cache_max_bytes, s->config.cache_max_age_s};
	struct store_gc done;
	struct err err = ERR_INIT;

	if (s->store && store_dir_gc_due(s->store, &limits) && store_dir_gc(s->store, &limits, refs_of_result, &done, &err) < 0)
		complain(k, "unable to keep the cache within its bounds", &err);
}

void keep_state(struct session *s, struct run *run, struct history *history, void (*warn)(void *ctx, struct str text), void *ctx)
{
	struct keeper k = {s, warn, ctx};
	struct err err = ERR_INIT;
	size_t moved = 0;
	bool settled = true;

	if (run->changed && history_write(history, session_path(s, "history"), &err) < 0)
		complain(&k, "unable to keep the history", &err);
	if (wait_for_clock(s->rootfd, &err) < 0 || content_settle(s->content, &moved, &err) < 0) {
		err_release(&err);
		settled = false;
	}
	/* Keys rest on what was read first: with other content under the same identity the next run must not find them. */
	if (!s->replayed && (!settled || moved))
		unlink(s->snapshot_path.s);
	else if (!s->replayed && !s->loose && write_snapshot(&k, run, &err) < 0)
		complain(&k, "unable to keep the plan", &err);
	if (content_save(s->content, &err) < 0)
		complain(&k, "unable to keep the stat cache", &err);
	if (tools_save(s->tools, &err) < 0)
		complain(&k, "unable to keep what is known of tools", &err);
	bound_cache(&k);
}

/* --- what is no more --- */

int keep_remove_gone(struct session *s, struct place *place, void (*warn)(void *ctx, struct str text), void *ctx, struct err *err)
{
	for (size_t i = 0; i < s->ngone; i++) {
		size_t n = 0, kept = 0;

		if (place_remove(place, s->gone[i], &n, &kept, err) < 0)
			return -1;
		if (kept)
			warn(ctx, str_fmt(&s->arena, "%zu changed output%s of " STR_FMT ", which is no longer in the spec, %s left where %s",
					  kept, kept == 1 ? "" : "s", STR_ARG(s->gone[i]), kept == 1 ? "is" : "are", kept == 1 ? "it is" : "they are"));
	}
	return 0;
}
