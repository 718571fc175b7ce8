/* module: pkg libssh */
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/sshdoor.h"

#define TRIES 3                         /* passwords */

struct ssh_key_holder {
	ssh_bind bind;
	char *text;
};

struct ssh_conn {
	ssh_session session;
	ssh_event event;
	ssh_channel channel;
	struct ssh_server_callbacks_struct server;
	struct ssh_channel_callbacks_struct calls;
	bool (*allowed)(void *ctx, const char *user, const char *password);
	void *ctx;
	unsigned wrong;
	bool proved, over, eof, asked;
	char *command;
	int sig;
};

/* RFC 4254, 6.10 */
static const struct { const char *name; int number; } signals[] = {
	{"ABRT", SIGABRT}, {"ALRM", SIGALRM}, {"FPE", SIGFPE}, {"HUP", SIGHUP}, {"ILL", SIGILL}, {"INT", SIGINT}, {"KILL", SIGKILL},
	{"PIPE", SIGPIPE}, {"QUIT", SIGQUIT}, {"SEGV", SIGSEGV}, {"TERM", SIGTERM}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2},
};

/* --- the key --- */

static void holder_close(struct ssh_key_holder *h)
{
	if (h->bind)
		ssh_bind_free(h->bind);
	ssh_string_free_char(h->text);
	free(h);
}

static bool holder_fill(struct ssh_key_holder *h)
{
	static const bool no = false;
	ssh_key key = NULL;

	if (!(h->bind = ssh_bind_new()) || ssh_bind_options_set(h->bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no) != SSH_OK ||
	    ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) != SSH_OK)
		return false;
	if (ssh_pki_export_pubkey_base64(key, &h->text) == SSH_OK && ssh_bind_options_set(h->bind, SSH_BIND_OPTIONS_IMPORT_KEY, key) == SSH_OK)
		return true;            /* the key is the bind's */
	ssh_key_free(key);
	return false;
}

static struct ssh_key_holder *holder_open(struct err *err)
{
	struct ssh_key_holder *h = xcalloc(1, sizeof(*h));

	if (holder_fill(h))
		return h;
	holder_close(h);
	err_set(err, ERR_SYSTEM, "unable to make an SSH server: libssh can't make its key");
	return NULL;
}

static const char *holder_key(const struct ssh_key_holder *h) { return h->text; }

/* --- what a client asks for: told here, acted upon outside of libssh --- */

static int on_password(ssh_session session, const char *user, const char *password, void *ctx)
{
	struct ssh_conn *c = ctx;

	(void)session;
	if (c->wrong < TRIES && c->allowed(c->ctx, user, password)) {
		c->proved = true;
		return SSH_AUTH_SUCCESS;
	}
	if (++c->wrong >= TRIES)
		c->over = true;
	return SSH_AUTH_DENIED;
}

static ssh_channel on_open(ssh_session session, void *ctx)
{
	struct ssh_conn *c = ctx;

	if (c->channel || !c->proved)
		return NULL;
	c->channel = ssh_channel_new(session);
	if (c->channel && ssh_set_channel_callbacks(c->channel, &c->calls) != SSH_OK)
		c->over = true;
	return c->channel;
}

static int on_exec(ssh_session session, ssh_channel channel, const char *command, void *ctx)
{
	struct ssh_conn *c = ctx;

	(void)session, (void)channel;
	if (c->asked || !c->proved)
		return SSH_ERROR;
	c->asked = true;
	c->command = strdup(command);
	return c->command ? SSH_OK : SSH_ERROR;
}

static void on_signal(ssh_session session, ssh_channel channel, const char *name, void *ctx)
{
	struct ssh_conn *c = ctx;

	(void)session, (void)channel;
	for (size_t i = 0; i < countof(signals); i++)
		if (strcmp(signals[i].name, name) == 0)
			c->sig = signals[i].number;
}

/* Nothing is taken here: it is read when there is a use for it, and libssh's window holds the client back. */
static int on_data(ssh_session session, ssh_channel channel, void *data, uint32_t n, int is_stderr, void *ctx)
{
	(void)session, (void)channel, (void)data, (void)ctx;
	return is_stderr ? (int)n : 0;
}

static void on_eof(ssh_session session, ssh_channel channel, void *ctx)
{
	(void)session, (void)channel;
	((struct ssh_conn *)ctx)->eof = true;
}

static void on_close(ssh_session session, ssh_channel channel, void *ctx)
{
	(void)session, (void)channel;
	((struct ssh_conn *)ctx)->over = true;
}

