#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/child.h"
#include "sys/confine.h"
#include "sys/file.h"
#include "sys/loop.h"
#include "tap.h"

static char top[] = "/tmp/cairn-u-child.XXXXXX";
static const char *const env[] = {"PATH=bin:/usr/bin:/bin", "ONLY=this", NULL};
static struct arena arena;

static struct child child(const char *const *argv)
{
	return (struct child){.argv = argv, .env = env, .dir = top, .in = -1, .out = -1, .err = -1};
}

/* What a script prints; its wait status in *status. */
static struct str output(const char *script, bool merge, int *status)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct child c = child(argv);
	struct buf out = BUF_INIT(4096);
	if (child_output(&c, merge, 20000, &out, status, NULL) < 0)
		*status = -1;
	struct str text = str_dup(&arena, buf_view(&out));
	buf_release(&out);
	return text;
}

static void outputs(void)
{
	int status;
	is_str(output("echo out; echo err >&2", false, &status), "out\n", "standard output is read");
	is_str(output("echo out; echo err >&2", true, &status), "out\nerr\n", "both are, merged");
	output("exit 3", false, &status);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 3, "the status is told");
	is_str(output("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= | sort", false, &status), "ONLY=this\nPATH=bin:/usr/bin:/bin\n",
	       "nothing is inherited but the environment given");
	is_str(output("read x; echo $?", false, &status), "1\n", "standard input is empty");
	is_str(output("pwd -P", false, &status), str_fmt(&arena, "%s\n", top).s, "it starts in its folder");
	struct str big = output("yes | head -c 100000", false, &status);
	ok(big.n == 4096 && status == 0, "what exceeds the limit is dropped, not waited for");
}

static void surroundings(void)
{
	int status;
	int leak = open("/dev/null", O_RDONLY);         /* not closed on exec */
	sigset_t set;
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	struct str fds = output("ls /proc/self/fd | wc -l", false, &status);
	struct str blocked = output("sed -n 's/^SigBlk:.//p' /proc/self/status", false, &status);
	struct str ignored = output("sed -n 's/^SigIgn:.//p' /proc/self/status", false, &status);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	is_str(fds, "4\n", "no fd is inherited");
	is_str(blocked, "0000000000000000\n", "no mask");
	/* 32 and 33 are libc's own, and ignored by its posix_spawn. */
	ok((strtoull(ignored.s, NULL, 16) & 0x7fffffff) == 0, "no ignored signal");
	close(leak);
	is_str(output("test $(ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat) = $$ && echo own", false, &status),
	       "own\n", "it leads a group of its own");
}

static void programs(void)
{
	int dir CLEANUP_FD = open(top, O_RDONLY | O_DIRECTORY);
	file_write(dir, "bin/tool", S("#!/bin/sh\necho \"tool $1\"\n"), 0755, NULL);
	file_write(dir, "bin/plain", S("echo x\n"), 0755, NULL);
	file_write(dir, "bin/lost", S("#!/no/such/interpreter\n"), 0755, NULL);
	file_write(dir, "bin/data", S("x\n"), 0644, NULL);
	struct { const char *name, *says; } bad[] = {
		{"no-such-program", "PATH (bin:/usr/bin:/bin)"}, {"data", "PATH"}, {"./bin/data", "chmod +x"},
		{"./none", "No such file"}, {"bin/plain", "#!/bin/sh"}, {"lost", "interpreter"}, {"./bin", "no program"},
		{"", "no such program"},
	};
	for (size_t i = 0; i < countof(bad); i++) {
		const char *argv[] = {bad[i].name, NULL};
		struct child c = child(argv);
		struct err err = ERR_INIT;
		if (!ok(child_start(&c, &err) < 0 && err.text && strstr(err.text, bad[i].says), "why \"%s\" can't run is said",
			bad[i].name))
			tap_show("error", str_of(err.text));
		err_release(&err);
	}
	const char *argv[] = {"tool", "x", NULL};
	struct child c = child(argv);
	struct buf out = BUF_INIT(100);
	int status;
	ok(child_output(&c, false, 20000, &out, &status, NULL) == 0, "a relative folder of PATH is the child's");
	is_str(buf_view(&out), "tool x\n", "and the program there runs");
	buf_release(&out);
	struct str found;
	ok(child_which(&arena, S("tool"), S("/usr/bin:bin"), str_of(top), &found), "a program is found");
	is_str(found, str_fmt(&arena, "%s/bin/tool", top).s, "by its whole path");
	ok(!child_which(&arena, S("tool"), S("/usr/bin"), str_of(top), &found), "only where PATH says");
	struct str sub = str_fmt(&arena, "%s/bin", top);
	ok(child_which(&arena, S("tool"), S("/usr/bin:"), sub, &found), "an empty part of PATH is the folder it starts in");
	struct err err = ERR_INIT;
	c = child(argv);
	c.dir = "/no/such/folder";
	c.argv = (const char *[]){"/bin/true", NULL};
	ok(child_start(&c, &err) < 0 && err.text && strstr(err.text, "/no/such/folder"), "a folder that is not there is named");
	err_release(&err);
}

