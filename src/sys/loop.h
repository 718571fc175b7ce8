/* loop.h: the main thread's event loop on epoll: fds, timers, children (pidfd), signals (signalfd).
 * Handlers run one at a time on the thread that calls loop_turn; they may add and remove anything,
 * themselves included. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

struct loop;
struct loop_watch;

struct loop *loop_open(struct err *);
void loop_close(struct loop *);

/* A watch that can't be made (fds or memory of the kernel are out) is NULL with errno.
 * events: EPOLLIN ...; the fd stays the caller's and is open until it is removed. */
struct loop_watch *loop_fd(struct loop *, int fd, unsigned events, void (*ready)(void *ctx, unsigned events), void *ctx);
/* Other events from now on. 0, or -1 with errno. */
int loop_fd_events(struct loop *, struct loop_watch *, unsigned events);
/* Once, after ns from now (monotonic). */
struct loop_watch *loop_timer(struct loop *, uint64_t ns, void (*fire)(void *ctx), void *ctx);
/* Once, when the child ended; status as of waitpid. The child is reaped. usage may be NULL in the handler's view. */
struct rusage;
struct loop_watch *loop_child(struct loop *, pid_t pid, void (*ended)(void *ctx, int status, const struct rusage *), void *ctx);
/* SIGINT, SIGTERM, SIGHUP (unless it was ignored: nohup) are blocked and delivered here; count is 1 for the first.
 * loop_close puts the mask back. */
int loop_signals(struct loop *, void (*got)(void *ctx, int sig, int count), void *ctx, struct err *);
void loop_remove(struct loop *, struct loop_watch *);    /* NULL is fine; a fired timer or child is gone already */
/* Waits for at least one event (timeout_ms -1: for ever) and runs handlers. 0 or -1. */
int loop_turn(struct loop *, int timeout_ms, struct err *);
uint64_t loop_now(void);                                /* monotonic ns */
