/* lock.h: advisory locks on files (flock), released by the kernel when the process dies. */
#pragma once

#include "base/err.h"

/* fd of the held lock, or -1. wait false: *busy is set when somebody else holds it. The holder's pid,
 * written into the file, is put into *holder (0 unknown). */
int lock_take(const char *path, bool wait, bool *busy, long *holder, struct err *);