static void groups(void)
{
	int status;
	uint64_t start = loop_now();
	struct str pid = str_trim(output("sleep 100 & echo $!", false, &status));
	ok(pid.n && loop_now() - start < 50000000000u, "a background process is not waited for");
	struct str proc = str_fmt(&arena, "/proc/" STR_FMT "/exe", STR_ARG(pid));
	for (int i = 0; readlink(proc.s, (char[8]){0}, 8) > 0 && i < 1000; i++)
		usleep(10000);
	ok(readlink(proc.s, (char[8]){0}, 8) < 0, "but killed");
}

static void ends(void)
{
	const char *argv[] = {"sh", "-c", "sleep 100 & sleep 100", NULL};
	struct child c = child(argv);
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT(100);
	int status;
	ok(child_output(&c, false, 50, &out, &status, &err) < 0 && err.text && strstr(err.text, "50 ms"),
	   "one that takes too long is stopped");
	ok(WIFSIGNALED(status), "by a signal");
	err_release(&err);
	buf_release(&out);
	for (int i = 0; child_group_left(&c) && i < 1000; i++)
		usleep(10000);
	ok(!child_group_left(&c), "and nothing of its group is left");
}

/* Where this user may confine nothing, that must be said. */
static void readonly(void)
{
	struct err err = ERR_INIT;
	const char *argv[] = {"sh", "-c", "echo out; { echo x >ro/f; } 2>&-; echo x >ro/rw/f && cat ro/rw/f; exit 3", NULL}, *none[] = {"./none", NULL};
	struct child c = child(argv);
	struct buf out = BUF_INIT(4096);
	int status = -1;
	mkdirat(AT_FDCWD, str_fmt(&arena, "%s/ro", top).s, 0755);
	mkdirat(AT_FDCWD, str_fmt(&arena, "%s/ro/rw", top).s, 0755);
	c.readonly = str_fmt(&arena, "%s/ro", top).s;
	c.writable = str_fmt(&arena, "%s/ro/rw", top).s;
	if (confine_possible(&err) < 0) {
		ok(err.text && child_output(&c, false, 20000, &out, &status, NULL) < 0, "a child that can't be confined does not run");
		err_release(&err);
		return;
	}
	ok(child_output(&c, false, 20000, &out, &status, NULL) == 0 && WEXITSTATUS(status) == 3, "a confined child runs");
	is_str(buf_view(&out), "out\nx\n", "it can't write where it must not, and can where it may");
	ok(access(str_fmt(&arena, "%s/ro/f", top).s, F_OK) < 0 && access(str_fmt(&arena, "%s/ro/rw/f", top).s, F_OK) == 0, "as is seen outside");
	c = child(none);
	c.readonly = top;
	ok(child_start(&c, &err) < 0 && strstr(err.text, "none") && !c.pid, "a program that is not there is told");
	err_release(&err);
	file_write(AT_FDCWD, str_fmt(&arena, "%s/none", top).s, S("#!/no/such/interpreter\n"), 0755, NULL);
	ok(child_start(&c, &err) < 0 && strstr(err.text, "interpreter"), "so is one that can't run");
	err_release(&err);
	c = child(argv);
	c.readonly = "/no/such/folder";
	ok(child_start(&c, &err) < 0 && strstr(err.text, "unable to keep sh from writing /no/such/folder"), "and a folder that is not there");
	err_release(&err);
	buf_release(&out);
}

int main(void)
{
	if (!mkdtemp(top))
		return 1;
	outputs();
	surroundings();
	programs();
	groups();
	ends();
	readonly();
	file_remove_tree(AT_FDCWD, top, NULL);
	arena_release(&arena);
	return done();
}
