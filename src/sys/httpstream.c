/* httpstream.c: a connection that libcurl made (TCP, TLS, proxies and all), then an HTTP/1.1 upgrade over it by hand:
 * Debian 12's libcurl has no WebSockets, and no way to take over a connection after a 101. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "sys/httpcall.h"

#define REFUSAL_MAX (1u << 20)          /* what is kept of a reply that is not 101 */
#define TURN_MAX (1u << 20)             /* taken at once, so that others have a turn */

struct http_stream {
	struct loop_watch *watch;
	struct loop_watch *again;       /* there may be more, in TLS's own buffer, of which the fd knows nothing */
	struct loop_watch *patience;    /* until the head is there */
	uint64_t patience_ms;
	enum { STREAM_HEAD, STREAM_REFUSED, STREAM_OPEN } state;
	struct buf in;                  /* of the head, or of a refusal */
	struct buf out, later;          /* what is being sent, from `sent` on; what is to follow the head */
	size_t sent;
	bool connected, tls, written, shut, deaf;       /* deaf: sending has failed; what comes is still read */
};

static void stream_ready(void *ctx, unsigned events);

static void request_write(struct buf *out, const struct http_request *r, const char *protocol)
{
	struct str host = r->server->url, path;
	ptrdiff_t at = str_find(host, S("://"));
	host = at < 0 ? S("") : str_from(host, (size_t)at + 3);
	at = str_chr(host, '/');
	path = at < 0 ? S("") : str_from(host, (size_t)at);
	host = at < 0 ? host : str_head(host, (size_t)at);
	buf_fmt(out, "%s " STR_FMT STR_FMT " HTTP/1.1\r\nHost: " STR_FMT "\r\n", r->method ? r->method : "GET", STR_ARG(path),
		STR_ARG(r->path), STR_ARG(host));
	buf_fmt(out, "User-Agent: cairn\r\nConnection: Upgrade\r\nUpgrade: %s\r\n", protocol);
	for (size_t i = 0; i < r->nheaders; i++)
		buf_fmt(out, "%s: " STR_FMT "\r\n", r->headers[i].name, STR_ARG(r->headers[i].value));
	if (r->body.n || (r->method && strcmp(r->method, "POST") == 0))
		buf_fmt(out, "Content-Length: %zu\r\n", r->body.n);
	buf_z(out, "\r\n");
	buf_str(out, r->body);
}

struct http_stream *stream_open(struct http_call *c, const struct http_request *r, const char *protocol)
{
	struct http_stream *s = xcalloc(1, sizeof(*s));
	(void)c;
	s->in = (struct buf)BUF_INIT(REFUSAL_MAX);
	s->out = s->later = (struct buf)BUF_INIT(BUF_UNLIMITED);
	s->tls = str_starts(r->server->url, S("https:"));
	s->patience_ms = r->timeout_ms;
	request_write(&s->out, r, protocol);
	return s;
}

void stream_close(struct http_call *c)
{
	struct http_stream *s = c->stream;
	loop_remove(c->http->loop, s->watch);
	loop_remove(c->http->loop, s->again);
	loop_remove(c->http->loop, s->patience);
	buf_release(&s->in);
	buf_release(&s->out);
	buf_release(&s->later);
	free(s);
	c->stream = NULL;
}

/* --- sending --- */

/* Without interest there is no watch at all: a hang-up is told even to those who ask for nothing. */
static void interest(struct http_call *c)
{
	struct http_stream *s = c->stream;
	struct http *h = c->http;
	unsigned events = (c->paused ? 0 : EPOLLIN) | (s->sent < s->out.n ? EPOLLOUT : 0);
	if (!s->connected || (s->watch && events && loop_fd_events(h->loop, s->watch, events) == 0))
		return;
	loop_remove(h->loop, s->watch);
	s->watch = events ? loop_fd(h->loop, h->ops->fd(c->easy), events, stream_ready, c) : NULL;
	if (events && !s->watch) {
		h->watch_errno = errno;
		http_soon(h);
	}
}

static void flush_shut(struct http_call *c)
{
	struct http_stream *s = c->stream;
	if (s->shut && s->state == STREAM_OPEN && s->sent == s->out.n)
		shutdown(c->http->ops->fd(c->easy), SHUT_WR);
}

