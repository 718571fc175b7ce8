/* confine.h: a child that sees some folder read-only: it gets a mount namespace of its own between fork and exec, and where
 * only the owner of a user namespace may make one, such a namespace, too, in which this user is the only one.
 *
 * Linux 5.12 and later. A child that may mount can undo it: one that runs as root. */
#pragma once

#include "sys/child.h"

/* Is it possible here, for this user? 0; -1 with the reason. The kernel is asked once. */
int confine_possible(struct err *);
/* child_start for a child with `readonly`: program is found, out and err are out of each other's way. 0; errno of what
 * failed in running the program; -1 when it could not be confined. */
int confine_start(struct child *, const char *program, int out, int errfd, struct err *);
