#include "sys/hostssh.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/vec.h"
#include "sys/hostrun.h"
#include "sys/module.h"
#include "sys/sshdoor.h"

#define TOKEN_BYTES 32
#define CONNECTIONS 32                  /* of a server at a time; who comes then waits */
#define PROVE_NS (30ull * 1000 * 1000 * 1000)
#define INPUT_MAX (256u << 10)          /* on its way to a command */

struct hostssh {
	struct loop *loop;
	const struct ssh_ops *ops;
	struct ssh_key_holder *key;
};

struct connection {
	struct hostssh_server *server;
	struct ssh_conn *conn;
	int fd;                         /* a copy: libssh closes its own when it likes */
	unsigned events;
	struct loop_watch *watch, *turn, *limit;
	struct hostrun *run;
	size_t input;
	bool input_over;
};

struct hostssh_server {
	struct hostssh *ssh;
	struct hostssh_how how;
	int fd;
	unsigned port;
	struct loop_watch *watch;
	VEC(struct connection *) connections;
	char token[2 * TOKEN_BYTES + 1];
	struct buf known;
};

static void connection_timer(void *ctx);

static struct loop *loop_of(const struct connection *c) { return c->server->ssh->loop; }
static const struct ssh_ops *ops_of(const struct connection *c) { return c->server->ssh->ops; }

static void turn_soon(struct connection *c)
{
	if (!c->turn)
		c->turn = loop_timer(loop_of(c), 0, connection_timer, c);
}

/* In a time that does not tell how much of it was right. */
static bool allowed(void *ctx, const char *user, const char *password)
{
	const struct hostssh_server *s = ctx;
	unsigned char differs = strcmp(user, HOSTSSH_USER) != 0;

	if (strlen(password) != sizeof(s->token) - 1)
		return false;
	for (size_t i = 0; i < sizeof(s->token) - 1; i++)
		differs |= (unsigned char)(password[i] ^ s->token[i]);
	return !differs;
}

/* ---- a connection ---- */

static void listen_watch(struct hostssh_server *s);

static void connection_drop(struct connection *c)
{
	struct hostssh_server *s = c->server;

	hostrun_free(c->run);
	loop_remove(loop_of(c), c->watch);
	loop_remove(loop_of(c), c->turn);
	loop_remove(loop_of(c), c->limit);
	if (c->conn)
		ops_of(c)->drop(c->conn);
	cleanup_fd(&c->fd);
	for (size_t i = 0; i < s->connections.n; i++)
		if (s->connections.v[i] == c) {
			s->connections.v[i] = s->connections.v[--s->connections.n];
			break;
		}
	free(c);
	listen_watch(s);
}

static size_t on_output(void *ctx, int stream, struct str bytes)
{
	struct connection *c = ctx;

	turn_soon(c);
	return bytes.n ? ops_of(c)->write(c->conn, stream, bytes) : 0;
}

static void on_taken(void *ctx, size_t n)
{
	struct connection *c = ctx;

	c->input -= n;
	turn_soon(c);
}

static void on_done(void *ctx, bool signalled, int status)
{
	struct connection *c = ctx;

	hostrun_free(c->run);
	c->run = NULL;
	ops_of(c)->done(c->conn, signalled, status);
	turn_soon(c);
}

static void command_start(struct connection *c, char *command)
{
	static const struct hostrun_calls calls = {on_output, on_taken, on_done};
	const char *argv[] = {"/bin/sh", "-c", command, NULL};
	struct hostrun_how how = {argv, c->server->how.env, c->server->how.dir};
	struct err err = ERR_INIT;

	c->run = hostrun_start(loop_of(c), &how, &calls, c, &err);
	if (!c->run) {
		CLEANUP_BUF struct buf text = BUF_INIT(BUF_UNLIMITED);

		buf_fmt(&text, "cairn: %s\n", err.text ? err.text : "unable to run it");
		ops_of(c)->write(c->conn, 2, buf_view(&text));
		ops_of(c)->done(c->conn, false, 127);
	}
	err_release(&err);
}

static void input_take(struct connection *c)
{
	char bytes[16384];

	while (c->run && !c->input_over && c->input < INPUT_MAX) {
		ssize_t n = ops_of(c)->read(c->conn, bytes, sizeof(bytes));

		if (n == 0)
			return;
		if (n < 0)
			c->input_over = true;
		else
			c->input += (size_t)n;
		hostrun_input(c->run, (struct str){bytes, n > 0 ? (size_t)n : 0});
	}
}

static void connection_ready(void *ctx, unsigned events);

/* False: it can't be watched. */
static bool watch(struct connection *c)
{
	unsigned events = EPOLLIN | (ops_of(c)->unsent(c->conn) ? EPOLLOUT : 0);

	if (!c->watch)
		c->watch = loop_fd(loop_of(c), c->fd, events, connection_ready, c);
	else if (events != c->events && loop_fd_events(loop_of(c), c->watch, events) < 0)
		return false;
	c->events = events;
	return c->watch;
}

