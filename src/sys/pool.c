#include "sys/pool.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POOL_MAX 64

struct pool {
	atomic_size_t next;
	size_t n;
	void (*work)(void *ctx, size_t i);
	void *ctx;
};

static void *pool_run(void *arg)
{
	struct pool *pool = arg;
	size_t i;
	while ((i = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed)) < pool->n)
		pool->work(pool->ctx, i);
	return NULL;
}

/* Signals belong to the main thread, whose loop waits for them. Returns how many threads started: with none of
 * them the caller does it all. */
static unsigned pool_start(struct pool *pool, pthread_t *threads, unsigned n)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	unsigned started = 0;
	while (started < n && pthread_create(&threads[started], NULL, pool_run, pool) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

void pool_each(size_t n, unsigned threads, void (*work)(void *ctx, size_t i), void *ctx)
{
	struct pool pool = {.n = n, .work = work, .ctx = ctx};
	if (threads > POOL_MAX)
		threads = POOL_MAX;
	if (threads > n)
		threads = (unsigned)n;
	pthread_t helpers[POOL_MAX];
	unsigned started = threads > 1 ? pool_start(&pool, helpers, threads - 1) : 0;
	pool_run(&pool);
	for (unsigned i = 0; i < started; i++)
		pthread_join(helpers[i], NULL);
}

/* --- how many CPUs --- */

static bool read_line(const char *path, char *out, size_t size)
{
	int fd CLEANUP_FD = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);
	if (n <= 0)
		return false;
	out[n] = '\0';
	return true;
}

/* CPUs that quota/period amount to, rounded up; 0: no limit. */
static unsigned share(double quota, double period)
{
	if (quota <= 0 || period <= 0)
		return 0;
	double cpus = quota / period;
	return cpus >= 65536 ? 0 : (unsigned)cpus + (cpus > (unsigned)cpus);
}

/* cpu.max of cgroup v2 ("max 100000" or "150000 100000"), cpu.cfs_* of v1, in one folder. */
static unsigned quota_in(const char *mount, const char *dir)
{
	char path[4352], text[64];
	double quota, period;
	snprintf(path, sizeof(path), "%s%s/cpu.max", mount, dir);
	if (read_line(path, text, sizeof(text)))
		return sscanf(text, "%lf %lf", &quota, &period) == 2 ? share(quota, period) : 0;
	snprintf(path, sizeof(path), "%s%s/cpu.cfs_quota_us", mount, dir);
	if (!read_line(path, text, sizeof(text)) || sscanf(text, "%lf", &quota) != 1)
		return 0;
	snprintf(path, sizeof(path), "%s%s/cpu.cfs_period_us", mount, dir);
	return read_line(path, text, sizeof(text)) && sscanf(text, "%lf", &period) == 1 ? share(quota, period) : 0;
}

/* The tightest quota of the group and those it lies in. */
static unsigned quota_above(const char *mount, char *dir)
{
	unsigned least = 0;
	for (;;) {
		unsigned q = quota_in(mount, strcmp(dir, "/") == 0 ? "" : dir);
		if (q && (!least || q < least))
			least = q;
		char *slash = strrchr(dir, '/');
		if (!slash || !*dir || strcmp(dir, "/") == 0)
			return least;
		*slash = '\0';
	}
}

/* A line of /proc/self/cgroup is ID:CONTROLLERS:DIR; v2's has no controllers. */
static unsigned quota_of_line(char *line)
{
	char *controllers = strchr(line, ':');
	char *dir = controllers ? strchr(controllers + 1, ':') : NULL;
	if (!dir)
		return 0;
	*dir++ = '\0';
	controllers++;
	if (!*controllers)
		return quota_above("/sys/fs/cgroup", dir);
	for (char *rest, *name = strtok_r(controllers, ",", &rest); name; name = strtok_r(NULL, ",", &rest))
		if (strcmp(name, "cpu") == 0)
			return quota_above("/sys/fs/cgroup/cpu", dir);
	return 0;
}

static unsigned cgroup_cpus(void)
{
	char text[16384];
	unsigned least = 0;
	if (!read_line("/proc/self/cgroup", text, sizeof(text)))
		return 0;
	for (char *rest, *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		unsigned q = quota_of_line(line);
		if (q && (!least || q < least))
			least = q;
	}
	return least;
}

unsigned pool_cpus(void)
{
	static unsigned cpus;
	if (cpus)
		return cpus;
	cpu_set_t set;
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	/* Fails where there are more CPUs than cpu_set_t has bits. */
	unsigned n = sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) :
		     online > 0 ? (unsigned)online : 1;
	unsigned quota = cgroup_cpus();
	cpus = quota && quota < n ? quota : n;
	return cpus;
}
