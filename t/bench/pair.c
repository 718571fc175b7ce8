/* pair.c: two commands in turn, and how much longer the one takes than the other.
 *
 *	pair [-n PAIRS] [-p PREPARE_A] [-P PREPARE_B] -- DIR_A COMMAND... -- DIR_B COMMAND...
 *
 * Runs PREPARE_A and PREPARE_B (by sh, in the folder, not timed) before each run of A and of B; a warm-up pair is
 * not counted; who goes first alternates, so that what drifts on the machine meets both. Prints, separated
 * by tabs: the medians of A and B in ms; first quartile, median and third quartile of the ratios A/B of each pair; peak
 * memory of A and B in KiB (wait4's ru_maxrss); how many runs exited with another status than 0.
 * Only the ratios of pairs are meant to be compared: two cores that others use too make absolute times wander. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct side { const char *prepare, *dir; char **argv; double *ms; long peak; int failed; };

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static pid_t start(const char *dir, char **argv)
{
	pid_t pid = vfork();

	if (pid < 0)
		die("vfork");
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		if (!getenv("BENCH_STDERR"))
			dup2(null, 2);
		if (chdir(dir) == 0)
			execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void run(struct side *s, int i)
{
	struct rusage usage;
	double began;
	int status;

	if (s->prepare) {
		char *sh[] = {"sh", "-c", (char *)s->prepare, NULL};

		if (waitpid(start(s->dir, sh), &status, 0) < 0 || status) {
			fprintf(stderr, "pair: '%s' failed in %s\n", s->prepare, s->dir);
			exit(2);
		}
	}
	began = now();
	if (wait4(start(s->dir, s->argv), &status, 0, &usage) < 0)
		die("wait4");
	if (i < 0)
		return;
	s->ms[i] = now() - began;
	s->failed += status != 0;
	if (usage.ru_maxrss > s->peak)
		s->peak = usage.ru_maxrss;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Between the nearest two; v gets sorted. */
static double quantile(double *v, int n, double q)
{
	double at = q * (n - 1);
	int i = (int)at;

	qsort(v, (size_t)n, sizeof(*v), by_value);
	return i + 1 < n ? v[i] + (at - i) * (v[i + 1] - v[i]) : v[i];
}

static void words(struct side *s, char **argv, int *i, int argc)
{
	if (*i >= argc || strcmp(argv[*i], "--") || *i + 2 >= argc) {
		fprintf(stderr, "usage: pair [-n PAIRS] [-p PREPARE] [-P PREPARE] -- DIR COMMAND... -- DIR COMMAND...\n");
		exit(2);
	}
	argv[*i] = NULL;
	s->dir = argv[*i + 1];
	s->argv = argv + *i + 2;
	for (*i += 3; *i < argc && strcmp(argv[*i], "--"); ++*i)
		;
}

int main(int argc, char **argv)
{
	struct side a = {0}, b = {0};
	int n = 11, i = 1;
	double *ratios;

	for (; i + 1 < argc && strcmp(argv[i], "--"); i += 2) {
		switch (argv[i][0] == '-' ? argv[i][1] : 0) {
		case 'n': n = atoi(argv[i + 1]); break;
		case 'p': a.prepare = argv[i + 1]; break;
		case 'P': b.prepare = argv[i + 1]; break;
		}
	}
	words(&a, argv, &i, argc);
	words(&b, argv, &i, argc);
	if (n < 1)
		n = 1;
	a.ms = calloc((size_t)n, sizeof(double));
	b.ms = calloc((size_t)n, sizeof(double));
	ratios = calloc((size_t)n, sizeof(double));
	if (!a.ms || !b.ms || !ratios)
		die("calloc");
	for (i = n > 3 ? -1 : 0; i < n; i++) {
		run(i % 2 ? &b : &a, i);
		run(i % 2 ? &a : &b, i);
		if (i >= 0)
			ratios[i] = a.ms[i] / b.ms[i];
	}
	printf("%.1f\t%.1f\t", quantile(a.ms, n, .5), quantile(b.ms, n, .5));
	printf("%.2f\t%.2f\t%.2f\t", quantile(ratios, n, .25), quantile(ratios, n, .5), quantile(ratios, n, .75));
	printf("%ld\t%ld\t%d\n", a.peak, b.peak, a.failed + b.failed);
	return 0;
}
