/* httpserver.h: a small HTTP server for unit tests, threads of the test itself, on a Unix socket and a port of its own.
 * It answers by path, well or badly; server_answer, a long if-else, is its manual. */
#pragma once

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *server_ping = "";   /* headers of the reply to /_ping */
static int server_port;
static char server_path[108];           /* the Unix socket */
static _Atomic int server_connections;
static _Atomic int server_seen_end;     /* streams whose other side stopped writing */
static char server_last_head[65536];    /* of the last request; read it when the reply came */

static void server_put(int fd, const void *bytes, size_t n)
{
	for (const char *p = bytes; n;) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		p += sent;
		n -= (size_t)sent;
	}
}

static void server_say(int fd, const char *text) { server_put(fd, text, strlen(text)); }

static void server_reply(int fd, int status, const char *more, const char *body)
{
	char head[512];
	snprintf(head, sizeof(head), "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n", status, strlen(body), more);
	server_say(fd, head);
	server_say(fd, body);
}

/* The head into buf, NUL-terminated, byte by byte. */
static bool server_head(int fd, char *buf, size_t max)
{
	size_t n = 0;
	while (n + 1 < max && recv(fd, buf + n, 1, 0) == 1) {
		buf[++n] = '\0';
		if (n >= 4 && memcmp(buf + n - 4, "\r\n\r\n", 4) == 0)
			return true;
	}
	return false;
}

static bool server_line(int fd, char *buf, size_t max)
{
	size_t n = 0;
	while (n + 1 < max && recv(fd, buf + n, 1, 0) == 1) {
		buf[++n] = '\0';
		if (n >= 2 && memcmp(buf + n - 2, "\r\n", 2) == 0)
			return true;
	}
	return false;
}

/* The request's body, of either kind: its length, and the sum of its bytes. */
static void server_body(int fd, const char *head, size_t *length, unsigned *sum)
{
	const char *at = strcasestr(head, "\r\nContent-Length: ");
	size_t left = at ? strtoul(at + 18, NULL, 10) : 0;
	bool chunked = strcasestr(head, "\r\nTransfer-Encoding: chunked");
	char line[64];
	unsigned char byte;
	*length = *sum = 0;
	while (chunked || left) {
		if (chunked && (!server_line(fd, line, sizeof(line)) || !(left = strtoul(line, NULL, 16))))
			break;
		for (; left && recv(fd, &byte, 1, 0) == 1; left--, ++*length)
			*sum = *sum * 31 + byte;
		if (!chunked)
			break;
		server_line(fd, line, sizeof(line));
	}
	if (chunked)
		server_line(fd, line, sizeof(line));
}

static void server_echo(int fd)
{
	char bytes[65536];
	ssize_t n;
	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		server_put(fd, bytes, (size_t)n);
	server_seen_end++;
	server_say(fd, "<end>");
}

#define SERVER_101 "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"

static bool server_is(const char *path, const char *name)
{
	size_t n = strlen(name);
	return strncmp(path, name, n) == 0 && (path[n] == ' ' || path[n] == '?');
}

