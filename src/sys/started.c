#include "sys/started.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"
#include "base/vec.h"
#include "sys/file.h"
#include "sys/process.h"

#define FILE_MAX (1u << 20)
#define MS 1000000ull
#define LEFT_MS 5000                    /* for what was killed to be gone; it may hang in the kernel */

struct head { char magic[8]; char boot[40]; uint64_t pids; };
struct row { int32_t pid; uint32_t group; uint64_t since, until; };

static const char magic[8] = "cairnrn";

struct started {
	char *path;
	int fd;                         /* -1 until something is noted */
	VEC(bool) used;
};

uint64_t started_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Where and since when numbers of processes mean what they mean now. */
static void this_head(struct head *h)
{
	struct stat ns;

	memset(h, 0, sizeof(*h));
	memcpy(h->magic, magic, sizeof(magic));
	int fd CLEANUP_FD = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, h->boot, sizeof(h->boot) - 1) < 0)
		h->boot[0] = '?';
	if (stat("/proc/self/ns/pid", &ns) == 0)
		h->pids = ns.st_ino;
}

/* --- of this run --- */

struct started *started_open(const char *path)
{
	struct started *s = xcalloc(1, sizeof(*s));

	s->path = strdup(path);
	s->fd = -1;
	return s;
}

void started_close(struct started *s)
{
	if (!s)
		return;
	if (s->fd >= 0) {
		close(s->fd);
		unlink(s->path);
	}
	vec_free(&s->used);
	free(s->path);
	free(s);
}

static void make(struct started *s)
{
	struct head h;

	s->fd = open(s->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	this_head(&h);
	if (s->fd >= 0)
		(void)!pwrite(s->fd, &h, sizeof(h), 0);
}

static void put(const struct started *s, size_t at, const struct row *row)
{
	if (s->fd >= 0)
		(void)!pwrite(s->fd, row, sizeof(*row), (off_t)(sizeof(struct head) + at * sizeof(*row)));
}

size_t started_note(struct started *s, pid_t pid, bool group, uint64_t since)
{
	struct row row = {.pid = pid, .group = group, .since = since, .until = started_now()};
	size_t at = 0;

	if (s->fd < 0)
		make(s);
	while (at < s->used.n && s->used.v[at])
		at++;
	if (at == s->used.n)
		vec_add(&s->used, true);
	s->used.v[at] = true;
	put(s, at, &row);
	return at;
}

void started_ended(struct started *s, size_t at)
{
	s->used.v[at] = false;
	put(s, at, &(struct row){0});
}

/* --- of an earlier one --- */

struct search { const struct row *row; const char *root, *copies; };     /* root NULL: of any workspace */

static bool is_of(const struct search *s, pid_t pid)
{
	CLEANUP_BUF struct buf value = BUF_INIT(PATH_MAX);

	return process_env(pid, "CAIRN_WORKSPACE", &value) &&
	       (str_is(buf_view(&value), s->root) || path_within(buf_view(&value), str_of(s->copies)));
}

static bool is_member(void *ctx, const struct process *p)
{
	const struct search *search = ctx;

	return p->group == search->row->pid && !p->dead && (!search->root || is_of(search, p->pid));
}

/* Is it still that process, or, once it is gone, a group with some process of that workspace? */
static bool is_it(const struct row *row, const char *root, const char *copies)
{
	struct process leader;

	if (process_look(row->pid, &leader))
		return leader.started_ns + PROCESS_TICK_NS > row->since && leader.started_ns <= row->until;
	return row->group && process_any(is_member, &(struct search){row, root, copies});
}

static bool is_left(const struct row *row)
{
	struct process leader;

	return row->group ? kill(-row->pid, 0) == 0 && process_any(is_member, &(struct search){.row = row}) :
			    process_look(row->pid, &leader) && !leader.dead;
}

static int end(const struct row *row, struct err *err)
{
	if (kill(row->group ? -row->pid : row->pid, SIGKILL) < 0 && errno != ESRCH)
		return err_errno(err, "unable to end process %d, which an earlier run left", (int)row->pid);
	for (int ms = 0; is_left(row); ms++) {
		if (ms >= LEFT_MS)
			return err_set(err, ERR_SYSTEM, "process %d, which an earlier run left, does not end; end it, then run again",
				       (int)row->pid);
		nanosleep(&(struct timespec){.tv_nsec = MS}, NULL);
	}
	return 0;
}

static int end_rows(struct str rows, const char *root, const char *copies, size_t *n, struct err *err)
{
	char *real CLEANUP_FREE = realpath(copies, NULL);       /* as their names are given to steps */
	int rc = 0;

	for (struct row row; !rc && rows.n >= sizeof(row); rows = str_from(rows, sizeof(row))) {
		memcpy(&row, rows.s, sizeof(row));
		if (row.pid <= 1 || !is_it(&row, root, real ? real : copies))
			continue;
		++*n;
		rc = end(&row, err);
	}
	return rc;
}

int started_end_left(const char *path, const char *root, const char *copies, size_t *n, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct head h;
	struct str bytes;
	int rc = 0;

	*n = 0;
	this_head(&h);
	if (file_read(&a, AT_FDCWD, path, FILE_MAX, &bytes, NULL) == 1 && bytes.n >= sizeof(h) && !memcmp(bytes.s, &h, sizeof(h)))
		rc = end_rows(str_from(bytes, sizeof(h)), root, copies, n, err);
	if (rc == 0)
		unlink(path);
	arena_release(&a);
	return rc;
}
