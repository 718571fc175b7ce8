/* steprequest.h: what a STEP message asks for. */
#pragma once

#include "runtimes/shim/shim.h"

#define SCRIPT_PATH_MAX 4096

struct request {                        /* its texts lie in the message */
	struct spawn spawn;
	struct words argv, env;
	uint32_t flags, grace;
	uint64_t timeout;
	char *script_path;
	struct bytes script;
};

#define REQUEST_INIT {.spawn = {.cwd = "/", .mask = 022}, .grace = 5000}

/* false: it holds what this shim does not know, or what makes no sense. */
bool request_read(struct request *, struct bytes fields);
bool request_complete(struct request *);        /* its environment and words, for spawn; false: errors of memory, no socket */
/* 0 or -1 with errno; the path in `written` once there is something to be removed. */
int request_write_script(struct request *, char written[SCRIPT_PATH_MAX]);
void request_release(struct request *);
