/* module: pkg libcurl */
#include <curl/curl.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "sys/httpdoor.h"

#define CONNECT_MS 10000

struct http_multi {
	CURLM *multi;
	const struct http_hooks *hooks;
	void *ctx;
};

struct http_easy {
	CURL *curl;
	struct curl_slist *headers;
	const struct http_hooks *hooks;
	void *call;
	bool added;
	char reason[CURL_ERROR_SIZE];
};

/* --- libcurl and the loop --- */

static int on_socket(CURL *curl, curl_socket_t fd, int what, void *ctx, void *watch)
{
	struct http_multi *m = ctx;
	unsigned events = 0;
	(void)curl;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= EPOLLOUT;
	curl_multi_assign(m->multi, fd, m->hooks->socket(m->ctx, watch, (int)fd, events));
	return 0;
}

static int on_timer(CURLM *multi, long ms, void *ctx)
{
	struct http_multi *m = ctx;
	(void)multi;
	m->hooks->timer(m->ctx, ms);
	return 0;
}

static struct http_multi *multi_open(const struct http_hooks *hooks, void *ctx, struct err *err)
{
	struct http_multi *m = xcalloc(1, sizeof(*m));
	m->hooks = hooks;
	m->ctx = ctx;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		m->multi = curl_multi_init();
	if (!m->multi) {
		free(m);
		err_set(err, ERR_SYSTEM, "unable to speak HTTP: libcurl does not start");
		return NULL;
	}
	curl_multi_setopt(m->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(m->multi, CURLMOPT_SOCKETDATA, m);
	curl_multi_setopt(m->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(m->multi, CURLMOPT_TIMERDATA, m);
	return m;
}

static void multi_close(struct http_multi *m)
{
	curl_multi_cleanup(m->multi);
	curl_global_cleanup();
	free(m);
}

static void multi_ready(struct http_multi *m, int fd, unsigned events)
{
	int what = 0, running;
	if (events & (EPOLLIN | EPOLLHUP))
		what |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (events & EPOLLERR)
		what |= CURL_CSELECT_ERR;
	curl_multi_socket_action(m->multi, fd < 0 ? CURL_SOCKET_TIMEOUT : fd, what, &running);
}

/* --- the end of a transfer --- */

static enum http_fault fault_of(CURLcode code)
{
	switch (code) {
	case CURLE_OK: return HTTP_WHOLE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT: return HTTP_NO_CONNECT;
	case CURLE_OPERATION_TIMEDOUT: return HTTP_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS: return HTTP_NO_TRUST;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_SEND_FAIL_REWIND: return HTTP_CUT;
	case CURLE_UNSUPPORTED_PROTOCOL:        /* the scheme was checked: this is "HTTP/0.9" */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING: return HTTP_BAD_REPLY;
	case CURLE_ABORTED_BY_CALLBACK: return HTTP_NO_BODY;
	default: return HTTP_FAILED;
	}
}

/* Telling one may start, drop or end others: the queue is asked anew each time. */
static void multi_ended(struct http_multi *m)
{
	CURLMsg *msg;
	int left;
	while ((msg = curl_multi_info_read(m->multi, &left))) {
		struct http_easy *e;
		CURLcode code = msg->data.result;
		long os_errno = 0;
		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&e);
		if (code != CURLE_OK)
			curl_easy_getinfo(e->curl, CURLINFO_OS_ERRNO, &os_errno);
		m->hooks->ended(e->call, fault_of(code), (int)os_errno, *e->reason ? e->reason : curl_easy_strerror(code));
	}
}

/* --- one transfer --- */

static size_t on_line(char *s, size_t size, size_t n, void *ctx)
{
	struct http_easy *e = ctx;
	return e->hooks->line(e->call, (struct str){s, size * n}) ? size * n : 0;
}

static size_t on_data(char *s, size_t size, size_t n, void *ctx)
{
	struct http_easy *e = ctx;
	int rc = e->hooks->data(e->call, (struct str){s, size * n});
	return rc < 0 ? 0 : rc > 0 ? CURL_WRITEFUNC_PAUSE : size * n;
}

static size_t on_read(char *to, size_t size, size_t n, void *ctx)
{
	struct http_easy *e = ctx;
	ssize_t got = e->hooks->read(e->call, to, size * n);
	return got == HTTP_LATER ? CURL_READFUNC_PAUSE : got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

/* Some parts of libcurl move to the first byte before they send anything. */
static int on_seek(void *ctx, curl_off_t offset, int origin)
{
	(void)ctx, (void)offset, (void)origin;
	return CURL_SEEKFUNC_CANTSEEK;
}

static void set_text(CURL *c, CURLoption option, struct str s)
{
	char *z = s.s ? strndup(s.s, s.n) : NULL;
	if (z)
		curl_easy_setopt(c, option, z);
	free(z);
}

static void set_blob(CURL *c, CURLoption option, struct str s)
{
	struct curl_blob blob = {(void *)s.s, s.n, CURL_BLOB_COPY};
	if (s.s)
		curl_easy_setopt(c, option, &blob);
}

static void set_server(CURL *c, const struct http_server *server, struct str path)
{
	CLEANUP_BUF struct buf url = BUF_INIT(BUF_UNLIMITED);
	buf_str(&url, server->url);
	buf_str(&url, path);
	set_text(c, CURLOPT_URL, buf_view(&url));
	set_text(c, CURLOPT_UNIX_SOCKET_PATH, server->socket);
	if (server->socket.s)
		curl_easy_setopt(c, CURLOPT_PROXY, "");
	set_text(c, CURLOPT_CAINFO, server->ca_file);
	set_text(c, CURLOPT_SSLCERT, server->cert_file);
	set_text(c, CURLOPT_SSLKEY, server->key_file);
	set_blob(c, CURLOPT_CAINFO_BLOB, server->ca_pem);
	set_blob(c, CURLOPT_SSLCERT_BLOB, server->cert_pem);
	set_blob(c, CURLOPT_SSLKEY_BLOB, server->key_pem);
	if (server->insecure) {
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static void set_method(struct http_easy *e, const struct http_request *r)
{
	const char *method = r->method ? r->method : "GET";
	CURL *c = e->curl;
	if (r->read) {
		curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(c, CURLOPT_READDATA, e);
		curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, on_seek);
		curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)(r->size ? r->size : -1));
	} else if (r->body.n || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0) {
		curl_easy_setopt(c, CURLOPT_POST, 1L);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body.n ? r->body.s : "");
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
	} else if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
		return;
	} else if (strcmp(method, "GET") == 0) {
		return;
	}
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
}

