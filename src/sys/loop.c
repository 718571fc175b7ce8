#include "sys/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sys/timers.h"

struct loop_watch {
	enum { WATCH_FD, WATCH_TIMER, WATCH_CHILD, WATCH_SIGNALS } kind;
	bool gone;                      /* removed; freed once no event of this turn can name it */
	int fd;                         /* the caller's, a pidfd, a signalfd; -1 */
	pid_t pid;
	struct timer timer;
	union {
		void (*ready)(void *, unsigned);
		void (*fire)(void *);
		void (*ended)(void *, int, const struct rusage *);
		void (*got)(void *, int, int);
	} call;
	void *ctx;
	struct loop_watch *next, *prev; /* all that live, or all that are gone */
};

struct loop {
	int epoll;
	struct timers timers;
	struct loop_watch *live, *gone;
	int depth;                      /* of loop_turn within handlers */
	int signals;                    /* seen so far */
	bool masked;
	sigset_t before;                /* the mask to put back */
};

uint64_t loop_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

struct loop *loop_open(struct err *err)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0) {
		err_errno(err, "unable to make an event loop");
		return NULL;
	}
	struct loop *loop = xcalloc(1, sizeof(*loop));
	loop->epoll = fd;
	return loop;
}

/* --- watches --- */

static void list_put(struct loop_watch **list, struct loop_watch *w)
{
	w->prev = NULL;
	w->next = *list;
	if (*list)
		(*list)->prev = w;
	*list = w;
}

static void list_take(struct loop_watch **list, struct loop_watch *w)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		*list = w->next;
	if (w->next)
		w->next->prev = w->prev;
}

static void free_list(struct loop_watch **list)
{
	for (struct loop_watch *next, *w = *list; w; w = next) {
		next = w->next;
		free(w);
	}
	*list = NULL;
}

/* With fd >= 0 also into epoll; NULL with errno when that fails. */
static struct loop_watch *watch_new(struct loop *loop, int kind, int fd, unsigned events, void *ctx)
{
	struct loop_watch *w = xcalloc(1, sizeof(*w));
	w->kind = kind;
	w->fd = fd;
	w->ctx = ctx;
	struct epoll_event event = {.events = events, .data.ptr = w};
	if (fd >= 0 && epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		free(w);
		return NULL;
	}
	list_put(&loop->live, w);
	return w;
}

void loop_remove(struct loop *loop, struct loop_watch *w)
{
	if (!w || w->gone)
		return;
	w->gone = true;
	timers_remove(&loop->timers, &w->timer);
	if (w->fd >= 0)
		epoll_ctl(loop->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	if (w->fd >= 0 && w->kind != WATCH_FD)
		close(w->fd);
	list_take(&loop->live, w);
	list_put(&loop->gone, w);
	if (!loop->depth)
		free_list(&loop->gone);
}

void loop_close(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->live)
		loop_remove(loop, loop->live);
	free_list(&loop->gone);
	timers_release(&loop->timers);
	close(loop->epoll);
	if (loop->masked)
		pthread_sigmask(SIG_SETMASK, &loop->before, NULL);
	free(loop);
}

struct loop_watch *loop_fd(struct loop *loop, int fd, unsigned events, void (*ready)(void *ctx, unsigned events), void *ctx)
{
	struct loop_watch *w = watch_new(loop, WATCH_FD, fd, events, ctx);
	if (w)
		w->call.ready = ready;
	return w;
}

int loop_fd_events(struct loop *loop, struct loop_watch *w, unsigned events)
{
	struct epoll_event event = {.events = events, .data.ptr = w};
	return w->gone ? 0 : epoll_ctl(loop->epoll, EPOLL_CTL_MOD, w->fd, &event);
}

struct loop_watch *loop_timer(struct loop *loop, uint64_t ns, void (*fire)(void *ctx), void *ctx)
{
	struct loop_watch *w = watch_new(loop, WATCH_TIMER, -1, 0, ctx);
	w->call.fire = fire;
	uint64_t now = loop_now();
	w->timer.at = ns < UINT64_MAX - now ? now + ns : UINT64_MAX;
	timers_add(&loop->timers, &w->timer);
	return w;
}

