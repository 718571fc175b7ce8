#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "runtimes/runtime.h"
#include "sys/file.h"
#include "tap.h"

static char top[] = "/tmp/cairn-u-native.XXXXXX";
static struct loop *loop;
static struct arena arena;
static const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", NULL};

struct seen {
	struct job job;
	struct buf out[3];
	int done;
	bool output_after;
	enum job_end end;
	int status;
	struct job_usage usage;
	struct loop_watch *timer;
	int sig;
};

static void on_output(void *ctx, int stream, struct str bytes)
{
	struct seen *s = ctx;
	s->output_after |= s->done > 0;
	buf_str(&s->out[stream], bytes);
}

static void on_done(void *ctx, enum job_end end, int status, const struct job_usage *usage)
{
	struct seen *s = ctx;
	s->done++;
	s->end = end;
	s->status = status;
	s->usage = *usage;
	runtime_native.release(&s->job);
}

static void on_timer(void *ctx)
{
	struct seen *s = ctx;
	s->timer = NULL;
	runtime_native.cancel(&s->job, s->sig);
}

static bool begin(struct seen *s, const char *script, struct err *err)
{
	const char **argv = arena_array(&arena, 4, const char *);
	argv[0] = "bash";
	argv[1] = "-c";
	argv[2] = script;
	static const struct plan_step step = {.workspace = WORKSPACE_KIND_RW};
	*s = (struct seen){.job = {.step = &step, .arena = &arena, .root = top, .dir = top, .tmp = top, .argv = argv, .env = env, .loop = loop,
		.output = on_output, .done = on_done, .ctx = s}};
	for (int i = 0; i < 3; i++)
		s->out[i] = (struct buf)BUF_INIT(64 << 20);
	return runtime_native.start(&s->job, err) == 0;
}

static void await(struct seen *s)
{
	uint64_t end = loop_now() + 60000000000u;
	while (!s->done && loop_now() < end)
		loop_turn(loop, 1000, NULL);
}

static void end(struct seen *s)
{
	for (int i = 0; i < 3; i++)
		buf_release(&s->out[i]);
}

/* Runs it; sends sig after 50 ms unless it is 0. */
static struct seen *run(struct seen *s, const char *script, int sig)
{
	if (begin(s, script, NULL)) {
		s->sig = sig;
		if (sig)
			s->timer = loop_timer(loop, 50000000, on_timer, s);
		await(s);
		loop_remove(loop, s->timer);
	}
	return s;
}

static void outputs(void)
{
	struct seen s;
	run(&s, "echo out; echo err >&2; pwd -P; exit 3", 0);
	is_str(buf_view(&s.out[1]), str_fmt(&arena, "out\n%s\n", top).s, "standard output is handed over, from its folder");
	is_str(buf_view(&s.out[2]), "err\n", "standard error apart");
	ok(s.done == 1 && s.end == JOB_EXITED && s.status == 3, "the status is told once");
	end(&s);
	run(&s, "head -c 3000000 /dev/zero; head -c 1000000 /dev/zero >&2", 0);
	ok(s.out[1].n == 3000000 && s.out[2].n == 1000000, "much output comes whole");
	end(&s);
	run(&s, "kill -SEGV $$", 0);
	ok(s.end == JOB_SIGNALLED && s.status == SIGSEGV, "a signal is told as one");
	end(&s);
	run(&s, "exit 137", 0);
	ok(s.end == JOB_EXITED && s.status == 137, "a status like a signal's is a status");
	end(&s);
	run(&s, "read x; echo $?; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done", 0);
	is_str(buf_view(&s.out[1]), "1\n", "standard input is empty");
	ok(s.usage.max_rss_kb > 100 && s.usage.user_us + s.usage.system_us > 0, "what it used is told");
	end(&s);
}

/* Gone, or a zombie that nobody reaps. */
static bool gone(struct str pid)
{
	char exe[8];
	return pid.n && readlink(str_fmt(&arena, "/proc/" STR_FMT "/exe", STR_ARG(pid)).s, exe, sizeof(exe)) < 0;
}

