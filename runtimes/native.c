/* native.c: a step as an ordinary process of this machine, in place.
 *
 * The end of a step: its leader ended, and the pipes are at their end or GRACE_NS have passed (what a script leaves in
 * the background, `>(tee log)` for one, gets that long to finish); then the group is killed, the leader reaped, what is
 * in the pipes read. The leader stays a zombie until then, so that its number still means this group. */
#include "runtimes/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/path.h"
#include "sys/child.h"
#include "sys/confine.h"
#include "sys/started.h"

#define MS 1000000ull
#define GRACE_NS (100 * MS)             /* for who still holds a pipe */
#define LEFT_NS (5000 * MS)             /* for what was killed to be gone; it may hang in the kernel */
#define REST_MAX (4u << 20)             /* taken from a pipe at the end: one that left the group may write for ever */

struct native;

struct stream {
	struct native *native;
	int number;                     /* 1 or 2 */
	int fd;                         /* -1: at its end */
	struct loop_watch *watch;
};

struct native {
	struct job *job;
	struct child child;
	struct stream streams[2];
	int pidfd;
	bool noted; size_t note;        /* with started */
	struct loop_watch *ended, *timer;
	bool leader_ended, reaped;
	int status;
	struct rusage usage;
	uint64_t pause, waited;         /* ns, for what was killed */
};

/* Restrictions that a native step asked for are kept or refused, never left aside. */
static const char *unkept(const struct plan_place *p)
{
	const struct plan_place limits = {.cpus_milli = p->cpus_milli, .memory = p->memory, .pids = p->pids, .files = p->files,
					  .fsize = p->fsize, .gpus = p->gpus}, none = {0};
	if (p->mounts.n)
		return "mounts";
	return memcmp(&limits, &none, sizeof(none)) ? "limits" : "security";
}

static int native_check(const struct plan *plan, const struct plan_step *step, struct err *err)
{
	const struct plan_place *place = plan_place_of(plan, step);
	struct str of = plan_str(plan, step->name);
	if (place)
		return err_set(err, ERR_RUNTIME, STR_FMT ": %s: not built yet for native steps", STR_ARG(of), unkept(place));

	if (step->workspace != WORKSPACE_KIND_RO || confine_possible(err) == 0)
		return 0;
	if (err)
		err->kind = ERR_RUNTIME;
	return err_wrap(err, "workspace: ro can't be kept natively here (a container keeps it; `copy` needs nothing)");
}

/* --- output --- */

static void stream_close(struct stream *s)
{
	loop_remove(s->native->job->loop, s->watch);
	s->watch = NULL;
	cleanup_fd(&s->fd);
	s->fd = -1;
}

/* Hands over what one read gives; its length, 0 when there is nothing now or never again. */
static size_t stream_take(struct stream *s)
{
	char bytes[65536];
	ssize_t n = read(s->fd, bytes, sizeof(bytes));
	if (n > 0) {
		s->native->job->output(s->native->job->ctx, s->number, (struct str){bytes, (size_t)n});
		return (size_t)n;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		stream_close(s);
	return 0;
}

static void stream_drain(struct stream *s)
{
	size_t n = 1;
	for (size_t taken = 0; s->fd >= 0 && n && taken < REST_MAX; taken += n)
		n = stream_take(s);
}

static bool at_end(const struct native *n)
{
	return n->streams[0].fd < 0 && n->streams[1].fd < 0;
}

/* --- the end --- */

static void finish(struct native *n)
{
	struct job *job = n->job;
	for (size_t i = 0; i < countof(n->streams); i++) {
		stream_drain(&n->streams[i]);
		stream_close(&n->streams[i]);
	}
	const struct rusage *u = &n->usage;
	struct job_usage usage = {
		.user_us = (uint64_t)u->ru_utime.tv_sec * 1000000 + (uint64_t)u->ru_utime.tv_usec,
		.system_us = (uint64_t)u->ru_stime.tv_sec * 1000000 + (uint64_t)u->ru_stime.tv_usec,
		.max_rss_kb = (uint64_t)u->ru_maxrss,
	};
	if (WIFEXITED(n->status))
		job->done(job->ctx, JOB_EXITED, WEXITSTATUS(n->status), &usage);
	else
		job->done(job->ctx, JOB_SIGNALLED, WTERMSIG(n->status), &usage);
	/* n may be gone: done is where a job is released. */
}

static void forget(struct native *n)
{
	if (n->noted)
		started_ended(n->job->session, n->note);
	n->noted = false;
}

static void await_group(void *ctx)
{
	struct native *n = ctx;
	n->timer = NULL;
	if (!child_group_left(&n->child) || n->waited >= LEFT_NS) {
		forget(n);
		finish(n);
		return;
	}
	n->pause = n->pause ? n->pause * 2 : MS;
	if (n->pause > 50 * MS)
		n->pause = 50 * MS;
	n->waited += n->pause;
	n->timer = loop_timer(n->job->loop, n->pause, await_group, n);
}

static void reap(struct native *n)
{
	loop_remove(n->job->loop, n->timer);
	n->timer = NULL;
	n->reaped = true;
	child_reap(&n->child, &n->status, &n->usage);
	await_group(n);
}

static void grace_over(void *ctx)
{
	struct native *n = ctx;
	n->timer = NULL;
	reap(n);
}

static void leader_ended(void *ctx, unsigned events)
{
	struct native *n = ctx;
	(void)events;
	loop_remove(n->job->loop, n->ended);
	n->ended = NULL;
	n->leader_ended = true;
	for (size_t i = 0; i < countof(n->streams); i++)
		stream_drain(&n->streams[i]);
	if (at_end(n))
		reap(n);
	else
		n->timer = loop_timer(n->job->loop, GRACE_NS, grace_over, n);
}

static void stream_ready(void *ctx, unsigned events)
{
	struct stream *s = ctx;
	struct native *n = s->native;
	(void)events;
	if (s->fd >= 0)
		stream_take(s);
	if (n->leader_ended && !n->reaped && at_end(n))
		reap(n);
}

/* --- the beginning --- */

static void native_release(struct job *job)
{
	struct native *n = job->priv;
	if (!n)
		return;
	job->priv = NULL;
	loop_remove(job->loop, n->ended);
	loop_remove(job->loop, n->timer);
	for (size_t i = 0; i < countof(n->streams); i++)
		stream_close(&n->streams[i]);
	cleanup_fd(&n->pidfd);
	if (n->child.pid && !n->reaped) {
		kill(n->child.foreground ? n->child.pid : -n->child.pid, SIGKILL);
		child_reap(&n->child, &n->status, &n->usage);
	}
	forget(n);
	free(n);
}

/* Our end does not block; the step's does, as programs expect. */
static int stream_open(struct stream *s, int *theirs, struct err *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, "unable to make a pipe for a step's output");
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	s->fd = ends[0];
	*theirs = ends[1];
	return 0;
}

