#include "sys/http.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "sys/httpcall.h"
#include "sys/module.h"

static void list_put(struct http_call **list, struct http_call *c)
{
	c->prev = NULL;
	c->next = *list;
	if (*list)
		(*list)->prev = c;
	*list = c;
}

static void list_take(struct http_call **list, struct http_call *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		*list = c->next;
	if (c->next)
		c->next->prev = c->prev;
}

/* --- libcurl on the loop --- */

struct sock { struct http *http; int fd; struct loop_watch *watch; };

static void sock_ready(void *ctx, unsigned events)
{
	struct sock *s = ctx;
	struct http *h = s->http;
	h->busy++;
	h->ops->ready(h->multi, s->fd, events);         /* s may be gone */
	h->busy--;
	http_settle(h);
}

static void *on_socket(void *ctx, void *watch, int fd, unsigned events)
{
	struct http *h = ctx;
	struct sock *s = watch;
	if (s && (!events || !s->watch || loop_fd_events(h->loop, s->watch, events) < 0)) {
		loop_remove(h->loop, s->watch);
		free(s);
		s = NULL;
	}
	if (s || !events)
		return s;
	s = xcalloc(1, sizeof(*s));
	*s = (struct sock){h, fd, NULL};
	s->watch = loop_fd(h->loop, fd, events, sock_ready, s);
	if (!s->watch)
		h->watch_errno = errno;
	return s;
}

static void timer_fired(void *ctx)
{
	struct http *h = ctx;
	h->timer = NULL;
	h->busy++;
	h->ops->ready(h->multi, -1, 0);
	h->busy--;
	http_settle(h);
}

static void on_timer(void *ctx, long ms)
{
	struct http *h = ctx;
	loop_remove(h->loop, h->timer);
	h->timer = ms < 0 ? NULL : loop_timer(h->loop, (uint64_t)ms * 1000000, timer_fired, h);
}

/* --- what comes of a transfer --- */

struct str http_header(const struct http_head *head, const char *name)
{
	struct str rest = head->headers, line;
	size_t n = strlen(name);
	while (str_cut(&rest, '\n', &line))
		if (line.n > n && line.s[n] == ':' && strncasecmp(line.s, name, n) == 0)
			return str_trim(str_from(line, n + 1));
	return (struct str){0};
}

/* "HTTP/1.1 200 OK"; 0 when it is none. */
static int status_of(struct str line)
{
	uint64_t status;
	if (line.n < 12 || !str_starts(line, S("HTTP/1.")) || line.s[8] != ' ' || (line.n > 12 && line.s[12] != ' '))
		return 0;
	return str_u64((struct str){line.s + 9, 3}, &status) && status >= 100 ? (int)status : 0;
}

bool http_head_line(struct http_call *c, struct str line)
{
	line = str_trim(line);
	if (str_starts(line, S("HTTP/"))) {
		buf_clear(&c->headers);
		c->head.status = status_of(line);
		return true;
	}
	buf_str(&c->headers, line);
	buf_c(&c->headers, '\n');
	return !c->headers.full;
}

void http_head_end(struct http_call *c)
{
	c->head.headers = buf_view(&c->headers);
	if (c->head.status < 200 && !(c->stream && c->head.status == 101))
		return;
	if (c->follow && c->head.status >= 300 && c->head.status < 400 && http_header(&c->head, "Location").s)
		return;
	c->told = true;
	if (c->handler.head)
		c->handler.head(c->handler.ctx, &c->head);
}

static bool on_line(void *call, struct str line)
{
	struct http_call *c = call;
	if (c->gone)
		return false;
	if (c->told)
		return true;            /* a trailer */
	if (str_trim(line).n)
		return http_head_line(c, line);
	http_head_end(c);
	return !c->gone;
}

static int on_data(void *call, struct str bytes)
{
	struct http_call *c = call;
	if (c->gone)
		return -1;
	if (c->paused)
		return 1;
	if (c->handler.data)
		c->handler.data(c->handler.ctx, bytes);
	return c->gone ? -1 : 0;
}

static ssize_t on_read(void *call, char *to, size_t n)
{
	struct http_call *c = call;
	return c->gone ? -1 : c->read(c->handler.ctx, to, n, &c->err);
}

static void call_free(struct http_call *c)
{
	struct http *h = c->http;
	if (c->stream)
		stream_close(c);
	if (c->easy)
		h->ops->drop(h->multi, c->easy);
	buf_release(&c->headers);
	err_release(&c->err);
	free((char *)c->what.s);
	free((char *)c->where.s);
	free(c);
}

