/* shimrig.h: a real shim with a link to it, between them an engine that may cut the stream: what it then still holds is
 * lost, from any byte on, in both directions, as is what the shim says while nobody is attached. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtimes/shimlink.h"
#include "sys/loop.h"
#include "tap.h"

#define RIG_SILENCE 20000

struct rig {
	pid_t pid;
	int in, out;                    /* to its standard input, from its standard output */
	bool eof;
	struct shimlink *link;
	struct buf to, from;            /* what the engine holds */
	/* what came of it */
	int readies, agains, brokens, byes;
	char reason[256];
	bool first;
	struct buf stream[3], archive, text;
	bool keep;                      /* else output is only counted and summed */
	uint64_t total[3];
	int dones, puts, gets;
	struct shim_done done;
	int put_reason, get_reason;
	void (*on_output)(struct rig *, int stream, struct str);
	void *user;
	/* cuts */
	uint64_t moved, cut_at;
	int cuts;
};

static uint64_t rig_seed = 88172645463325252u;

static inline uint64_t rig_random(uint64_t below)
{
	rig_seed ^= rig_seed << 13;
	rig_seed ^= rig_seed >> 7;
	rig_seed ^= rig_seed << 17;
	return below ? rig_seed % below : 0;
}

static inline void rig_ready(void *ctx, bool again, uint32_t pid, bool first)
{
	struct rig *r = ctx;
	r->readies++;
	r->agains += again;
	r->first = first && pid == 1;
}

static inline void rig_broken(void *ctx, struct err *err)
{
	struct rig *r = ctx;
	r->brokens++;
	snprintf(r->reason, sizeof(r->reason), "%s", err->text);
}

static inline void rig_output(void *ctx, uint32_t step, int stream, struct str bytes)
{
	struct rig *r = ctx;
	(void)step;
	r->total[stream] += bytes.n;
	if (r->on_output)
		r->on_output(r, stream, bytes);
	if (r->keep)
		buf_str(&r->stream[stream], bytes);
}

static inline void rig_done(void *ctx, const struct shim_done *d, struct str text)
{
	struct rig *r = ctx;
	r->dones++;
	r->done = *d;
	buf_clear(&r->text);
	buf_str(&r->text, text);
}

static inline void rig_put_done(void *ctx, uint32_t id, int reason, struct str text)
{
	struct rig *r = ctx;
	(void)id;
	r->puts++;
	r->put_reason = reason;
	buf_clear(&r->text);
	buf_str(&r->text, text);
}

static inline void rig_got(void *ctx, uint32_t id, struct str bytes)
{
	struct rig *r = ctx;
	(void)id;
	buf_str(&r->archive, bytes);
}

static inline void rig_get_done(void *ctx, uint32_t id, int reason, struct str text)
{
	struct rig *r = ctx;
	(void)id;
	r->gets++;
	r->get_reason = reason;
	buf_clear(&r->text);
	buf_str(&r->text, text);
}

static inline void rig_bye(void *ctx, struct str text)
{
	struct rig *r = ctx;
	r->byes++;
	snprintf(r->reason, sizeof(r->reason), STR_FMT, STR_ARG(text));
}

static const struct shimlink_calls rig_calls = {
	.ready = rig_ready, .broken = rig_broken, .output = rig_output, .done = rig_done, .put_done = rig_put_done, .got = rig_got,
	.get_done = rig_get_done, .bye = rig_bye,
};

/* The static program, or the one made as this test is (perhaps with sanitizers). */
static inline const char *rig_program(bool as_installed)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);
	path[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(path, '/');
	strcpy(slash ? slash + 1 : path, as_installed ? "lib/cairn-shim" : "cairn-shim");
	return path;
}

/* In the child; for PID 1 of a name space of its own a further process is in between. */
static inline void rig_exec(const char *program, char *const *args, bool first, int in, int out)
{
	dup2(in, 0);
	dup2(out, 1);
	if (!getenv("RIG_STDERR"))      /* for whoever looks for a fault */
		dup2(open("/dev/null", O_WRONLY), 2);
	if (first) {
		if (unshare(CLONE_NEWPID | (geteuid() ? CLONE_NEWUSER : 0)) < 0)
			_exit(99);
		pid_t pid = fork();
		if (pid > 0) {
			int status = 0;
			close(0), close(1);
			waitpid(pid, &status, 0);
			_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 98);
		}
	}
	execv(program, args);
	_exit(97);
}

static inline void rig_start_with(struct rig *r, const char *program, const char *word, bool first, const struct shimlink_calls *calls,
				  uint32_t silence)
{
	int in[2], out[2];
	*r = (struct rig){.keep = true, .cut_at = UINT64_MAX};
	for (int i = 0; i < 3; i++)
		r->stream[i] = (struct buf)BUF_INIT(256u << 20);
	r->to = r->from = r->archive = r->text = (struct buf)BUF_INIT(256u << 20);
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		abort();
	char *args[] = {"cairn-shim", (char *)word, NULL};
	r->pid = fork();
	if (r->pid == 0)
		rig_exec(program, args, first, in[0], out[1]);
	close(in[0]), close(out[1]);
	r->in = in[1], r->out = out[0];
	fcntl(r->in, F_SETFL, O_NONBLOCK);
	fcntl(r->out, F_SETFL, O_NONBLOCK);
	r->link = shimlink_open(calls, r, silence, NULL);
	shimlink_connect(r->link, loop_now());
}