static int watch(struct native *n, struct err *err)
{
	struct loop *loop = n->job->loop;
	n->pidfd = child_pidfd(&n->child);
	if (n->pidfd >= 0)
		n->ended = loop_fd(loop, n->pidfd, EPOLLIN, leader_ended, n);
	bool all = n->ended;
	for (size_t i = 0; i < countof(n->streams); i++) {
		struct stream *s = &n->streams[i];
		if (s->fd >= 0)
			s->watch = loop_fd(loop, s->fd, EPOLLIN, stream_ready, s);
		all &= s->fd < 0 || s->watch;
	}
	return all ? 0 : err_errno(err, "unable to watch %s", n->job->argv[0]);
}

static int launch(struct native *n, struct err *err)
{
	struct child *c = &n->child;
	int out CLEANUP_FD = -1, errfd CLEANUP_FD = -1;
	if (n->job->terminal) {
		c->foreground = true;
		c->in = 0, c->out = 1, c->err = 2;
	} else if (stream_open(&n->streams[0], &out, err) < 0 || stream_open(&n->streams[1], &errfd, err) < 0) {
		return -1;
	} else {
		c->in = -1, c->out = out, c->err = errfd;
	}
	uint64_t since = started_now();
	if (child_start(c, err) < 0)
		return -1;
	if (n->job->session) {
		n->note = started_note(n->job->session, c->pid, !c->foreground, since);
		n->noted = true;
	}
	return 0;
}

static int native_start(struct job *job, struct err *err)
{
	struct native *n = xcalloc(1, sizeof(*n));
	job->priv = n;
	n->job = job;
	n->pidfd = -1;
	for (int i = 0; i < 2; i++)
		n->streams[i] = (struct stream){.native = n, .number = i + 1, .fd = -1};
	n->child = (struct child){.argv = job->argv, .env = job->env, .dir = job->dir};
	if (job->step->workspace == WORKSPACE_KIND_RO) {
		n->child.readonly = job->root;
		n->child.writable = path_within(str_of(job->tmp), str_of(job->root)) ? job->tmp : NULL;
	}
	if (launch(n, err) == 0 && watch(n, err) == 0)
		return 0;
	native_release(job);
	return -1;
}

/* A stopped process sees no signal but SIGKILL before it goes on. */
static void native_cancel(struct job *job, int sig)
{
	struct native *n = job->priv;
	if (!n || n->reaped)
		return;
	pid_t whom = n->child.foreground ? n->child.pid : -n->child.pid;
	kill(whom, sig);
	if (sig != SIGKILL)
		kill(whom, SIGCONT);
}

static int native_open(const struct runtime_context *context, void **session, struct err *err)
{
	struct arena a = ARENA_INIT;
	(void)err;
	*session = started_open(str_fmt(&a, "%s/" STARTED_FILE, context->state_dir).s);
	arena_release(&a);
	return 0;
}

static void native_close(void *session)
{
	started_close(session);
}

const struct runtime runtime_native = {
	.name = "native",
	.check = native_check,
	.open = native_open,
	.close = native_close,
	.start = native_start,
	.cancel = native_cancel,
	.release = native_release,
};
