#include "sys/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>


/* As linux/mount.h has them, which older headers lack. */
#define SETATTR_RECURSIVE 0x8000
#define ATTR_RDONLY 1u
struct setattr { uint64_t set, clear, propagation, userns; };

/* What the child was at when it failed, and why: all that it can say. */
enum stage { STAGE_NAMESPACE, STAGE_USER, STAGE_MOUNT, STAGE_READONLY, STAGE_PROGRAM };
struct report { int stage, reason; };

struct confined {
	const struct child *child;
	const char *program;
	int out, err;
	int told;                       /* a pipe: a report, or nothing once the program runs */
	char uid_map[64], gid_map[64];
	bool probe;                     /* only to see whether it is possible */
};

/* --- in the child: nothing but calls of the kernel --- */

static _Noreturn void give_up(const struct confined *c, enum stage stage)
{
	struct report r = {stage, errno};
	if (write(c->told, &r, sizeof(r)) < 0)
		_exit(126);
	_exit(127);
}

static int put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* The one user and group there is is this one; a kernel that lets nobody deny setgroups needs no denial. */
static void own_user(const struct confined *c)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		give_up(c, STAGE_NAMESPACE);
	if (put_file("/proc/self/setgroups", "deny") < 0 && errno != ENOENT)
		give_up(c, STAGE_USER);
	if (put_file("/proc/self/uid_map", c->uid_map) < 0 || put_file("/proc/self/gid_map", c->gid_map) < 0)
		give_up(c, STAGE_USER);
}

static int set_readonly(const char *path, bool yes)
{
	struct setattr a = {.set = yes ? ATTR_RDONLY : 0, .clear = yes ? 0 : ATTR_RDONLY};
	return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, yes ? SETATTR_RECURSIVE : 0, &a, sizeof(a));
}

static int bind(const char *path)
{
	return strcmp(path, "/") ? mount(path, path, NULL, MS_BIND | MS_REC, NULL) : 0;
}

/* What is mounted outside later is still seen here, nothing of here is seen there. */
static void confine(const struct confined *c)
{
	const char *ro = c->child->readonly, *rw = c->child->writable;
	if (unshare(CLONE_NEWNS) < 0)
		own_user(c);
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 || bind(ro) < 0 || (rw && bind(rw) < 0))
		give_up(c, STAGE_MOUNT);
	if (set_readonly(ro, true) < 0 || (rw && set_readonly(rw, false) < 0))
		give_up(c, STAGE_READONLY);
}

static int put_fd(int fd, int to)
{
	if (fd >= 0)
		return fd == to ? fcntl(fd, F_SETFD, 0) : dup2(fd, to);
	int null = open("/dev/null", to == 0 ? O_RDONLY : O_WRONLY);
	return null < 0 || null == to ? null : dup2(null, to);
}

static void plain_signals(void)
{
	sigset_t none;
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const struct confined *c)
{
	const struct child *child = c->child;
	if (!child->foreground)
		setpgid(0, 0);
	confine(c);
	if (c->probe)
		_exit(0);
	plain_signals();
	if (put_fd(child->in, 0) < 0 || put_fd(c->out, 1) < 0 || put_fd(c->err, 2) < 0 || close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0 ||
	    chdir(child->dir) < 0)
		give_up(c, STAGE_PROGRAM);
	execve(c->program, (char *const *)child->argv, (char *const *)child->env);
	give_up(c, STAGE_PROGRAM);
}

/* --- outside --- */

static int refused(const struct report *r, struct err *err)
{
	static const char *const whats[] = {
		[STAGE_NAMESPACE] = "this system lets this user make no mount namespace",
		[STAGE_USER] = "this system lets this user make no user namespace",
		[STAGE_MOUNT] = "nothing can be mounted, not even in a mount namespace of its own",
		[STAGE_READONLY] = "a mount can't be made read-only (which takes Linux 5.12)",
	};
	errno = r->reason;
	return err_errno(err, "%s", whats[r->stage]);
}

/* Waits until the program runs. 0, the child's errno, -1. */
static int hear(const struct confined *c, pid_t pid, int from, struct err *err)
{
	struct report r;
	ssize_t n;
	while ((n = read(from, &r, sizeof(r))) < 0 && errno == EINTR)
		;
	if (n == 0 && !c->probe)
		return 0;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(r))
		return err_set(err, ERR_SYSTEM, "it is not known what became of a new process");
	return r.stage == STAGE_PROGRAM ? r.reason : refused(&r, err);
}

static int fork_confined(struct confined *c, pid_t *pid, struct err *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, "unable to make a pipe");
	int from CLEANUP_FD = fcntl(ends[0], F_DUPFD_CLOEXEC, 3);
	int told CLEANUP_FD = fcntl(ends[1], F_DUPFD_CLOEXEC, 3);       /* not where the child's own go */
	close(ends[0]);
	close(ends[1]);
	if (from < 0 || told < 0)
		return err_errno(err, "unable to make a pipe");
	c->told = told;
	snprintf(c->uid_map, sizeof(c->uid_map), "%u %u 1\n", geteuid(), geteuid());
	snprintf(c->gid_map, sizeof(c->gid_map), "%u %u 1\n", getegid(), getegid());
	*pid = fork();
	if (*pid < 0)
		return err_errno(err, "unable to make a process");
	if (*pid == 0)
		become(c);
	close(told);
	told = -1;
	return hear(c, *pid, from, err);
}

int confine_start(struct child *child, const char *program, int out, int errfd, struct err *err)
{
	struct confined c = {.child = child, .program = program, .out = out, .err = errfd};
	int rc = fork_confined(&c, &child->pid, err);
	if (rc)
		child->pid = 0;
	return rc < 0 ? err_wrap(err, "unable to keep %s from writing %s", child->argv[0], child->readonly) : rc;
}

int confine_possible(struct err *err)
{
	static bool known;
	static struct child nothing = {.readonly = "/"};
	struct confined c = {.child = &nothing, .probe = true, .out = -1, .err = -1};
	pid_t pid;
	if (known)
		return 0;
	if (fork_confined(&c, &pid, err))
		return -1;
	known = true;
	return 0;
}