static void background(void)
{
	struct seen s;
	uint64_t since = loop_now();
	run(&s, "sleep 100 & echo $!", 0);
	ok(s.done == 1 && loop_now() - since < 30000000000u, "a process in the background is not waited for");
	ok(gone(str_trim(buf_view(&s.out[1]))), "but gone when the step is done");
	end(&s);
	run(&s, "sleep 100 >/dev/null 2>&1 & echo $!", 0);
	ok(s.done == 1 && gone(str_trim(buf_view(&s.out[1]))), "also when it holds no pipe");
	end(&s);
	run(&s, "exec > >(sleep 0.03; cat); echo late", 0);
	is_str(buf_view(&s.out[1]), "late\n", "what a filter of its own says last is not lost");
	end(&s);
	run(&s, "setsid sleep 3 & sleep 0.05; echo x", 0);
	is_str(buf_view(&s.out[1]), "x\n", "one that left the group is not waited for");
	end(&s);
	run(&s, "setsid timeout 1 yes >&2 & sleep 0.01; echo x", 0);
	ok(s.done == 1, "nor when it writes on and on");
	end(&s);
}

static void cancels(void)
{
	struct seen s;
	run(&s, "sleep 100 & echo $!; sleep 100", SIGTERM);
	ok(s.done == 1 && s.end == JOB_SIGNALLED && s.status == SIGTERM, "a cancelled step ends by the signal");
	ok(gone(str_trim(buf_view(&s.out[1]))), "with all its processes");
	end(&s);
	run(&s, "trap 'echo bye; exit 5' TERM; sleep 100 & wait", SIGTERM);
	is_str(buf_view(&s.out[1]), "bye\n", "it may say something first");
	ok(s.end == JOB_EXITED && s.status == 5, "and choose its status");
	end(&s);
	run(&s, "trap '' TERM; sleep 100 & sleep 100", SIGKILL);
	ok(s.end == JOB_SIGNALLED && s.status == SIGKILL, "SIGKILL ends one that ignores the rest");
	end(&s);
	run(&s, "kill -STOP $$", SIGTERM);
	ok(s.end == JOB_SIGNALLED && s.status == SIGTERM, "a stopped one ends, too");
	end(&s);
	begin(&s, "echo $$; sleep 100", NULL);
	while (!s.out[1].n)
		loop_turn(loop, 1000, NULL);
	runtime_native.release(&s.job);
	ok(!s.done && gone(str_trim(buf_view(&s.out[1]))), "one that is released is gone at once");
	end(&s);
}

static void refusals(void)
{
	struct seen s;
	struct err err = ERR_INIT;
	const char *argv[] = {"no-such-program", NULL};
	begin(&s, "", NULL);
	await(&s);
	end(&s);
	s.job.argv = argv;
	ok(runtime_native.start(&s.job, &err) < 0 && err.text && strstr(err.text, "no-such-program"),
	   "a program that is not there is an error of its start");
	err_release(&err);
	char texts[] = "x";
	struct plan plan = {.texts = texts};
	struct plan_step step = {.name = {0, 1}, .place = PLAN_NONE, .workspace = WORKSPACE_KIND_RW};
	ok(runtime_native.check(&plan, &step, &err) == 0, "an ordinary step is accepted");
	step.workspace = WORKSPACE_KIND_COPY;
	ok(runtime_native.check(&plan, &step, &err) == 0, "so is one in a copy");
	struct plan_place place = {.image = PLAN_NONE, .pids = 5};
	plan.places = &place;
	step.place = 0;
	ok(runtime_native.check(&plan, &step, &err) < 0 && strstr(err.text, "not built yet"), "what is not built is refused");
	err_release(&err);
}

static int open_fds(void)
{
	int n = 0;
	for (int fd = 3; fd < 100; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

int main(void)
{
	if (!mkdtemp(top))
		return 1;
	loop = loop_open(NULL);
	int fds = open_fds();
	outputs();
	background();
	cancels();
	refusals();
	is_int(open_fds(), fds, "no fd is left open");
	loop_close(loop);
	file_remove_tree(AT_FDCWD, top, NULL);
	arena_release(&arena);
	return done();
}
