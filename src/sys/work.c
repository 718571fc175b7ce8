#include "sys/work.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct work {
	struct loop *loop;
	struct loop_watch *watch;
	void (*work)(void *ctx), (*done)(void *ctx);
	void *ctx;
	pthread_t thread;
	int fd;                         /* readable when the work is done */
};

static void *work_run(void *arg)
{
	struct work *w = arg;
	w->work(w->ctx);
	uint64_t one = 1;
	if (write(w->fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		BUG("an event that nobody counts is full");
	return NULL;
}

static void work_free(struct work *w)
{
	loop_remove(w->loop, w->watch);
	cleanup_fd(&w->fd);
	free(w);
}

static void work_done(void *arg, unsigned events)
{
	struct work *w = arg;
	void (*done)(void *) = w->done;
	void *ctx = w->ctx;
	(void)events;
	pthread_join(w->thread, NULL);
	work_free(w);
	done(ctx);
}

/* Signals belong to the main thread. */
static int thread_start(struct work *w)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int reason = pthread_create(&w->thread, NULL, work_run, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return reason;
}

struct work *work_begin(struct loop *loop, void (*work)(void *ctx), void (*done)(void *ctx), void *ctx, struct err *err)
{
	struct work *w = xcalloc(1, sizeof(*w));
	*w = (struct work){.loop = loop, .work = work, .done = done, .ctx = ctx, .fd = eventfd(0, EFD_CLOEXEC)};
	if (w->fd >= 0)
		w->watch = loop_fd(loop, w->fd, EPOLLIN, work_done, w);
	int reason = w->watch ? thread_start(w) : errno;
	if (!reason)
		return w;
	work_free(w);
	errno = reason;
	err_errno(err, "unable to start a thread");
	return NULL;
}
