#include "sys/http.h"

#include <errno.h>
#include <sys/stat.h>

#include "httpserver.h"
#include "scratch.h"

static struct loop *loop;
static struct http *http;
static struct http_server local = {.url = {"http://d", 8}}, tcp;

/* What came of one call. */
struct seen {
	struct http_call *call;
	int status, heads, over, drained;
	size_t ndata;
	enum http_fault fault;
	int os_errno;
	char thing[64];                 /* the header X-Thing */
	struct buf data;
	char text[1024];                /* of err */
	void (*on_head)(struct seen *);
	void (*on_data)(struct seen *);
	void (*on_done)(struct seen *);
};

static void seen_head(void *ctx, const struct http_head *head)
{
	struct seen *s = ctx;
	s->status = head->status;
	s->heads++;
	snprintf(s->thing, sizeof(s->thing), STR_FMT, STR_ARG(http_header(head, "x-thing")));
	if (s->on_head)
		s->on_head(s);
}

static void seen_data(void *ctx, struct str bytes)
{
	struct seen *s = ctx;
	s->ndata += bytes.n;
	if (s->data.n + bytes.n < 1u << 20)
		buf_str(&s->data, bytes);
	if (s->on_data)
		s->on_data(s);
}

static void seen_drained(void *ctx) { ((struct seen *)ctx)->drained++; }

static void seen_done(void *ctx, const struct http_end *end)
{
	struct seen *s = ctx;
	s->over++;
	s->fault = end->fault;
	s->os_errno = end->os_errno;
	snprintf(s->text, sizeof(s->text), "%s", end->err ? end->err->text : "");
	if (s->on_done)
		s->on_done(s);
}

static struct http_handler handler(struct seen *s)
{
	s->data = (struct buf)BUF_INIT(BUF_UNLIMITED);
	return (struct http_handler){seen_head, seen_data, seen_drained, seen_done, s};
}

static struct http_call *start(struct seen *s, const struct http_request *r)
{
	struct http_handler h = handler(s);
	return s->call = http_start(http, r, &h);
}

static struct http_call *upgrade(struct seen *s, const struct http_request *r)
{
	struct http_handler h = handler(s);
	return s->call = http_upgrade(http, r, "tcp", &h);
}

/* Turns until *what is at least n, at most 20 s. */
static bool until(const int *what, int n)
{
	uint64_t end = loop_now() + 20000000000u;
	while (*what < n && loop_now() < end)
		loop_turn(loop, 100, NULL);
	return *what >= n;
}

static void turns(int n)
{
	while (n--)
		loop_turn(loop, 5, NULL);
}

/* One call of its own, to its end. */
static struct seen get(const struct http_server *server, const char *path)
{
	static struct seen s;
	buf_release(&s.data);
	s = (struct seen){0};
	start(&s, &(struct http_request){.server = server, .path = str_of(path), .fresh = true});
	until(&s.over, 1);
	return s;
}

static void replies(const struct http_server *server, const char *by)
{
	struct seen s = get(server, "/hello");
	ok(s.heads == 1 && s.status == 200 && s.over == 1 && s.fault == HTTP_WHOLE, "%s: a reply comes whole", by);
	is_str(buf_view(&s.data), "hello", "%s: with its body", by);
	is_str(str_of(s.thing), "one", "%s: and a header, in any case", by);
	s = get(server, "/chunked");
	is_str(buf_view(&s.data), "hello world", "%s: chunks are put together", by);
	ok(s.heads == 1 && s.fault == HTTP_WHOLE, "%s: a trailer is no head", by);
	s = get(server, "/error");
	ok(s.status == 409 && s.fault == HTTP_WHOLE, "%s: a reply of any status is one", by);
	is_str(buf_view(&s.data), "{\"message\":\"taken\"}", "%s: and has its body", by);
	s = get(server, "/big");
	ok(s.ndata == 64u << 20 && s.fault == HTTP_WHOLE, "%s: a reply ends with its connection, too", by);
}