static void flush(struct http_call *c)
{
	struct http_stream *s = c->stream;
	if (s->sent == s->out.n)
		return;
	while (s->sent < s->out.n) {
		ssize_t n = c->http->ops->send(c->easy, str_from(buf_view(&s->out), s->sent));
		if (n < 0 && errno != EAGAIN) {
			s->deaf = true;
			s->sent = s->out.n;
		} else if (n <= 0) {
			return;
		} else {
			s->sent += (size_t)n;
		}
	}
	buf_clear(&s->out);
	s->sent = 0;
	flush_shut(c);
	if (s->written && s->state == STREAM_OPEN && !s->deaf && c->handler.drained)
		c->handler.drained(c->handler.ctx);
}

void http_write(struct http_call *c, struct str bytes)
{
	struct http_stream *s = c->stream;
	if (c->gone || !s || s->shut || s->deaf || s->state == STREAM_REFUSED)
		return;
	if (s->sent > s->out.n / 2) {           /* what went out makes room */
		memmove(s->out.s, s->out.s + s->sent, s->out.n - s->sent);
		s->out.n -= s->sent;
		s->sent = 0;
	}
	s->written = true;
	buf_str(s->state == STREAM_OPEN ? &s->out : &s->later, bytes);
	interest(c);
}

size_t http_unsent(const struct http_call *c)
{
	const struct http_stream *s = c->stream;
	return c->gone || !s ? 0 : s->state == STREAM_OPEN ? s->out.n - s->sent : s->later.n;
}

bool http_shut(struct http_call *c)
{
	struct http_stream *s = c->stream;
	if (c->gone || !s || s->tls)
		return false;
	if (!s->shut) {
		s->shut = true;
		flush_shut(c);
	}
	return true;
}

/* --- the head --- */

/* A chunked body that came whole: its data, 1; 0: there is more to come; -1: it is none. */
static int unchunk(struct str in, struct buf *out)
{
	struct str line;
	while (str_find(in, S("\r\n")) >= 0) {
		size_t at = (size_t)str_find(in, S("\r\n")), n = 0, digits = 0;
		line = str_head(in, at);
		for (; digits < line.n && digits < 8 && strchr("0123456789abcdefABCDEF", line.s[digits]); digits++)
			n = n * 16 + (size_t)(line.s[digits] <= '9' ? line.s[digits] - '0' : (line.s[digits] | 0x20) - 'a' + 10);
		if (!digits || (digits < line.n && line.s[digits] != ';'))
			return -1;
		if (!n)
			return 1;
		in = str_from(in, at + 2);
		if (in.n < n + 2)
			return 0;
		if (memcmp(in.s + n, "\r\n", 2) != 0)
			return -1;
		buf_str(out, str_head(in, n));
		in = str_from(in, n + 2);
	}
	return 0;
}

static void refusal_over(struct http_call *c, struct str body)
{
	if (body.n && c->handler.data)
		c->handler.data(c->handler.ctx, body);
	http_finish(c, HTTP_WHOLE, 0, "");
}

/* The reply is an ordinary one, small and whole before it is handed over. closed: no more will come. */
static void refusal(struct http_call *c, bool closed)
{
	struct http_stream *s = c->stream;
	CLEANUP_BUF struct buf body = BUF_INIT(REFUSAL_MAX);
	struct str length = http_header(&c->head, "Content-Length"), coding = http_header(&c->head, "Transfer-Encoding");
	uint64_t n = 0;
	int rc = 0;
	if (length.s && !str_u64(length, &n))
		rc = -1;
	else if (coding.s)
		rc = unchunk(buf_view(&s->in), &body);
	else if (length.s && n <= s->in.n)
		buf_str(&body, str_head(buf_view(&s->in), n)), rc = 1;
	else if (!length.s && (closed || c->head.status == 204 || c->head.status == 304))
		buf_str(&body, buf_view(&s->in)), rc = 1;
	if (rc > 0)
		refusal_over(c, buf_view(&body));
	else if (rc < 0)
		http_finish(c, HTTP_BAD_REPLY, 0, "the body of the reply is damaged");
	else if (s->in.full)
		http_finish(c, HTTP_FAILED, 0, "the reply is too long");
	else if (closed)
		http_finish(c, HTTP_CUT, 0, "the connection closed within the reply");
}

static void head_over(struct http_call *c)
{
	struct http_stream *s = c->stream;
	loop_remove(c->http->loop, s->patience);
	s->patience = NULL;
	s->state = c->head.status == 101 ? STREAM_OPEN : STREAM_REFUSED;
	if (s->state == STREAM_OPEN) {
		buf_str(&s->out, buf_view(&s->later));
		buf_clear(&s->later);
	}
	http_head_end(c);
	if (!c->gone) {
		flush_shut(c);
		interest(c);
	}
}

