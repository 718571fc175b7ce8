#include "sys/process.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

/* "pid (name) state ppid pgrp ...", the start the 22nd: the name may hold anything, so the last ')' ends it. */
static bool parse(const char *stat, struct process *out)
{
	const char *end = strrchr(stat, ')');
	unsigned long long ticks;
	char state;

	if (!end || sscanf(end + 1, " %c %*d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
			   &state, &out->group, &ticks) != 3)
		return false;
	out->dead = state == 'Z' || state == 'X';
	out->started_ns = ticks * PROCESS_TICK_NS;
	return true;
}

bool process_look(pid_t pid, struct process *out)
{
	char path[64], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	int fd CLEANUP_FD = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	*out = (struct process){.pid = pid};
	return parse(text, out);
}

bool process_any(bool (*see)(void *ctx, const struct process *), void *ctx)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool seen = false;

	while (proc && !seen && (entry = readdir(proc))) {
		struct process p;

		if (isdigit((unsigned char)entry->d_name[0]) && process_look(atoi(entry->d_name), &p))
			seen = see(ctx, &p);
	}
	if (proc)
		closedir(proc);
	return seen;
}

bool process_env(pid_t pid, const char *name, struct buf *value)
{
	CLEANUP_BUF struct buf env = BUF_INIT(4u << 20);
	char path[64], bytes[65536];
	size_t length = strlen(name);
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	int fd CLEANUP_FD = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0)
		buf_add(&env, bytes, (size_t)n);
	buf_c(&env, '\0');
	for (size_t at = 0; at < env.n; at += strlen(env.s + at) + 1) {
		if (strncmp(env.s + at, name, length) || env.s[at + length] != '=')
			continue;
		buf_clear(value);
		buf_z(value, env.s + at + length + 1);
		return true;
	}
	return false;
}
