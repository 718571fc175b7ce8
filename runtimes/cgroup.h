/* cgroup.h: what the kernel's control groups tell of a process of this machine. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* Has any process of the memory group that pid is in been killed for want of memory? False where that can't be read: pid is
 * another machine's, or is gone. Both versions of control groups (docs.kernel.org, admin-guide/cgroup-v1/memory, cgroup-v2). */
bool cgroup_oom(pid_t pid);
