#include "runtimes/containerlink.h"

#include <stdlib.h>

#define SILENCE_MS 60000                /* how long the shim waits for a controller that is gone */
#define ATTACH_NS (10ull * 1000 * 1000 * 1000)   /* for the engine to attach */
#define SAID_MAX 2000
#define UNSENT_MAX (1u << 20)

struct containerlink {
	struct engine *engine;
	struct str id;
	struct containerlink_calls calls;
	void *ctx;
	const struct shimlink_calls *host;      /* NULL: nobody */
	void *host_ctx;
	struct shimlink *shim;
	struct engine_call *attach;
	struct loop_watch *due, *lost;  /* lost: the stream is of no use, which is told soon */
	struct buf said;                /* what the shim wrote to stderr */
	bool connected;                 /* this stream */
	uint64_t until;                 /* when it must be */
};

static void on_due(void *ctx);

static void set_due(struct containerlink *l)
{
	struct loop *loop = engine_loop(l->engine);
	uint64_t due = l->connected ? shimlink_due(l->shim) : l->attach ? l->until : UINT64_MAX, now = loop_now();

	loop_remove(loop, l->due);
	l->due = due == UINT64_MAX ? NULL : loop_timer(loop, due > now ? due - now : 0, on_due, l);
}

void containerlink_push(struct containerlink *l)
{
	struct str bytes;

	while (l->connected && engine_unsent(l->attach) < UNSENT_MAX && (bytes = shimlink_pending(l->shim)).n) {
		engine_write(l->attach, bytes);
		shimlink_wrote(l->shim, bytes.n);
	}
	set_due(l);
}

static void on_lost(void *ctx)
{
	struct containerlink *l = ctx;

	l->lost = NULL;
	l->calls.ended(l->ctx, buf_view(&l->said));
}

/* A stream that is of no use any more: on the engine's side it might go on for ever. */
static void drop(struct containerlink *l, const char *why)
{
	if (!l->said.n)
		buf_z(&l->said, why);
	l->connected = false;
	engine_cancel(l->attach);
	l->attach = NULL;
	if (!l->lost)
		l->lost = loop_timer(engine_loop(l->engine), 0, on_lost, l);
}

static void on_due(void *ctx)
{
	struct containerlink *l = ctx;

	l->due = NULL;
	if (!l->connected && l->attach)
		drop(l, "the engine does not attach");
	else
		shimlink_tick(l->shim, loop_now());
	containerlink_push(l);
}

/* ---- the stream ---- */

static void on_ready(void *ctx)
{
	struct containerlink *l = ctx;

	l->connected = true;
	shimlink_connect(l->shim, loop_now());
	containerlink_push(l);
	l->calls.attached(l->ctx);
}

static void on_output(void *ctx, int stream, struct str bytes)
{
	struct containerlink *l = ctx;

	if (stream == 2) {
		buf_str(&l->said, str_head(bytes, bytes.n < SAID_MAX - l->said.n ? bytes.n : SAID_MAX - l->said.n));
		return;
	}
	if (l->connected && shimlink_feed(l->shim, bytes, loop_now()) == 0)
		containerlink_push(l);          /* unless it was closed meanwhile, which ended does not allow */
}

static void on_drained(void *ctx)
{
	containerlink_push(ctx);
}

static void on_end(void *ctx, const struct engine_reply *reply)
{
	struct containerlink *l = ctx;
	CLEANUP_BUF struct buf text = BUF_INIT(2 * SAID_MAX);

	l->attach = NULL;
	l->connected = false;
	set_due(l);
	if (reply->err && reply->err->text)
		buf_z(&text, reply->err->text);
	if (l->said.n)
		buf_fmt(&text, "%s" STR_FMT, text.n ? "; " : "", STR_ARG(str_trim(buf_view(&l->said))));
	l->calls.ended(l->ctx, buf_view(&text));
}

