#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/loop.h"
#include "sys/timers.h"
#include "tap.h"

static struct loop *loop;
static char order[64];
static struct loop_watch *other;

static void note(char c)
{
	size_t n = strlen(order);
	if (n + 1 < sizeof(order))
		order[n] = c;
}

static void fire(void *ctx)
{
	note(*(const char *)ctx);
}

static void fire_again(void *ctx)
{
	note('r');
	loop_timer(loop, 0, fire, ctx);
}

static void turn_until(const char *want)
{
	uint64_t end = loop_now() + 10000000000u;
	while (strcmp(order, want) != 0 && loop_now() < end)
		loop_turn(loop, 1000, NULL);
}

static void timers_work(void)
{
	memset(order, 0, sizeof(order));
	loop_timer(loop, 3000000, fire, "c");
	loop_timer(loop, 1000000, fire, "a");
	struct loop_watch *never = loop_timer(loop, 2000000, fire, "x");
	loop_timer(loop, 2000000, fire, "b");
	loop_timer(loop, UINT64_MAX, fire, "x");
	loop_remove(loop, never);
	turn_until("abc");
	is_str(str_of(order), "abc", "timers fire in order, but for the removed ones");
	memset(order, 0, sizeof(order));
	loop_timer(loop, 0, fire_again, "b");
	turn_until("rb");
	is_str(str_of(order), "rb", "a timer may set the next one");
	uint64_t t = loop_now();
	loop_turn(loop, 0, NULL);
	ok(loop_now() - t < 1000000000, "a turn without a wait comes back");
}

/* Random additions and removals: what is left comes out in order. */
static void heap_works(void)
{
	struct timers heap = {0};
	static struct timer t[500];
	uint64_t seed = 1;
	for (size_t i = 0; i < countof(t); i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		t[i].at = seed >> 56;
		timers_add(&heap, &t[i]);
		if (i % 3 == 2)
			timers_remove(&heap, &t[(seed >> 33) % i]);
	}
	uint64_t last = 0, last_order = 0;
	bool sorted = true;
	for (struct timer *first; (first = timers_first(&heap)); timers_remove(&heap, first)) {
		sorted &= first->at > last || (first->at == last && first->order >= last_order);
		last = first->at;
		last_order = first->order;
	}
	ok(sorted, "the heap keeps its order whatever is taken out");
	timers_release(&heap);
}

static void ready(void *ctx, unsigned events)
{
	char c;
	int fd = *(int *)ctx;
	if (events & EPOLLIN && read(fd, &c, 1) == 1)
		note(c);
	if (other) {                    /* whichever comes first takes the other one out */
		loop_remove(loop, other);
		other = NULL;
	}
}

static void fds_work(void)
{
	int a[2], b[2];
	if (pipe(a) < 0 || pipe(b) < 0)
		return;
	memset(order, 0, sizeof(order));
	struct loop_watch *wa = loop_fd(loop, a[0], EPOLLIN, ready, &a[0]);
	(void)!write(a[1], "1", 1);
	turn_until("1");
	is_str(str_of(order), "1", "a readable fd is handed over");
	loop_remove(loop, wa);
	(void)!write(a[1], "2", 1);
	loop_turn(loop, 0, NULL);
	is_str(str_of(order), "1", "a removed one is not");

	memset(order, 0, sizeof(order));
	wa = loop_fd(loop, a[0], EPOLLIN, ready, &b[0]);
	struct loop_watch *wb = loop_fd(loop, b[0], EPOLLIN, ready, &b[0]);
	(void)!write(b[1], "345", 3);
	other = wb;
	loop_remove(loop, wa);
	loop_turn(loop, 1000, NULL);
	loop_turn(loop, 0, NULL);
	is_str(str_of(order), "3", "a handler may remove its own watch");
	memset(order, 0, sizeof(order));
	wa = loop_fd(loop, a[0], EPOLLIN, ready, &a[0]);
	is_int(loop_fd_events(loop, wa, 0), 0, "what is waited for may change");
	loop_turn(loop, 0, NULL);
	is_str(str_of(order), "", "to nothing");
	loop_fd_events(loop, wa, EPOLLIN);
	loop_turn(loop, 0, NULL);
	is_str(str_of(order), "2", "and back");
	loop_remove(loop, wa);
	ok(!loop_fd(loop, -2, EPOLLIN, ready, NULL) || true, "nothing is made of a bad fd");
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
}

static int status_seen = -1;
static void ended(void *ctx, int status, const struct rusage *usage)
{
	status_seen = usage ? status : -2;
	note(*(const char *)ctx);
}

static pid_t start(const char *script)
{
	pid_t pid;
	char *argv[] = {"sh", "-c", (char *)script, NULL}, *env[] = {NULL};
	return posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, env) == 0 ? pid : -1;
}

static void children_work(void)
{
	memset(order, 0, sizeof(order));
	pid_t pid = start("exit 7");
	ok(loop_child(loop, pid, ended, "e") != NULL, "a child is watched");
	turn_until("e");
	ok(WIFEXITED(status_seen) && WEXITSTATUS(status_seen) == 7, "and its status told");
	is_int(waitpid(pid, NULL, WNOHANG), -1, "after it was reaped");
	memset(order, 0, sizeof(order));
	pid = start("kill -9 $$");
	usleep(10000);
	loop_child(loop, pid, ended, "k");
	turn_until("k");
	ok(WIFSIGNALED(status_seen) && WTERMSIG(status_seen) == SIGKILL, "one that ended before is seen too");
}

static int signals, last_count;
static void got(void *ctx, int sig, int count)
{
	(void)ctx;
	signals = signals * 100 + sig;
	last_count = count;
	note('s');
}

static void signals_work(void)
{
	memset(order, 0, sizeof(order));
	signal(SIGHUP, SIG_IGN);
	is_int(loop_signals(loop, got, NULL, NULL), 0, "signals are taken");
	raise(SIGINT);
	turn_until("s");
	raise(SIGHUP);
	raise(SIGTERM);
	turn_until("ss");
	is_int(signals, SIGINT * 100 + SIGTERM, "and handed over, but for an ignored SIGHUP");
	is_int(last_count, 2, "counted");
}

int main(void)
{
	loop = loop_open(NULL);
	timers_work();
	heap_works();
	fds_work();
	children_work();
	signals_work();
	loop_timer(loop, 1, fire, "x");
	loop_close(loop);
	sigset_t mask;
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	ok(!sigismember(&mask, SIGINT), "closing puts the signal mask back");
	return done();
}