/* --- a connection --- */

static void conn_drop(struct ssh_conn *c)
{
	if (c->event) {
		ssh_event_remove_session(c->event, c->session);
		ssh_event_free(c->event);
	}
	if (c->session) {
		ssh_silent_disconnect(c->session);
		ssh_free(c->session);   /* and its channel */
	}
	free(c->command);
	free(c);
}

static void set_callbacks(struct ssh_conn *c)
{
	c->server = (struct ssh_server_callbacks_struct){
		.userdata = c, .auth_password_function = on_password, .channel_open_request_session_function = on_open,
	};
	c->calls = (struct ssh_channel_callbacks_struct){
		.userdata = c, .channel_exec_request_function = on_exec, .channel_signal_function = on_signal,
		.channel_data_function = on_data, .channel_eof_function = on_eof, .channel_close_function = on_close,
	};
	ssh_callbacks_init(&c->server);
	ssh_callbacks_init(&c->calls);
}

static struct ssh_conn *conn_accept(struct ssh_key_holder *h, int fd, bool (*allowed)(void *ctx, const char *user, const char *password), void *ctx)
{
	struct ssh_conn *c = xcalloc(1, sizeof(*c));

	c->allowed = allowed;
	c->ctx = ctx;
	set_callbacks(c);
	c->session = ssh_new();
	if (!c->session || ssh_bind_accept_fd(h->bind, c->session, fd) != SSH_OK) {
		ssh_free(c->session);   /* which has not taken the socket then */
		free(c);
		close(fd);
		return NULL;
	}
	ssh_set_blocking(c->session, 0);
	ssh_set_auth_methods(c->session, SSH_AUTH_METHOD_PASSWORD);
	if (ssh_set_server_callbacks(c->session, &c->server) != SSH_OK || ssh_handle_key_exchange(c->session) == SSH_ERROR ||
	    !(c->event = ssh_event_new()) || ssh_event_add_session(c->event, c->session) != SSH_OK) {
		conn_drop(c);
		return NULL;
	}
	return c;
}

static bool conn_turn(struct ssh_conn *c)
{
	if (ssh_event_dopoll(c->event, 0) == SSH_ERROR)
		c->over = true;
	return !c->over && !(ssh_get_status(c->session) & (SSH_CLOSED | SSH_CLOSED_ERROR));
}

static bool conn_unsent(const struct ssh_conn *c) { return ssh_get_poll_flags(c->session) & SSH_WRITE_PENDING; }
static bool conn_proved(const struct ssh_conn *c) { return c->proved; }

static char *conn_command(struct ssh_conn *c)
{
	char *command = c->command;

	c->command = NULL;
	return command;
}

static int conn_signal(struct ssh_conn *c)
{
	int sig = c->sig;

	c->sig = 0;
	return sig;
}

static ssize_t conn_read(struct ssh_conn *c, char *to, size_t n)
{
	int got = c->channel ? ssh_channel_read_nonblocking(c->channel, to, (uint32_t)n, 0) : 0;

	if (got > 0)
		return got;
	return c->eof || got < 0 ? -1 : 0;
}

static size_t conn_write(struct ssh_conn *c, int stream, struct str bytes)
{
	uint32_t room = ssh_channel_window_size(c->channel);
	int n;

	if (!room || ssh_channel_is_closed(c->channel))
		return 0;
	n = bytes.n < room ? (int)bytes.n : (int)room;
	n = stream == 2 ? ssh_channel_write_stderr(c->channel, bytes.s, (uint32_t)n) : ssh_channel_write(c->channel, bytes.s, (uint32_t)n);
	return n < 0 ? 0 : (size_t)n;
}

static void conn_done(struct ssh_conn *c, bool signalled, int status)
{
	const char *name = "KILL";

	for (size_t i = 0; i < countof(signals); i++)
		if (signals[i].number == status)
			name = signals[i].name;
	if (signalled)
		ssh_channel_request_send_exit_signal(c->channel, name, 0, "", "");
	else
		ssh_channel_request_send_exit_status(c->channel, status);
	ssh_channel_send_eof(c->channel);
	ssh_channel_close(c->channel);
}

const struct ssh_ops cairn_module = {
	.open = holder_open,
	.close = holder_close,
	.public_key = holder_key,
	.accept = conn_accept,
	.drop = conn_drop,
	.turn = conn_turn,
	.unsent = conn_unsent,
	.proved = conn_proved,
	.command = conn_command,
	.signal = conn_signal,
	.read = conn_read,
	.write = conn_write,
	.done = conn_done,
};
