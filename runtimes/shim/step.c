/* step.c: a step from its message to its DONE.
 *
 * Its end: its first process ended, and its pipes are at their end or GRACE_MS have passed (what a script leaves in the
 * background, `>(tee log)` for one, gets that long to finish); then its group is killed, the first process reaped
 * (until then its number belongs to this group), all that it left anywhere killed, and what is in the pipes sent. */
#include "runtimes/shim/steprequest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_MS 100

static struct {
	enum { IDLE, RUNNING, GRACE, SWEEP, DRAIN } state;
	uint32_t id, flags, leftovers, grace;
	pid_t pid;
	int pipe[2];
	size_t polled[2];
	uint64_t offset[2];
	ms timeout_at, kill_at, grace_at;
	int status;
	struct rusage usage;
	char script[SCRIPT_PATH_MAX];        /* to be removed */
} step;

/* --- what is said of it --- */

static void say_done(enum shim_kind kind, uint32_t status, const struct text *text)
{
	uint8_t head[DONE_HEAD];
	const struct rusage *u = &step.usage;
	const uint32_t numbers[] = {step.id, kind, status, step.flags, step.leftovers, 0};
	for (size_t i = 0; i < 6; i++)
		wire_u32(head + 4 * i, numbers[i]);
	wire_u64(head + 24, (uint64_t)u->ru_utime.tv_sec * 1000000 + (uint64_t)u->ru_utime.tv_usec);
	wire_u64(head + 32, (uint64_t)u->ru_stime.tv_sec * 1000000 + (uint64_t)u->ru_stime.tv_usec);
	wire_u64(head + 40, (uint64_t)u->ru_maxrss);
	say(FRAME_DONE, (struct bytes){head, sizeof(head)}, text ? text_bytes(text) : (struct bytes){0});
	shim.status = kind == SHIM_EXITED ? (int)status : kind == SHIM_SIGNALLED ? 128 + (int)status : SHIM_FAILED;
	if (step.script[0])
		unlink(step.script);
	step.script[0] = '\0';
}

static void say_not_started(uint32_t id, const char *what, const char *on, int reason)
{
	struct text t = {0};
	step.id = id;
	step.usage = (struct rusage){0};
	text_add(&t, "unable to ");
	text_add(&t, what);
	if (on) {
		text_add(&t, ": ");
		text_add(&t, on);
	}
	if (reason) {
		text_add(&t, ": ");
		text_add(&t, strerror(reason));
	}
	say_done(SHIM_NOT_STARTED, (uint32_t)reason, &t);
}

/* --- its beginning --- */

static bool open_pipes(struct spawn *s)
{
	int out[2], err[2];
	if (pipe2(out, O_CLOEXEC) < 0)
		return false;
	if (pipe2(err, O_CLOEXEC) < 0) {
		close(out[0]), close(out[1]);
		return false;
	}
	step.pipe[0] = out[0], step.pipe[1] = err[0];
	s->out = out[1], s->err = err[1];
	for (int i = 0; i < 2; i++)
		fcntl(step.pipe[i], F_SETFL, O_NONBLOCK);
	return true;
}

static void close_pipe(int i)
{
	if (step.pipe[i] >= 0)
		close(step.pipe[i]);
	step.pipe[i] = -1;
}

static void begun(const struct request *r)
{
	uint8_t head[8];
	ms now = now_ms();
	step.state = RUNNING;
	step.grace = r->grace;
	step.offset[0] = step.offset[1] = 0;
	step.timeout_at = r->timeout && r->timeout < NEVER - now ? now + r->timeout : NEVER;
	step.kill_at = step.grace_at = NEVER;
	shim.host_wanted = r->flags & STEP_HOST;
	wire_u32(head, step.id);
	wire_u32(head + 4, (uint32_t)step.pid);
	say(FRAME_STARTED, (struct bytes){head, sizeof(head)}, (struct bytes){0});
}

static void start(struct request *r)
{
	const char *what = "make its pipes", *on = NULL;
	step.pid = step.pipe[0] = step.pipe[1] = -1;
	if (!request_complete(r)) {
		what = "make its environment";
		errno = r->flags & STEP_HOST && !host_address() ? EADDRNOTAVAIL : ENOMEM;
	} else if (request_write_script(r, step.script) < 0) {
		what = "write its script", on = r->script_path;
	} else if (open_pipes(&r->spawn)) {
		step.pid = spawn(&r->spawn, &what);
		int reason = errno;
		on = strcmp(what, "enter its folder") == 0 ? r->spawn.cwd : r->argv.v[0];
		close(r->spawn.out), close(r->spawn.err);
		errno = reason;
	}
	if (step.pid >= 0) {
		begun(r);
		return;
	}
	int reason = errno;
	close_pipe(0), close_pipe(1);
	say_not_started(step.id, what, on, reason);
}

bool step_begin(uint8_t *message, size_t n)
{
	struct request r = REQUEST_INIT;
	struct bytes fields;
	uint32_t id;
	if (!fields_begin(message, n, &id, &fields) || step.state != IDLE)
		return false;
	step.flags = step.leftovers = 0;
	step.usage = (struct rusage){0};
	step.id = id;
	step.script[0] = '\0';
	if (!request_read(&r, fields))
		say_not_started(id, "understand what is asked of this shim", NULL, EINVAL);
	else if (!put_good())
		say_not_started(id, "run it in a workspace that did not arrive whole", NULL, ENODATA);
	else
		start(&r);
	request_release(&r);
	return true;
}

