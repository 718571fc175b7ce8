/* shim.c: `cairn-shim [--once] [--silence=SECONDS]`, the first process of a container or pod, which runs steps for a
 * controller at the other end of its standard input and output. `cairn-host COMMAND...` by that name. shim.h tells the
 * parts, protocol.h what is said. */
#include "runtimes/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define SILENCE_MS 60000                /* until a HELLO says otherwise */
#define STOP_MS 8000                    /* a stopped container has 10 s as a rule */
#define GOODBYE_MS 1000

struct shim shim;

static struct {
	int signals;
	size_t polled;
	bool stopping, told, ending;    /* told: the step */
	int status;
	ms until;
} own;

ms now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (ms)t.tv_sec * 1000 + (ms)t.tv_nsec / 1000000;
}

void complain(const char *what, const char *why)
{
	struct text t = {0};
	text_add(&t, "cairn-shim: ");
	text_add(&t, what);
	if (why) {
		text_add(&t, ": ");
		text_add(&t, why);
	}
	text_add(&t, "\n");
	if (write(2, t.s, t.n) < 0)
		return;                 /* nobody can be told */
}

size_t polls_add(struct polls *p, int fd, short events)
{
	p->v[p->n] = (struct pollfd){.fd = fd, .events = events};
	return p->n++;
}

void polls_due(struct polls *p, ms when)
{
	p->due = when < p->due ? when : p->due;
}

/* --- its end --- */

void shim_end(int status, const char *text)
{
	if (own.ending)
		return;
	own.ending = true;
	own.status = status;
	own.until = now_ms() + (text ? GOODBYE_MS : 0);
	if (!text)
		return;
	complain(text, NULL);
	say(FRAME_BYE, (struct bytes){(const uint8_t *)text, strlen(text)}, (struct bytes){0});
}

static bool is_over(void)
{
	return own.ending && (conversation_flushed() || now_ms() >= own.until);
}

/* A container that is being stopped: so is its step, which is told of as usual. */
static void stop_turn(void)
{
	if (!own.stopping)
		return;
	if (step_running()) {
		if (!own.told)
			step_stop(STOP_MS);
		own.told = true;
		return;
	}
	shim_end(shim.once && shim.status >= 0 ? shim.status : 128 + SIGTERM, "the container was stopped (SIGTERM)");
}

/* --- signals --- */

static void catch_signals(void)
{
	sigset_t all;
	sigfillset(&all);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);           /* a step finds them so */
	sigprocmask(SIG_SETMASK, &all, NULL);
	own.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void read_signals(void)
{
	struct signalfd_siginfo got;
	while (read(own.signals, &got, sizeof(got)) == (ssize_t)sizeof(got)) {
		shim.child_ended |= got.ssi_signo == SIGCHLD;
		own.stopping |= got.ssi_signo == SIGTERM;
	}
}

/* --- its beginning --- */

/* The stream moves out of a step's way; 0 and 1 become /dev/null, and nothing of ours is inherited. */
static bool take_stream(int *in, int *out)
{
	shim.null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (shim.null < 0)
		return false;
	shim.null = fcntl(shim.null, F_DUPFD_CLOEXEC, 3);
	*in = fcntl(0, F_DUPFD_CLOEXEC, 3);
	*out = fcntl(1, F_DUPFD_CLOEXEC, 3);
	if (fcntl(2, F_GETFD) < 0)
		dup2(shim.null, 2);
	return *in >= 0 && *out >= 0 && dup2(shim.null, 0) == 0 && dup2(shim.null, 1) == 1;
}

static bool read_seconds(const char *s, ms *out)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);
	*out = (ms)v * 1000;
	return *s >= '0' && *s <= '9' && !*end && v > 0 && v <= 31536000;
}

static bool read_words(char **argv, ms *silence)
{
	for (; *argv; argv++) {
		if (strcmp(*argv, "--once") == 0)
			shim.once = true;
		else if (strncmp(*argv, "--silence=", 10) != 0 || !read_seconds(*argv + 10, silence))
			return false;
	}
	return true;
}

static void turn(void)
{
	struct polls p = {.due = NEVER};
	p.n = 0;
	own.polled = polls_add(&p, own.signals, POLLIN);
	conversation_poll(&p);
	step_poll(&p);
	host_poll(&p);
	if (own.ending)
		polls_due(&p, own.until);
	ms now = now_ms();
	int wait = p.due == NEVER ? -1 : p.due <= now ? 0 : p.due - now > 60000 ? 60000 : (int)(p.due - now);
	if (poll(p.v, p.n, get_running() && say_room() ? 0 : wait) < 0)
		return;
	if (p.v[own.polled].revents)
		read_signals();
	conversation_read(&p);
	step_turn();
	get_turn();
	host_turn(&p);
	stop_turn();
	conversation_write();
}

int main(int argc, char **argv, char **env)
{
	int in, out;
	ms silence = SILENCE_MS;
	const char *slash = argc ? strrchr(argv[0], '/') : NULL;
	if (argc && strcmp(slash ? slash + 1 : argv[0], "cairn-host") == 0)
		return host_command(argv + 1, env);
	if (argc && !read_words(argv + 1, &silence)) {
		complain("usage", "cairn-shim [--once] [--silence=SECONDS], or cairn-host COMMAND... by that name");
		return SHIM_FAILED;
	}
	if (!take_stream(&in, &out)) {
		complain("unable to open /dev/null or to use standard input and output", strerror(errno));
		return SHIM_FAILED;
	}
	shim.first = getpid() == 1;
	shim.status = -1;
	if (!shim.first)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	catch_signals();
	conversation_begin(in, out, silence);
	while (!is_over())
		turn();
	sweep_now();
	return own.status < 0 ? SHIM_FAILED : own.status;
}
