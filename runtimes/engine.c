#include "runtimes/engine.h"

#include <stdlib.h>

#include "runtimes/engineown.h"

#define REPLY_MAX (64u << 20)
#define ASK_MS 120000

/* --- text --- */

static bool plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
}

static void escape(struct buf *out, struct str s, const char *also)
{
	for (size_t i = 0; i < s.n; i++)
		if (plain(s.s[i]) || (s.s[i] && strchr(also, s.s[i])))
			buf_c(out, s.s[i]);
		else
			buf_fmt(out, "%%%02X", (unsigned char)s.s[i]);
}

void engine_query(struct buf *path, const char *key, struct str value)
{
	buf_fmt(path, "%c%s=", memchr(path->s, '?', path->n) ? '&' : '?', key);
	escape(path, value, "");
}

void engine_segment(struct buf *path, struct str name)
{
	buf_c(path, '/');
	escape(path, name, "/:@");
}

struct str call_what(const char *fmt, ...)
{
	struct buf b = BUF_INIT(BUF_UNLIMITED);
	va_list ap;
	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	return buf_view(&b);
}

void engine_path(const struct engine *e, bool libpod, struct str path, struct buf *out)
{
	if (libpod)
		buf_fmt(out, "/v%u.0.0/libpod", e->libpod);
	else
		buf_fmt(out, "/v1.%u", e->api);
	buf_str(out, path);
}

/* --- the life of a call --- */

struct engine_call *call_new(struct engine *e, struct str what, engine_fn *fn, void *ctx)
{
	struct engine_call *c = xcalloc(1, sizeof(*c));
	c->engine = e;
	c->fn = fn;
	c->ctx = ctx;
	c->what = what;
	c->body = c->failed = c->id = (struct buf)BUF_INIT(BUF_UNLIMITED);
	c->reply = (struct buf)BUF_INIT(REPLY_MAX);
	c->demux = (struct demux)DEMUX_INIT;
	c->next = e->calls;
	if (c->next)
		c->next->prev = c;
	e->calls = c;
	return c;
}

static void call_free(struct engine_call *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		c->engine->calls = c->next;
	if (c->next)
		c->next->prev = c->prev;
	free((char *)c->what.s);
	buf_release(&c->body);
	buf_release(&c->reply);
	buf_release(&c->failed);
	buf_release(&c->id);
	demux_release(&c->demux);
	err_release(&c->err);
	free(c);
}

void engine_cancel(struct engine_call *c)
{
	if (!c || c->gone)
		return;
	c->gone = true;
	http_cancel(c->http);
	c->http = NULL;
	if (!c->depth)
		call_free(c);
}

static void leave(struct engine_call *c)
{
	if (--c->depth == 0 && c->gone)
		call_free(c);
}

/* --- what the engine says --- */

static struct str text_of(const struct node *map, const char *key)
{
	const struct node *n = map && map->kind == NODE_MAP ? node_get(map, str_of(key)) : NULL;
	return n && n->kind == NODE_SCALAR && !node_is_null(n) ? n->s : (struct str){0};
}

static bool says(struct str text, const char *word)
{
	return str_find(text, str_of(word)) >= 0;
}

/* Engines tell why a program did not start by the text alone. */
static enum engine_fault start_fault(struct str text)
{
	bool exec = says(text, "exec: ") || says(text, "OCI ");
	if (says(text, "error mounting"))
		return ENGINE_REFUSED;
	if (says(text, "executable file") || says(text, "command that was not found") || (exec && says(text, "no such file or directory")))
		return ENGINE_NO_PROGRAM;
	if (exec && (says(text, "ermission denied") || says(text, "is a directory")))
		return ENGINE_NOT_EXECUTABLE;
	return ENGINE_REFUSED;
}

static enum engine_fault fault_of(const struct engine_call *c, struct str text)
{
	if (c->gone_is_fine && (c->status == 404 || (c->status == 409 && says(text, "already in progress"))))
		return ENGINE_OK;
	if (c->status == 404 && !(c->starts && start_fault(text) != ENGINE_REFUSED))
		return ENGINE_ABSENT;
	/* Podman 4.3 says these with 500. */
	if (c->status == 409 || says(text, "container state improper") || says(text, "is already in use"))
		return ENGINE_CONFLICT;
	return c->starts ? start_fault(text) : ENGINE_REFUSED;
}