/* --- while it runs --- */

static void signal_group(int sig)
{
	kill(-step.pid, sig);
	if (sig != SIGKILL)
		kill(-step.pid, SIGCONT);       /* a stopped process sees no other */
}

void step_signal(uint32_t id, int sig)
{
	if ((step.state == RUNNING || step.state == GRACE) && step.id == id && sig > 0 && sig < NSIG)
		signal_group(sig);
}

void step_stop(ms grace)
{
	if (step.state != RUNNING && step.state != GRACE)
		return;
	signal_group(SIGTERM);
	step.kill_at = now_ms() + grace;
}

bool step_running(void)
{
	return step.state != IDLE;
}

static bool at_end(void)
{
	return step.pipe[0] < 0 && step.pipe[1] < 0;
}

/* Passes on what one read gives; false when there is nothing now. */
static bool pass_on(int i)
{
	static uint8_t bytes[FRAME_MAX - OUTPUT_HEAD];
	uint8_t head[OUTPUT_HEAD];
	ssize_t n = read(step.pipe[i], bytes, sizeof(bytes));
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			close_pipe(i);
		return false;
	}
	wire_u32(head, step.id);
	wire_u32(head + 4, (uint32_t)i + 1);
	wire_u64(head + 8, step.offset[i]);
	say(FRAME_OUTPUT, (struct bytes){head, sizeof(head)}, (struct bytes){bytes, (size_t)n});
	step.offset[i] += (uint64_t)n;
	return true;
}

static void read_pipes(void)
{
	for (int i = 0; i < 2; i++)
		for (int reads = 0; reads < 4 && step.pipe[i] >= 0 && say_room() && pass_on(i); reads++)
			;
}

void step_poll(struct polls *p)
{
	bool room = say_room();
	if (step.state == IDLE)
		return;
	for (int i = 0; i < 2; i++)
		if (step.pipe[i] >= 0 && room)
			polls_add(p, step.pipe[i], POLLIN);
	if (step.state == SWEEP)
		polls_due(p, sweep_due());
	if (step.state == RUNNING || step.state == GRACE) {
		polls_due(p, step.timeout_at);
		polls_due(p, step.kill_at);
		polls_due(p, step.grace_at);
	}
}

/* --- its end --- */

/* Children that are not the step's first process are reaped as they end; that one is left a zombie. */
static bool leader_ended(void)
{
	siginfo_t info;
	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
			return false;
		if (info.si_pid == step.pid)
			return true;
		waitpid(info.si_pid, NULL, WNOHANG);
	}
}

static void look_at_time(void)
{
	ms now = now_ms();
	if (now >= step.timeout_at) {
		step.flags |= DONE_TIMED_OUT;
		step.timeout_at = NEVER;
		step_stop(step.grace);
	}
	if (now >= step.kill_at) {
		step.kill_at = NEVER;
		signal_group(SIGKILL);
	}
}

static void reap_leader(void)
{
	kill(-step.pid, SIGKILL);
	while (wait4(step.pid, &step.status, 0, &step.usage) < 0 && errno == EINTR)
		;
	shim.host_wanted = false;
	host_hang_up();
	sweep_begin();
	step.state = SWEEP;
}

/* A writer that waits for us, because there is no room, is not late. */
static void grace_turn(void)
{
	if (!at_end() && !say_room())
		step.grace_at = now_ms() + GRACE_MS;
	if (at_end() || now_ms() >= step.grace_at)
		reap_leader();
}

static void sweep_all(void)
{
	enum swept swept = sweep_turn(&step.leftovers);
	if (swept == SWEPT_SOME)
		return;
	if (swept == SWEPT_STUCK)
		step.flags |= DONE_STUCK;
	step.state = DRAIN;
}

/* Nobody writes any more, unless something is stuck: then what is there now is all. */
static void drain_turn(void)
{
	for (int i = 0; i < 2; i++) {
		while (step.pipe[i] >= 0 && say_room() && pass_on(i))
			;
		if (step.pipe[i] >= 0 && step.flags & DONE_STUCK && say_room())
			close_pipe(i);
	}
	if (!at_end())
		return;
	step.state = IDLE;
	if (WIFEXITED(step.status))
		say_done(SHIM_EXITED, (uint32_t)WEXITSTATUS(step.status), NULL);
	else
		say_done(SHIM_SIGNALLED, (uint32_t)WTERMSIG(step.status), NULL);
}

void step_turn(void)
{
	if (step.state == RUNNING || step.state == GRACE) {
		look_at_time();
		read_pipes();
	}
	if (step.state == IDLE && shim.child_ended)
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	if (step.state == RUNNING && shim.child_ended && leader_ended()) {
		read_pipes();
		step.state = GRACE;
		step.timeout_at = step.kill_at = NEVER;
		step.grace_at = now_ms() + GRACE_MS;
	}
	shim.child_ended = false;
	if (step.state == GRACE)
		grace_turn();
	if (step.state == SWEEP)
		sweep_all();
	if (step.state == DRAIN)
		drain_turn();
}
