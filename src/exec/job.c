#include "exec/job.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"
#include "exec/copy.h"
#include "exec/jobsetup.h"
#include "resolve/depfile.h"
#include "sys/sha.h"
#include "sys/work.h"

#define CLOCK_NS (20ull * 1000 * 1000)
#define SECRET_LEAST 4                  /* bytes; shorter values are no secrets, see exec/log.h */
#define GRACE_NS (5ull * 1000 * 1000 * 1000)    /* between the first signal and SIGKILL */

struct step_job {
	struct job_call call;
	const struct plan_step *step;
	struct arena arena;
	struct job job;
	struct copy *copy;              /* what it works in instead of the workspace; NULL */
	bool copying;                   /* a thread is at it */
	bool started;                   /* the runtime holds it */
	struct aside *aside;
	struct log *log;
	const char *tmp;                /* private folder */
	int64_t since;                  /* the file system's clock when the step started */
	uint64_t begun_ns, delay_ms;
	int64_t wall_ns;
	struct loop_watch *timeout, *grace, *retry, *report;
	bool timed_out, cancelled;
	struct job_outcome outcome;
};

uint32_t job_step(const struct step_job *j) { return j->call.step; }

static struct str name_of(const struct step_job *j) { return plan_step_name(j->call.run->plan, j->call.step); }

static const struct runtime *runtime_of(const struct step_job *j) { return j->call.run->runtimes[j->step->runtime]; }

static void note(struct step_job *j, bool warning, struct str text)
{
	struct event e = {.kind = EVENT_NOTE, .step = name_of(j), .text = text, .warning = warning};

	events_emit(j->call.run->events, &e);
}

static void report(void *ctx)
{
	struct step_job *j = ctx;

	j->report = NULL;
	j->call.done(j->call.ctx, j, &j->outcome);
}

static void drop_copy(void *ctx)
{
	copy_drop(((struct step_job *)ctx)->copy);
}

static void dropped(void *ctx)
{
	struct step_job *j = ctx;
	struct err err = ERR_INIT;

	if (copy_result(j->copy, &err) < 0)
		note(j, true, str_of(err.text));
	err_release(&err);
	report(j);
}

/* The caller hears of an end only from the loop, never from within its own call. */
static void finish(struct step_job *j, enum step_state state)
{
	j->outcome.state = state;
	j->outcome.duration_ns = loop_now() - j->begun_ns;
	if (j->copy && work_begin(j->call.loop, drop_copy, dropped, j, NULL))
		return;
	if (j->copy)
		drop_copy(j);
	j->report = loop_timer(j->call.loop, 0, report, j);
}

static void fail(struct step_job *j, struct err *err, const char *what)
{
	j->outcome.reason = str_fmt(&j->arena, "%s%s%s", what, *what ? ": " : "", err->text ? err->text : "unknown reason");
	j->outcome.lost = true;
	err_release(err);
	finish(j, STATE_FAILED);
}

static void shown(void *ctx, int stream, struct str bytes)
{
	struct step_job *j = ctx;
	struct event e = {.kind = EVENT_STEP_OUTPUT, .step = name_of(j), .stream = stream, .bytes = bytes};

	events_emit(j->call.run->events, &e);
}

static void on_output(void *ctx, int stream, struct str bytes)
{
	struct step_job *j = ctx;

	log_add(j->log, stream, bytes, shown, j);
}

static void on_note(void *ctx, bool warning, struct str text)
{
	note(ctx, warning, text);
}

static void on_secret(void *ctx, struct str value)
{
	struct step_job *j = ctx;

	log_hide(j->log, str_dup(&j->arena, value));
}

static void on_grace(void *ctx)
{
	struct step_job *j = ctx;

	j->grace = NULL;
	runtime_of(j)->cancel(&j->job, SIGKILL);
}

static void stop(struct step_job *j, int sig)
{
	runtime_of(j)->cancel(&j->job, sig);
	if (sig != SIGKILL && !j->grace)
		j->grace = loop_timer(j->call.loop, GRACE_NS, on_grace, j);
}

static void on_timeout(void *ctx)
{
	struct step_job *j = ctx;

	j->timeout = NULL;
	j->timed_out = true;
	stop(j, SIGTERM);
}