static bool good(const struct engine_call *c)
{
	return (c->status >= 200 && c->status < 300) || c->status == 101 || (c->status == 304 && c->not_modified);
}

static void explain(const struct engine_call *c, struct str said, struct err *err)
{
	const char *name = engine_kind_name(c->engine->kind);
	said = str_trim(said);
	if (!said.n)
		err_set(err, ERR_RUNTIME, "%s answers with status %d and says nothing", name, c->status);
	else
		err_set(err, ERR_RUNTIME, "%s says: " STR_FMT, name, (int)(said.n < 4000 ? said.n : 4000), said.s);
}

/* The end of a call whose answer came whole. */
static void judge(struct engine_call *c, struct arena *arena, struct engine_reply *r, struct err *err)
{
	struct source src = {S("the engine's reply"), buf_view(&c->reply)};
	struct node *json = NULL;
	struct str said;
	if (c->reply.n && !(c->stream && good(c)) && json_read_loose(arena, &src, &json, NULL) < 0)
		json = NULL;
	r->json = json;
	said = text_of(json, "message");
	if (!said.n && !json)
		said = buf_view(&c->reply);
	if (!good(c)) {
		r->fault = fault_of(c, said);
	} else if (c->failed.n) {
		r->fault = ENGINE_REFUSED;
		said = buf_view(&c->failed);
	} else if (c->data && (c->nzeros < 1024 || c->ndata % 512)) {
		r->fault = ENGINE_LOST;
		err_set(err, ERR_RUNTIME, "the archive is cut after %zu bytes", c->ndata);
	} else if (c->stream && !c->raw && demux_end(&c->demux, err) < 0) {
		r->fault = ENGINE_LOST;
	}
	r->id = c->id.n ? buf_view(&c->id) : text_of(json, "Id");
	if (!r->id.n)
		r->id = text_of(json, "Name");
	if (r->fault != ENGINE_OK && !err_any(err))
		explain(c, said, err);
}

static void finish(struct engine_call *c, const struct http_end *end)
{
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct engine_reply reply = {.status = c->status};
	if (err_any(&c->err)) {
		reply.fault = ENGINE_LOST;
		err_move(&err, &c->err);
	} else if (end->fault != HTTP_WHOLE) {
		reply.fault = ENGINE_LOST;
		err_move(&err, end->err);
	} else {
		judge(c, &arena, &reply, &err);
	}
	if (reply.fault != ENGINE_OK) {
		err_wrap(&err, "unable to " STR_FMT, STR_ARG(c->what));
		reply.err = &err;
	}
	c->gone = true;
	if (c->fn)
		c->fn(c->ctx, &reply);
	err_release(&err);
	arena_release(&arena);
}

/* --- on the wire --- */

static void on_head(void *ctx, const struct http_head *head)
{
	struct engine_call *c = ctx;
	c->depth++;
	c->status = head->status;
	if (c->stream && good(c) && c->out.ready)
		c->out.ready(c->out.ctx);
	leave(c);
}

static void archive_part(struct engine_call *c, struct str bytes)
{
	size_t zeros = 0;
	while (zeros < bytes.n && !bytes.s[bytes.n - 1 - zeros])
		zeros++;
	c->ndata += bytes.n;
	c->nzeros = zeros < bytes.n ? zeros : c->nzeros + zeros;
	c->data(c->ctx, bytes);
}

static void on_data(void *ctx, struct str bytes)
{
	struct engine_call *c = ctx;
	c->depth++;
	if (good(c) && c->data)
		archive_part(c, bytes);
	else if (good(c) && c->stream)
		call_data_stream(c, bytes);
	else if (good(c) && c->lines)
		call_data_lines(c, bytes, false);
	else
		buf_str(&c->reply, bytes);
	if (!c->gone && (err_any(&c->err) || c->reply.full)) {
		http_cancel(c->http);
		c->http = NULL;
		if (!err_any(&c->err))
			err_set(&c->err, ERR_RUNTIME, "the engine's reply is longer than %u MiB", REPLY_MAX >> 20);
		finish(c, NULL);
	}
	leave(c);
}

static ssize_t on_read(void *ctx, char *to, size_t n, struct err *err)
{
	struct engine_call *c = ctx;
	return c->read(c->ctx, to, n, err);
}

