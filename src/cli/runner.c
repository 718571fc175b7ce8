#include "cli/runner.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "cli/keep.h"
#include "cli/replay.h"
#include "cli/since.h"
#include "cli/views.h"
#include "exec/copy.h"
#include "exec/event.h"
#include "registry.h"
#include "sys/lock.h"
#include "sys/pool.h"
#include "sys/started.h"

extern char **environ;

struct running {
	struct session *s;
	const struct runner_options *options;
	struct events events;
	struct event_file *file;
	struct progress *progress;
	struct views views;             /* what is written when it is over */
	struct map goals;               /* names of goals, for progress */
	struct run run;
	struct place place;
	struct history history;
	int lock;
};

/* --- what is said --- */

static bool is_goal(void *ctx, struct str step) { return map_has(&((struct running *)ctx)->goals, step); }

static void warn(void *ctx, struct str text)
{
	struct running *r = ctx;
	struct event e = {.kind = EVENT_NOTE, .text = text, .warning = true};

	events_emit(&r->events, &e);
}

static void remark(void *ctx, struct str text)
{
	struct running *r = ctx;
	struct event e = {.kind = EVENT_NOTE, .text = text};

	events_emit(&r->events, &e);
}

static void saved(void *ctx, struct str path, const struct digest *digest)
{
	struct running *r = ctx;
	char text[DIGEST_TEXT_MAX];

	warn(r, str_fmt(&r->s->arena, STR_FMT " held something cairn had not made; it is kept as %s (cairn cache get)", STR_ARG(path), digest_text(digest, text)));
}

static void tick(void *ctx) { progress_tick(ctx); }

static bool on_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") && !getenv("CI");
}

static int open_events(struct running *r, struct err *err)
{
	r->events.start_ns = r->s->opened_ns;
	r->progress = progress_open(STDOUT_FILENO, STDERR_FILENO, on_terminal(), r->options->color, r->options->verbosity, is_goal, r);
	events_add(&r->events, progress_see, r->progress);
	views_open(&r->views, &r->events, r->progress, r->options->junit);
	if (!r->options->events.s)
		return 0;
	r->file = event_file_open(r->options->events.s, err);
	if (!r->file)
		return -1;
	events_add(&r->events, event_file_see, r->file);
	return 0;
}

static int close_events(struct running *r, struct err *err)
{
	int rc = r->file ? event_file_close(r->file, err) : 0;

	if (views_close(&r->views, r->s, rc < 0 ? NULL : err) < 0)
		rc = -1;
	if (r->progress)
		progress_close(r->progress);
	map_release(&r->goals);
	return rc;
}

/* --- nothing to do --- */

static void each_hit(struct running *r)
{
	const struct plan *plan = snapshot_plan(r->s->snapshot);
	uint32_t n;
	const struct snapshot_step *steps = snapshot_steps(r->s->snapshot, &n);

	for (uint32_t i = 0; i < n; i++) {
		struct event e = {
			.kind = EVENT_STEP_END, .step = plan_step_name(plan, steps[i].step),
			.state = steps[i].state == KEPT_SKIPPED ? STATE_SKIPPED : STATE_HIT, .key = steps[i].key.algo ? &steps[i].key : NULL,
		};

		events_emit(&r->events, &e);
	}
}

bool runner_names_steps(const struct runner_options *options) { return options->events.s || options->junit.s || options->verbosity == PROGRESS_VERBOSE; }

int runner_nothing(struct session *s, const struct runner_options *options, struct err *err)
{
	struct running r = {.s = s, .options = options, .lock = -1};
	struct event start = {.kind = EVENT_RUN_START}, end = {.kind = EVENT_RUN_END};
	int rc = open_events(&r, err);

	snapshot_counts(s->snapshot, &end.counts[STATE_HIT], &end.counts[STATE_SKIPPED]);
	start.total = end.counts[STATE_HIT] + end.counts[STATE_SKIPPED];
	if (rc == 0) {
		events_emit(&r.events, &start);
		if (runner_names_steps(options))
			each_hit(&r);
		events_emit(&r.events, &end);
	}
	return close_events(&r, err) < 0 ? -1 : rc;
}

/* --- the run --- */

/* A cairn inside a step on the same workspace would wait for its own parent. */
static int refuse_nested(struct session *s, struct err *err)
{
	const char *outer = getenv("CAIRN_WORKSPACE");

	if (outer && str_is(s->root, outer))
		return err_set(err, ERR_USAGE, "unable to run: this is a step of a cairn run in the same workspace, which would wait for itself; use `needs` instead");
	return 0;
}

static int take_lock(struct running *r, struct err *err)
{
	bool busy = false;
	long holder = 0;

	if (refuse_nested(r->s, err) < 0 || file_mkdirs(AT_FDCWD, r->s->state.s, 0700, err) < 0)
		return -1;
	r->lock = lock_take(session_path(r->s, "lock"), false, &busy, &holder, err);
	if (r->lock >= 0)
		return 0;
	if (!busy)
		return -1;
	warn(r, str_fmt(&r->s->arena, "waiting for another run in this workspace (process %ld)", holder));
	err_release(err);
	r->lock = lock_take(session_path(r->s, "lock"), true, &busy, &holder, err);
	if (r->lock < 0)
		return -1;
	session_refresh(r->s);          /* the other run may have changed all */
	return 0;
}

static void name_goals(struct running *r)
{
	const struct selection *sel = &r->s->selection;

	for (size_t i = 0; i < sel->ngoals; i++)
		*map_put(&r->goals, plan_step_name(r->s->plan, sel->goals[i]), NULL) = r;
}

