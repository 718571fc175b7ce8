/* fake.c: a runtime without processes, for tests of what drives one. It carries out the step's script, a command a line:
 *
 *	out TEXT        a line on standard output        err TEXT       ... on standard error
 *	write PATH TEXT a file below the workspace       sleep MS       goes on after that
 *	exit N          ends (0 at the end of the text)  signal N       ends as if by that signal
 *	unknown         ends, nobody knows how           deaf           ignores any signal but SIGKILL
 *	refuse          (first line) can't be started
 */
#include "runtimes/runtime.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/file.h"

struct fake {
	struct job *job;
	struct str rest;                /* of the script */
	struct loop_watch *timer;
	bool deaf;
	int signal;                     /* it was cancelled by */
};

static int fake_check(const struct plan *plan, const struct plan_step *step, struct err *err)
{
	(void)plan;
	(void)step;
	(void)err;
	return 0;
}

static void finish(struct fake *f, enum job_end end, int status)
{
	f->job->done(f->job->ctx, end, status, &(struct job_usage){0});
}

static int number(struct str text)
{
	uint64_t n = 0;
	return str_u64(text, &n) && n < INT32_MAX ? (int)n : 0;
}

static void say(struct fake *f, int stream, struct str text)
{
	struct str line = str_fmt(f->job->arena, STR_FMT "\n", STR_ARG(text));
	f->job->output(f->job->ctx, stream, line);
}

static void write_file(struct fake *f, struct str words)
{
	struct str path = {0};
	str_cut(&words, ' ', &path);
	int root CLEANUP_FD = open(f->job->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct str copy = str_dup(f->job->arena, path);
	if (root < 0 || file_write(root, copy.s, words, 0666, NULL) < 0)
		say(f, 2, S("fake: unable to write"));
}

static void go_on(void *ctx);

/* False when the script does not go on now. */
static bool carry_out(struct fake *f, struct str line)
{
	struct str word = {0};
	str_cut(&line, ' ', &word);
	if (str_is(word, "out"))
		say(f, 1, line);
	else if (str_is(word, "err"))
		say(f, 2, line);
	else if (str_is(word, "write"))
		write_file(f, line);
	else if (str_is(word, "deaf"))
		f->deaf = true;
	else if (str_is(word, "sleep"))
		return f->timer = loop_timer(f->job->loop, (uint64_t)number(line) * 1000000, go_on, f), false;
	else if (str_is(word, "exit"))
		return finish(f, JOB_EXITED, number(line)), false;
	else if (str_is(word, "signal"))
		return finish(f, JOB_SIGNALLED, number(line)), false;
	else if (str_is(word, "unknown"))
		return finish(f, JOB_UNKNOWN, 0), false;
	return true;
}

static void go_on(void *ctx)
{
	struct fake *f = ctx;
	f->timer = NULL;
	if (f->signal) {
		finish(f, JOB_SIGNALLED, f->signal);
		return;
	}
	struct str line;
	while (str_cut(&f->rest, '\n', &line))
		if (!carry_out(f, line))
			return;
	finish(f, JOB_EXITED, 0);
}

static int fake_start(struct job *job, struct err *err)
{
	struct str script = plan_str(job->plan, job->step->script);
	if (str_starts(script, S("refuse")))
		return err_set(err, ERR_RUNTIME, "the fake runtime was told to refuse");
	struct fake *f = xcalloc(1, sizeof(*f));
	f->job = job;
	f->rest = script;
	f->timer = loop_timer(job->loop, 0, go_on, f);
	job->priv = f;
	return 0;
}

static void fake_cancel(struct job *job, int sig)
{
	struct fake *f = job->priv;
	if (!f || (f->deaf && sig != SIGKILL))
		return;
	f->signal = sig;
	loop_remove(job->loop, f->timer);
	f->timer = loop_timer(job->loop, 0, go_on, f);
}

static void fake_release(struct job *job)
{
	struct fake *f = job->priv;
	if (!f)
		return;
	loop_remove(job->loop, f->timer);
	free(f);
	job->priv = NULL;
}

const struct runtime runtime_fake = {
	.name = "fake",
	.check = fake_check,
	.start = fake_start,
	.cancel = fake_cancel,
	.release = fake_release,
};