static void on_drained(void *ctx)
{
	struct engine_call *c = ctx;
	c->depth++;
	if (c->out.drained)
		c->out.drained(c->out.ctx);
	leave(c);
}

static void on_done(void *ctx, const struct http_end *end)
{
	struct engine_call *c = ctx;
	c->http = NULL;
	c->depth++;
	if (c->lines && good(c))
		call_data_lines(c, S(""), true);
	if (!c->gone)
		finish(c, end);
	leave(c);
}

void call_send(struct engine_call *c, const char *method, struct str path, const struct http_header *headers, size_t nheaders,
	       const struct http_request *more)
{
	struct http_handler handler = {on_head, on_data, on_drained, on_done, c};
	struct http_request r = more ? *more : (struct http_request){0};
	r.server = &c->engine->server;
	r.method = method;
	r.path = path;
	r.headers = headers;
	r.nheaders = nheaders;
	r.body = buf_view(&c->body);
	r.read = c->read ? on_read : NULL;
	c->http = c->upgrade ? http_upgrade(c->engine->http, &r, "tcp", &handler) : http_start(c->engine->http, &r, &handler);
}

struct engine_call *engine_ask(struct engine *e, const struct engine_ask *ask, engine_fn *fn, void *ctx)
{
	struct engine_call *c = call_new(e, call_what(STR_FMT, STR_ARG(ask->what)), fn, ctx);
	CLEANUP_BUF struct buf path = BUF_INIT(BUF_UNLIMITED);
	struct http_header headers[2];
	size_t n = 0;
	if (ask->body.s)
		headers[n++] = (struct http_header){"Content-Type", str_of(ask->type ? ask->type : "application/json")};
	if (ask->auth.s)
		headers[n++] = (struct http_header){"X-Registry-Auth", ask->auth};
	engine_path(e, ask->libpod, ask->path, &path);
	buf_str(&c->body, ask->body);
	c->not_modified = ask->not_modified;
	c->gone_is_fine = ask->gone_is_fine;
	uint64_t ms = ask->timeout_ms == ENGINE_NO_TIMEOUT ? 0 : ask->timeout_ms ? ask->timeout_ms : ASK_MS;
	call_send(c, ask->method, buf_view(&path), headers, n, &(struct http_request){.timeout_ms = ms});
	return c;
}

/* --- for those that may wait --- */

static struct node *copy(struct arena *arena, const struct node *from)
{
	struct node *to = arena_new(arena, struct node);
	*to = (struct node){.kind = from->kind, .style = from->style, .s = str_dup(arena, from->s), .n = from->n};
	to->items = arena_array(arena, from->n, struct node_item);
	for (size_t i = 0; i < from->n; i++) {
		to->items[i].key = str_dup(arena, from->items[i].key);
		to->items[i].value = copy(arena, from->items[i].value);
	}
	return to;
}

void engine_keep(void *answer, const struct engine_reply *r)
{
	struct engine_answer *a = answer;
	a->fault = r->fault;
	a->status = r->status;
	a->json = r->json ? copy(a->arena, r->json) : NULL;
	a->id = str_dup(a->arena, r->id);
	if (r->err)
		err_move(&a->err, r->err);
	a->over = true;
}

int engine_await(struct engine *e, struct engine_answer *a, struct err *err)
{
	while (!a->over)
		if (loop_turn(http_loop(e->http), -1, err) < 0)
			return -1;
	if (a->fault == ENGINE_OK)
		return 0;
	err_move(err, &a->err);
	return -1;
}

/* --- what it is --- */

enum engine_kind engine_kind(const struct engine *e) { return e->kind; }
const char *engine_kind_name(enum engine_kind kind) { return kind == ENGINE_PODMAN ? "Podman" : "Docker"; }
struct str engine_url(const struct engine *e) { return e->url; }
struct str engine_why(const struct engine *e) { return e->why; }
unsigned engine_api(const struct engine *e) { return e->api; }
struct loop *engine_loop(const struct engine *e) { return http_loop(e->http); }

void engine_close(struct engine *e)
{
	if (!e)
		return;
	while (e->calls) {
		if (e->calls->depth)
			BUG("engine_close in a handler of one of its calls");
		engine_cancel(e->calls);
	}
	loop_remove(http_loop(e->http), e->keep);
	engine_service_end(e->service);
	arena_release(&e->arena);
	free(e);
}