void http_finish(struct http_call *c, enum http_fault fault, int os_errno, const char *reason)
{
	struct http *h = c->http;
	struct http_end end = {fault, fault == HTTP_NO_CONNECT ? os_errno : 0, fault == HTTP_WHOLE ? NULL : &c->err};
	if (c->gone)
		return;
	if (c->headers.full) {
		end.fault = HTTP_BAD_REPLY;
		reason = "the head of the reply is too long";
	}
	if (end.fault != HTTP_WHOLE && !err_any(&c->err))
		err_set(&c->err, ERR_SYSTEM, "%s", fault == HTTP_NO_CONNECT && os_errno ? strerror(os_errno) : reason);
	if (end.fault != HTTP_WHOLE)
		err_wrap(&c->err, "unable to " STR_FMT " at " STR_FMT, STR_ARG(c->what), STR_ARG(c->where));
	c->gone = true;
	list_take(&h->live, c);
	if (c->stream)
		stream_close(c);
	if (c->handler.done)
		c->handler.done(c->handler.ctx, &end);
	if (h->busy)
		list_put(&h->dead, c);
	else
		call_free(c);
}

static void on_ended(void *call, enum http_fault fault, int os_errno, const char *reason)
{
	struct http_call *c = call;
	if (c->stream && fault == HTTP_WHOLE)
		stream_connected(c);
	else if (fault == HTTP_WHOLE && !c->told)       /* libcurl minds no missing end of a head */
		http_finish(c, HTTP_CUT, 0, "the connection closed before the head was whole");
	else
		http_finish(c, fault, os_errno, reason);
}

static const struct http_hooks hooks = {on_socket, on_timer, on_line, on_data, on_read, on_ended};

/* --- what has to wait until libcurl has returned --- */

static struct http_call *oldest(struct http_call *c)
{
	while (c && c->next)
		c = c->next;
	return c;
}

static void add_fresh(struct http *h)
{
	struct http_call *c;
	while ((c = oldest(h->fresh))) {
		list_take(&h->fresh, c);
		list_put(&h->live, c);
		c->queued = false;
		if (err_any(&c->err))
			http_finish(c, HTTP_FAILED, 0, "");
		else if (!c->easy || !h->ops->add(h->multi, c->easy))
			http_finish(c, HTTP_FAILED, 0, "libcurl does not take it");
	}
}

static void drop_dead(struct http *h)
{
	struct http_call *c;
	while ((c = h->dead)) {
		list_take(&h->dead, c);
		call_free(c);
	}
}

/* Data that was held back comes from within curl_pause. */
static void resume(struct http *h)
{
	struct http_call *c = h->live;
	while (c) {
		if (!c->resumed) {
			c = c->next;
			continue;
		}
		c->resumed = false;
		h->busy++;
		h->ops->pause(c->easy, c->paused, false);
		h->busy--;
		c = h->live;            /* handlers may have changed the list */
	}
}

static void fail_unwatched(struct http *h)
{
	int why = h->watch_errno;
	h->watch_errno = 0;
	while (why && h->live)
		http_finish(h->live, HTTP_FAILED, 0, strerror(why));
}

void http_settle(struct http *h)
{
	if (h->busy)
		return;
	drop_dead(h);
	h->ops->ended(h->multi);
	fail_unwatched(h);
}

static void soon_fired(void *ctx)
{
	struct http *h = ctx;
	h->soon = NULL;
	drop_dead(h);
	add_fresh(h);
	resume(h);
	http_settle(h);
}

void http_soon(struct http *h)
{
	if (!h->soon)
		h->soon = loop_timer(h->loop, 0, soon_fired, h);
}

/* --- calls --- */

struct http *http_open(struct loop *loop, struct err *err)
{
	const struct http_ops *ops = module_load("http", err);
	if (!ops)
		return NULL;
	struct http *h = xcalloc(1, sizeof(*h));
	h->loop = loop;
	h->ops = ops;
	h->multi = ops->open(&hooks, h, err);
	if (h->multi)
		return h;
	free(h);
	return NULL;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	if (h->busy)
		BUG("http_close in a handler");
	while (h->fresh)
		http_cancel(h->fresh);
	while (h->live)
		http_cancel(h->live);
	drop_dead(h);
	h->ops->close(h->multi);
	loop_remove(h->loop, h->timer);
	loop_remove(h->loop, h->soon);
	free(h);
}

struct loop *http_loop(const struct http *h)
{
	return h->loop;
}

static struct str heap_str(const char *fmt, ...) PRINTF(1, 2);
static struct str heap_str(const char *fmt, ...)
{
	struct buf b = BUF_INIT(BUF_UNLIMITED);
	va_list ap;
	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	return buf_view(&b);
}

/* No byte that would end a line or a word of the request. */
static bool clean(struct str s, unsigned char from)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.s[i] < from || s.s[i] == 0x7f)
			return false;
	return true;
}