/* False: the connection is closed. */
static bool server_answer(int fd, const char *path, const char *head)
{
	size_t length, many = 0;
	unsigned sum;
	char text[256];

	server_body(fd, head, &length, &sum);
	if (server_is(path, "/hello")) {
		server_reply(fd, 200, "X-Thing: one\r\n", "hello");
	} else if (server_is(path, "/body")) {
		snprintf(text, sizeof(text), "%zu %u", length, sum);
		server_reply(fd, 200, "", text);
	} else if (server_is(path, "/_ping")) {
		server_reply(fd, 200, server_ping, "OK");
	} else if (server_is(path, "/error")) {
		server_reply(fd, 409, "", "{\"message\":\"taken\"}");
	} else if (server_is(path, "/head-only")) {
		server_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n");
	} else if (server_is(path, "/chunked")) {
		server_say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n"
			   "5\r\nhello\r\n1;x=y\r\n \r\n5\r\nworld\r\n0\r\nX-Late: 1\r\n\r\n");
	} else if (server_is(path, "/big")) {        /* 64 MiB, to the end of the connection */
		server_say(fd, "HTTP/1.1 200 OK\r\n\r\n");
		char *block = calloc(1, 1 << 20);
		for (; many < 64; many++)
			server_put(fd, block, 1 << 20);
		free(block);
		return false;
	} else if (server_is(path, "/wait-head")) {  /* the head, then nothing until the other side goes away */
		server_say(fd, "HTTP/1.1 200 OK\r\n\r\n");
		while (recv(fd, text, 1, 0) == 1) {}
		return false;
	} else if (server_is(path, "/silent")) {
		while (recv(fd, text, 1, 0) == 1) {}
		return false;
	} else if (server_is(path, "/cut-first")) {
		return false;
	} else if (server_is(path, "/cut-head")) {
		server_say(fd, "HTTP/1.1 200 OK\r\nContent-Le");
		return false;
	} else if (server_is(path, "/cut-body")) {
		server_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
		return false;
	} else if (server_is(path, "/cut-chunk")) {
		server_say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf");
		return false;
	} else if (server_is(path, "/bad-chunk")) {
		server_say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n");
		return false;
	} else if (server_is(path, "/garbage")) {
		server_say(fd, "\x01\x02 no HTTP at all\r\n\r\n");
		return false;
	} else if (server_is(path, "/endless-head")) {
		server_say(fd, "HTTP/1.1 200 OK\r\n");
		for (; many < 20000; many++)
			server_say(fd, "X-Filler: 0123456789012345678901234567890123456789\r\n");
		return false;
	} else if (server_is(path, "/redirect")) {
		server_reply(fd, 302, "Location: /hello\r\n", "over there");
	} else if (server_is(path, "/round")) {
		server_reply(fd, 302, "Location: /round\r\n", "");
	} else if (server_is(path, "/upgrade")) {
		server_say(fd, SERVER_101);
		server_echo(fd);
		return false;
	} else if (server_is(path, "/upgrade-fast")) {
		server_say(fd, "HTTP/1.1 100 Continue\r\n\r\n" SERVER_101 "at once");
		server_echo(fd);
		return false;
	} else if (server_is(path, "/upgrade-big")) {
		server_say(fd, SERVER_101);
		char *block = calloc(1, 1 << 20);
		for (; many < 32; many++)
			server_put(fd, block, 1 << 20);
		free(block);
		return false;
	} else if (server_is(path, "/upgrade-reset")) {
		server_say(fd, SERVER_101 "half");
		recv(fd, text, 1, 0);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
		return false;
	} else if (server_is(path, "/refuse-chunked")) {
		server_say(fd, "HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n4\r\n way\r\n0\r\n\r\n");
	} else if (server_is(path, "/refuse-cut")) {
		server_say(fd, "HTTP/1.1 500 X\r\nContent-Length: 9\r\n\r\nno");
		return false;
	} else {
		server_reply(fd, 404, "", "");
	}
	return true;
}

static void *server_serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char head[65536];
	bool open = true;
	while (open && server_head(fd, head, sizeof(head))) {
		const char *path = strchr(head, ' ');
		strcpy(server_last_head, head);
		open = path && server_answer(fd, path + 1, head);
	}
	close(fd);
	return NULL;
}

static void *server_accept(void *arg)
{
	int listener = (int)(intptr_t)arg, fd;
	pthread_t thread;
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		server_connections++;
		if (pthread_create(&thread, NULL, server_serve, (void *)(intptr_t)fd) == 0)
			pthread_detach(thread);
	}
	return NULL;
}

/* In the folder dir. */
static bool server_start(const char *dir)
{
	struct sockaddr_in tcp = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	socklen_t n = sizeof(tcp);
	int a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), b = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pthread_t thread;
	snprintf(server_path, sizeof(server_path), "%.90s/server.sock", dir);
	strcpy(local.sun_path, server_path);
	if (bind(a, (struct sockaddr *)&tcp, sizeof(tcp)) < 0 || bind(b, (struct sockaddr *)&local, sizeof(local)) < 0 ||
	    listen(a, 1024) < 0 || listen(b, 1024) < 0 || getsockname(a, (struct sockaddr *)&tcp, &n) < 0)
		return false;
	server_port = ntohs(tcp.sin_port);
	return pthread_create(&thread, NULL, server_accept, (void *)(intptr_t)a) == 0 &&
	       pthread_create(&thread, NULL, server_accept, (void *)(intptr_t)b) == 0;
}