static void drop_timers(struct step_job *j)
{
	loop_remove(j->call.loop, j->timeout);
	loop_remove(j->call.loop, j->grace);
	loop_remove(j->call.loop, j->retry);
	j->timeout = j->grace = j->retry = NULL;
}

static void on_done(void *ctx, enum job_end end, int status, const struct job_usage *usage);

/* The file system's clock, asked at most once in CLOCK_NS: an older time than now only makes more files suspect. */
static int clock_now(struct run *run, int64_t *ns, struct err *err)
{
	uint64_t now = loop_now();

	if (!run->clock_at || now - run->clock_at > CLOCK_NS) {
		if (file_fs_now(run->place->rootfd, &run->clock, err) < 0)
			return -1;
		run->clock_at = now;
	}
	*ns = run->clock;
	return 0;
}

/* Where it works. */
static struct place *at(struct step_job *j)
{
	return j->copy ? &j->copy->at : j->call.run->place;
}

static int start(struct step_job *j, struct err *err)
{
	struct run *run = j->call.run;

	j->job = (struct job){.arena = &j->arena, .loop = j->call.loop, .output = on_output, .note = on_note, .secret = on_secret, .done = on_done,
			      .ctx = j};
	if (job_setup(&j->job, run, j->call.step, j->call.place, at(j), j->call.secrets, err) < 0 ||
	    run_session(run, j->call.loop, j->step->runtime, &j->job.session, err) < 0)
		return -1;
	j->tmp = j->job.tmp;
	if (!j->copy && (place_clear(run->place, &j->arena, run->plan, j->call.step, &j->aside, err) < 0 || clock_now(run, &j->since, err) < 0))
		return -1;
	j->log = log_open(j->call.secrets, j->tmp);
	j->outcome.attempts++;
	if (runtime_of(j)->start(&j->job, err) < 0)
		return -1;
	j->started = true;
	if (j->step->timeout_ms)
		j->timeout = loop_timer(j->call.loop, j->step->timeout_ms * 1000000, on_timeout, j);
	return 0;
}

static void undo(struct step_job *j)
{
	struct err err = ERR_INIT;

	if (j->aside && place_rollback(j->call.run->place, j->aside, &err) < 0) {
		note(j, true, str_of(err.text ? err.text : "unable to put earlier outputs back"));
		err_release(&err);
	}
	j->aside = NULL;
}

static void make_copy(void *ctx)
{
	copy_make(((struct step_job *)ctx)->copy);
}

static void copied(void *ctx)
{
	struct step_job *j = ctx;
	struct copy *c = j->copy;
	struct err err = ERR_INIT;
	bool made = copy_result(c, &err) == 0;

	j->copying = false;
	if (j->cancelled) {
		err_release(&err);
		j->outcome.reason = S("interrupted");
		finish(j, STATE_CANCELLED);
		return;
	}
	if (made && c->nunread)
		note(j, true, str_fmt(&j->arena, "its copy of the workspace lacks what can't be read: %s%s", c->unread, c->nunread > 1 ? " and more" : ""));
	if (made && copy_prepare(c, j->call.run->plan, j->call.step, &err) == 0 && start(j, &err) == 0)
		return;
	undo(j);
	fail(j, &err, "");
}

/* What is read of a copy was so when the copying began, or changed since. */
static int launch(struct step_job *j, struct err *err)
{
	struct run *run = j->call.run;

	j->timed_out = false;
	if (j->step->workspace != WORKSPACE_KIND_COPY)
		return start(j, err);
	if (j->copy)
		cleanup_fd(&j->copy->at.rootfd);        /* of an attempt that failed */
	if (clock_now(run, &j->since, err) < 0 || !(j->copy = copy_new(&j->arena, run, j->call.step, err)))
		return -1;
	j->copying = work_begin(j->call.loop, make_copy, copied, j, err);
	return j->copying ? 0 : -1;
}

