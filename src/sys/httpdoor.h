/* httpdoor.h: what lies between http.c and the module "http": libcurl's transfers without a loop. Private to the two.
 * Nothing here may be called from within one of the hooks but curl_pause and make. */
#pragma once

#include "sys/http.h"

struct http_multi;
struct http_easy;

/* What the module calls. call is what `make` was given. */
struct http_hooks {
	/* events 0: no longer; watch is what the last call for this fd returned. */
	void *(*socket)(void *ctx, void *watch, int fd, unsigned events);
	void (*timer)(void *ctx, long ms);      /* -1: none */
	/* A line of a head, status line and empty line included, with its line end. False: no more. */
	bool (*line)(void *call, struct str);
	int (*data)(void *call, struct str);    /* 0 taken, 1 not now, -1 no more */
	ssize_t (*read)(void *call, char *to, size_t n);
	void (*ended)(void *call, enum http_fault, int os_errno, const char *reason);   /* not within a transfer: may do anything */
};

struct http_ops {
	struct http_multi *(*open)(const struct http_hooks *, void *ctx, struct err *);
	void (*close)(struct http_multi *);
	void (*ready)(struct http_multi *, int fd, unsigned events);    /* fd -1: the timer */
	void (*ended)(struct http_multi *);     /* tells hooks->ended of each that is at its end */
	/* connect_only: it ends when the connection is made. NULL: out of memory. */
	struct http_easy *(*make)(const struct http_request *, bool connect_only, const struct http_hooks *, void *call);
	bool (*add)(struct http_multi *, struct http_easy *);
	void (*drop)(struct http_multi *, struct http_easy *);  /* added or not; frees */
	void (*pause)(struct http_easy *, bool receive, bool send);
	/* of a connection that was made */
	int (*fd)(struct http_easy *);
	ssize_t (*send)(struct http_easy *, struct str);                /* -1 with errno; EAGAIN */
	ssize_t (*recv)(struct http_easy *, char *to, size_t n);        /* 0 at the end; -1 with errno */
};
