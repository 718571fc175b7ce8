/* container.c: a step in a container of an engine.
 *
 * A container is made from the image that was keyed, with the shim as its first process; the engine's attach stream carries the
 * conversation with it (containerlink.h), so exit status, signal and streams are the step's own and not what an engine makes of
 * them, and neither environment nor secrets are seen by those who may look at containers. When the step is done the container
 * is removed in the background. Only where the stream ended before the shim said so is the engine asked what became of it. */
#include "runtimes/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "runtimes/cgroup.h"
#include "runtimes/containerbody.h"
#include "runtimes/containerlink.h"
#include "runtimes/containerneeds.h"
#include "runtimes/containerplace.h"
#include "runtimes/containersession.h"
#include "runtimes/containerwords.h"
#include "sys/archive.h"

#define MS 1000000ull
#define GRACE_NS (3000 * MS)            /* for the shim to carry out a SIGKILL, before the engine is asked to */
#define AGAIN_MAX 10                    /* attaching anew */
#define AGAIN_NS (100 * MS)             /* before the first; twice as long before each further one */
#define SLACK_MS 30000                  /* the shim's own timeout comes into force only when nobody here is left */

struct container {
	struct job *job;
	struct container_session *session;
	struct engine *engine;
	const struct container_image *image;
	struct container_wait *wait;
	struct engine_call *call;
	struct containerlink *link;
	struct str *sources;            /* by mount of the place */
	struct str id;                  /* "": there is none yet */
	struct loop_watch *timer, *report;
	uint32_t connected;             /* networks after the first that it is in */
	uint32_t step, put, get;        /* ids of the shim's */
	struct buf listing;             /* what of its requirements is there */
	unsigned again;
	int cancelled;                  /* the last signal asked for; 0: none */
	bool asked, over;
	struct str said;                /* why the stream ended */
	enum job_end end;               /* what report tells */
	int status;
	struct job_usage usage;
	struct shim_done done;          /* what the shim said, while the engine is asked about memory */
};

static const struct plan_place *place_of(const struct container *c) { return plan_place_of(c->job->plan, c->job->step); }

/* ---- the end ---- */

static void report(void *ctx)
{
	struct container *c = ctx;

	c->report = NULL;
	c->job->done(c->job->ctx, c->end, c->status, &c->usage);
	/* c is gone: done is where a job is released. */
}

/* It is told from the loop: what came to this end, a link or a call, must not be closed from within. */
static void finish(struct container *c, enum job_end end, int status, const struct job_usage *usage)
{
	if (c->over)
		return;
	c->over = true;
	c->end = end;
	c->status = status;
	if (usage)
		c->usage = *usage;
	c->report = loop_timer(c->job->loop, 0, report, c);
}

static void not_run(struct container *c, struct str text)
{
	if (c->cancelled) {
		finish(c, JOB_SIGNALLED, c->cancelled, NULL);
		return;
	}
	c->job->problem = str_dup(c->job->arena, text);
	finish(c, JOB_NOT_RUN, 0, NULL);
}

static void not_run_err(struct container *c, const struct err *err)
{
	not_run(c, str_of(err && err->text ? err->text : "unknown reason"));
}

static void unknown(struct container *c, struct str why)
{
	c->job->problem = str_fmt(c->job->arena, "the engine can no longer say what became of it%s" STR_FMT, why.n ? ": " : "", STR_ARG(why));
	finish(c, JOB_UNKNOWN, 0, NULL);
}

static void out_of_memory(struct container *c, const struct job_usage *usage)
{
	uint64_t limit = place_of(c)->memory;

	c->job->problem = limit ? str_fmt(c->job->arena, "it needed more memory than its limit of %llu MiB", (unsigned long long)(limit >> 20))
				: S("it was killed because memory ran out");
	finish(c, JOB_OOM, 0, usage);
}

/* ---- what the shim said ---- */

static void tell_done(struct container *c, bool oom)
{
	const struct shim_done *d = &c->done;
	struct job_usage usage = {d->user_us, d->system_us, d->max_rss_kb};

	if (oom)
		out_of_memory(c, &usage);
	else
		finish(c, d->kind == SHIM_EXITED ? JOB_EXITED : JOB_SIGNALLED, (int)d->status, &usage);
}

/* The engine may not tell as long as the container's first process, the shim, lives; the kernel's own count does. */
static void asked_about_memory(void *ctx, const struct engine_reply *reply)
{
	struct container *c = ctx;
	struct engine_state state = {0};
	bool told = !reply->fault && reply->json && engine_state_of(reply->json, &state);

	c->call = NULL;
	tell_done(c, told && (state.oom || (state.pid > 0 && cgroup_oom((pid_t)state.pid))));
}

