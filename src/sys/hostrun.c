#include "sys/hostrun.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/child.h"

#define GRACE_NS (100ull * 1000 * 1000) /* for who still holds a pipe when the leader has ended */
#define PIECE 32768

struct stream {
	struct hostrun *run;
	int number;                     /* 1 or 2 */
	int fd;                         /* -1: at its end */
	struct loop_watch *watch;       /* NULL while it is held back */
	struct buf held;                /* read, not taken */
	bool told;                      /* its end */
};

struct hostrun {
	struct loop *loop;
	const struct hostrun_calls *calls;
	void *ctx;
	struct child child;
	int pidfd, in;
	struct buf input;
	size_t freed;                   /* of the input, to be told */
	bool input_over, leader_ended, reaped;
	struct stream streams[2];
	struct loop_watch *ended, *writable, *timer, *turn;
	int status;
};

static void turn(void *ctx);

static void turn_soon(struct hostrun *r)
{
	if (!r->turn)
		r->turn = loop_timer(r->loop, 0, turn, r);
}

/* ---- output ---- */

static void stream_ready(void *ctx, unsigned events)
{
	struct stream *s = ctx;

	(void)events;
	turn_soon(s->run);
	loop_remove(s->run->loop, s->watch);
	s->watch = NULL;
}

static void stream_end(struct stream *s)
{
	loop_remove(s->run->loop, s->watch);
	s->watch = NULL;
	cleanup_fd(&s->fd);
	s->fd = -1;
}

static void stream_read(struct stream *s)
{
	char bytes[PIECE];
	ssize_t n = read(s->fd, bytes, sizeof(bytes));

	if (n > 0)
		buf_add(&s->held, bytes, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR) || s->run->reaped)
		stream_end(s);          /* who holds it still has left the group */
	else
		s->watch = loop_fd(s->run->loop, s->fd, EPOLLIN, stream_ready, s);
	if (n < 0 && s->fd >= 0 && !s->watch)
		stream_end(s);
}

/* Hands over what there is, as long as it is taken. */
static void stream_pump(struct stream *s)
{
	struct hostrun *r = s->run;

	while (!s->watch) {
		if (s->held.n) {
			size_t n = r->calls->output(r->ctx, s->number, buf_view(&s->held));

			memmove(s->held.s, s->held.s + n, s->held.n - n);
			s->held.n -= n;
			if (s->held.n)
				return;
		}
		if (s->fd < 0)
			break;
		stream_read(s);
	}
	if (s->fd < 0 && !s->held.n && !s->told) {
		s->told = true;
		r->calls->output(r->ctx, s->number, S(""));
	}
}

void hostrun_more(struct hostrun *r, int stream)
{
	if (r->streams[stream - 1].held.n)
		turn_soon(r);
}

/* ---- input ---- */

static void input_close(struct hostrun *r)
{
	loop_remove(r->loop, r->writable);
	r->writable = NULL;
	cleanup_fd(&r->in);
	r->in = -1;
	r->freed += r->input.n;
	buf_clear(&r->input);
}

static void writable(void *ctx, unsigned events)
{
	struct hostrun *r = ctx;

	(void)events;
	loop_remove(r->loop, r->writable);
	r->writable = NULL;
	turn_soon(r);
}

/* It is a socket, since a pipe whose reader is gone raises SIGPIPE here. */
static void input_pump(struct hostrun *r)
{
	while (r->in >= 0 && r->input.n && !r->writable) {
		ssize_t n = send(r->in, r->input.s, r->input.n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			memmove(r->input.s, r->input.s + n, r->input.n - (size_t)n);
			r->input.n -= (size_t)n;
			r->freed += (size_t)n;
		} else if (errno == EAGAIN) {
			r->writable = loop_fd(r->loop, r->in, EPOLLOUT, writable, r);
			if (!r->writable)
				input_close(r);
		} else if (errno != EINTR) {
			input_close(r);
		}
	}
	if (r->in >= 0 && r->input_over && !r->input.n)
		input_close(r);
	if (r->freed) {
		size_t n = r->freed;

		r->freed = 0;
		r->calls->taken(r->ctx, n);
	}
}

void hostrun_input(struct hostrun *r, struct str bytes)
{
	if (!bytes.n)
		r->input_over = true;
	else if (r->in < 0)
		r->freed += bytes.n;
	else
		buf_str(&r->input, bytes);
	turn_soon(r);
}

/* ---- the end ---- */

