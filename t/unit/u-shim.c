/* A real shim: steps, their ends and their output. */
#include <sys/stat.h>

#include "shimrig.h"
#include "sys/file.h"

static const char *program;
static struct arena arena;

static void statuses(struct rig *r)
{
	int wrong = 0;
	for (int i = 0; i < 256; i++)
		wrong += !rig_sh(r, str_fmt(&arena, "exit %d", i).s) || r->done.kind != SHIM_EXITED || (int)r->done.status != i;
	is_int(wrong, 0, "each exit status from 0 to 255 is told as it is");
	wrong = 0;
	for (int sig = 1; sig < 32; sig++) {
		if (sig == SIGCHLD || sig == SIGCONT || sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU ||
		    sig == SIGURG || sig == SIGWINCH)
			continue;
		wrong += !rig_sh(r, str_fmt(&arena, "ulimit -c 0; kill -%d $$", sig).s) || r->done.kind != SHIM_SIGNALLED ||
			 (int)r->done.status != sig;
	}
	is_int(wrong, 0, "each signal that ends a process is told as it is");
	ok(rig_sh(r, "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done") && r->done.user_us + r->done.system_us > 0 &&
	   r->done.max_rss_kb > 100, "what it used is told");
}

static void outputs(struct rig *r)
{
	ok(rig_sh(r, "echo out; echo err >&2; cat; exit 3") && r->done.status == 3, "a step that says something");
	is_str(buf_view(&r->stream[1]), "out\n", "standard output, and standard input is empty");
	is_str(buf_view(&r->stream[2]), "err\n", "standard error apart");
	ok(rig_sh(r, ":") && !r->total[1] && !r->total[2], "one that says nothing");
	ok(rig_sh(r, "printf '\\000\\377\\n\\000'") && r->stream[1].n == 4 && !memcmp(r->stream[1].s, "\0\377\n", 4), "any bytes");
	ok(rig_sh(r, "exec >&- 2>&-; sleep 0.05; exit 7") && r->done.status == 7, "one that closes its output is waited for");
	ok(rig_sh(r, "(sleep 0.03; echo late) &") && r->stream[1].n == 5, "what the background says at once is not lost");
}

/* --- the request --- */

static void requests(struct rig *r)
{
	const char *const argv[] = {"sh", "-c", "pwd; umask; id -u; id -g; id -G; echo $A; echo \"$0 $1\"; env | wc -l", "an\nodd name", "\xff*?", NULL};
	const char *const env[] = {"PATH=/usr/bin:/bin", "A=a=b c", NULL};
	const uint32_t groups[] = {7, 8};
	struct shim_step s = {.argv = argv, .env = env, .cwd = "/usr", .umask = 027, .has_user = geteuid() == 0, .uid = 1234, .gid = 56,
		.groups = groups, .ngroups = 2};
	ok(rig_step(r, &s) && r->done.kind == SHIM_EXITED, "a step with all there is");
	const char *ids = geteuid() ? str_fmt(&arena, "%u\n%u\n%u", geteuid(), getegid(), getegid()).s : "1234\n56\n56 7 8";
	const char *want = str_fmt(&arena, "/usr\n0027\n%s\na=b c\nan\nodd name \xff*?\n", ids).s;
	str_starts(buf_view(&r->stream[1]), str_of(want)) ? ok(true, "has its folder, umask, user, environment and words") :
		is_str(buf_view(&r->stream[1]), want, "has its folder, umask, user, environment and words");
	const char *const show[] = {"env", NULL};
	s = (struct shim_step){.argv = show, .env = env};
	rig_step(r, &s);
	is_str(buf_view(&r->stream[1]), "PATH=/usr/bin:/bin\nA=a=b c\n", "its environment is what was given");
	s.flags = STEP_ENV_ADD;
	const char *const other[] = {"HOME=/nowhere", NULL};
	s.env = other;
	rig_step(r, &s);
	ok(strstr(r->stream[1].s, "HOME=/nowhere\n") && strstr(r->stream[1].s, "PATH=") && strstr(r->stream[1].s, "CAIRN_U_SHIM=x"),
	   "or what the shim was started with and what was given");
	const char *const less[] = {"HOME=/nowhere", "CAIRN_U_SHIM", "NOT_THERE", NULL};
	s.env = less;
	rig_step(r, &s);
	ok(strstr(r->stream[1].s, "HOME=/nowhere\n") && strstr(r->stream[1].s, "PATH=") && !strstr(r->stream[1].s, "CAIRN_U_SHIM") && !strstr(r->stream[1].s, "NOT_THERE"),
	   "without the names that stand alone");
}

