/* A child's output as a text: child_output of child.h. It waits, and so is for small tools only. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sys/child.h"
#include "sys/loop.h"

/* What is there now; false at the end. */
static bool take(int fd, struct buf *out)
{
	char bytes[16384];
	ssize_t n = read(fd, bytes, sizeof(bytes));
	if (n > 0) {
		size_t room = out->limit - out->n;
		buf_add(out, bytes, (size_t)n < room ? (size_t)n : room);
		out->full |= (size_t)n > room;
	}
	return n > 0 || (n < 0 && errno == EINTR);
}

/* Milliseconds until `end` for poll; end 0: for ever. */
static int until(uint64_t end)
{
	uint64_t now = loop_now();
	if (!end)
		return -1;
	return now >= end ? 0 : (int)((end - now) / 1000000 + 1);
}

/* Takes output until the child ends. False when it had to be killed. */
static bool follow(const struct child *c, int pidfd, int from, uint64_t timeout_ms, struct buf *out)
{
	uint64_t end = timeout_ms ? loop_now() + timeout_ms * 1000000 : 0;
	struct pollfd fds[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = from, .events = POLLIN}};
	while (!fds[0].revents) {
		int n = poll(fds, 2, until(end));
		if (n == 0) {
			kill(c->foreground ? c->pid : -c->pid, SIGKILL);
			return false;
		}
		if (n > 0 && fds[1].revents && !take(from, out))
			fds[1].fd = -1;
		if (n < 0)
			fds[0].revents = 0;
	}
	return true;
}

int child_output(struct child *c, bool merge, uint64_t timeout_ms, struct buf *out, int *status, struct err *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, "unable to make a pipe");
	int from CLEANUP_FD = ends[0];
	c->out = ends[1];
	if (merge)
		c->err = ends[1];
	int started = child_start(c, err);
	close(ends[1]);
	c->out = -1;
	if (merge)
		c->err = -1;
	if (started < 0)
		return -1;
	int pidfd CLEANUP_FD = child_pidfd(c);
	if (pidfd < 0) {
		err_errno(err, "unable to watch %s", c->argv[0]);
		kill(c->foreground ? c->pid : -c->pid, SIGKILL);
	}
	bool in_time = pidfd >= 0 && follow(c, pidfd, from, timeout_ms, out);
	struct rusage usage;
	child_reap(c, status, &usage);
	fcntl(from, F_SETFL, O_NONBLOCK);       /* one that left the group may hold the pipe for ever */
	for (int i = 0; i < 1024 && take(from, out); i++)
		;
	if (pidfd < 0)
		return -1;
	return in_time ? 0 : err_set(err, ERR_SYSTEM, "%s did not end within %llu ms and was stopped", c->argv[0],
				     (unsigned long long)timeout_ms);
}
