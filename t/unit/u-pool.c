#include <stdatomic.h>
#include <unistd.h>

#include "sys/lock.h"
#include "sys/pool.h"
#include "sys/xdg.h"
#include "tap.h"

static void count(void *ctx, size_t i)
{
	atomic_int *seen = ctx;
	atomic_fetch_add(&seen[i], 1);
}

static bool each_once(size_t n, unsigned threads)
{
	atomic_int *seen = xcalloc(n + 1, sizeof(*seen));
	pool_each(n, threads, count, seen);
	bool good = seen[n] == 0;
	for (size_t i = 0; i < n; i++)
		good &= seen[i] == 1;
	free(seen);
	return good;
}

static void locks(void)
{
	char path[64];
	bool busy;
	long holder;
	snprintf(path, sizeof(path), "/tmp/cairn-u-pool.%ld.lock", (long)getpid());
	int fd = lock_take(path, false, &busy, &holder, NULL);
	ok(fd >= 0 && !busy, "a free lock is taken");
	ok(lock_take(path, false, &busy, &holder, NULL) < 0 && busy, "a held one is busy");
	is_int(holder, getpid(), "and names its holder");
	close(fd);
	fd = lock_take(path, true, &busy, &holder, NULL);
	ok(fd >= 0, "closing lets it go");
	close(fd);
	unlink(path);
}

static void folders(void)
{
	struct arena arena = ARENA_INIT;
	struct str s = {0};
	setenv("HOME", "/home/x", 1);
	setenv("XDG_STATE_HOME", "/state", 1);
	setenv("XDG_CACHE_HOME", "relative", 1);
	unsetenv("XDG_CONFIG_HOME");
	ok(xdg_state(&arena, &s, NULL) == 0 && str_is(s, "/state/cairn"), "a folder is taken from its variable");
	ok(xdg_cache(&arena, &s, NULL) == 0 && str_is(s, "/home/x/.cache/cairn"), "a relative one is ignored");
	ok(xdg_config(&arena, &s, NULL) == 0 && str_is(s, "/home/x/.config/cairn"), "without one it is in the home");
	arena_release(&arena);
}

int main(void)
{
	ok(each_once(0, 4), "no work is none");
	ok(each_once(1, 4), "one piece of work is done");
	ok(each_once(10000, 1), "alone, each is done once");
	ok(each_once(10000, 4), "with helpers, each is done once");
	ok(each_once(500, 1000), "too many helpers are no harm");
	ok(pool_cpus() >= 1 && pool_cpus() == pool_cpus(), "there is a CPU");
	locks();
	folders();
	return done();
}