static void reap(struct hostrun *r)
{
	struct rusage usage;

	loop_remove(r->loop, r->timer);
	r->timer = NULL;
	r->reaped = true;
	child_reap(&r->child, &r->status, &usage);
	for (size_t i = 0; i < 2; i++) {        /* what is in the pipes is read; nobody of the group writes any more */
		loop_remove(r->loop, r->streams[i].watch);
		r->streams[i].watch = NULL;
	}
	turn_soon(r);
}

static void grace_over(void *ctx)
{
	struct hostrun *r = ctx;

	r->timer = NULL;
	reap(r);
}

static void leader_ended(void *ctx, unsigned events)
{
	struct hostrun *r = ctx;

	(void)events;
	loop_remove(r->loop, r->ended);
	r->ended = NULL;
	r->leader_ended = true;
	if (!(r->timer = loop_timer(r->loop, GRACE_NS, grace_over, r)))
		reap(r);
	turn_soon(r);
}

static bool at_end(const struct hostrun *r)
{
	return r->streams[0].fd < 0 && r->streams[1].fd < 0;
}

static void turn(void *ctx)
{
	struct hostrun *r = ctx;

	r->turn = NULL;
	for (size_t i = 0; i < 2; i++)
		stream_pump(&r->streams[i]);
	input_pump(r);
	if (r->leader_ended && !r->reaped && at_end(r))
		reap(r);
	if (r->reaped && r->streams[0].told && r->streams[1].told) {
		loop_remove(r->loop, r->turn);
		r->turn = NULL;
		r->calls->done(r->ctx, !WIFEXITED(r->status), WIFEXITED(r->status) ? WEXITSTATUS(r->status) : WTERMSIG(r->status));
		/* r may be gone */
	}
}

void hostrun_signal(struct hostrun *r, int sig)
{
	if (r->reaped)
		return;
	kill(-r->child.pid, sig);
	if (sig != SIGKILL && sig != SIGSTOP)
		kill(-r->child.pid, SIGCONT);
}

void hostrun_free(struct hostrun *r)
{
	struct rusage usage;

	if (!r)
		return;
	loop_remove(r->loop, r->ended);
	loop_remove(r->loop, r->writable);
	loop_remove(r->loop, r->timer);
	loop_remove(r->loop, r->turn);
	for (size_t i = 0; i < 2; i++) {
		stream_end(&r->streams[i]);
		buf_release(&r->streams[i].held);
	}
	cleanup_fd(&r->in);
	cleanup_fd(&r->pidfd);
	if (r->child.pid && !r->reaped) {
		kill(-r->child.pid, SIGKILL);
		child_reap(&r->child, &r->status, &usage);
	}
	buf_release(&r->input);
	free(r);
}

/* ---- the beginning ---- */

static int open_pipe(int *ours, int *theirs, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, "unable to make a pipe");
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	*ours = ends[0];
	*theirs = ends[1];
	return 0;
}

static int open_input(struct hostrun *r, int *theirs, struct err *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(err, "unable to make a socket");
	shutdown(ends[0], SHUT_RD);
	r->in = ends[0];
	*theirs = ends[1];
	return 0;
}

static int launch(struct hostrun *r, struct err *err)
{
	CLEANUP_FD int in = -1, out = -1, errors = -1;

	if (open_input(r, &in, err) < 0 || open_pipe(&r->streams[0].fd, &out, err) < 0 || open_pipe(&r->streams[1].fd, &errors, err) < 0)
		return -1;
	r->child.in = in;
	r->child.out = out;
	r->child.err = errors;
	if (child_start(&r->child, err) < 0) {
		r->child.pid = 0;
		return -1;
	}
	r->pidfd = child_pidfd(&r->child);
	if (r->pidfd < 0 || !(r->ended = loop_fd(r->loop, r->pidfd, EPOLLIN, leader_ended, r)))
		return err_errno(err, "unable to watch %s", r->child.argv[0]);
	return 0;
}

struct hostrun *hostrun_start(struct loop *loop, const struct hostrun_how *how, const struct hostrun_calls *calls, void *ctx, struct err *err)
{
	struct hostrun *r = xcalloc(1, sizeof(*r));

	*r = (struct hostrun){.loop = loop, .calls = calls, .ctx = ctx, .pidfd = -1, .in = -1, .input = BUF_INIT(BUF_UNLIMITED),
			      .child = {.argv = how->argv, .env = how->env, .dir = how->dir}};
	for (int i = 0; i < 2; i++)
		r->streams[i] = (struct stream){.run = r, .number = i + 1, .fd = -1, .held = BUF_INIT(BUF_UNLIMITED)};
	if (launch(r, err) < 0) {
		hostrun_free(r);
		return NULL;
	}
	turn_soon(r);
	return r;
}
