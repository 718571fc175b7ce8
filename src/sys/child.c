#include "sys/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/confine.h"

/* --- finding the program --- */

static bool is_program(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

/* dir (unless folder is absolute), folder, name; false when it is too long. */
static bool join(char out[PATH_MAX], struct str dir, struct str folder, struct str name)
{
	const char *base = folder.n && folder.s[0] == '/' ? "" : "/";
	if (!*base)
		dir.n = 0;
	int n = snprintf(out, PATH_MAX, STR_FMT "%s" STR_FMT "%s" STR_FMT, STR_ARG(dir), base, STR_ARG(folder),
			 folder.n && folder.s[folder.n - 1] != '/' ? "/" : "", STR_ARG(name));
	return n < PATH_MAX;
}

/* False when it is not there; out then holds the path if there is only one it could have been. */
static bool which(struct str name, struct str path, struct str dir, char out[PATH_MAX])
{
	out[0] = '\0';
	if (!name.n)
		return false;
	if (str_chr(name, '/') >= 0) {
		if (name.s[0] == '/')
			dir = S("");
		if (!join(out, dir, name.s[0] == '/' ? S("/") : S(""), name.s[0] == '/' ? str_from(name, 1) : name))
			out[0] = '\0';
		return out[0] && is_program(out);
	}
	for (bool more = true; more;) {                 /* an empty part is the current folder, the last one too */
		ptrdiff_t colon = str_chr(path, ':');
		more = colon >= 0;
		struct str folder = more ? str_head(path, (size_t)colon) : path;
		path = more ? str_from(path, (size_t)colon + 1) : path;
		if (join(out, dir, folder, name) && is_program(out))
			return true;
	}
	out[0] = '\0';
	return false;
}

bool child_which(struct arena *arena, struct str name, struct str path, struct str dir, struct str *out)
{
	char found[PATH_MAX];
	if (!which(name, path, dir, found))
		return false;
	*out = str_dup(arena, str_of(found));
	return true;
}

static struct str path_in(const char *const *env)
{
	for (; *env; env++)
		if (strncmp(*env, "PATH=", 5) == 0)
			return str_of(*env + 5);
	return S("/usr/local/bin:/usr/bin:/bin");
}

/* --- starting it --- */

/* Tells what posix_spawn could not do: it only says that some step of many failed. */
static int start_failed(const struct child *c, const char *program, int reason, struct err *err)
{
	struct stat st;
	if (stat(c->dir, &st) < 0)
		return err_errno(err, "unable to run %s in the folder %s", c->argv[0], c->dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_SYSTEM, "unable to run %s in %s: it is no folder", c->argv[0], c->dir);
	if (reason == ENOEXEC)
		return err_set(err, ERR_SYSTEM, "unable to run %s: it is neither a program nor a script whose first line "
			       "names its interpreter (#!/bin/sh)", program);
	if (reason == ENOENT && is_program(program))
		return err_set(err, ERR_SYSTEM, "unable to run %s: the interpreter that it names does not exist", program);
	errno = reason;
	return err_errno(err, "unable to run %s", program);
}

static int not_found(const struct child *c, const char *program, struct str path, struct err *err)
{
	struct stat st;
	if (!program[0])
		return err_set(err, ERR_SYSTEM, "unable to run %s: there is no such program in the folders of PATH ("
			       STR_FMT ")", c->argv[0], STR_ARG(path));
	if (stat(program, &st) < 0)
		return err_errno(err, "unable to run %s", program);
	return err_set(err, ERR_SYSTEM, "unable to run %s: %s", program,
		       S_ISREG(st.st_mode) ? "it may not be executed; chmod +x makes it a program" : "it is no program");
}

static void child_attributes(const struct child *c, posix_spawnattr_t *attr)
{
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(attr);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &all);
	posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
				 (c->foreground ? 0 : POSIX_SPAWN_SETPGROUP));
}

static void child_fd(posix_spawn_file_actions_t *actions, int fd, int to)
{
	if (fd < 0)
		posix_spawn_file_actions_addopen(actions, to, "/dev/null", to == 0 ? O_RDONLY : O_WRONLY, 0);
	else
		posix_spawn_file_actions_adddup2(actions, fd, to);
}

static void child_actions(const struct child *c, int out, int errfd, posix_spawn_file_actions_t *actions)
{
	posix_spawn_file_actions_init(actions);
	child_fd(actions, c->in, 0);
	child_fd(actions, out, 1);
	child_fd(actions, errfd, 2);
	posix_spawn_file_actions_addclosefrom_np(actions, 3);
	posix_spawn_file_actions_addchdir_np(actions, c->dir);
}

/* fd 0, 1 or 2 of ours that must become another one would be overwritten on the way there: then a copy above them
 * in *copy. */
static int out_of_the_way(int fd, int to, int *copy)
{
	if (fd < 0 || fd > 2 || fd == to)
		return fd;
	return *copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int spawn(struct child *c, const char *program, int out, int errfd)
{
	posix_spawnattr_t attr;
	posix_spawn_file_actions_t actions;
	child_attributes(c, &attr);
	child_actions(c, out, errfd, &actions);
	int reason = posix_spawn(&c->pid, program, &actions, &attr, (char *const *)c->argv, (char *const *)c->env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return reason;
}

int child_start(struct child *c, struct err *err)
{
	char program[PATH_MAX];
	struct str path = path_in(c->env);
	if (!which(str_of(c->argv[0]), path, str_of(c->dir), program))
		return not_found(c, program, path, err);
	int copies[2] = {-1, -1};
	int out = out_of_the_way(c->out, 1, &copies[0]);
	int errfd = out_of_the_way(c->err, 2, &copies[1]);
	int reason = c->readonly ? confine_start(c, program, out, errfd, err) : spawn(c, program, out, errfd);
	cleanup_fd(&copies[0]);
	cleanup_fd(&copies[1]);
	return reason > 0 ? start_failed(c, program, reason, err) : reason;
}

/* --- its end --- */

int child_pidfd(const struct child *c)
{
	return (int)syscall(SYS_pidfd_open, c->pid, 0);
}

void child_reap(const struct child *c, int *status, struct rusage *usage)
{
	siginfo_t info;
	while (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	if (!c->foreground)
		kill(-c->pid, SIGKILL);
	pid_t got;
	while ((got = wait4(c->pid, status, 0, usage)) < 0 && errno == EINTR)
		;
	if (got < 0)
		BUG("the child %ld was reaped elsewhere", (long)c->pid);
}