/* What a run without result said is kept by name of the step, so that `cairn log` finds it. */
static void keep_failed_log(struct step_job *j)
{
	struct run *run = j->call.run;
	struct str name = name_of(j);
	struct xxh sum = xxh_bytes(name.s, name.n);

	if (!j->log || !log_size(j->log))
		return;
	j->outcome.log_file = str_fmt(&j->arena, "logs/%016llx%016llx", (unsigned long long)sum.hi, (unsigned long long)sum.lo);
	file_write(AT_FDCWD, str_fmt(&j->arena, "%s/" STR_FMT, run->state_dir, STR_ARG(j->outcome.log_file)).s, log_frames(j->log), 0600, NULL);
}

/* --- after success --- */

static int read_depfile(struct step_job *j, struct str **deps, size_t *n, struct err *err)
{
	struct run *run = j->call.run;
	struct str path = plan_str(run->plan, j->step->depfile), text;
	int rootfd = at(j)->rootfd, got = file_read(j->call.scratch, rootfd, path.s, DEPFILE_MAX, &text, err);

	if (got < 0)
		return -1;
	if (!got)
		return err_set(err, ERR_SYSTEM, "the step succeeded but did not write its depfile " STR_FMT, STR_ARG(path));
	for (size_t i = 0; i < j->call.secrets->n; i++)
		if (j->call.secrets->v[i].n >= SECRET_LEAST && str_find(text, j->call.secrets->v[i]) >= 0)
			return err_set(err, ERR_SYSTEM, "depfile " STR_FMT " holds the value of a secret; it is not kept", STR_ARG(path));
	if (depfile_parse(j->call.scratch, text, deps, n, err) < 0)
		return err_wrap(err, "unable to read depfile " STR_FMT, STR_ARG(path));
	if (!plan_step_covers(run->plan, j->call.step, path))
		unlinkat(rootfd, path.s, 0);
	for (size_t i = 0; j->copy && j->step->runtime == RUNTIME_KIND_NATIVE && i < *n; i++)
		(*deps)[i] = copy_origin(j->copy, j->call.scratch, plan_str(run->plan, j->step->workdir), (*deps)[i], str_of(run->place->root));
	return 0;
}

static int put(struct step_job *j, enum record_kind kind, const struct digest *key, struct buf *bytes, struct err *err)
{
	struct store *store = j->call.run->walk->store;

	return store->ops->put(store, kind, key, buf_view(bytes), err);
}

static bool same_paths(const struct pathset *set, const struct entries *found)
{
	if (set->n != found->n)
		return false;
	for (size_t i = 0; i < set->n; i++)
		if (!str_eq(set->paths[i], found->v[i].path))
			return false;
	return true;
}

/* The newest set first; one that says the same is not kept twice. */
static int put_pathset(struct step_job *j, const struct entries *found, struct err *err)
{
	struct walk *w = j->call.run->walk;
	struct arena *a = j->call.scratch;
	struct pathsets old = {0}, sets = {.n = 1};
	CLEANUP_BUF struct buf b = BUF_INIT(RESULT_MAX);
	struct str bytes;

	if (w->store->ops->get(w->store, RECORD_PATHS, &j->call.probe->k1, a, &bytes, NULL) == 1 && pathsets_decode(a, bytes, &old, NULL) < 0)
		old.n = 0;
	if (old.n && same_paths(&old.v[0], found))
		return 0;
	sets.v[0] = (struct pathset){arena_array(a, found->n, struct str), found->n};
	for (size_t i = 0; i < found->n; i++)
		sets.v[0].paths[i] = found->v[i].path;
	for (size_t i = 0; i < old.n && sets.n < PATHSETS_MAX; i++)
		if (!same_paths(&old.v[i], found))
			sets.v[sets.n++] = old.v[i];
	pathsets_encode(&sets, &b);
	return put(j, RECORD_PATHS, &j->call.probe->k1, &b, err);
}

/* Blobs are in the store already: then the record that names them, then the path set that leads to it. */
static int store_result(struct step_job *j, const struct entries *outputs, const struct entries *found, struct str bound, struct err *err)
{
	struct run *run = j->call.run;
	struct probe *p = j->call.probe;
	struct store *store = run->walk->store;
	CLEANUP_BUF struct buf b = BUF_INIT(RESULT_MAX);
	struct result r = {
		.key = p->key, .step = name_of(j), .started_ns = j->wall_ns, .duration_ns = loop_now() - j->begun_ns, .outputs = *outputs,
		.found = *found, .manifest = buf_view(&p->manifest), .discovered = buf_view(&p->discovered), .log_size = log_size(j->log),
	};

	if (bound.n) {
		r.root = str_of(run->place->root);
		r.bound_file = bound;
	}
	if (r.log_size && store->ops->write_bytes(store, log_frames(j->log), &r.log, err) < 0)
		return -1;
	result_encode(&r, &b);
	if (put(j, RECORD_RESULT, &p->key, &b, err) < 0 || (j->step->depfile.n && put_pathset(j, found, err) < 0))
		return -1;
	j->outcome.key = p->key;
	j->outcome.log = r.log;
	return 0;
}

