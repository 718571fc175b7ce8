/* What is left of a child's process group, the one thing the kernel has no call for: kill(-group, 0) counts zombies,
 * and nobody may ever reap those (a container whose first process is no init). */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/child.h"

/* From "pid (name) state ppid pgrp ...": the name may hold anything, so the last ')' ends it. */
static bool runs_in(const char *stat, pid_t group)
{
	char state;
	int pgrp;
	const char *end = strrchr(stat, ')');
	return end && sscanf(end + 1, " %c %*d %d", &state, &pgrp) == 2 && pgrp == group && state != 'Z' && state != 'X';
}

static bool process_runs_in(int proc, const char *pid, pid_t group)
{
	char path[280], text[512];
	snprintf(path, sizeof(path), "%s/stat", pid);
	int fd CLEANUP_FD = openat(proc, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return runs_in(text, group);
}

bool child_group_left(const struct child *c)
{
	if (c->foreground || kill(-c->pid, 0) < 0)
		return false;
	DIR *proc = opendir("/proc");
	if (!proc)
		return true;
	bool left = false;
	for (struct dirent *entry; !left && (entry = readdir(proc));)
		left = isdigit((unsigned char)entry->d_name[0]) && process_runs_in(dirfd(proc), entry->d_name, c->pid);
	closedir(proc);
	return left;
}
