/* spawn.c: a process in a session and a group of its own, at vfork speed. The child shares our memory until it has
 * become the program, so it only makes system calls; ids are set by raw ones, since a libc's act on all threads. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtimes/shim/shim.h"

#ifdef SYS_setresuid32
#define SET_GROUPS SYS_setgroups32
#define SET_GID SYS_setresgid32
#define SET_UID SYS_setresuid32
#else
#define SET_GROUPS SYS_setgroups
#define SET_GID SYS_setresgid
#define SET_UID SYS_setresuid
#endif

/* Written by the child; a compiler may not move what is volatile across vfork. */
static volatile struct {
	int reason;
	const char *what;
} failed;

static const char *path_in(char *const *env)
{
	for (; *env; env++)
		if (strncmp(*env, "PATH=", 5) == 0)
			return *env + 5;
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* As execvpe, but a file that is no program is no shell script. Returns when nothing could be run. */
static void find_and_exec(const struct spawn *s)
{
	char program[PATH_MAX];
	const char *name = s->argv[0];
	size_t n = strlen(name);
	int reason = ENOENT;
	if (strchr(name, '/') || !n) {
		execve(name, s->argv, s->env);
		return;
	}
	for (const char *at = path_in(s->env); at; at = *at ? at + 1 : NULL) {
		size_t folder = strcspn(at, ":");
		if (folder + 1 + n < sizeof(program)) {
			memcpy(program, at, folder);
			program[folder] = '/';
			memcpy(program + folder + (folder > 0), name, n + 1);
			execve(program, s->argv, s->env);
			if (errno == EACCES)
				reason = errno;         /* perhaps a later one may be run */
			else if (errno != ENOENT && errno != ENOTDIR)
				return;
		}
		at += folder;
	}
	errno = reason;
}

static bool become_user(const struct spawn *s)
{
	if (!s->has_user)
		return true;
	if (syscall(SET_GROUPS, s->ngroups, s->groups) < 0 && !(errno == EPERM && !s->ngroups && geteuid()))
		return false;
	return syscall(SET_GID, s->gid, s->gid, s->gid) == 0 && syscall(SET_UID, s->uid, s->uid, s->uid) == 0;
}

static bool limit(const struct spawn *s)
{
	static const int resources[SHIM_LIMITS] = {[SHIM_LIMIT_FILES] = RLIMIT_NOFILE, [SHIM_LIMIT_FSIZE] = RLIMIT_FSIZE};
	for (int i = 0; i < SHIM_LIMITS; i++) {
		struct rlimit most = {s->limits[i], s->limits[i]};
		if (s->limits[i] && setrlimit(resources[i], &most) < 0)
			return false;
	}
	return true;
}

static const char *prepare(const struct spawn *s)
{
	sigset_t none;
	setsid();
	dup2(shim.null, 0);
	if (dup2(s->out, 1) < 0 || dup2(s->err, 2) < 0)
		return "pass on its output";
	umask((mode_t)s->mask);
	if (chdir(s->cwd) < 0)
		return "enter its folder";
	if (!limit(s))
		return "limit what it may use";
	if (!become_user(s))
		return "become its user";
	if (!shim.first)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return NULL;
}

pid_t spawn(const struct spawn *s, const char **what)
{
	failed.what = NULL;
	pid_t pid = vfork();
	if (pid == 0) {
		const char *step = prepare(s);
		if (!step) {
			find_and_exec(s);
			step = "run it";
		}
		failed.reason = errno;
		failed.what = step;
		_exit(127);
	}
	if (pid < 0) {
		*what = "start a process";
		return -1;
	}
	if (!failed.what)
		return pid;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	*what = failed.what;
	errno = failed.reason;
	return -1;
}