void containerlink_again(struct containerlink *l)
{
	struct engine_output output = {on_ready, on_output, on_drained, on_end, l};

	if (l->attach)
		BUG("attached twice");
	l->attach = engine_attach(l->engine, l->id, true, false, &output);
	l->until = loop_now() + ATTACH_NS;
	set_due(l);
}

/* ---- what the shim says ---- */

static void on_shim_ready(void *ctx, bool again, uint32_t pid, bool first)
{
	struct containerlink *l = ctx;

	if (l->calls.shim.ready)
		l->calls.shim.ready(l->ctx, again, pid, first);
}

static void on_broken(void *ctx, struct err *err)
{
	drop(ctx, err->text ? err->text : "");
	err_release(err);
}

#define PASSED(name, own, params, ...) static void own params { struct containerlink *l = ctx; l->calls.shim.name(l->ctx, __VA_ARGS__); }
#define PASS(name, params, ...) PASSED(name, on_##name, params, __VA_ARGS__)
PASSED(output, on_output_of, (void *ctx, uint32_t step, int stream, struct str bytes), step, stream, bytes)
PASS(done, (void *ctx, const struct shim_done *done, struct str text), done, text)
PASS(put_done, (void *ctx, uint32_t id, int reason, struct str text), id, reason, text)
PASS(got, (void *ctx, uint32_t id, struct str bytes), id, bytes)
PASS(get_done, (void *ctx, uint32_t id, int reason, struct str text), id, reason, text)
PASS(bye, (void *ctx, struct str text), text)
#undef PASS
#undef PASSED

#define PASS(name, params, ...) static void on_##name params { struct containerlink *l = ctx; if (l->host) l->host->name(l->host_ctx, __VA_ARGS__); }
PASS(host_call, (void *ctx, uint32_t call, char *const *argv, char *const *env, const char *cwd), call, argv, env, cwd)
PASS(host_input, (void *ctx, uint32_t call, struct str bytes), call, bytes)
PASS(host_room, (void *ctx, uint32_t call, int stream), call, stream)
PASS(host_gone, (void *ctx, uint32_t call), call)
#undef PASS

void containerlink_host(struct containerlink *l, const struct shimlink_calls *host, void *ctx)
{
	l->host = host;
	l->host_ctx = ctx;
}

struct containerlink *containerlink_open(struct engine *engine, struct str id, const struct containerlink_calls *calls, void *ctx, struct err *err)
{
	static const struct shimlink_calls mine = {
		.ready = on_shim_ready, .broken = on_broken, .output = on_output_of, .done = on_done, .put_done = on_put_done,
		.got = on_got, .get_done = on_get_done, .bye = on_bye,
		.host_call = on_host_call, .host_input = on_host_input, .host_room = on_host_room, .host_gone = on_host_gone,
	};
	struct containerlink *l = xcalloc(1, sizeof(*l) + id.n);

	l->engine = engine;
	memcpy(l + 1, id.s, id.n);
	l->id = (struct str){(char *)(l + 1), id.n};
	l->calls = *calls;
	l->ctx = ctx;
	l->said = (struct buf)BUF_INIT(SAID_MAX);
	l->shim = shimlink_open(&mine, l, SILENCE_MS, err);
	if (!l->shim) {
		free(l);
		return NULL;
	}
	containerlink_again(l);
	return l;
}

void containerlink_close(struct containerlink *l)
{
	if (!l)
		return;
	engine_cancel(l->attach);
	loop_remove(engine_loop(l->engine), l->due);
	loop_remove(engine_loop(l->engine), l->lost);
	shimlink_close(l->shim);
	buf_release(&l->said);
	free(l);
}

void containerlink_owner(struct containerlink *l, const struct containerlink_calls *calls, void *ctx)
{
	l->calls = *calls;
	l->ctx = ctx;
}

struct shimlink *containerlink_shim(struct containerlink *l) { return l->shim; }