static void set_headers(struct http_easy *e, const struct http_request *r)
{
	bool typed = false;
	e->headers = curl_slist_append(NULL, "Expect:");
	for (size_t i = 0; i < r->nheaders; i++) {
		CLEANUP_BUF struct buf line = BUF_INIT(BUF_UNLIMITED);
		buf_fmt(&line, "%s%s" STR_FMT, r->headers[i].name, r->headers[i].value.n ? ": " : ";",
			STR_ARG(r->headers[i].value));
		e->headers = curl_slist_append(e->headers, line.s);
		typed |= strcasecmp(r->headers[i].name, "Content-Type") == 0;
	}
	if (!typed)
		e->headers = curl_slist_append(e->headers, "Content-Type:");
	curl_easy_setopt(e->curl, CURLOPT_HTTPHEADER, e->headers);
}

static void set_limits(CURL *c, const struct http_request *r)
{
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(r->connect_ms ? r->connect_ms : CONNECT_MS));
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
	if (r->idle_s) {
		curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)r->idle_s);
	}
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, r->follow ? 1L : 0L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, 10L);
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, r->fresh ? 1L : 0L);
}

static void set_always(struct http_easy *e)
{
	CURL *c = e->curl;
	curl_easy_setopt(c, CURLOPT_PRIVATE, e);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, e->reason);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_SSL_ENABLE_ALPN, 0L);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "cairn");
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_line);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, e);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, e);
}

static struct http_easy *easy_make(const struct http_request *r, bool connect_only, const struct http_hooks *hooks, void *call)
{
	struct http_easy *e = xcalloc(1, sizeof(*e));
	e->hooks = hooks;
	e->call = call;
	e->curl = curl_easy_init();
	if (!e->curl) {
		free(e);
		return NULL;
	}
	set_always(e);
	set_server(e->curl, r->server, r->path);
	set_limits(e->curl, r);
	if (connect_only) {
		curl_easy_setopt(e->curl, CURLOPT_CONNECT_ONLY, 1L);
		curl_easy_setopt(e->curl, CURLOPT_HTTPPROXYTUNNEL, 1L);
	} else {
		set_method(e, r);
		set_headers(e, r);
	}
	return e;
}

static bool easy_add(struct http_multi *m, struct http_easy *e)
{
	e->added = curl_multi_add_handle(m->multi, e->curl) == CURLM_OK;
	return e->added;
}

static void easy_drop(struct http_multi *m, struct http_easy *e)
{
	if (e->added)
		curl_multi_remove_handle(m->multi, e->curl);
	curl_easy_cleanup(e->curl);
	curl_slist_free_all(e->headers);
	free(e);
}

static void easy_pause(struct http_easy *e, bool receive, bool send)
{
	curl_easy_pause(e->curl, (receive ? CURLPAUSE_RECV : 0) | (send ? CURLPAUSE_SEND : 0));
}

/* --- a connection that was made, as a stream --- */

static int easy_fd(struct http_easy *e)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	curl_easy_getinfo(e->curl, CURLINFO_ACTIVESOCKET, &fd);
	return (int)fd;
}

static ssize_t easy_send(struct http_easy *e, struct str bytes)
{
	size_t n = 0;
	CURLcode code = curl_easy_send(e->curl, bytes.s, bytes.n, &n);
	if (code == CURLE_OK)
		return (ssize_t)n;
	errno = code == CURLE_AGAIN ? EAGAIN : EPIPE;
	return -1;
}

static ssize_t easy_recv(struct http_easy *e, char *to, size_t n)
{
	size_t got = 0;
	CURLcode code = curl_easy_recv(e->curl, to, n, &got);
	if (code == CURLE_OK)
		return (ssize_t)got;
	errno = code == CURLE_AGAIN ? EAGAIN : ECONNRESET;
	return -1;
}

const struct http_ops cairn_module = {
	.open = multi_open,
	.close = multi_close,
	.ready = multi_ready,
	.ended = multi_ended,
	.make = easy_make,
	.add = easy_add,
	.drop = easy_drop,
	.pause = easy_pause,
	.fd = easy_fd,
	.send = easy_send,
	.recv = easy_recv,
};
