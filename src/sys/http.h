/* http.h: HTTP/1.1 over TCP, TLS and Unix sockets: many calls at once on the main thread's loop, connections kept
 * alive. libcurl does it, in the module "http", which http_open loads.
 *
 * A call is described by a struct, then started; what comes of it is told to a handler, in this order: head once, data
 * any number of times, done once. Nothing is told before http_start has returned. The call is freed when done returns;
 * http_cancel ends one at any time, also in a handler, and then nothing more is told. Handlers may start and cancel
 * calls, but not turn the loop.
 *
 * A reply of any status is a reply: done says HTTP_WHOLE when it came to its end. Only 3xx with `follow` are acted upon. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "sys/loop.h"

/* How a server is reached. Everything is copied when a call starts. */
struct http_server {
	struct str url;                 /* "http://HOST[:PORT][/PREFIX]" or https; with a socket HOST is but the Host header */
	struct str socket;              /* absolute path of a Unix socket; {NULL}: TCP, by the environment's proxies */
	/* https; files or PEM texts, {NULL} what is not there. Without a CA the system's is used. */
	struct str ca_file, cert_file, key_file;
	struct str ca_pem, cert_pem, key_pem;
	bool insecure;                  /* whoever answers is believed */
};

struct http_header { const char *name; struct str value; };

#define HTTP_LATER (-2)                 /* of `read`: nothing now, http_send_more tells when */

struct http_request {
	const struct http_server *server;
	const char *method;             /* "GET" ...; NULL: GET */
	struct str path;                /* "/v1.41/info?q=x", escaped, goes behind the server's URL; error texts leave out the query */
	const struct http_header *headers;
	size_t nheaders;
	/* The body is `body` (not copied: valid until done), or comes from `read` where that is set: the number of bytes
	 * written to `to`, 0 at the end, HTTP_LATER, or -1 with err, which becomes the call's end. */
	struct str body;
	ssize_t (*read)(void *ctx, char *to, size_t n, struct err *);
	int64_t size;                   /* of what `read` gives; 0: not known, sent in chunks */
	uint64_t connect_ms;            /* 0: 10 s */
	uint64_t timeout_ms;            /* for all of it, or for a stream to begin; 0: none */
	uint64_t idle_s;                /* ends when nothing has come or gone for so long; 0: never */
	bool follow;                    /* GET and HEAD: up to 10 redirects; Authorization goes to the first host only */
	bool fresh;                     /* over a connection of its own */
};

/* Valid during the call of head. */
struct http_head { int status; struct str headers; /* "Name: value\n"... */ };
/* The header's value (of the first of that name, in any case), {NULL} when absent. */
struct str http_header(const struct http_head *, const char *name);

enum http_fault {
	HTTP_WHOLE,                     /* the reply came whole; after 101: the other side has closed the stream */
	HTTP_NO_CONNECT,                /* nobody there, or no right: os_errno (0: no address for the name) */
	HTTP_NO_TRUST,                  /* TLS: certificates, theirs or ours */
	HTTP_TIMEOUT,
	HTTP_CUT,                       /* the connection broke before the reply was whole */
	HTTP_BAD_REPLY,                 /* what came is no HTTP/1.1 */
	HTTP_NO_BODY,                   /* `read` failed; err is what it said */
	HTTP_FAILED,                    /* anything else: memory, a URL that is none, too many redirects */
};

struct http_end {
	enum http_fault fault;
	int os_errno;
	struct err *err;                /* NULL for HTTP_WHOLE; else the caller's after err_move, otherwise released */
};

/* Any member may be NULL. ctx is read's, too. */
struct http_handler {
	void (*head)(void *ctx, const struct http_head *);
	void (*data)(void *ctx, struct str bytes);
	void (*drained)(void *ctx);     /* of a stream: all that was written has gone out */
	void (*done)(void *ctx, const struct http_end *);
	void *ctx;
};

struct http;
struct http_call;

/* One client a loop; it must be closed before the loop is. */
struct http *http_open(struct loop *, struct err *);
void http_close(struct http *);         /* cancels what is under way; NULL is fine; not in a handler */

struct loop *http_loop(const struct http *);

/* Never fails by itself: what can't be started is told by done. */
struct http_call *http_start(struct http *, const struct http_request *, const struct http_handler *);
void http_cancel(struct http_call *);   /* NULL is fine; closes the call's connection */
/* While true, no data comes and the sender is held back by the connection's window. */
void http_pause(struct http_call *, bool);
void http_send_more(struct http_call *);        /* after HTTP_LATER */

/* A call that asks to turn its connection into a stream of `protocol` ("tcp", "websocket"), with "Connection: Upgrade".
 * The request has no body but `body`. head's status says what came of it: after 101 data is what the other side sends, to
 * its end, and the following work; any other reply is an ordinary one, and they do nothing. */
struct http_call *http_upgrade(struct http *, const struct http_request *, const char *protocol, const struct http_handler *);
void http_write(struct http_call *, struct str bytes);  /* copied; may be called before head */
size_t http_unsent(const struct http_call *);           /* bytes written that have not gone out: for back-pressure */
/* No more will be written: the other side reads to its end, and may go on sending. False over TLS, where it is not
 * possible: close instead. */
bool http_shut(struct http_call *);

/* Turns the loop until the reply is there, for those that may wait. body is an addition to what it holds; its limit is
 * the reply's. 0, or -1 when the reply did not come whole or is too long; end, which may be NULL, then says more (its
 * err is NULL: the text is in err). Not in a handler. */
struct http_reply { int status; struct buf headers, body; };
#define HTTP_REPLY_INIT(max) {.headers = BUF_INIT(1u << 20), .body = BUF_INIT(max)}
void http_reply_release(struct http_reply *);
int http_fetch(struct http *, const struct http_request *, struct http_reply *, struct http_end *end, struct err *);
