/* sshdoor.h: what lies between hostssh.c and the module "ssh": libssh's connections without a loop. Private to the two. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

struct ssh_key_holder;
struct ssh_conn;

struct ssh_ops {
	/* With a new key. */
	struct ssh_key_holder *(*open)(struct err *);
	void (*close)(struct ssh_key_holder *);
	const char *(*public_key)(const struct ssh_key_holder *);       /* as base64 */
	/* A connection on the socket, which does not block and is its own from then on, even when it fails. NULL: it failed.
	 * allowed must not call anything here. */
	struct ssh_conn *(*accept)(struct ssh_key_holder *, int fd, bool (*allowed)(void *ctx, const char *user, const char *password), void *ctx);
	void (*drop)(struct ssh_conn *);
	/* Takes what the socket has, sends what it takes. False: it is over. */
	bool (*turn)(struct ssh_conn *);
	bool (*unsent)(const struct ssh_conn *);
	bool (*proved)(const struct ssh_conn *);
	char *(*command)(struct ssh_conn *);                            /* heap, told once; NULL: none (yet) */
	int (*signal)(struct ssh_conn *);                               /* told once; 0: none */
	ssize_t (*read)(struct ssh_conn *, char *to, size_t n);         /* 0: nothing now; -1: its end */
	size_t (*write)(struct ssh_conn *, int stream, struct str);     /* what there was room for */
	void (*done)(struct ssh_conn *, bool signalled, int status);    /* the command's end, and the channel's */
};
