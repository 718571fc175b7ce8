/* httpcall.h: a call from the inside. Private to http.c (calls and their transfers) and httpstream.c (a connection that
 * became a stream). */
#pragma once

#include "sys/httpdoor.h"

#define HTTP_HEAD_MAX (256u << 10)

struct http_stream;

struct http_call {
	struct http *http;
	struct http_easy *easy;         /* NULL: it could not be made */
	struct http_handler handler;
	ssize_t (*read)(void *, char *, size_t, struct err *);
	struct str what, where;         /* heap: "GET /info", "unix:///run/docker.sock", for error texts */
	bool follow;
	struct http_head head;
	struct buf headers;
	bool told;                      /* head was; what follows is data and trailers */
	bool queued;                    /* libcurl does not have it yet */
	bool paused, resumed;           /* by http_pause; libcurl is to be told to go on */
	bool gone;                      /* cancelled or done: nothing more is told */
	struct err err;                 /* of read, or why it could not be started */
	struct http_stream *stream;     /* of http_upgrade */
	struct http_call *next, *prev;
};

struct http {
	struct loop *loop;
	const struct http_ops *ops;
	struct http_multi *multi;
	struct loop_watch *timer;       /* libcurl's */
	struct loop_watch *soon;        /* something is to be done when libcurl has returned */
	int busy;                       /* within libcurl, or a handler of a stream: calls can't be freed */
	int watch_errno;                /* a connection could not be watched */
	struct http_call *live, *fresh, *dead;
};

/* "Name: value\n" added to headers; false when there is no room. The status line begins anew. */
bool http_head_line(struct http_call *, struct str line);
/* The empty line came: is this the head that is meant? Then the handler is told. */
void http_head_end(struct http_call *);
/* The end: tells done and frees. */
void http_finish(struct http_call *, enum http_fault, int os_errno, const char *reason);
/* To be called when busy is no longer: frees what was cancelled, tells of what ended. */
void http_settle(struct http *);
void http_soon(struct http *);          /* ... in the loop's next turn, at the latest */

struct http_stream *stream_open(struct http_call *, const struct http_request *, const char *protocol);
void stream_connected(struct http_call *);
void stream_close(struct http_call *);  /* before the transfer is dropped */
void stream_pause(struct http_call *);
