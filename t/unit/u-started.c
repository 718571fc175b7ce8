#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sys/child.h"
#include "sys/started.h"
#include "tap.h"

#define ROOT "/nowhere/at/all"

static char top[] = "/tmp/cairn-u-started.XXXXXX", path[64];

static struct child nap(const char *workspace)
{
	static const char *const argv[] = {"sleep", "60", NULL};
	const char *env[] = {"PATH=/usr/bin:/bin", workspace, NULL};
	struct child c = {.argv = argv, .env = env, .dir = "/", .in = -1, .out = -1, .err = -1};

	if (child_start(&c, NULL) < 0)
		c.pid = 0;
	return c;
}

static void pause_ms(long ms) { nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL); }

/* Groups that were ended; -1 when that failed. */
static int ended(void)
{
	size_t n;

	return started_end_left(path, ROOT, "/nowhere/copies", &n, NULL) < 0 ? -1 : (int)n;
}

static bool lives(const struct child *c)
{
	return waitpid(c->pid, NULL, WNOHANG) == 0;
}

static void away(const struct child *c)
{
	kill(-c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
}

static void noted(void)
{
	struct started *s = started_open(path);
	uint64_t since = started_now();
	struct child ours = nap("CAIRN_WORKSPACE=" ROOT);

	started_note(s, ours.pid, true, since);
	ok(ended() == 1 && !lives(&ours), "what was noted is ended");
	ok(access(path, F_OK) < 0 && ended() == 0, "once");
	started_close(s);
}

static void not_ours(void)
{
	struct started *s = started_open(path);
	struct child other = nap("CAIRN_WORKSPACE=" ROOT);

	pause_ms(30);
	started_note(s, other.pid, true, started_now());
	ok(ended() == 0 && lives(&other), "another process with the number of one that is gone is left alone");
	started_close(s);
	away(&other);
}

static void over(void)
{
	struct started *s = started_open(path);
	uint64_t since = started_now();
	struct child ours = nap("CAIRN_WORKSPACE=" ROOT);
	size_t note = started_note(s, ours.pid, true, since);

	ok(started_note(s, 1, true, since) != note, "each note has a name of its own");
	started_ended(s, note);
	ok(ended() == 0 && lives(&ours), "what is told to have ended is no longer looked for");
	started_close(s);
	away(&ours);
}

static void another_boot(void)
{
	struct started *s = started_open(path);
	uint64_t since = started_now();
	struct child ours = nap("CAIRN_WORKSPACE=" ROOT);
	int fd;

	started_note(s, ours.pid, true, since);
	fd = open(path, O_WRONLY);
	ok(pwrite(fd, "another", 7, 8) == 7 && ended() == 0 && lives(&ours), "numbers of another boot mean nothing");
	close(fd);
	started_close(s);
	away(&ours);
}

int main(void)
{
	if (!mkdtemp(top))
		return 1;
	snprintf(path, sizeof(path), "%s/started", top);
	ok(ended() == 0, "no file is nothing left");
	noted();
	not_ours();
	over();
	another_boot();
	rmdir(top);
	return done();
}
