/* engineown.h: an engine and its calls from the inside. Private to runtimes/engine*.c. */
#pragma once

#include "runtimes/demux.h"
#include "runtimes/enginechild.h"

struct engine {
	struct arena arena;
	struct http *http;
	struct http_server server;
	enum engine_kind kind;
	unsigned api, libpod;           /* 41 for 1.41; libpod's major version, 0: it has none */
	struct str url, why;
	struct engine_service *service; /* NULL: it was there */
	struct loop_watch *keep;        /* it is asked now and then */
	struct engine_call *calls;
};

struct engine_call {
	struct engine *engine;
	struct http_call *http;         /* NULL: at its end */
	engine_fn *fn;
	void *ctx;
	struct str what;                /* heap */
	struct buf body, reply;         /* the request's; the reply's, or of its lines the one that is being read */
	int status;
	bool not_modified, gone_is_fine, starts;        /* how a status is to be read */
	bool gone;                      /* forgotten: freed when its handlers have returned */
	int depth;                      /* of handlers */
	/* of a body that is sent, or received, bit by bit */
	engine_read *read;
	engine_data *data;
	size_t ndata, nzeros;           /* bytes received; zeros among the last of them: an archive ends with 1024 */
	/* of a reply of JSON lines */
	bool lines;
	engine_progress *progress;
	struct buf failed, id;          /* what it said of a failure; of the result */
	/* of streams */
	bool stream, upgrade, raw;
	struct engine_output out;
	struct demux demux;
	struct err err;                 /* the stream is damaged */
	struct engine_call *next, *prev;
};

/* A call that begins: path is behind the version. The request's path is kept until http_start has it. */
struct engine_call *call_new(struct engine *, struct str what, engine_fn *, void *ctx);
void call_send(struct engine_call *, const char *method, struct str path, const struct http_header *, size_t nheaders,
	       const struct http_request *more);
/* "/v1.41/info" */
void engine_path(const struct engine *, bool libpod, struct str path, struct buf *out);
struct str call_what(const char *fmt, ...) PRINTF(1, 2);       /* on the heap, for call_new */
void call_data_stream(struct engine_call *, struct str bytes);          /* enginestream.c */
void call_data_lines(struct engine_call *, struct str bytes, bool last);        /* engineimages.c */
/* Adds filters={"label":["..."]}. */
void engine_label_filter(struct buf *path, struct str label);