static void scripts(struct rig *r)
{
	char dir[] = "/tmp/cairn-u-shim.XXXXXX";
	if (!mkdtemp(dir))
		abort();
	const char *path = str_fmt(&arena, "%s/a/b/script", dir).s, *const argv[] = {path, "word", NULL};
	struct str text = S("#!/bin/sh\necho \"$0 $1\"; exit 9\n");
	struct shim_step s = {.argv = argv, .flags = STEP_ENV_ADD, .script_path = path, .script = text, .umask = 077};
	ok(rig_step(r, &s) && r->done.status == 9, "a script is a file that may be run");
	is_str(buf_view(&r->stream[1]), str_fmt(&arena, "%s word\n", path).s, "with its own path as $0");
	ok(access(path, F_OK) < 0, "and is gone when the step is");
	struct buf big = BUF_INIT(MESSAGE_MAX);
	buf_z(&big, "#!/bin/sh\necho big\nexit 4\n");
	while (big.n < 3000000)
		buf_z(&big, "# a line that makes it longer than any frame\n");
	s.script = buf_view(&big);
	ok(rig_step(r, &s) && r->done.status == 4, "one of 3 MB as well");
	while (big.n < MESSAGE_MAX - 100)
		buf_z(&big, "# a line that makes it longer than any message\n");
	s.script = buf_view(&big);
	struct err err = ERR_INIT;
	ok(shimlink_step(r->link, &s, &err) == 0 && err_any(&err), "one that no message holds is refused");
	err_release(&err);
	buf_release(&big);
	rmdir(str_fmt(&arena, "%s/a/b", dir).s), rmdir(str_fmt(&arena, "%s/a", dir).s), rmdir(dir);
}

static void refusals(struct rig *r)
{
	const char *const argv[] = {"no-such-program", NULL};
	struct shim_step s = {.argv = argv, .flags = STEP_ENV_ADD};
	ok(rig_step(r, &s) && r->done.kind == SHIM_NOT_STARTED && r->done.status == ENOENT && strstr(r->text.s, "no-such-program"),
	   "a program that is not there was not started");
	const char *const data[] = {"/etc/passwd", NULL};
	s.argv = data;
	ok(rig_step(r, &s) && r->done.kind == SHIM_NOT_STARTED && r->done.status == EACCES, "nor one that may not be run");
	const char *const good[] = {"true", NULL};
	s.argv = good;
	s.cwd = "/no/such/folder";
	ok(rig_step(r, &s) && r->done.kind == SHIM_NOT_STARTED && strstr(r->text.s, "/no/such/folder"), "nor one whose folder is not there");
	s.cwd = "/";
	s.flags = STEP_ENV_ADD | 64;
	ok(rig_step(r, &s) && r->done.kind == SHIM_NOT_STARTED, "nor one that asks for what this shim does not know");
	s.flags = STEP_ENV_ADD;
	ok(rig_step(r, &s) && r->done.kind == SHIM_EXITED && !r->done.status, "then it goes on");
}

/* --- ends --- */

static bool alive(struct str pid)
{
	char exe[16];
	return pid.n && readlink(str_fmt(&arena, "/proc/" STR_FMT "/exe", STR_ARG(pid)).s, exe, sizeof(exe)) > 0;
}

/* Of what a step printed: the pid, as this process sees it (in a pid name space of its own it does not). */
static bool gone(struct rig *r)
{
	return r->stream[1].n > 1 && (r->first || !alive(str_trim(buf_view(&r->stream[1]))));
}

static void timeouts(struct rig *r)
{
	const char *argv[4];
	struct shim_step s = rig_shell("sleep 100 & echo $!; wait", argv);
	s.timeout_ms = 100;
	ok(rig_step(r, &s) && r->done.kind == SHIM_SIGNALLED && r->done.status == SIGTERM && r->done.flags & DONE_TIMED_OUT && gone(r),
	   "a step past its time is ended by SIGTERM, with what it started");
	s = rig_shell("trap '' TERM; echo $$; while :; do sleep 1; done", argv);
	s.timeout_ms = 100, s.grace_ms = 100;
	ok(rig_step(r, &s) && r->done.kind == SHIM_SIGNALLED && r->done.status == SIGKILL && r->done.flags & DONE_TIMED_OUT,
	   "and by SIGKILL when it ignores that");
	s = rig_shell("sleep 0.01", argv);
	s.timeout_ms = 60000;
	ok(rig_step(r, &s) && !r->done.flags, "one in time is not");
}

static void on_first_output(struct rig *r, int stream, struct str bytes)
{
	(void)stream, (void)bytes;
	if (r->total[1] + r->total[2] == bytes.n)
		shimlink_signal(r->link, *(uint32_t *)r->user, SIGTERM);
}

