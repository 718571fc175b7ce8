/* What comes from a shim: whatever it is, the controller takes it or breaks the stream. Never an end that was not said, nor
 * output that does not follow on what was there. */
#include <stdio.h>

#include "runtimes/shimlink.h"
#include "shimrows.h"

struct seen { uint32_t step; bool done; int gets; struct shimlink *link; };

static void on_ready(void *ctx, bool again, uint32_t pid, bool first) { (void)ctx, (void)again, (void)pid, (void)first; }
static void on_broken(void *ctx, struct err *err) { (void)ctx; if (!err_any(err)) abort(); }

static void on_output(void *ctx, uint32_t step, int stream, struct str bytes)
{
	struct seen *s = ctx;
	if (step != s->step || s->done || stream < 1 || stream > 2 || !bytes.n)
		abort();
}

static void on_done(void *ctx, const struct shim_done *d, struct str text)
{
	struct seen *s = ctx;
	(void)text;
	if (d->step != s->step || s->done || (d->kind == SHIM_EXITED && d->status > 255))
		abort();
	s->done = true;
}

static void on_put_done(void *ctx, uint32_t id, int reason, struct str text) { (void)ctx, (void)text; if (!id || reason < 0) abort(); }
static void on_got(void *ctx, uint32_t id, struct str bytes) { (void)ctx; if (!id || !bytes.n) abort(); }

static void on_get_done(void *ctx, uint32_t id, int reason, struct str text)
{
	struct seen *s = ctx;
	(void)id, (void)reason, (void)text;
	if (s->gets++)
		abort();
}

static void on_bye(void *ctx, struct str text) { (void)ctx, (void)text; }

static void on_call(void *ctx, uint32_t call, char *const *argv, char *const *env, const char *cwd)
{
	struct seen *s = ctx;
	size_t n = strlen(cwd);
	for (; *argv; argv++)
		n += strlen(*argv);
	for (; *env; env++)
		n += strlen(*env);
	if (n > MESSAGE_MAX)
		abort();
	shimlink_host_output(s->link, call, 1, S("x"));
	if (n % 2)
		shimlink_host_done(s->link, call, SHIM_EXITED, 0, S(""));
}

static void on_input(void *ctx, uint32_t call, struct str bytes) { shimlink_host_taken(((struct seen *)ctx)->link, call, bytes.n); }
static void on_room(void *ctx, uint32_t call, int stream) { shimlink_host_output(((struct seen *)ctx)->link, call, stream, S("more")); }
static void on_gone(void *ctx, uint32_t call) { (void)ctx; if (!call) abort(); }

static const struct shimlink_calls calls = {on_ready, on_broken, NULL, on_output, on_done, on_put_done, on_got, on_get_done, on_bye,
	on_call, on_input, on_room, on_gone};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b CLEANUP_BUF = BUF_INIT(BUF_UNLIMITED);
	const char *const argv[] = {"true", NULL}, *paths[] = {"."};
	struct seen s = {0};
	shim_rows(data, size, &b);
	s.link = shimlink_open(&calls, &s, 1000, NULL);
	if (!s.link)
		abort();
	shimlink_connect(s.link, 1);    /* by which its nonce is always 2 */
	s.step = shimlink_step(s.link, &(struct shim_step){.argv = argv}, NULL);
	shimlink_get(s.link, "/", paths, 1, 0, NULL);
	shimlink_put(s.link, &(struct shim_put){.root = "/"}, NULL);
	for (size_t at = 0, piece = 1 + size % 71; at < b.n; at += piece)
		if (shimlink_feed(s.link, (struct str){b.s + at, piece < b.n - at ? piece : b.n - at}, 2) < 0)
			shimlink_connect(s.link, 1);
	for (struct str p; (p = shimlink_pending(s.link)).n;)
		shimlink_wrote(s.link, p.n);
	shimlink_close(s.link);
	return 0;
}