static void faults(void)
{
	static const struct { const char *path; enum http_fault fault; int heads; } want[] = {
		{"/cut-first", HTTP_CUT, 0}, {"/cut-head", HTTP_CUT, 0}, {"/cut-body", HTTP_CUT, 1}, {"/cut-chunk", HTTP_CUT, 1},
		{"/bad-chunk", HTTP_CUT, 1}, {"/garbage", HTTP_BAD_REPLY, 0}, {"/endless-head", HTTP_BAD_REPLY, 0},
	};
	for (size_t i = 0; i < countof(want); i++) {
		struct seen s = get(&local, want[i].path);
		ok(s.over == 1 && s.fault == want[i].fault && s.heads == want[i].heads, "%s is no whole reply", want[i].path + 1);
		if (s.fault != want[i].fault || s.heads != want[i].heads)
			printf("# fault %d, %d heads: %s\n", s.fault, s.heads, s.text);
	}
	struct seen s = get(&(struct http_server){.url = S("http://d"), .socket = S("/nowhere/x.sock")}, "/hello?secret");
	ok(s.fault == HTTP_NO_CONNECT && s.os_errno == ENOENT, "no socket there");
	is_str(str_of(s.text), "unable to GET /hello at unix:///nowhere/x.sock: No such file or directory", "is told, without the query");
	char stale[200];
	snprintf(stale, sizeof(stale), "%.90s/stale.sock", scratch_path);
	sh("/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"stale.sock\")'");
	s = get(&(struct http_server){.url = S("http://d"), .socket = str_of(stale)}, "/hello");
	ok(s.fault == HTTP_NO_CONNECT && s.os_errno == ECONNREFUSED, "nobody behind a socket");
	s = get(&(struct http_server){.url = S("http://127.0.0.1:1")}, "/hello");
	ok(s.fault == HTTP_NO_CONNECT && s.os_errno == ECONNREFUSED, "nobody at a port");
	s = get(&(struct http_server){.url = S("ftp://127.0.0.1")}, "/hello");
	ok(s.fault == HTTP_FAILED && s.over == 1, "another scheme is refused");
	s = get(&local, "/hello\r\nX: y");
	ok(s.fault == HTTP_FAILED && s.over == 1, "a path can't hold a line end");
	struct http_header bad = {"X-A", S("b\r\nC: d")};
	s = (struct seen){0};
	start(&s, &(struct http_request){.server = &local, .path = S("/hello"), .headers = &bad, .nheaders = 1});
	ok(s.over == 0, "nothing is told before http_start has returned");
	until(&s.over, 1);
	ok(s.fault == HTTP_FAILED, "nor can a header");
}

static void limits(void)
{
	struct seen s = {0};
	start(&s, &(struct http_request){.server = &local, .path = S("/silent"), .timeout_ms = 50});
	until(&s.over, 1);
	ok(s.fault == HTTP_TIMEOUT && !s.heads, "a call has a time limit");
	s = (struct seen){0};
	start(&s, &(struct http_request){.server = &local, .path = S("/wait-head"), .idle_s = 1});
	ok(until(&s.heads, 1), "a head is told before there is a body");
	until(&s.over, 1);
	ok(s.fault == HTTP_TIMEOUT, "nothing coming for too long ends it");
	s = get(&local, "/redirect");
	ok(s.status == 302, "a redirect is a reply");
	s = (struct seen){0};
	start(&s, &(struct http_request){.server = &local, .path = S("/redirect"), .follow = true});
	until(&s.over, 1);
	ok(s.status == 200 && s.heads == 1 && str_is(buf_view(&s.data), "hello"), "unless it is to be followed");
	buf_release(&s.data);
	s = (struct seen){0};
	start(&s, &(struct http_request){.server = &local, .path = S("/round"), .follow = true});
	until(&s.over, 1);
	ok(s.fault == HTTP_FAILED, "not for ever");
	buf_release(&s.data);
	s = (struct seen){0};
	start(&s, &(struct http_request){.server = &local, .method = "POST", .path = S("/redirect"), .follow = true});
	until(&s.over, 1);
	ok(s.status == 302, "a POST is never sent elsewhere");
	buf_release(&s.data);
}

/* --- bodies --- */

static size_t left;
static bool late;
static ssize_t give(void *ctx, char *to, size_t n, struct err *err)
{
	if (left == 13)
		return err_set(err, ERR_SYSTEM, "the source dried up");
	if (late) {
		late = false;
		return HTTP_LATER;
	}
	(void)ctx;
	n = n < left ? n : left;
	memset(to, 'a', n);
	left -= n;
	late = left > 0 && left < 100000;
	return (ssize_t)n;
}