/* May the result be kept? Not when an input moved under the step: then it is said, and the step is dirty. */
static int inputs_held(struct step_job *j, struct str moved, struct err *err)
{
	struct run *run = j->call.run;
	int changed = moved.n ? 1 : walk_moved(run->walk, j->call.probe, &moved, err);

	if (changed <= 0)
		return changed < 0 ? -1 : 1;
	j->outcome.moved = true;
	run->dirty = true;
	note(j, true, str_fmt(&j->arena, STR_FMT " changed while the step ran: its result is not kept%s", STR_ARG(moved),
			      " (if the step writes it itself, take it out of its inputs: \"!\" and its name)"));
	return 0;
}

/* Bound: outputs of needs are inputs, too: they must still be what their records say. */
static int conclude(struct step_job *j, struct err *err)
{
	struct run *run = j->call.run;
	struct probe *p = j->call.probe;
	struct walk *w = run->walk;
	bool cached = j->step->flags & STEP_CACHED && !p->failed_need, keep;
	struct entries outputs, found = {0};
	struct ident *idents;
	struct str bound, moved = {0}, *deps;
	struct place_needles needles = {j->call.secrets->v, j->call.secrets->n, j->copy ? str_of(j->copy->at.root) : S("")};
	size_t ndeps;
	struct err fault = ERR_INIT;
	int held;

	if (j->step->depfile.n && read_depfile(j, &deps, &ndeps, err) < 0)
		return -1;
	if (j->copy && place_take(run->place, &j->copy->at, &j->arena, run->plan, j->call.step, &j->aside, err) < 0)
		return -1;
	keep = cached && w->store && !w->store_off;
	if (place_collect(run->place, &j->arena, run->plan, j->call.step, keep, &needles, &outputs, &idents, &bound, err) < 0)
		return -1;
	w->store_off |= run->place->store_failed;       /* it has been said */
	keep &= !w->store_off;
	for (size_t i = 0; i < outputs.n; i++) {
		content_forget(w->content, outputs.v[i].path);
		if (outputs.v[i].type == ENTRY_FILE)
			content_tell(w->content, outputs.v[i].path, &idents[i], &outputs.v[i].digest);
	}
	if (cached && j->step->depfile.n &&
	    (walk_discover(w, j->call.scratch, j->call.step, deps, ndeps, j->since, p, &found, &moved, err) < 0 ||
	     walk_key_discovered(w, j->call.scratch, j->call.step, &found, p, err) < 0))
		return -1;
	held = cached ? inputs_held(j, moved, err) : 0;
	if (held < 0)
		return -1;
	if (held && keep && store_result(j, &outputs, &found, bound, &fault) < 0) {
		w->store_off = true;
		note(j, true, str_fmt(&j->arena, "the cache is not used for the rest of this run: %s", fault.text ? fault.text : "unknown fault"));
		err_release(&fault);
	}
	if (place_note(run->place, &j->arena, run->plan, j->call.step, &outputs, err) < 0 || place_commit(run->place, j->aside, err) < 0)
		return -1;
	j->aside = NULL;
	walk_settle(w, j->call.step, j->outcome.key.algo ? &j->outcome.key : NULL, &outputs, idents, true);
	walk_keep_used(w, j->call.step, p);
	return 0;
}

/* --- the end of an attempt --- */

static void retry(void *ctx)
{
	struct step_job *j = ctx;
	struct err err = ERR_INIT;

	j->retry = NULL;
	log_close(j->log);
	j->log = NULL;
	if (launch(j, &err) < 0) {
		undo(j);
		fail(j, &err, "");
	}
}