static int open_place(struct running *r, struct err *err)
{
	struct session *s = r->s;
	struct event e = {.kind = EVENT_NOTE};
	bool fresh;
	size_t n = 0;

	r->place = (struct place){.rootfd = s->rootfd, .root = s->root.s, .store = s->store, .content = s->content, .saved = saved, .ctx = r,
		.options = s->words.vars.n || s->words.runtime.s || s->replayed};
	snprintf(r->place.run, sizeof(r->place.run), "%llx", (unsigned long long)(r->events.start_ns ^ (uint64_t)getpid() << 40));
	if (ledger_open(&r->place.ledger, session_ledger(s), s->rootfd, &fresh, err) < 0 ||
	    ledger_recover(r->place.ledger, s->rootfd, &n, err) < 0)
		return -1;
	file_remove_tree(AT_FDCWD, session_path(s, "tmp"), NULL);       /* what a killed run left */
	file_remove_tree(AT_FDCWD, session_path(s, COPIES), NULL);
	if (!n)
		return 0;
	e.text = str_fmt(&s->arena, "put right %zu file%s that an interrupted run had moved", n, n == 1 ? "" : "s");
	events_emit(&r->events, &e);
	return 0;
}

/* What still runs of a killed run would write among what this one reads. */
static int end_left(struct running *r, struct err *err)
{
	size_t n = 0;
	int rc = r->options->dry_run ? 0 : started_end_left(session_path(r->s, STARTED_FILE), r->s->root.s, session_path(r->s, COPIES), &n, err);

	if (n)
		warn(r, str_fmt(&r->s->arena, "ended %zu step%s that a killed run had left running", n, n == 1 ? "" : "s"));
	return rc;
}

static int prepare(struct running *r, struct err *err)
{
	struct session *s = r->s;

	if ((s->replayed ? replay_plan(s, r->options->plan_file, err) : session_plan(s, err)) < 0 || session_select(s, err) < 0 ||
	    since_narrow(s, remark, r, err) < 0)
		return -1;
	name_goals(r);
	if (session_walk(s, warn, r, err) < 0 || open_place(r, err) < 0 ||
	    history_read(&s->arena, session_path(s, "history"), &r->history, err) < 0)
		return -1;
	return r->options->dry_run || s->loose ? 0 : keep_remove_gone(s, &r->place, warn, r, err);
}

/* Those of the steps that are selected. */
static int runtimes_find(const struct session *s, struct run *run, struct err *err)
{
	for (uint32_t i = 0; i < s->plan->nsteps; i++) {
		const struct plan_step *step = &s->plan->steps[i];

		if (!s->selection.wanted[i] || step->script_kind == SCRIPT_KIND_NONE || run->runtimes[step->runtime])
			continue;
		if (!(run->runtimes[step->runtime] = registry_runtime(step->runtime, err)))
			return err_wrap(err, "unable to run " STR_FMT, STR_ARG(plan_step_name(s->plan, i)));
	}
	return 0;
}

static int execute(struct running *r, struct err *err)
{
	struct session *s = r->s;

	r->run = (struct run){
		.plan = s->plan, .selection = &s->selection, .walk = &s->walk, .kept = s->plan_kept ? s->snapshot : NULL, .place = &r->place, .history = &r->history, .events = &r->events,
		.state_dir = s->state.s, .arena = &s->arena,
		.options = {
			.jobs = r->options->jobs ? r->options->jobs : s->config.jobs ? s->config.jobs : pool_cpus(),
			.keep_going = r->options->keep_going, .dry_run = r->options->dry_run, .force = r->options->force,
			.engine = s->config.container_engine, .engine_where = s->config.container_engine_where,
			.insecure = s->config.insecure_registries, .ninsecure = s->config.ninsecure_registries,
			.claim = r->options->claim, .tags = s->config.tags, .ntags = s->config.ntags, .environ = (const char *const *)environ,
			.tty = on_terminal(), .tick = tick, .tick_ctx = r->progress,
		},
	};
	if (runtimes_find(s, &r->run, err) < 0)
		return -1;
	return run_all(&r->run, err);
}

static int exit_status(const struct run *run)
{
	static const enum step_state bad[] = {STATE_FAILED, STATE_TIMED_OUT, STATE_OOM, STATE_BLOCKED, STATE_CANCELLED, STATE_UNKNOWN};

	if (run->interrupted)
		return 128 + run->interrupted;
	if (run->lost)
		return 3;
	for (size_t i = 0; i < countof(bad); i++)
		if (run->counts[bad[i]])
			return 1;
	return 0;
}

static int locked_run(struct running *r, struct err *err)
{
	if (prepare(r, err) < 0 || execute(r, err) < 0)
		return -1;
	r->s->moved = r->run.dirty;
	if (!r->options->dry_run)
		keep_state(r->s, &r->run, &r->history, warn, r);
	return exit_status(&r->run);
}

static void release(struct running *r)
{
	if (r->place.ledger)
		ledger_close(r->place.ledger);
	history_release(&r->history);
	if (r->lock >= 0)
		close(r->lock);
}

int runner_run(struct session *s, const struct runner_options *options, struct err *err)
{
	struct running r = {.s = s, .options = options, .lock = -1};
	int status = -1;

	if (open_events(&r, err) == 0 && take_lock(&r, err) == 0 && end_left(&r, err) == 0)
		status = locked_run(&r, err);
	release(&r);
	if (close_events(&r, status < 0 ? NULL : err) < 0)
		return -1;
	return status;
}