static struct str as(size_t n)          /* what the server says to n times 'a' */
{
	static char text[64];
	unsigned sum = 0;
	for (size_t i = 0; i < n; i++)
		sum = sum * 31 + 'a';
	snprintf(text, sizeof(text), "%zu %u", n, sum);
	return str_of(text);
}

static void bodies(void)
{
	char body[3000];
	struct seen s = {0};
	memset(body, 'a', sizeof(body));
	start(&s, &(struct http_request){.server = &local, .method = "PUT", .path = S("/body"), .body = {body, sizeof(body)}});
	until(&s.over, 1);
	is_str(buf_view(&s.data), as(sizeof(body)).s, "a body in memory is sent");
	ok(!strstr(server_last_head, "Content-Type") && !strstr(server_last_head, "Expect"), "as it is, with no type of our own");
	ok(str_starts(str_of(server_last_head), S("PUT /body HTTP/1.1\r\n")), "by the method that was asked for");
	for (int sized = 0; sized < 2; sized++) {
		buf_release(&s.data);
		s = (struct seen){0};
		left = 1000000;
		start(&s, &(struct http_request){.server = &local, .method = "POST", .path = S("/body"), .read = give,
						  .size = sized ? 1000000 : 0});
		while (!s.over) {
			http_send_more(s.call);
			loop_turn(loop, 100, NULL);
		}
		is_str(buf_view(&s.data), as(1000000).s, "one that is read bit by bit, too");
		ok((strstr(server_last_head, "chunked") == NULL) == sized, "its length is told when it is known");
	}
	buf_release(&s.data);
	s = (struct seen){0};
	left = 13;
	start(&s, &(struct http_request){.server = &local, .method = "POST", .path = S("/body"), .read = give});
	until(&s.over, 1);
	ok(s.fault == HTTP_NO_BODY && strstr(s.text, "dried up"), "a source that fails ends the call with its reason");
	s = (struct seen){0};
	start(&s, &(struct http_request){.server = &local, .method = "HEAD", .path = S("/head-only")});
	until(&s.over, 1);
	ok(s.status == 200 && s.fault == HTTP_WHOLE && !s.ndata, "a HEAD has no body to wait for");
	start(&s, &(struct http_request){.server = &local, .method = "DELETE", .path = S("/hello")});
	until(&s.over, 2);
	ok(str_starts(str_of(server_last_head), S("DELETE /hello ")), "a DELETE needs no body");
}

/* --- many --- */

static void many_at_once(void)
{
	static struct seen all[200];
	int before = server_connections, sum = 0, good = 0;
	struct seen wait = {0};
	start(&wait, &(struct http_request){.server = &local, .path = S("/silent")});
	for (size_t i = 0; i < countof(all); i++)
		start(&all[i], &(struct http_request){.server = &local, .path = S("/hello")});
	for (uint64_t end = loop_now() + 20000000000u; sum < (int)countof(all) && loop_now() < end;) {
		loop_turn(loop, 100, NULL);
		sum = 0;
		for (size_t i = 0; i < countof(all); i++)
			sum += all[i].over;
	}
	for (size_t i = 0; i < countof(all); i++) {
		good += all[i].fault == HTTP_WHOLE && str_is(buf_view(&all[i].data), "hello");
		buf_release(&all[i].data);
	}
	is_int(good, countof(all), "two hundred calls at once end well beside one that waits");
	ok(!wait.over, "which goes on");
	http_cancel(wait.call);
	before = server_connections;
	for (int i = 0; i < 20; i++) {
		struct seen s = {0};
		start(&s, &(struct http_request){.server = &local, .path = S("/hello")});
		until(&s.over, 1);
		buf_release(&s.data);
	}
	is_int(server_connections, before, "calls one after the other use a connection that is there");
	turns(3);
	ok(!wait.over, "of a call that was cancelled nothing is told");
}

static void cancel_it(struct seen *s) { http_cancel(s->call); }
static void pause_it(struct seen *s) { http_pause(s->call, true); }
static struct seen second;
static void start_second(struct seen *s)
{
	(void)s;
	start(&second, &(struct http_request){.server = &local, .path = S("/hello")});
}