static bool try_again(struct step_job *j)
{
	if (j->cancelled || j->outcome.attempts > j->step->retries)
		return false;
	note(j, false, str_fmt(&j->arena, "attempt %u of %u failed; again in %.1f s", j->outcome.attempts, j->step->retries + 1, j->delay_ms / 1000.0));
	undo(j);
	j->retry = loop_timer(j->call.loop, j->delay_ms * 1000000, retry, j);
	j->delay_ms = j->delay_ms * j->step->retry_factor;
	return true;
}

static void failed(struct step_job *j, enum job_end end, int status)
{
	if (try_again(j))
		return;
	undo(j);
	keep_failed_log(j);
	if (j->cancelled)
		j->outcome.reason = S("interrupted");
	else if (j->timed_out)
		j->outcome.reason = str_fmt(&j->arena, "it took longer than %.1f s", j->step->timeout_ms / 1000.0);
	else if (end > JOB_SIGNALLED)
		j->outcome.reason = str_dup(&j->arena, j->job.problem);
	else if (end == JOB_EXITED)
		j->outcome.reason = str_fmt(&j->arena, "exit status %d", status);
	else
		j->outcome.reason = str_fmt(&j->arena, "killed by signal %d (%s)", status, strsignal(status));
	j->outcome.lost = end == JOB_NOT_RUN && !j->cancelled;
	finish(j, j->cancelled ? STATE_CANCELLED : j->timed_out ? STATE_TIMED_OUT : end == JOB_OOM ? STATE_OOM :
	       end == JOB_UNKNOWN ? STATE_UNKNOWN : STATE_FAILED);
}

static void on_done(void *ctx, enum job_end end, int status, const struct job_usage *usage)
{
	struct step_job *j = ctx;
	struct err err = ERR_INIT;

	(void)usage;
	drop_timers(j);
	runtime_of(j)->release(&j->job);
	j->started = false;
	log_end(j->log, shown, j);
	j->outcome.has_status = end == JOB_EXITED;
	j->outcome.status = end == JOB_EXITED ? status : 0;
	j->outcome.signal = end == JOB_SIGNALLED ? status : 0;
	if (end != JOB_EXITED || status != 0 || j->timed_out || j->cancelled) {
		failed(j, end, status);
		return;
	}
	j->call.ended(j->call.ctx, j);
	if (conclude(j, &err) == 0) {
		if (!j->outcome.key.algo)
			keep_failed_log(j);
		finish(j, STATE_RAN);
		return;
	}
	undo(j);
	keep_failed_log(j);
	fail(j, &err, "");
	j->outcome.lost = false;
}

void job_cancel(struct step_job *j, int sig)
{
	j->cancelled = true;
	if (j->started) {
		stop(j, sig);
	} else if (j->retry) {
		drop_timers(j);
		j->outcome.reason = S("interrupted");
		finish(j, STATE_CANCELLED);
	} else if (j->copying) {
		atomic_store(&j->copy->stop, true);
	}
}

struct step_job *job_begin(const struct job_call *call)
{
	struct step_job *j = xcalloc(1, sizeof(*j));
	struct timespec now;
	struct err err = ERR_INIT;

	clock_gettime(CLOCK_REALTIME, &now);
	j->call = *call;
	j->step = &call->run->plan->steps[call->step];
	j->begun_ns = loop_now();
	j->wall_ns = now.tv_sec * 1000000000ll + now.tv_nsec;
	j->delay_ms = j->step->retry_delay_ms;
	j->outcome.reason = str_dup(&j->arena, call->reason);
	if (launch(j, &err) < 0) {
		undo(j);
		fail(j, &err, "");
	}
	return j;
}

/* The folder itself serves the next job: making one costs more than most of what a small step does. */
static void empty_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			file_remove_tree(dirfd(dir), e->d_name, NULL);
	if (dir)
		closedir(dir);
}

void job_free(struct step_job *j)
{
	drop_timers(j);
	loop_remove(j->call.loop, j->report);
	if (j->log)
		log_close(j->log);
	if (j->tmp)
		empty_folder(j->tmp);
	probe_release(j->call.probe);
	free(j->call.probe);
	arena_release(j->call.scratch);
	free(j->call.scratch);
	arena_release(&j->arena);
	free(j);
}
