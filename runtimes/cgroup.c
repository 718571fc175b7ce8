#include "runtimes/cgroup.h"

#include <fcntl.h>
#include <stdio.h>

#include "sys/file.h"

#define FILE_MAX_BYTES (64u << 10)

/* "oom_kill 3": is there such a line, and is it more than none? */
static bool counts(struct arena *a, const char *path)
{
	struct str text, line;

	if (file_read(a, AT_FDCWD, path, FILE_MAX_BYTES, &text, NULL) != 1)
		return false;
	while (str_cut(&text, '\n', &line)) {
		uint64_t n;

		if (str_starts(line, S("oom_kill ")) && str_u64(str_from(line, 9), &n))
			return n > 0;
	}
	return false;
}

bool cgroup_oom(pid_t pid)
{
	struct arena a = ARENA_INIT;
	struct str text, line, number, kinds;
	bool found = false;

	/* a line: number, kinds with commas (none in version 2), path */
	if (file_read(&a, AT_FDCWD, str_fmt(&a, "/proc/%d/cgroup", (int)pid).s, FILE_MAX_BYTES, &text, NULL) != 1)
		text = S("");
	while (!found && str_cut(&text, '\n', &line)) {
		if (!str_cut(&line, ':', &number) || !str_cut(&line, ':', &kinds))
			continue;
		if (!kinds.n)
			found = counts(&a, str_fmt(&a, "/sys/fs/cgroup" STR_FMT "/memory.events", STR_ARG(line)).s);
		else if (str_is(kinds, "memory"))
			found = counts(&a, str_fmt(&a, "/sys/fs/cgroup/memory" STR_FMT "/memory.oom_control", STR_ARG(line)).s);
	}
	arena_release(&a);
	return found;
}