static void from_handlers(void)
{
	struct seen s = {.on_data = cancel_it}, t = {.on_head = cancel_it}, u = {.on_head = start_second}, v = {.on_data = pause_it};
	start(&s, &(struct http_request){.server = &local, .path = S("/big")});
	start(&t, &(struct http_request){.server = &local, .path = S("/hello")});
	start(&u, &(struct http_request){.server = &local, .path = S("/hello")});
	until(&u.over, 1);
	until(&second.over, 1);
	ok(second.status == 200, "a handler may start a call");
	turns(5);
	ok(s.heads == 1 && s.ndata && !s.over, "and cancel its own, at the first data");
	ok(t.heads == 1 && !t.ndata && !t.over, "or at the head");
	buf_release(&second.data);
	second = (struct seen){0};
	s = (struct seen){.on_done = start_second};
	start(&s, &(struct http_request){.server = &local, .path = S("/nothing")});
	until(&second.over, 1);
	ok(s.over && second.over, "a call may follow the end of another");

	start(&v, &(struct http_request){.server = &local, .path = S("/big")});
	until(&v.heads, 1);
	turns(20);
	size_t first = v.ndata;
	ok(first && first < 1 << 20, "a handler holds the data back");
	turns(10);
	ok(v.ndata == first, "until it wants more");
	v.on_data = NULL;
	http_pause(v.call, false);
	ok(v.ndata == first, "which comes with the next turn");
	until(&v.over, 1);
	ok(v.ndata == 64u << 20, "and all of it");
	buf_release(&v.data);
}

/* --- streams --- */

static void streams(const struct http_server *server, const char *by, bool half)
{
	struct seen s = {0};
	int ends = server_seen_end;
	upgrade(&s, &(struct http_request){.server = server, .method = "POST", .path = S("/upgrade")});
	http_write(s.call, S("early "));
	until(&s.heads, 1);
	is_int(s.status, 101, "%s: a connection becomes a stream", by);
	http_write(s.call, S("late"));
	for (uint64_t end = loop_now() + 20000000000u; s.ndata < 10 && loop_now() < end;)
		loop_turn(loop, 100, NULL);
	is_str(buf_view(&s.data), "early late", "%s: what is written goes out, before the head too", by);
	ok(s.drained && !http_unsent(s.call), "%s: and that it did is told", by);
	ok(http_shut(s.call) == half, "%s: %s", by, half ? "it can be closed on one side" : "TLS has no half-closed streams");
	if (!half)
		http_cancel(s.call);
	else
		until(&s.over, 1);
	for (int i = 0; i < 1000 && server_seen_end == ends; i++)
		usleep(10000);
	is_int(server_seen_end, ends + 1, "%s: and the other side sees it", by);
	ok(!half || (s.fault == HTTP_WHOLE && str_ends(buf_view(&s.data), S("<end>"))), "%s: its last words are heard", by);
	buf_release(&s.data);

	s = (struct seen){0};
	upgrade(&s, &(struct http_request){.server = server, .method = "POST", .path = S("/upgrade-big")});
	until(&s.over, 1);
	ok(s.ndata == 32u << 20 && s.fault == HTTP_WHOLE, "%s: a big stream comes whole", by);
	buf_release(&s.data);
}