static void on_done(void *ctx, const struct shim_done *done, struct str text)
{
	struct container *c = ctx;

	c->done = *done;
	if (done->kind == SHIM_NOT_STARTED) {
		const char *program = c->job->argv[0] ? c->job->argv[0] : "";

		not_run(c, str_fmt(c->job->arena, "unable to start %s in the container: " STR_FMT "%s%s", program, STR_ARG(text),
				   done->status ? ": " : "", done->status ? strerror((int)done->status) : ""));
		return;
	}
	/* a SIGKILL that nobody here sent may be the kernel's, for want of memory */
	if (done->kind == SHIM_SIGNALLED && done->status == SIGKILL && !c->cancelled)
		c->call = engine_inspect(c->engine, c->id, asked_about_memory, c);
	else
		tell_done(c, false);
}

static void on_output(void *ctx, uint32_t step, int stream, struct str bytes)
{
	struct container *c = ctx;

	(void)step;
	c->job->output(c->job->ctx, stream, bytes);
}

static void on_put_done(void *ctx, uint32_t id, int reason, struct str text)
{
	struct container *c = ctx;

	if (id == c->put && reason)
		not_run(c, str_fmt(c->job->arena, "unable to hand over the secrets: " STR_FMT ": %s", STR_ARG(text), strerror(reason)));
}

static void begin_step(struct container *c);

static void on_got(void *ctx, uint32_t id, struct str bytes)
{
	struct container *c = ctx;

	if (id == c->get)
		buf_str(&c->listing, bytes);
}

/* What could meet its requirements was looked for: then it begins. */
static void on_get_done(void *ctx, uint32_t id, int reason, struct str text)
{
	struct container *c = ctx;
	struct str missing = {0};
	struct err err = ERR_INIT;

	if (id != c->get || c->over)
		return;
	if (reason)
		not_run(c, str_fmt(c->job->arena, "unable to look for what it requires: " STR_FMT ": %s", STR_ARG(text), strerror(reason)));
	else if (container_missing(c->job, c->image, buf_view(&c->listing), &missing, &err) < 0)
		not_run_err(c, &err);
	else if (missing.n)
		not_run(c, str_fmt(c->job->arena, "it requires what is not in its container: " STR_FMT, STR_ARG(missing)));
	else
		begin_step(c);
	err_release(&err);
}

static void on_bye(void *ctx, struct str text)
{
	struct container *c = ctx;

	c->said = str_dup(c->job->arena, text);
}

/* ---- what the shim is asked ---- */

static int to_buf(void *ctx, const void *bytes, size_t n, struct err *err)
{
	(void)err;
	buf_add(ctx, bytes, n);
	return 0;
}

/* Files of secrets, for the user that the step runs as. */
static int put_secrets(struct container *c, struct err *err)
{
	const struct job *job = c->job;
	struct shimlink *shim = containerlink_shim(c->link);
	struct shim_put put = {.root = INSIDE_SECRETS};
	CLEANUP_BUF struct buf tar = BUF_INIT(BUF_UNLIMITED);
	struct tar_options options = {0};
	struct tar_writer *w CLEANUP_TAR = NULL;

	if (tar_create(&options, to_buf, &tar, &w, err) < 0)
		return -1;
	for (size_t i = 0; i < job->nsecrets; i++) {
		struct tar_entry e = {.name = job->secrets[i].name, .type = TAR_FILE, .mode = 0600, .size = job->secrets[i].value.n};

		if (tar_add_bytes(w, &e, job->secrets[i].value.s, err) < 0)
			return -1;
	}
	if (tar_finish(w, err) < 0)
		return -1;
	w = NULL;
	if (!(c->put = shimlink_put(shim, &put, err)))
		return -1;
	shimlink_put_data(shim, buf_view(&tar));
	shimlink_put_end(shim);
	return 0;
}

static int ask_step(struct container *c, struct err *err)
{
	const struct job *job = c->job;
	const struct plan_place *place = place_of(c);
	struct shim_step step = {
		.argv = job->argv, .env = container_env(job, c->image), .flags = STEP_ENV_ADD, .cwd = job->dir, .umask = place->flags & PLACE_UMASK ? place->umask : 022,
		.limits = {[SHIM_LIMIT_FILES] = place->files, [SHIM_LIMIT_FSIZE] = place->fsize},
		.timeout_ms = job->step->timeout_ms ? job->step->timeout_ms + SLACK_MS : 0, .grace_ms = 5000,
	};

	if (job->step->script_kind == SCRIPT_KIND_IMAGE)
		step.argv = container_argv(job, c->image);
	if (!step.argv[0])
		return err_set(err, ERR_RUNTIME, "the image has no entrypoint and no command");
	if (job->script.s) {
		step.script_path = INSIDE_SCRIPT;
		step.script = job->script;
	}
	if (job->nsecrets && put_secrets(c, err) < 0)
		return -1;
	c->step = shimlink_step(containerlink_shim(c->link), &step, err);
	return c->step ? 0 : -1;
}