static void signals(struct rig *r)
{
	const char *argv[4];
	uint32_t id;
	struct shim_step s = rig_shell("trap 'echo bye; exit 5' TERM; echo ready; sleep 100 & wait", argv);
	r->on_output = on_first_output;
	r->user = &id;
	rig_clear(r);
	id = shimlink_step(r->link, &s, NULL);
	int before = r->dones;
	ok(rig_await(r, &r->dones, before) && r->done.kind == SHIM_EXITED && r->done.status == 5, "a signal reaches the step, which may answer it");
	is_str(buf_view(&r->stream[1]), "ready\nbye\n", "and say something");
	s = rig_shell("echo ready; kill -STOP $$", argv);
	rig_clear(r);
	id = shimlink_step(r->link, &s, NULL);
	ok(rig_await(r, &r->dones, before + 1) && r->done.kind == SHIM_SIGNALLED && r->done.status == SIGTERM, "also a stopped one");
	r->on_output = NULL;
}

static void leftovers(struct rig *r)
{
	ok(rig_sh(r, "sleep 100 >/dev/null 2>&1 & echo $!") && gone(r) && r->done.leftovers == 1, "what is left in its group is ended and counted");
	ok(rig_sh(r, "setsid sh -c 'setsid sleep 100 & sleep 100' >/dev/null 2>&1 & sleep 0.1; echo $!") && gone(r) && r->done.leftovers >= 2,
	   "what left the group as well, down to its children");
	ok(rig_sh(r, "trap '' TERM HUP INT; exec setsid -w sh -c 'echo $$; sleep 0.01; exit 2'") && r->done.status == 2, "one that leads a session of its own");
	ok(rig_sh(r, "kill -0 -1 2>/dev/null; ps >/dev/null 2>&1; exit 0") && !r->done.leftovers, "and nothing is left for the next step");
}

/* --- much output --- */

static unsigned long high_water(pid_t pid)
{
	struct str s;
	unsigned long kb = 0;
	if (file_read(&arena, AT_FDCWD, str_fmt(&arena, "/proc/%d/status", pid).s, 65536, &s, NULL) == 1) {
		const char *at = strstr(s.s, "VmHWM:");
		kb = at ? strtoul(at + 6, NULL, 10) : 0;
	}
	return kb;
}

struct check { uint64_t at; bool wrong; };

/* `seq -w` without newlines would do; here: what yes prints, 17 bytes a line. */
static void check_line(struct rig *r, int stream, struct str bytes)
{
	static const char line[] = "0123456789abcdef\n";
	struct check *c = r->user;
	for (size_t i = 0; stream == 1 && i < bytes.n; i++, c->at++)
		c->wrong |= bytes.s[i] != line[c->at % 17];
}

static void much(struct rig *r, bool bounded)
{
	struct check c = {0};
	r->keep = false;
	r->on_output = check_line;
	r->user = &c;
	ok(rig_sh(r, "yes 0123456789abcdef | head -c 100000000; head -c 1000000 /dev/zero >&2") && !r->done.status, "100 MB of output");
	ok(r->total[1] == 100000000 && !c.wrong && r->total[2] == 1000000, "come whole and in order");
	unsigned long kb = high_water(r->pid);
	ok(!bounded || (kb && kb < 4096), "and the shim takes little memory for it");
	printf("# at most %lu KiB resident\n", kb);
	r->keep = true;
	r->on_output = NULL;
}

/* A controller that does not read: the step waits, and what it says is not lost. */
static void slow(struct rig *r)
{
	const char *argv[4];
	struct check c = {0};
	struct shim_step s = rig_shell("yes 0123456789abcdef | head -c 10000000", argv);
	r->keep = false;
	r->on_output = check_line;
	r->user = &c;
	rig_clear(r);
	shimlink_step(r->link, &s, NULL);
	for (int i = 0; i < 20; i++) {
		rig_turn(r);
		usleep(20000);
	}
	int before = r->dones;
	ok(rig_await(r, &r->dones, before) && r->total[1] == 10000000 && !c.wrong, "a controller that reads slowly gets all of it");
	r->keep = true;
	r->on_output = NULL;
}

/* --- the shim's own end --- */