static inline void rig_start(struct rig *r, const char *program, const char *word, bool first)
{
	rig_start_with(r, program, word, first, &rig_calls, RIG_SILENCE);
}

/* --- the engine --- */

static inline void rig_drop(struct buf *b, size_t n)
{
	memmove(b->s, b->s + n, b->n - n);
	b->n -= n;
}

static inline void rig_cut(struct rig *r)
{
	char lost[65536];
	r->cuts++;
	r->to.n = rig_random(r->to.n + 1);
	if (rig_random(2) && r->from.n) {
		size_t n = rig_random(r->from.n + 1);
		shimlink_feed(r->link, str_head(buf_view(&r->from), n), loop_now());
	}
	r->from.n = 0;
	for (int i = (int)rig_random(4); i && read(r->out, lost, 1 + rig_random(sizeof(lost))) > 0; i--)
		;
	shimlink_connect(r->link, loop_now());
}

static inline void rig_turn(struct rig *r)
{
	char bytes[65536];
	struct str p;
	uint64_t before = r->moved;
	while (r->to.n < 131072 && (p = shimlink_pending(r->link)).n) {
		size_t n = p.n < 65536 ? p.n : 65536;
		buf_add(&r->to, p.s, n);
		shimlink_wrote(r->link, n);
	}
	struct pollfd v[2] = {{.fd = r->eof ? -1 : r->out, .events = POLLIN}, {.fd = r->to.n ? r->in : -1, .events = POLLOUT}};
	uint64_t due = shimlink_due(r->link), now = loop_now();
	poll(v, 2, r->from.n ? 0 : due == UINT64_MAX ? 100 : due <= now ? 0 : due - now > 100000000 ? 100 : (int)((due - now) / 1000000) + 1);
	if (v[1].revents) {
		ssize_t n = write(r->in, r->to.s, r->to.n);
		if (n < 0 && errno != EAGAIN)
			n = (ssize_t)r->to.n;
		if (n > 0) {
			rig_drop(&r->to, (size_t)n);
			r->moved += (size_t)n;
		}
	}
	if (v[0].revents) {
		ssize_t n = read(r->out, bytes, sizeof(bytes));
		if (n > 0)
			buf_add(&r->from, bytes, (size_t)n);
		r->eof |= n == 0;
		r->moved += n > 0 ? (uint64_t)n : 0;
	}
	if (r->moved >= r->cut_at && r->moved != before) {
		rig_cut(r);
		r->cut_at = r->moved + 1 + rig_random(rig_random(2) ? 3000 : 300000);
	}
	if (r->from.n) {
		shimlink_feed(r->link, buf_view(&r->from), loop_now());
		r->from.n = 0;
	}
	shimlink_tick(r->link, loop_now());
}

/* Until the count has gone past what it was, or nothing comes any more. */
static inline bool rig_await(struct rig *r, const int *count, int past)
{
	uint64_t end = loop_now() + 60000000000u;
	while (*count <= past && !r->eof && loop_now() < end)
		rig_turn(r);
	return *count > past;
}

/* --- steps --- */

static inline void rig_clear(struct rig *r)
{
	for (int i = 0; i < 3; i++) {
		buf_clear(&r->stream[i]);
		r->total[i] = 0;
	}
	buf_clear(&r->archive);
}

static inline bool rig_step(struct rig *r, const struct shim_step *s)
{
	int before = r->dones;
	rig_clear(r);
	return shimlink_step(r->link, s, NULL) && rig_await(r, &r->dones, before);
}

/* As `sh -c SCRIPT` with the shim's environment. */
static inline struct shim_step rig_shell(const char *script, const char **argv)
{
	argv[0] = "sh", argv[1] = "-c", argv[2] = script, argv[3] = NULL;
	return (struct shim_step){.argv = argv, .flags = STEP_ENV_ADD, .cwd = "/", .umask = 022, .grace_ms = 5000};
}

static inline bool rig_sh(struct rig *r, const char *script)
{
	const char *argv[4];
	struct shim_step s = rig_shell(script, argv);
	return rig_step(r, &s);
}

/* Closes the stream; the shim's exit status, 1000 + signal. */
static inline int rig_end(struct rig *r)
{
	int status = 0;
	close(r->in), close(r->out);
	waitpid(r->pid, &status, 0);
	shimlink_close(r->link);
	for (int i = 0; i < 3; i++)
		buf_release(&r->stream[i]);
	buf_release(&r->to), buf_release(&r->from), buf_release(&r->archive), buf_release(&r->text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Says END and waits for the end. */
static inline int rig_finish(struct rig *r)
{
	int never = 0;
	shimlink_end(r->link);
	rig_await(r, &never, 0);
	return rig_end(r);
}