static void stream_ends(void)
{
	struct seen s = {0};
	upgrade(&s, &(struct http_request){.server = &local, .path = S("/upgrade-fast")});
	for (uint64_t end = loop_now() + 20000000000u; s.ndata < 7 && loop_now() < end;)
		loop_turn(loop, 100, NULL);
	ok(s.heads == 1 && str_is(buf_view(&s.data), "at once"), "what comes with the head is data, a 100 before it no head");
	http_cancel(s.call);
	buf_release(&s.data);

	s = (struct seen){.on_head = pause_it};
	upgrade(&s, &(struct http_request){.server = &local, .path = S("/upgrade-fast")});
	until(&s.heads, 1);
	turns(3);
	ok(!s.ndata, "a stream can be held back from its head on");
	http_pause(s.call, false);
	turns(3);
	is_str(buf_view(&s.data), "at once", "and goes on");
	http_shut(s.call);
	until(&s.over, 1);
	ok(s.fault == HTTP_WHOLE, "to its end");
	buf_release(&s.data);

	s = (struct seen){0};
	upgrade(&s, &(struct http_request){.server = &local, .path = S("/error")});
	until(&s.over, 1);
	ok(s.status == 409 && s.fault == HTTP_WHOLE && str_is(buf_view(&s.data), "{\"message\":\"taken\"}"), "a refusal has its body");
	buf_release(&s.data);
	s = (struct seen){0};
	upgrade(&s, &(struct http_request){.server = &local, .path = S("/refuse-chunked")});
	until(&s.over, 1);
	ok(s.status == 500 && str_is(buf_view(&s.data), "no way"), "also in chunks");
	buf_release(&s.data);

	static const struct { const char *path; enum http_fault fault; } want[] = {
		{"/refuse-cut", HTTP_CUT}, {"/cut-first", HTTP_CUT}, {"/cut-head", HTTP_CUT}, {"/garbage", HTTP_BAD_REPLY},
		{"/endless-head", HTTP_BAD_REPLY}, {"/bad-chunk", HTTP_BAD_REPLY},
	};
	for (size_t i = 0; i < countof(want); i++) {
		s = (struct seen){0};
		upgrade(&s, &(struct http_request){.server = &local, .path = str_of(want[i].path)});
		until(&s.over, 1);
		ok(s.fault == want[i].fault, "%s is no stream", want[i].path + 1);
		buf_release(&s.data);
	}
	s = (struct seen){0};
	upgrade(&s, &(struct http_request){.server = &local, .path = S("/silent"), .timeout_ms = 50});
	until(&s.over, 1);
	ok(s.fault == HTTP_TIMEOUT, "who does not answer to an upgrade is not waited for");
	s = (struct seen){0};
	upgrade(&s, &(struct http_request){.server = &tcp, .path = S("/upgrade-reset")});
	until(&s.heads, 1);
	http_write(s.call, S("x"));
	until(&s.over, 1);
	ok(s.fault == HTTP_CUT && str_is(buf_view(&s.data), "half"), "a stream that breaks is told from one that ends");
	buf_release(&s.data);
	s = (struct seen){0};
	upgrade(&s, &(struct http_request){.server = &(struct http_server){.url = S("http://d"), .socket = S("/nowhere/x")}, .path = S("/x")});
	until(&s.over, 1);
	ok(s.fault == HTTP_NO_CONNECT && s.os_errno == ENOENT, "a stream to nowhere");

	/* More than any socket holds, to one that never reads. */
	char *block = calloc(1, 1 << 20);
	s = (struct seen){0};
	upgrade(&s, &(struct http_request){.server = &local, .path = S("/upgrade")});
	until(&s.heads, 1);
	http_pause(s.call, true);               /* so that the echo fills up, too */
	for (int i = 0; i < 16; i++)
		http_write(s.call, (struct str){block, 1 << 20});
	turns(20);
	ok(http_unsent(s.call) > 0 && !s.drained, "what can't go out yet is kept");
	http_pause(s.call, false);
	for (uint64_t end = loop_now() + 20000000000u; s.ndata < 16u << 20 && loop_now() < end;)
		loop_turn(loop, 100, NULL);
	ok(s.ndata == 16u << 20 && !http_unsent(s.call) && s.drained, "and goes out when there is room");
	http_cancel(s.call);
	buf_release(&s.data);
	free(block);
}

/* --- TLS --- */

/* It lives as long as its standard input, a pipe that ends with this process. */
static void front(const char *client_ca, char url[64])
{
	char command[1024], who[200];
	int port = 0, life[2];
	snprintf(who, sizeof(who), *client_ca == '-' ? "-" : "%.90s/%s", scratch_path, client_ca);
	if (pipe2(life, O_CLOEXEC) < 0)
		return;
	dup2(life[0], 0);
	snprintf(command, sizeof(command), "exec /usr/bin/python3 t/helper/tls-front.py %.90s/cert.pem %.90s/key.pem %s %d",
		 scratch_path, scratch_path, who, server_port);
	FILE *f = popen(command, "r");
	close(life[0]);
	if (!f || fscanf(f, "%d", &port) != 1)
		printf("# no TLS front\n");
	snprintf(url, 64, "https://127.0.0.1:%d", port);
}