static void begin_step(struct container *c)
{
	struct err err = ERR_INIT;

	if (ask_step(c, &err) < 0)
		not_run_err(c, &err);
	else
		containerlink_push(c->link);
	err_release(&err);
}

/* First what it requires, if anything. */
static void begin(struct container *c)
{
	struct container_needs needs;
	struct err err = ERR_INIT;

	container_needs(c->job, c->image, &needs);
	if (!needs.n) {
		c->get = 1;
		on_get_done(c, c->get, 0, S(""));
		return;
	}
	c->get = shimlink_get(containerlink_shim(c->link), "/", needs.paths, needs.n, GET_LIST | GET_ABSENT, &err);
	if (!c->get)
		not_run_err(c, &err);
	else
		containerlink_push(c->link);
	err_release(&err);
}

static void on_ready(void *ctx, bool again, uint32_t pid, bool first)
{
	struct container *c = ctx;

	(void)pid, (void)first;
	c->again = 0;
	if (again || c->asked)
		return;
	c->asked = true;
	if (c->cancelled)
		not_run(c, S(""));
	else
		begin(c);
}

/* ---- the stream ---- */

static void started(void *ctx, const struct engine_reply *reply)
{
	struct container *c = ctx;

	c->call = NULL;
	if (reply->fault && reply->fault != ENGINE_LOST)        /* of a lost answer the stream will tell */
		not_run_err(c, reply->err);
}

static void on_attached(void *ctx)
{
	struct container *c = ctx;

	if (!c->again && !c->asked)
		c->call = engine_start(c->engine, c->id, started, c);
}

static void attach_again(void *ctx)
{
	struct container *c = ctx;

	c->timer = NULL;
	containerlink_again(c->link);
}

static void came_to(void *ctx, const struct engine_reply *reply)
{
	struct container *c = ctx;
	struct engine_state state = {0};
	bool told = !reply->fault && reply->json && engine_state_of(reply->json, &state);

	c->call = NULL;
	if (told && state.oom) {
		out_of_memory(c, NULL);
	} else if (told && !c->asked && !state.running) {
		not_run(c, str_fmt(c->job->arena, "the container did not start: %s" STR_FMT, state.error.n ? state.error.s : "", STR_ARG(c->said)));
	} else if (told && state.ended) {
		c->said = c->said.n ? c->said : str_fmt(c->job->arena, "the container ended with status %d", state.exit_code);
		unknown(c, c->said);
	} else if (reply->fault == ENGINE_ABSENT || c->again >= AGAIN_MAX) {
		unknown(c, reply->err && reply->err->text ? str_of(reply->err->text) : c->said);
	} else {
		c->timer = loop_timer(c->job->loop, AGAIN_NS << c->again++, attach_again, c);
	}
}

static void on_ended(void *ctx, struct str text)
{
	struct container *c = ctx;

	if (c->over || c->call)
		return;                 /* the engine is being asked already */
	if (!c->said.n)
		c->said = str_dup(c->job->arena, text);
	c->call = engine_inspect(c->engine, c->id, came_to, c);
}

static void attach(struct container *c)
{
	static const struct containerlink_calls calls = {
		.shim = {.ready = on_ready, .output = on_output, .done = on_done, .put_done = on_put_done, .got = on_got,
			 .get_done = on_get_done, .bye = on_bye},
		.attached = on_attached, .ended = on_ended,
	};
	struct err err = ERR_INIT;

	c->link = containerlink_open(c->engine, c->id, &calls, c, &err);
	if (!c->link)
		not_run_err(c, &err);
	err_release(&err);
}

/* ---- the container ---- */

static void connect_next(struct container *c);

static void connected(void *ctx, const struct engine_reply *reply)
{
	struct container *c = ctx;

	c->call = NULL;
	if (reply->fault)
		not_run_err(c, reply->err);
	else
		connect_next(c);
}

/* It is made with its first network; the others come one by one. */
static void connect_next(struct container *c)
{
	const struct plan_place *place = place_of(c);
	CLEANUP_BUF struct buf path = BUF_INIT(4096), body = BUF_INIT(4096);
	struct engine_ask ask = {.method = "POST"};
	struct str name;

	if (++c->connected >= place->networks.n) {
		attach(c);
		return;
	}
	name = plan_word(c->job->plan, place->networks, c->connected);
	buf_z(&path, "/networks");
	engine_segment(&path, name);
	buf_z(&path, "/connect");
	buf_fmt(&body, "{\"Container\":\"" STR_FMT "\"}", STR_ARG(c->id));
	ask.path = buf_view(&path);
	ask.body = buf_view(&body);
	ask.what = str_fmt(c->job->arena, "connect the container to the network " STR_FMT, STR_ARG(name));
	c->call = engine_ask(c->engine, &ask, connected, c);
}

