/* scratch.h: a folder of its own for a unit test, and shell commands in it. Removed by scratch_remove. */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/file.h"
#include "tap.h"

static char scratch_path[4096];
static int scratch_fd = -1;

static inline void scratch_make(void)
{
	char name[] = "/tmp/cairn-u.XXXXXX", *real = mkdtemp(name) ? realpath(name, NULL) : NULL;

	snprintf(scratch_path, sizeof(scratch_path), "%s", real ? real : "");
	free(real);
	scratch_fd = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (scratch_fd < 0) {
		printf("Bail out! no scratch folder\n");
		exit(1);
	}
	/* nothing of the person who runs the tests */
	setenv("HOME", scratch_path, 1);
	setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	unsetenv("XDG_CONFIG_HOME");
	umask(022);
}

/* Runs it in the scratch folder. Bails out when it fails: then the test can't go on. */
PRINTF(1, 2)
static inline void sh(const char *fmt, ...)
{
	char command[8192];
	va_list args;
	int n = snprintf(command, sizeof(command), "cd '%s' && { ", scratch_path);

	va_start(args, fmt);
	n += vsnprintf(command + n, sizeof(command) - n, fmt, args);
	va_end(args);
	snprintf(command + n, sizeof(command) - n, "\n} >/dev/null 2>&1");
	if (system(command) != 0) {
		printf("Bail out! unable to run: %s\n", command);
		exit(1);
	}
}

static inline void scratch_remove(void)
{
	sh("chmod -R u+rwX .");
	file_remove_tree(AT_FDCWD, scratch_path, NULL);
	close(scratch_fd);
}

/* The file system's clock has gone past everything written so far. */
static inline void scratch_settle(void)
{
	int64_t from, now;

	file_fs_now(scratch_fd, &from, NULL);
	do
		usleep(1000);
	while (file_fs_now(scratch_fd, &now, NULL) == 0 && now <= from);
}