static void ends(void)
{
	struct rig r;
	rig_start(&r, program, "--once", false);
	rig_sh(&r, "exit 42");
	is_int(rig_finish(&r), 42, "with --once it exits as its step did");
	rig_start(&r, program, "--once", false);
	rig_sh(&r, "kill -9 $$");
	is_int(rig_finish(&r), 137, "128 and the signal when it was ended by one");
	rig_start(&r, program, NULL, false);
	rig_sh(&r, "exit 42");
	is_int(rig_finish(&r), 0, "without it as all went well");
	rig_start(&r, program, NULL, false);
	rig_sh(&r, "setsid sleep 100 >/dev/null 2>&1 & echo $!");
	is_int(rig_end(&r), 125, "when the stream is closed it ends");
	rig_start(&r, program, "--silence=1", false);
	int never = 0;
	shimlink_close(r.link);
	r.link = shimlink_open(&rig_calls, &r, 0, NULL);        /* one that never says anything */
	rig_await(&r, &never, 0);
	is_int(rig_end(&r), 125, "when nobody says anything it ends");
}

static void stopped(void)
{
	struct rig r;
	const char *argv[4];
	int never = 0;
	struct shim_step s = rig_shell("trap 'echo stopped; exit 3' TERM; echo $$; sleep 100 & wait", argv);
	rig_start(&r, program, "--once", false);
	shimlink_step(r.link, &s, NULL);
	while (!r.stream[1].n && !r.eof)
		rig_turn(&r);
	kill(r.pid, SIGINT), kill(r.pid, SIGHUP), kill(r.pid, SIGUSR1);
	kill(r.pid, SIGTERM);
	rig_await(&r, &never, 0);
	ok(r.dones == 1 && r.done.kind == SHIM_EXITED && r.done.status == 3 && r.byes == 1, "when it is stopped so is its step, whose end is told");
	is_int(rig_end(&r), 3, "and it exits as that");
}

/* The step and SIGTERM at the same moment. */
static void stopped_at_once(void)
{
	struct rig r;
	const char *argv[4];
	int never = 0;
	struct shim_step s = rig_shell("exec sleep 300", argv);
	rig_start(&r, program, NULL, false);
	rig_sh(&r, "true");
	kill(r.pid, SIGSTOP);
	shimlink_step(r.link, &s, NULL);
	while (shimlink_pending(r.link).n || r.to.n)
		rig_turn(&r);
	kill(r.pid, SIGTERM), kill(r.pid, SIGCONT);
	rig_await(&r, &never, 0);
	ok(r.eof && r.byes == 1, "so is one that begins just then");
	is_int(rig_end(&r), 143, "and the shim says that it was stopped");
}

/* Silent in the middle of a step: a stream that is there, but nobody at its other end. */
static void silent(void)
{
	struct rig r;
	int status = 0;
	rig_start_with(&r, program, NULL, false, &rig_calls, 300);
	rig_sh(&r, "true");
	const char *argv[4];
	struct shim_step s = rig_shell("echo $$; exec sleep 100", argv);
	shimlink_step(r.link, &s, NULL);
	while (!r.stream[1].n && !r.eof)
		rig_turn(&r);
	waitpid(r.pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 125, "a controller that falls silent ends the shim");
	ok(gone(&r), "and its step");
	rig_end(&r);
}

static void pace(struct rig *r)
{
	uint64_t took[201];
	const char *const argv[] = {"/bin/true", NULL};
	struct shim_step s = {.argv = argv};
	for (size_t i = 0; i < countof(took); i++) {
		uint64_t since = loop_now();
		rig_step(r, &s);
		took[i] = loop_now() - since;
		for (size_t k = i; k && took[k] < took[k - 1]; k--) {
			uint64_t t = took[k];
			took[k] = took[k - 1];
			took[k - 1] = t;
		}
	}
	printf("# a warm step takes %.2f ms (median of %zu)\n", (double)took[countof(took) / 2] / 1e6, countof(took));
}

static void all(bool first, bool bounded)
{
	struct rig r;
	rig_start(&r, program, NULL, first);
	ok(rig_await(&r, &r.readies, 0) && r.first == first, first ? "a shim that is PID 1" : "a shim that is not PID 1");
	statuses(&r);
	outputs(&r);
	requests(&r);
	scripts(&r);
	refusals(&r);
	timeouts(&r);
	signals(&r);
	leftovers(&r);
	slow(&r);
	pace(&r);
	if (!first)
		much(&r, bounded);
	is_int(rig_finish(&r), 0, "it ends when it is told to");
	ok(!r.brokens, "and the stream never broke");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setenv("CAIRN_U_SHIM", "x", 1);
	for (int installed = 1; installed >= 0; installed--) {
		program = rig_program(installed);
		printf("# %s\n", program);
		all(false, installed);
		all(true, installed);
		ends();
		stopped();
		stopped_at_once();
		silent();
	}
	arena_release(&arena);
	return done();
}