/* Takes the head off `in`, when it is there. False: wait, or the call is at its end. */
static bool head_take(struct http_call *c)
{
	struct http_stream *s = c->stream;
	struct str in = buf_view(&s->in);
	ptrdiff_t end = str_find(in, S("\r\n\r\n"));
	if (end < 0 && in.n <= HTTP_HEAD_MAX && str_starts(in, str_head(S("HTTP/1."), in.n < 7 ? in.n : 7)))
		return false;
	bool good = end >= 0 && str_starts(in, S("HTTP/1."));
	struct str head = str_head(in, good ? (size_t)end : 0), line;
	while (good && str_cut(&head, '\n', &line))
		good = http_head_line(c, line);
	if (!good || !c->head.status) {
		http_finish(c, HTTP_BAD_REPLY, 0, "the reply has no head of HTTP/1.1");
		return false;
	}
	memmove(s->in.s, s->in.s + end + 4, in.n - (size_t)end - 4);
	s->in.n -= (size_t)end + 4;
	if (c->head.status < 200 && c->head.status != 101)
		return head_take(c);            /* 100 Continue and the like; each takes bytes off */
	head_over(c);
	return !c->gone;
}

/* --- receiving --- */

static void received(struct http_call *c, struct str bytes)
{
	struct http_stream *s = c->stream;
	if (s->state == STREAM_OPEN) {
		if (c->handler.data)
			c->handler.data(c->handler.ctx, bytes);
		return;
	}
	buf_str(&s->in, bytes);
	if (s->state == STREAM_HEAD && !head_take(c))
		return;
	if (s->state == STREAM_REFUSED)
		refusal(c, false);
}

/* What came with the head belongs to the stream. */
static void first_data(struct http_call *c)
{
	struct buf first = c->stream->in;
	if (c->stream->state != STREAM_OPEN || !first.n)
		return;
	c->stream->in = (struct buf)BUF_INIT(0);
	if (c->handler.data)
		c->handler.data(c->handler.ctx, buf_view(&first));
	buf_release(&first);
}

static void closed(struct http_call *c, bool broken)
{
	struct http_stream *s = c->stream;
	if (s->state == STREAM_REFUSED)
		refusal(c, true);
	else if (s->state == STREAM_OPEN && !broken)
		http_finish(c, HTTP_WHOLE, 0, "");
	else
		http_finish(c, HTTP_CUT, 0, s->state == STREAM_OPEN ? "the connection broke" : "the connection closed before a reply");
}

static void read_again(void *ctx)
{
	struct http_call *c = ctx;
	c->stream->again = NULL;
	stream_ready(c, EPOLLIN);
}

static void receive(struct http_call *c)
{
	struct http_stream *s = c->stream;
	char bytes[65536];
	size_t taken = 0;
	if (!c->paused)
		first_data(c);
	while (!c->gone && !c->paused && taken < TURN_MAX) {
		ssize_t n = c->http->ops->recv(c->easy, bytes, sizeof(bytes));
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			closed(c, n < 0);
			return;
		}
		taken += (size_t)n;
		received(c, (struct str){bytes, (size_t)n});
		if (!c->gone && !c->paused)
			first_data(c);
	}
	if (!c->gone && !c->paused && !s->again)
		s->again = loop_timer(c->http->loop, 0, read_again, c);
}

/* --- on the loop --- */

static void stream_ready(void *ctx, unsigned events)
{
	struct http_call *c = ctx;
	struct http *h = c->http;
	h->busy++;
	if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		flush(c);
	if (!c->gone && events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		receive(c);
	if (!c->gone)
		interest(c);
	h->busy--;
	http_settle(h);
}

static void patience_over(void *ctx)
{
	struct http_call *c = ctx;
	c->stream->patience = NULL;
	http_finish(c, HTTP_TIMEOUT, 0, "no answer in time");
}

void stream_connected(struct http_call *c)
{
	struct http_stream *s = c->stream;
	s->connected = true;
	interest(c);
	if (s->patience_ms)
		s->patience = loop_timer(c->http->loop, s->patience_ms * 1000000, patience_over, c);
}

void stream_pause(struct http_call *c)
{
	struct http_stream *s = c->stream;
	interest(c);
	if (!c->paused && s->connected && !s->again)
		s->again = loop_timer(c->http->loop, 0, read_again, c);
}