struct loop_watch *loop_child(struct loop *loop, pid_t pid, void (*ended)(void *ctx, int status, const struct rusage *), void *ctx)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);         /* closed on exec by itself */
	if (fd < 0)
		return NULL;
	struct loop_watch *w = watch_new(loop, WATCH_CHILD, fd, EPOLLIN, ctx);
	if (!w) {
		close(fd);
		return NULL;
	}
	w->pid = pid;
	w->call.ended = ended;
	return w;
}

int loop_signals(struct loop *loop, void (*got)(void *ctx, int sig, int count), void *ctx, struct err *err)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	/* Under nohup it stays ignored: a blocked signal reaches a signalfd whatever its disposition. */
	struct sigaction hup;
	if (sigaction(SIGHUP, NULL, &hup) < 0 || hup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_errno(err, "unable to wait for signals");
	struct loop_watch *w = watch_new(loop, WATCH_SIGNALS, fd, EPOLLIN, ctx);
	if (!w) {
		close(fd);
		return err_errno(err, "unable to wait for signals");
	}
	w->call.got = got;
	sigset_t before;
	pthread_sigmask(SIG_BLOCK, &set, &before);
	if (!loop->masked)
		loop->before = before;
	loop->masked = true;
	return 0;
}

/* --- a turn --- */

static void child_ended(struct loop *loop, struct loop_watch *w)
{
	int status;
	struct rusage usage;
	pid_t got = wait4(w->pid, &status, WNOHANG, &usage);
	if (got == 0 || (got < 0 && errno == EINTR))
		return;
	if (got < 0)
		BUG("the child %ld was reaped elsewhere", (long)w->pid);
	loop_remove(loop, w);
	w->call.ended(w->ctx, status, &usage);
}

static void signals_came(struct loop *loop, struct loop_watch *w)
{
	struct signalfd_siginfo info;
	while (!w->gone && read(w->fd, &info, sizeof(info)) == sizeof(info))
		w->call.got(w->ctx, (int)info.ssi_signo, ++loop->signals);
}

static void watch_ready(struct loop *loop, struct loop_watch *w, unsigned events)
{
	if (w->gone)
		return;
	if (w->kind == WATCH_CHILD)
		child_ended(loop, w);
	else if (w->kind == WATCH_SIGNALS)
		signals_came(loop, w);
	else
		w->call.ready(w->ctx, events);
}

static struct loop_watch *watch_of_timer(struct timer *t)
{
	return (struct loop_watch *)((char *)t - offsetof(struct loop_watch, timer));
}

/* Timers that are due now; those that their handlers add wait for the next turn. */
static void fire_timers(struct loop *loop)
{
	if (!loop->timers.n)
		return;
	uint64_t now = loop_now(), added = loop->timers.added;
	struct timer *t;
	while ((t = timers_first(&loop->timers)) && t->at <= now && t->order < added) {
		struct loop_watch *w = watch_of_timer(t);
		loop_remove(loop, w);
		w->call.fire(w->ctx);
	}
}

/* Until the next timer, rounded up: waking early would only mean to wait again. */
static int wait_ms(const struct loop *loop, int timeout_ms)
{
	const struct timer *t = timers_first(&loop->timers);
	if (!t)
		return timeout_ms;
	uint64_t now = loop_now(), ms = t->at > now ? (t->at - now + 999999) / 1000000 : 0;
	if (timeout_ms >= 0 && ms > (uint64_t)timeout_ms)
		return timeout_ms;
	return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

int loop_turn(struct loop *loop, int timeout_ms, struct err *err)
{
	struct epoll_event events[64];
	int n = epoll_wait(loop->epoll, events, countof(events), wait_ms(loop, timeout_ms));
	if (n < 0 && errno != EINTR)
		return err_errno(err, "unable to wait for events");
	loop->depth++;
	for (int i = 0; i < n; i++)
		watch_ready(loop, events[i].data.ptr, events[i].events);
	fire_timers(loop);
	if (--loop->depth == 0)
		free_list(&loop->gone);
	return 0;
}
