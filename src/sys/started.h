/* started.h: the processes that a run has started and that have not ended, in a file: SIGKILL leaves a run no time to
 * end them, so the next one does. Not PR_SET_PDEATHSIG, which reaches the leader alone and not even that if it changes
 * what it may do; a process that nobody has noted yet when the run is killed (some microseconds) is not found.
 *
 * The file: a head that says of which boot and pid namespace the numbers are, then a row for each process, zero when it
 * ended. A number alone proves nothing, for it may be another's by now: a leader must have started when it was noted to
 * have; where it is gone, a process of its group must have been given the workspace's name. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

struct started;

#define STARTED_FILE "started"          /* in the workspace's state folder */

/* CLOCK_BOOTTIME. */
uint64_t started_now(void);
/* The file is made when the first process is noted. What can't be written is not noted: no reason to end a build. */
struct started *started_open(const char *path);
void started_close(struct started *);           /* removes the file; nothing is to be running */
/* since: started_now() before it was started. group: it leads one, which is all its own. What is returned names it. */
size_t started_note(struct started *, pid_t, bool group, uint64_t since);
void started_ended(struct started *, size_t);

/* Kills what an earlier run left and waits until it is gone; *n counts groups. CAIRN_WORKSPACE in their environment is root, or
 * a folder in `copies`.
 * Only for one who holds the workspace's lock. -1: something does not end. */
int started_end_left(const char *path, const char *root, const char *copies, size_t *n, struct err *);
