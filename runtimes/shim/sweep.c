/* sweep.c: what a step leaves behind, whatever group or session it went to, is a child of ours once its parent has
 * ended: we are PID 1 or a subreaper. So "no child" means that all is gone. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtimes/shim/shim.h"

#define PAUSE_MAX 20
#define STUCK_MS 5000                   /* what hangs in the kernel is given up then */

static ms begun, again, pause_ms;

/* From "pid (name) state ppid ...": the name may hold anything, so the last ')' ends it. */
static bool is_our_child(const char *stat)
{
	const char *end = strrchr(stat, ')');
	return end && end[1] && end[2] && end[3] && end[2] != 'Z' && atol(end + 4) == getpid();
}

static void kill_if_ours(int proc, const char *pid)
{
	char path[32], text[512];
	size_t n = strlen(pid);
	if (n > 20)
		return;
	memcpy(path, pid, n);
	memcpy(path + n, "/stat", 6);
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (got <= 0)
		return;
	text[got] = '\0';
	if (is_our_child(text))
		kill((pid_t)atol(pid), SIGKILL);
}

/* Their children become ours when they have ended, and are hit by the next call. */
static void kill_children(void)
{
	DIR *proc = opendir("/proc");
	if (!proc)
		return;
	for (struct dirent *entry; (entry = readdir(proc));)
		if (isdigit((unsigned char)entry->d_name[0]))
			kill_if_ours(dirfd(proc), entry->d_name);
	closedir(proc);
}

void sweep_begin(void)
{
	begun = now_ms();
	again = pause_ms = 0;
}

enum swept sweep_turn(uint32_t *killed)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		*killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	if (pid < 0)
		return SWEPT_ALL;
	ms now = now_ms();
	if (now - begun >= STUCK_MS)
		return SWEPT_STUCK;
	if (now < again)
		return SWEPT_SOME;
	if (shim.first)
		kill(-1, SIGKILL);              /* all but ourselves */
	else
		kill_children();
	pause_ms = pause_ms >= PAUSE_MAX ? PAUSE_MAX : pause_ms * 2 + 1;
	again = now + pause_ms;
	return SWEPT_SOME;
}

ms sweep_due(void)
{
	return again;
}

void sweep_now(void)
{
	uint32_t killed = 0;
	sweep_begin();
	while (sweep_turn(&killed) == SWEPT_SOME)
		poll(NULL, 0, 1);
}