static const char *wrong_request(const struct http_request *r)
{
	struct str url = r->server->url;
	if (!str_starts(url, S("http://")) && !str_starts(url, S("https://")))
		return "the URL begins neither with http:// nor with https://";
	if (!clean(url, 0x21) || !clean(r->path, 0x21) || !str_starts(r->path, S("/")))
		return "the URL is not well-formed";
	for (size_t i = 0; i < r->nheaders; i++)
		if (!clean(str_of(r->headers[i].name), 0x21) || !clean(r->headers[i].value, 0x20))
			return "a header holds a control character";
	return NULL;
}

static struct http_call *call_new(struct http *h, const struct http_request *r, const char *protocol, const struct http_handler *handler)
{
	struct http_call *c = xcalloc(1, sizeof(*c));
	const struct http_server *server = r->server;
	const char *wrong = wrong_request(r);
	ptrdiff_t query = str_chr(r->path, '?');
	struct str path = query < 0 ? r->path : str_head(r->path, (size_t)query);
	c->http = h;
	c->handler = *handler;
	c->read = r->read;
	c->follow = r->follow && (!r->method || strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0);
	c->headers = (struct buf)BUF_INIT(HTTP_HEAD_MAX);
	c->queued = true;
	c->what = heap_str("%s " STR_FMT, r->method ? r->method : "GET", STR_ARG(path));
	c->where = server->socket.s ? heap_str("unix://" STR_FMT, STR_ARG(server->socket)) : heap_str(STR_FMT, STR_ARG(server->url));
	if (protocol)
		c->stream = stream_open(c, r, protocol);
	if (wrong) {
		err_set(&c->err, ERR_SYSTEM, "%s", wrong);
	} else {
		struct http_request copy = *r;
		copy.follow = c->follow;
		c->easy = h->ops->make(&copy, protocol != NULL, &hooks, c);
	}
	list_put(&h->fresh, c);
	http_soon(h);
	return c;
}

struct http_call *http_start(struct http *h, const struct http_request *r, const struct http_handler *handler)
{
	return call_new(h, r, NULL, handler);
}

struct http_call *http_upgrade(struct http *h, const struct http_request *r, const char *protocol, const struct http_handler *handler)
{
	return call_new(h, r, protocol, handler);
}

void http_cancel(struct http_call *c)
{
	struct http *h = c ? c->http : NULL;
	if (!c || c->gone)
		return;
	c->gone = true;
	list_take(c->queued ? &h->fresh : &h->live, c);
	if (h->busy)
		list_put(&h->dead, c);
	else
		call_free(c);
}

void http_pause(struct http_call *c, bool paused)
{
	if (c->gone || c->paused == paused)
		return;
	c->paused = paused;
	if (c->stream) {
		stream_pause(c);
	} else if (!paused) {           /* its data callback holds it, until then */
		c->resumed = true;
		http_soon(c->http);
	}
}

void http_send_more(struct http_call *c)
{
	if (c->gone || !c->read)
		return;
	c->resumed = true;
	http_soon(c->http);
}

/* --- for those that may wait --- */

struct fetch { struct http_call *call; struct http_reply *reply; struct http_end end; struct err *err; bool over; };

static void fetch_head(void *ctx, const struct http_head *head)
{
	struct fetch *f = ctx;
	f->reply->status = head->status;
	buf_str(&f->reply->headers, head->headers);
}

static void fetch_data(void *ctx, struct str bytes)
{
	struct fetch *f = ctx;
	buf_str(&f->reply->body, bytes);
	if (!f->reply->body.full)
		return;
	err_set(f->err, ERR_SYSTEM, "unable to " STR_FMT " at " STR_FMT ": the reply is longer than %zu bytes",
		STR_ARG(f->call->what), STR_ARG(f->call->where), f->reply->body.limit);
	f->end.fault = HTTP_FAILED;
	f->over = true;
	http_cancel(f->call);
}

static void fetch_done(void *ctx, const struct http_end *end)
{
	struct fetch *f = ctx;
	f->end = (struct http_end){end->fault, end->os_errno, NULL};
	if (end->err && f->err)
		err_move(f->err, end->err);
	f->over = true;
}

void http_reply_release(struct http_reply *reply)
{
	buf_release(&reply->headers);
	buf_release(&reply->body);
}

int http_fetch(struct http *h, const struct http_request *r, struct http_reply *reply, struct http_end *end, struct err *err)
{
	struct fetch f = {.reply = reply, .err = err};
	struct http_handler handler = {.head = fetch_head, .data = fetch_data, .done = fetch_done, .ctx = &f};
	if (h->busy)
		BUG("http_fetch in a handler");
	f.call = http_start(h, r, &handler);
	while (!f.over)
		if (loop_turn(h->loop, -1, err) < 0) {
			http_cancel(f.call);
			f.end.fault = HTTP_FAILED;
			break;
		}
	if (end)
		*end = f.end;
	return f.end.fault == HTTP_WHOLE ? 0 : -1;
}
