/* container.c: a step in a container of an engine.
 *
 * A container is made from the image that was keyed, with the shim as its first process; the engine's attach stream carries the
 * conversation with it (containerlink.h), so exit status, signal and streams are the step's own and not what an engine makes of
 * them, and neither environment nor secrets are seen by those who may look at containers. When the step is done the container
 * is removed in the background, or waits for the next step of its settings (containerpool.h). Only where the stream ended before the shim said so is the engine asked what became of it. */
#include "runtimes/runtime.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "runtimes/cgroup.h"
#include "runtimes/containerask.h"
#include "runtimes/containerbody.h"
#include "runtimes/containerhost.h"
#include "runtimes/containerlink.h"
#include "runtimes/containerneeds.h"
#include "runtimes/containerplace.h"
#include "runtimes/containerpool.h"
#include "runtimes/containersession.h"

#define MS 1000000ull
#define GRACE_NS (3000 * MS)            /* for the shim to carry out a SIGKILL, before the engine is asked to */
#define AGAIN_MAX 10                    /* attaching anew */
#define MADE_MAX 3                      /* containers that end before anything was asked of them */
#define AGAIN_NS (100 * MS)             /* before the first; twice as long before each further one */

struct container {
	struct job *job;
	struct container_session *session;
	struct engine *engine;
	const struct container_image *image;
	struct container_wait *wait;
	struct engine_call *call;
	struct containerlink *link;
	struct containerhost *host;     /* NULL: the step has no way back, or is over */
	struct str *sources;            /* by mount of the place */
	struct str id;                  /* "": there is none yet */
	struct loop_watch *timer, *report;
	uint32_t connected;             /* networks after the first that it is in */
	uint32_t get;                   /* of what it requires */
	struct buf listing;             /* what of its requirements is there */
	struct container_asked asking;
	unsigned again;
	int cancelled;                  /* the last signal asked for; 0: none */
	unsigned made;                  /* how often a container was tried to be made */
	struct xxh key;                 /* of containers that may be shared */
	bool shared, reusable;          /* the step may share one; its container may be used again */
	bool asked, over;
	bool told;                      /* done is, and waits for the engine's answer to start */
	bool lost;                      /* the stream ended, and there is no other yet */
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
	containerhost_close(c->host);
	c->host = NULL;
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

	/* What is killed for want of memory is counted for the container: the next step's SIGKILL would be taken for that. */
	c->reusable = c->shared && !c->lost && !c->cancelled && !d->flags && d->kind == SHIM_EXITED && d->status < 128;
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

static void told(struct container *c);

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
	if (c->call) {                  /* start's: forgotten in the middle, the engine might take it back */
		c->told = true;
		return;
	}
	told(c);
}

static void told(struct container *c)
{
	/* a SIGKILL that nobody here sent may be the kernel's, for want of memory */
	if (c->done.kind == SHIM_SIGNALLED && c->done.status == SIGKILL && !c->cancelled)
		c->call = engine_inspect(c->engine, c->id, asked_about_memory, c);
	else
		tell_done(c, false);
}

static void on_output(void *ctx, uint32_t step, int stream, struct str bytes)
{
	const struct job *job = ((struct container *)ctx)->job;

	(void)step;
	job->output(job->ctx, stream, bytes);
}

