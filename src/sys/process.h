/* process.h: what the kernel says of processes that are no children of this one. */
#pragma once

#include <sys/types.h>

#include "base/str.h"

struct process {
	pid_t pid, group;
	uint64_t started_ns;            /* CLOCK_BOOTTIME, cut to a tick of PROCESS_TICK_NS */
	bool dead;                      /* a zombie */
};
#define PROCESS_TICK_NS 10000000ull

bool process_look(pid_t, struct process *);
/* Calls see for each process until it returns true, which is returned; false when /proc can't be read. */
bool process_any(bool (*see)(void *ctx, const struct process *), void *ctx);
/* What NAME was in the environment it was started with; false when it was not set, or nobody may know. */
bool process_env(pid_t, const char *name, struct buf *value);