static void connection_turn(struct connection *c)
{
	char *command;
	int sig;

	if (!ops_of(c)->turn(c->conn)) {
		connection_drop(c);
		return;
	}
	if (c->limit && ops_of(c)->proved(c->conn)) {
		loop_remove(loop_of(c), c->limit);
		c->limit = NULL;
	}
	if ((command = ops_of(c)->command(c->conn)))
		command_start(c, command);
	free(command);
	if ((sig = ops_of(c)->signal(c->conn)) && c->run)
		hostrun_signal(c->run, sig);
	input_take(c);
	for (int i = 1; c->run && i <= 2; i++)
		hostrun_more(c->run, i);
	if (!watch(c))
		connection_drop(c);
}

static void connection_ready(void *ctx, unsigned events)
{
	(void)events;
	connection_turn(ctx);
}

static void connection_timer(void *ctx)
{
	struct connection *c = ctx;

	c->turn = NULL;
	connection_turn(c);
}

static void limit_reached(void *ctx)
{
	struct connection *c = ctx;

	c->limit = NULL;
	connection_drop(c);
}

static void connection_new(struct hostssh_server *s, int fd)
{
	struct connection *c = xcalloc(1, sizeof(*c));

	c->server = s;
	vec_add(&s->connections, c);
	c->fd = dup(fd);
	fcntl(c->fd, F_SETFD, FD_CLOEXEC);
	c->conn = s->ssh->ops->accept(s->ssh->key, fd, allowed, s);
	c->limit = loop_timer(s->ssh->loop, PROVE_NS, limit_reached, c);
	if (c->fd < 0 || !c->conn || !c->limit || !watch(c))
		connection_drop(c);
	else
		turn_soon(c);
}

/* ---- a server ---- */

static void on_connect(void *ctx, unsigned events)
{
	struct hostssh_server *s = ctx;
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0)
		connection_new(s, fd);
	listen_watch(s);
}

static void listen_watch(struct hostssh_server *s)
{
	bool want = s->fd >= 0 && s->connections.n < CONNECTIONS;

	if (want == !!s->watch)
		return;
	if (want) {
		s->watch = loop_fd(s->ssh->loop, s->fd, EPOLLIN, on_connect, s);
		return;
	}
	loop_remove(s->ssh->loop, s->watch);
	s->watch = NULL;
}

static int listen_at(struct hostssh_server *s, struct err *err)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM}, *found = NULL;
	struct sockaddr_storage at;
	socklen_t n = sizeof(at);
	bool good;

	if (getaddrinfo(s->how.address, "0", &hints, &found) != 0)
		return err_set(err, ERR_RUNTIME, "unable to listen for SSH at %s: that is no address", s->how.address);
	s->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	good = s->fd >= 0 && bind(s->fd, found->ai_addr, found->ai_addrlen) == 0 && listen(s->fd, 16) == 0 &&
	       getsockname(s->fd, (struct sockaddr *)&at, &n) == 0;
	freeaddrinfo(found);
	if (!good)
		return err_errno(err, "unable to listen for SSH at %s", s->how.address);
	s->port = ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port : ((struct sockaddr_in *)&at)->sin_port);
	listen_watch(s);
	return s->watch ? 0 : err_errno(err, "unable to watch the SSH socket");
}

static int make_token(struct hostssh_server *s, struct err *err)
{
	unsigned char bytes[TOKEN_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return err_errno(err, "unable to get random bytes");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(s->token + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

struct hostssh_server *hostssh_serve(struct hostssh *ssh, const struct hostssh_how *how, struct err *err)
{
	struct hostssh_server *s = xcalloc(1, sizeof(*s));

	s->ssh = ssh;
	s->how = *how;
	s->how.address = strdup(how->address);
	s->known = (struct buf)BUF_INIT(4096);
	s->fd = -1;
	if (make_token(s, err) < 0 || listen_at(s, err) < 0) {
		hostssh_end(s);
		return NULL;
	}
	buf_fmt(&s->known, "[%s]:%u ssh-ed25519 %s\n", s->how.address, s->port, ssh->ops->public_key(ssh->key));
	return s;
}

void hostssh_end(struct hostssh_server *s)
{
	if (!s)
		return;
	loop_remove(s->ssh->loop, s->watch);
	s->watch = NULL;
	cleanup_fd(&s->fd);
	s->fd = -1;
	while (s->connections.n)
		connection_drop(s->connections.v[0]);
	vec_free(&s->connections);
	buf_release(&s->known);
	explicit_bzero(s->token, sizeof(s->token));
	free((char *)s->how.address);
	free(s);
}

unsigned hostssh_port(const struct hostssh_server *s) { return s->port; }
const char *hostssh_token(const struct hostssh_server *s) { return s->token; }
struct str hostssh_known(const struct hostssh_server *s) { return buf_view(&s->known); }

/* ---- the key ---- */

struct hostssh *hostssh_open(struct loop *loop, struct err *err)
{
	const struct ssh_ops *ops = module_load("ssh", err);
	struct ssh_key_holder *key = ops ? ops->open(err) : NULL;
	struct hostssh *ssh;

	if (!key)
		return NULL;
	ssh = xcalloc(1, sizeof(*ssh));
	*ssh = (struct hostssh){loop, ops, key};
	return ssh;
}

void hostssh_close(struct hostssh *ssh)
{
	if (!ssh)
		return;
	ssh->ops->close(ssh->key);
	free(ssh);
}