static void on_put_done(void *ctx, uint32_t id, int reason, struct str text)
{
	struct container *c = ctx;

	if (reason && (id == c->asking.put || id == c->asking.known))
		not_run(c, str_fmt(c->job->arena, "unable to hand over the step's files: " STR_FMT ": %s", STR_ARG(text), strerror(reason)));
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

static void begin_now(void *ctx)
{
	struct container *c = ctx;
	struct err err = ERR_INIT;

	if (c->cancelled)
		not_run(c, S(""));
	else if (container_ask(containerlink_shim(c->link), c->job, c->image, c->host, &c->asking, &err) < 0)
		not_run_err(c, &err);
	else
		containerlink_push(c->link);
	err_release(&err);
}

static void begin_step(struct container *c)
{
	if (place_of(c)->flags & PLACE_HOST_SSH)
		c->host = containerhost_open(c->job, c->engine, c->id, c->link, begin_now, c);
	else
		begin_now(c);
}

/* First what it requires, if anything. */
static void ask(struct container *c)
{
	struct container_needs needs;
	struct err err = ERR_INIT;

	c->asked = true;
	if (c->cancelled) {
		not_run(c, S(""));
		return;
	}
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

	(void)again, (void)pid, (void)first;
	c->again = 0;
	if (!c->asked)
		ask(c);
}

/* ---- the stream ---- */

static void came_to(void *ctx, const struct engine_reply *reply);
static void make_again(struct container *c);
static void start_it(struct container *c);

static void started(void *ctx, const struct engine_reply *reply)
{
	struct container *c = ctx;

	c->call = NULL;
	if (c->over)
		return;
	if (c->told)
		told(c);
	else if (reply->fault && reply->fault != ENGINE_LOST)
		not_run_err(c, reply->err);
	else if (c->lost)
		c->call = engine_inspect(c->engine, c->id, came_to, c);
	else if (reply->fault && !c->asked)     /* was it? Once more does no harm */
		start_it(c);
}

static void start_it(struct container *c) { c->call = engine_start(c->engine, c->id, started, c); }

static void on_attached(void *ctx)
{
	struct container *c = ctx;

	c->lost = false;
	if (!c->asked && !c->call)
		start_it(c);
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
	if (c->over)
		return;
	if (told && state.oom) {
		out_of_memory(c, NULL);
	} else if (told && !c->asked && state.ended && c->made < MADE_MAX) {
		containerlink_close(c->link);
		c->link = NULL;
		make_again(c);
	} else if (told && !c->asked && state.ended) {
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

	c->lost = true;
	c->reusable = false;
	if (c->over || c->call)
		return;                 /* the engine is being asked already; started sees it */
	if (!c->said.n)
		c->said = str_dup(c->job->arena, text);
	c->call = engine_inspect(c->engine, c->id, came_to, c);
}

static const struct containerlink_calls link_calls = {
	.shim = {.ready = on_ready, .output = on_output, .done = on_done, .put_done = on_put_done, .got = on_got,
		 .get_done = on_get_done, .bye = on_bye},
	.attached = on_attached, .ended = on_ended,
};

static void attach(struct container *c)
{
	struct err err = ERR_INIT;

	c->link = containerlink_open(c->engine, c->id, &link_calls, c, &err);
	if (!c->link)
		not_run_err(c, &err);
	err_release(&err);
}

/* ---- the container ---- */

static void connect_next(struct container *c);
static void create(struct container *c);

static void create_later(void *ctx)
{
	struct container *c = ctx;

	c->timer = NULL;
	if (c->cancelled)
		not_run(c, S(""));
	else
		create(c);
}

/* Nothing runs in it yet, so another one is as good. */
static void make_again(struct container *c)
{
	container_unsure(c->session, c->id);
	c->id = S("");
	c->connected = 0;
	c->timer = loop_timer(c->job->loop, AGAIN_NS << (c->made - 1), create_later, c);
}

static void connected(void *ctx, const struct engine_reply *reply)
{
	struct container *c = ctx;

	c->call = NULL;
	if (reply->fault == ENGINE_LOST && c->made < AGAIN_MAX)
		make_again(c);
	else if (reply->fault)
		not_run_err(c, reply->err);
	else
		connect_next(c);
}

/* It is made with its first network; the others come one by one. */
static void connect_next(struct container *c)
{
	const struct plan_place *place = place_of(c);

	if (++c->connected >= place->networks.n)
		attach(c);
	else
		c->call = engine_network_connect(c->engine, plan_word(c->job->plan, place->networks, c->connected), c->id, connected, c);
}

static void created(void *ctx, const struct engine_reply *reply)
{
	struct container *c = ctx;

	c->call = NULL;
	/* the name is this run's own: taken it is by a container that was made though its answer was lost */
	if ((reply->fault == ENGINE_LOST || reply->fault == ENGINE_CONFLICT) && c->made < AGAIN_MAX)
		return make_again(c);
	if (reply->fault)
		return not_run_err(c, reply->err);
	c->id = str_dup(c->job->arena, reply->id);
	container_warn(c->job, reply->json);
	if (c->cancelled)
		not_run(c, S(""));
	else
		connect_next(c);
}

/* ---- one that others used ---- */

static bool take_warm(struct container *c)
{
	struct container_warm warm;

	c->shared = container_reusable(c->job);
	if (!c->shared)
		return false;
	c->key = container_key(c->job, c->image, c->sources);
	if (!containerpool_take(container_pool(c->session), c->key, c->job->arena, &warm))
		return false;
	c->id = warm.id;
	c->link = warm.link;
	containerlink_owner(c->link, &link_calls, c);
	ask(c);
	return true;
}

static void discard(struct container *c)
{
	containerlink_close(c->link);
	engine_cancel(c->call);
	if (c->id.n)
		container_discard(c->session, c->id);
}

/* ---- its body ---- */

static void create(struct container *c)
{
	CLEANUP_BUF struct buf body = BUF_INIT(1u << 20);
	struct err err = ERR_INIT;
	char name[64];

	if ((!c->sources && container_sources(c->job, &c->sources, &err) < 0) ||
	    (!take_warm(c) && container_body(c->job, c->image, c->sources, engine_kind(c->engine), &body, &err) < 0)) {
		not_run_err(c, &err);
		err_release(&err);
		return;
	}
	if (c->link)
		return;
	container_name(c->session, name);
	c->made++;
	c->id = str_dup(c->job->arena, str_of(name));           /* until the engine says another */
	c->call = engine_create(c->engine, c->id, plan_str(c->job->plan, plan_image_of(c->job->plan, c->job->step)->platform),
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
	if (!c->asking.step) {          /* nothing runs yet; what comes next sees it, if it is still being made */
		if (c->link)
			not_run(c, S(""));
		return;
	}
	shimlink_signal(containerlink_shim(c->link), c->asking.step, sig);
	if (sig != SIGKILL)
		shimlink_signal(containerlink_shim(c->link), c->asking.step, SIGCONT);
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
	containerhost_close(c->host);
	if (c->reusable)
		containerpool_give(container_pool(c->session), c->key, (struct container_warm){c->id, c->link}, c->job->nsecrets);
	else
		discard(c);
	buf_release(&c->listing);
	free(c);
}

const struct runtime runtime_container = {
	.name = "container",
	.check = containerbody_check,
	.open = container_session_open,
	.close = container_session_close,
	.start = container_start,
	.cancel = container_cancel,
	.release = container_release,
};
