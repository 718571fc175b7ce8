/* hostcommand.c: `cairn-host COMMAND...`: has the controller's machine run it, with our standard streams and its status.
 * What a step may have run there is the controller's to say. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtimes/shim/hostlocal.h"
#include "runtimes/shim/shim.h"

#define FAILED 255                      /* as ssh */

static struct {
	int socket;
	bool input_open;
	uint8_t out[LOCAL_HEAD + LOCAL_REQUEST_MAX];
	size_t out_n, out_at;
	uint8_t in[LOCAL_HEAD + LOCAL_CHUNK];
	size_t in_n;
} call;

unsigned local_address(const char *name, struct sockaddr_un *out)
{
	size_t n = strlen(name);
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (*name != '@' || n >= sizeof(out->sun_path))
		return 0;
	memcpy(out->sun_path + 1, name + 1, n - 1);
	return (unsigned)(offsetof(struct sockaddr_un, sun_path) + n);
}

static int failed(const char *what, const char *why)
{
	struct text t = {0};
	text_add(&t, "cairn-host: ");
	text_add(&t, what);
	text_add(&t, ": ");
	text_add(&t, why);
	text_add(&t, "\n");
	return write(2, t.s, t.n) < 0 ? FAILED : FAILED;
}

static const char *address_in(char **env)
{
	for (; *env; env++)
		if (strncmp(*env, HOST_VARIABLE "=", sizeof(HOST_VARIABLE)) == 0)
			return *env + sizeof(HOST_VARIABLE);
	return NULL;
}

static bool add_field(uint16_t tag, const char *value)
{
	size_t n = strlen(value);
	if (call.out_n + FIELD_HEAD + n > sizeof(call.out))
		return false;
	wire_field_head(call.out + call.out_n, tag, (uint32_t)n);
	memcpy(call.out + call.out_n + FIELD_HEAD, value, n);
	call.out_n += FIELD_HEAD + n;
	return true;
}

static bool add_request(char **argv)
{
	char cwd[4096];
	call.out_n = LOCAL_HEAD;
	if (!add_field(FIELD_CWD, getcwd(cwd, sizeof(cwd)) ? cwd : "/"))
		return false;
	for (; *argv; argv++)
		if (!add_field(FIELD_ARG, *argv))
			return false;
	wire_u32(call.out, (uint32_t)(call.out_n - LOCAL_HEAD));
	wire_u32(call.out + 4, LOCAL_REQUEST);
	return true;
}

static void read_input(void)
{
	ssize_t n = read(0, call.out + LOCAL_HEAD, LOCAL_CHUNK);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		n = 0;
		call.input_open = false;
	}
	wire_u32(call.out, (uint32_t)n);
	wire_u32(call.out + 4, LOCAL_INPUT);
	call.out_at = 0;
	call.out_n = LOCAL_HEAD + (size_t)n;
}

/* A command that has ended takes no more input: what is to be read says how it ended. */
static void send_pending(void)
{
	ssize_t n = send(call.socket, call.out + call.out_at, call.out_n - call.out_at, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		call.input_open = false;
		call.out_at = call.out_n;
	} else {
		call.out_at += (size_t)n;
	}
	if (call.out_at == call.out_n)
		call.out_at = call.out_n = 0;
}

static void put_out(int fd, struct bytes b)
{
	while (b.n) {
		ssize_t n = write(fd, b.p, b.n);
		if (n < 0 && errno == EAGAIN)
			poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
		else if (n < 0 && errno != EINTR)
			return;                 /* nobody reads it; the command goes on */
		wire_take(&b, n > 0 ? (size_t)n : 0);
	}
}

/* As the command ended. */
static int done(struct bytes b)
{
	uint32_t kind, status;
	char text[1024];
	if (!wire_take32(&b, &kind) || !wire_take32(&b, &status))
		return FAILED;
	if (kind == SHIM_EXITED)
		return (int)status;
	if (kind == SHIM_SIGNALLED && status < 65) {
		signal((int)status, SIG_DFL);
		kill(getpid(), (int)status);
		return 128 + (int)status;
	}
	size_t n = b.n < sizeof(text) ? b.n : sizeof(text) - 1;
	memcpy(text, b.p, n);
	text[n] = '\0';
	return failed("refused", n ? text : "the controller does not say why");
}

/* -1: there is more to come */
static int receive(void)
{
	size_t want = call.in_n < LOCAL_HEAD ? LOCAL_HEAD : LOCAL_HEAD + wire_get32(call.in);
	if (want > sizeof(call.in))
		return failed("unable to understand the shim", "too long");
	if (call.in_n < want) {
		ssize_t n = read(call.socket, call.in + call.in_n, want - call.in_n);
		if (n < 0 && errno == EINTR)
			return -1;
		if (n <= 0)
			return failed("unable to wait for the command", n < 0 ? strerror(errno) : "the step is over");
		call.in_n += (size_t)n;
		if (call.in_n != LOCAL_HEAD || wire_get32(call.in))
			return -1;
	}
	struct bytes b = {call.in + LOCAL_HEAD, wire_get32(call.in)};
	uint32_t kind = call.in[4];     /* the rest is the shim's own */
	call.in_n = 0;
	if (kind == LOCAL_DONE)
		return done(b);
	put_out(kind == LOCAL_ERR ? 2 : 1, b);
	return -1;
}

static int talk(void)
{
	int status = -1;
	call.input_open = true;
	while (status < 0) {
		bool pending = call.out_n > 0;
		struct pollfd p[2] = {
			{.fd = call.socket, .events = (short)(POLLIN | (pending ? POLLOUT : 0))},
			{.fd = call.input_open && !pending ? 0 : -1, .events = POLLIN},
		};
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents)
			read_input();
		if (call.out_n)
			send_pending();
		if (p[0].revents & ~POLLOUT)
			status = receive();
	}
	return status;
}

int host_command(char **argv, char **env)
{
	struct sockaddr_un address;
	const char *name = address_in(env);
	if (!*argv)
		return failed("usage", "cairn-host COMMAND...");
	if (!name)
		return failed("unable to run anything on the host", "this step may not, " HOST_VARIABLE " is not set");
	unsigned n = local_address(name, &address);
	call.socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!n || call.socket < 0 || connect(call.socket, (struct sockaddr *)&address, n) < 0)
		return failed("unable to reach the shim", strerror(n ? errno : EINVAL));
	if (!add_request(argv))
		return failed("unable to run it on the host", strerror(E2BIG));
	return talk();
}
