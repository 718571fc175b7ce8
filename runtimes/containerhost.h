/* containerhost.h: the way back to this machine that a container step with host_ssh has for as long as it runs: an SSH
 * server where the container reaches this machine, and `cairn-host COMMAND`, which comes through the shim. Both run
 * commands here as hostrun.h does, in the workspace, in the caller's environment. */
#pragma once

#include "runtimes/containerlink.h"
#include "runtimes/containersession.h"


struct containerhost;

/* Finds out where the (running) container reaches this machine, and then calls fn, always from the loop, whatever came of
 * it: without an SSH server cairn-host is the way back, and the step's user was told why. */
struct containerhost *containerhost_open(struct job *, struct engine *, struct str id, struct containerlink *, void (*fn)(void *ctx), void *ctx);
/* Closes the server, kills what runs; before the link is. NULL is fine. */
void containerhost_close(struct containerhost *);
/* The step's environment and what this adds to it; path: the image's PATH. In the job's arena. */
const char *const *containerhost_env(const struct containerhost *, const char *const *env, struct str path);
/* The file to be put into the container as INSIDE_SSH/known_hosts; {NULL}: there is no server. */
struct str containerhost_known(const struct containerhost *);