static void created(void *ctx, const struct engine_reply *reply)
{
	struct container *c = ctx;
	const struct node *warnings = !reply->fault && reply->json && reply->json->kind == NODE_MAP ? node_get(reply->json, S("Warnings")) : NULL;

	c->call = NULL;
	if (reply->fault) {
		not_run_err(c, reply->err);
		return;
	}
	c->id = str_dup(c->job->arena, reply->id);
	for (size_t i = 0; warnings && warnings->kind == NODE_LIST && i < warnings->n; i++)
		if (warnings->items[i].value->kind == NODE_SCALAR && warnings->items[i].value->s.n)
			c->job->note(c->job->ctx, true, warnings->items[i].value->s);
	if (c->cancelled)
		not_run(c, S(""));
	else
		connect_next(c);
}

/* ---- its body ---- */

static void create(struct container *c)
{
	const struct runtime_context *context = container_context(c->session);
	CLEANUP_BUF struct buf body = BUF_INIT(1u << 20);
	struct err err = ERR_INIT;
	const char *shim = container_shim(c->session, &err);
	char name[64];

	if (!shim || container_sources(c->job, &c->sources, &err) < 0) {
		not_run_err(c, &err);
		err_release(&err);
		return;
	}
	containerbody_write(&(struct containerbody){
		.plan = c->job->plan, .step = c->job->step, .image = c->image->id, .shim = str_of(shim), .root = str_of(c->job->root),
		.owner = container_owner(c->session), .run = context->run, .silence = S("--silence=60"), .user = container_user(c->job, c->image),
		.sources = c->sources, .selinux = container_selinux(), .podman = engine_kind(c->engine) == ENGINE_PODMAN,
	}, &body);
	container_name(c->session, name);
	c->call = engine_create(c->engine, str_of(name), plan_str(c->job->plan, plan_image_of(c->job->plan, c->job->step)->platform),
				buf_view(&body), created, c);
}

/* ---- the beginning ---- */

static void image_there(void *ctx, const struct container_image *image, struct err *err)
{
	struct container *c = ctx;

	c->wait = NULL;
	c->image = image;
	if (!image)
		not_run_err(c, err);
	else if (c->cancelled)
		not_run(c, S(""));
	else
		create(c);
}

static void engine_there(void *ctx, struct engine *engine, struct err *err)
{
	struct container *c = ctx;

	c->wait = NULL;
	c->engine = engine;
	if (!engine)
		not_run_err(c, err);
	else
		c->wait = container_image(c->session, c->job->image, image_there, c);
}

static int container_check(const struct plan *plan, const struct plan_step *step, struct err *err)
{
	return containerbody_check(plan, step, err);
}

static int container_start(struct job *job, struct err *err)
{
	struct container *c = xcalloc(1, sizeof(*c));

	(void)err;
	c->listing = (struct buf)BUF_INIT(1u << 20);
	job->priv = c;
	c->job = job;
	c->session = job->session;
	c->wait = container_engine(c->session, engine_there, c);
	return 0;
}

static void killed(void *ctx, const struct engine_reply *reply) { (void)ctx, (void)reply; }

static void kill_it(void *ctx)
{
	struct container *c = ctx;

	c->timer = NULL;
	engine_kill(c->engine, c->id, SIGKILL, killed, NULL);
}

static void container_cancel(struct job *job, int sig)
{
	struct container *c = job->priv;

	if (!c || c->over)
		return;
	c->cancelled = sig;
	if (!c->step)
		return;                 /* what comes next sees it */
	shimlink_signal(containerlink_shim(c->link), c->step, sig);
	if (sig != SIGKILL)
		shimlink_signal(containerlink_shim(c->link), c->step, SIGCONT);
	else if (!c->timer)
		c->timer = loop_timer(job->loop, GRACE_NS, kill_it, c);
	containerlink_push(c->link);
}

static void container_release(struct job *job)
{
	struct container *c = job->priv;

	if (!c)
		return;
	job->priv = NULL;
	loop_remove(job->loop, c->timer);
	loop_remove(job->loop, c->report);
	container_unwait(c->session, c->wait);
	containerlink_close(c->link);
	engine_cancel(c->call);
	if (c->id.n)
		container_discard(c->session, c->id);
	buf_release(&c->listing);
	free(c);
}

const struct runtime runtime_container = {
	.name = "container",
	.check = container_check,
	.open = container_session_open,
	.close = container_session_close,
	.start = container_start,
	.cancel = container_cancel,
	.release = container_release,
};
