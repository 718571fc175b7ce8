#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "sys/work.h"
#include "tap.h"

static pthread_t home;

struct seen { bool apart, blocked, back; int done; };

static void work(void *ctx)
{
	struct seen *s = ctx;
	sigset_t set;
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	s->blocked = sigismember(&set, SIGINT);
	s->apart = !pthread_equal(pthread_self(), home);
	usleep(20000);
}

static void told(void *ctx)
{
	struct seen *s = ctx;
	s->done++;
	s->back = pthread_equal(pthread_self(), home);
}

int main(void)
{
	struct loop *loop = loop_open(NULL);
	struct seen s[3] = {0};
	bool begun = true;
	uint64_t end = loop_now() + 60000000000u;
	home = pthread_self();
	for (int i = 0; i < 3; i++)
		begun &= work_begin(loop, work, told, &s[i], NULL) != NULL;
	ok(begun && !s[0].done, "works are begun, none is done before");
	while (!(s[0].done && s[1].done && s[2].done) && loop_now() < end)
		loop_turn(loop, 1000, NULL);
	ok(s[0].done == 1 && s[1].done == 1 && s[2].done == 1, "each is done once");
	ok(s[0].apart && s[0].back, "on a thread of its own, and told on the loop's");
	ok(s[0].blocked, "which takes no signals");
	loop_close(loop);
	return done();
}