static void tls(void)
{
	char url[2][64];
	struct arena arena = ARENA_INIT;
	struct str ca, cert, key, ca_pem, cert_pem, key_pem;
	struct seen s;
	sh("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout key.pem -out cert.pem "
	   "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 && "
	   "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout me.key -out me.pem -subj /CN=me");
	ca = str_fmt(&arena, "%s/cert.pem", scratch_path);
	cert = str_fmt(&arena, "%s/me.pem", scratch_path);
	key = str_fmt(&arena, "%s/me.key", scratch_path);
	file_read(&arena, scratch_fd, "cert.pem", 65536, &ca_pem, NULL);
	file_read(&arena, scratch_fd, "me.pem", 65536, &cert_pem, NULL);
	file_read(&arena, scratch_fd, "me.key", 65536, &key_pem, NULL);
	front("-", url[0]);
	front("me.pem", url[1]);
	struct http_server open = {.url = str_of(url[0]), .ca_file = ca}, closed = {.url = str_of(url[1]), .ca_file = ca};

	s = get(&open, "/hello");
	ok(s.fault == HTTP_WHOLE && str_is(buf_view(&s.data), "hello"), "TLS with a CA of one's own");
	open.ca_file = (struct str){0};
	s = get(&open, "/hello");
	is_int(s.fault, HTTP_NO_TRUST, "a server nobody knows is not believed");
	open.ca_pem = ca_pem;
	s = get(&open, "/hello");
	is_int(s.fault, HTTP_WHOLE, "unless its CA is given, as text too");
	open.ca_pem = (struct str){0};
	open.insecure = true;
	s = get(&open, "/hello");
	is_int(s.fault, HTTP_WHOLE, "or it does not matter");
	s = get(&closed, "/hello");
	ok(s.fault != HTTP_WHOLE && !s.heads, "a client that is to prove itself and can't is turned away");
	closed.cert_file = cert;
	closed.key_file = key;
	s = get(&closed, "/hello");
	is_int(s.fault, HTTP_WHOLE, "with its certificate it is let in");
	closed = (struct http_server){.url = str_of(url[1]), .ca_pem = ca_pem, .cert_pem = cert_pem, .key_pem = key_pem};
	s = get(&closed, "/hello");
	is_int(s.fault, HTTP_WHOLE, "also with one given as text");
	streams(&closed, "TLS", false);
	arena_release(&arena);
}

static void fetches(void)
{
	struct http_reply reply = HTTP_REPLY_INIT(10);
	struct http_end end;
	struct err err = ERR_INIT;
	is_int(http_fetch(http, &(struct http_request){.server = &local, .path = S("/hello")}, &reply, &end, &err), 0, "one may wait");
	is_str(buf_view(&reply.body), "hello", "for a reply");
	is_int(http_fetch(http, &(struct http_request){.server = &local, .path = S("/big")}, &reply, &end, &err), -1, "that is not too long");
	ok(strstr(err.text, "longer than 10 bytes") && end.fault == HTTP_FAILED, "which is said");
	err_release(&err);
	http_reply_release(&reply);
	is_int(http_fetch(http, &(struct http_request){.server = &local, .path = S("/cut-body")}, &reply, &end, &err), -1, "nor cut");
	ok(err_any(&err) && end.fault == HTTP_CUT, "with the reason");
	err_release(&err);
	http_reply_release(&reply);
}

int main(void)
{
	static char url[64];
	struct err err = ERR_INIT;
	unsetenv("http_proxy");
	unsetenv("https_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	unsetenv("HTTPS_PROXY");
	scratch_make();
	if (!server_start(scratch_path) || !(loop = loop_open(&err)) || !(http = http_open(loop, &err))) {
		printf("Bail out! %s\n", err.text ? err.text : "no server");
		return 1;
	}
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", server_port);
	local.socket = str_of(server_path);
	tcp.url = str_of(url);
	replies(&local, "Unix");
	replies(&tcp, "TCP");
	faults();
	limits();
	bodies();
	many_at_once();
	from_handlers();
	streams(&local, "Unix", true);
	streams(&tcp, "TCP", true);
	stream_ends();
	tls();
	fetches();
	struct seen s = {0};
	start(&s, &(struct http_request){.server = &local, .path = S("/silent")});
	upgrade(&second, &(struct http_request){.server = &local, .path = S("/upgrade")});
	turns(2);
	http_close(http);
	ok(!s.over, "closing ends what is under way, silently");
	loop_close(loop);
	scratch_remove();
	return done();
}
