/* engineopen.c: the places where an engine may be are asked one after the other, until one answers. */
#include <errno.h>
#include <stdlib.h>

#include "runtimes/enginechild.h"
#include "runtimes/engineown.h"

#define API_OURS 51                     /* what has been read of the API's history, 1.51; older ones from 1.40 on do */
#define API_OLDEST 40
#define PING_MS 10000                   /* who takes a connection and says nothing for so long is not there */
#define SERVICE_MS 20000                /* for a service of ours to come up */
#define AGAIN_NS 10000000ull
#define KEEP_NS (ENGINE_SERVICE_IDLE_S / 4 * 1000000000ull)

struct engine_opening {
	struct http *http;
	struct arena arena;
	engine_opened *opened;
	void *ctx;
	int wanted;
	struct engine_place *places, *place;
	size_t n, at;
	struct http_call *call;
	struct loop_watch *timer;
	struct engine_service *service;
	uint64_t began;                 /* of the service */
	int status;
	struct str api, libpod;         /* of the last ping's head */
	struct buf notes;               /* what was found out of each place */
	struct err err;
};

static void next(void *ctx);

static void opening_free(struct engine_opening *o)
{
	http_cancel(o->call);
	loop_remove(http_loop(o->http), o->timer);
	engine_service_end(o->service);
	buf_release(&o->notes);
	err_release(&o->err);
	arena_release(&o->arena);
	free(o);
}

void engine_open_cancel(struct engine_opening *o)
{
	if (o)
		opening_free(o);
}

static void finish(struct engine_opening *o, struct engine *e)
{
	engine_opened *opened = o->opened;
	void *ctx = o->ctx;
	struct err err = ERR_INIT;
	err_move(&err, &o->err);
	opening_free(o);
	opened(ctx, e, e ? NULL : &err);
	err_release(&err);
}

static void fail(struct engine_opening *o)
{
	struct str notes = buf_view(&o->notes);
	if (!err_any(&o->err) && o->wanted >= 0)
		err_set(&o->err, ERR_RUNTIME, "unable to find %s%s" STR_FMT "; install it and start its service, or name its socket as unix:///PATH; "
			"`cairn doctor` tells what was looked at", engine_kind_name((enum engine_kind)o->wanted), notes.n ? ": " : "", STR_ARG(notes));
	else if (!err_any(&o->err))
		err_set(&o->err, ERR_RUNTIME, "unable to find a container engine%s" STR_FMT "; install Podman or Docker, start its service, or name "
			"its socket as unix:///PATH; `cairn doctor` tells what was looked at", notes.n ? ": " : "", STR_ARG(notes));
	finish(o, NULL);
}

/* --- what answered --- */

/* "1.41" -> 41; 0: it is none. */
static unsigned minor_of(struct str version)
{
	uint64_t minor = 0;
	return str_starts(version, S("1.")) && str_u64(str_from(version, 2), &minor) && minor < 1000 ? (unsigned)minor : 0;
}

static void keep_alive(void *ctx);

static struct engine *engine_new(struct engine_opening *o, unsigned api)
{
	struct engine *e = xcalloc(1, sizeof(*e));
	const struct http_server *from = &o->place->server;
	uint64_t major = 0;
	struct str word, rest = o->libpod;
	e->http = o->http;
	e->server = (struct http_server){
		str_dup(&e->arena, from->url), str_dup(&e->arena, from->socket), str_dup(&e->arena, from->ca_file),
		str_dup(&e->arena, from->cert_file), str_dup(&e->arena, from->key_file), {0}, {0}, {0}, from->insecure,
	};
	if (str_cut(&rest, '.', &word) && str_u64(word, &major))
		e->libpod = (unsigned)major;
	e->kind = o->libpod.n ? ENGINE_PODMAN : ENGINE_DOCKER;
	e->api = api < API_OURS ? api : API_OURS;
	e->url = str_dup(&e->arena, o->place->url);
	e->why = str_dup(&e->arena, o->place->why);
	e->service = o->service;
	o->service = NULL;
	if (e->service && o->place->how == PLACE_SERVICE)
		e->keep = loop_timer(http_loop(o->http), KEEP_NS, keep_alive, e);
	return e;
}

/* A service of ours must not think that nobody needs it. */
static void kept_alive(void *ctx, const struct engine_reply *reply)
{
	(void)ctx, (void)reply;
}

static void keep_alive(void *ctx)
{
	struct engine *e = ctx;
	engine_ask(e, &(struct engine_ask){.method = "GET", .path = S("/_ping"), .what = S("ping")}, kept_alive, NULL);
	e->keep = loop_timer(http_loop(e->http), KEEP_NS, keep_alive, e);
}

static void answered(struct engine_opening *o)
{
	unsigned api = minor_of(o->api);
	enum engine_kind kind = o->libpod.n ? ENGINE_PODMAN : ENGINE_DOCKER;
	const char *name = engine_kind_name(kind);
	struct str url = o->place->url;
	if (o->wanted >= 0 && (int)kind != o->wanted) {
		buf_fmt(&o->notes, "%sat " STR_FMT " is %s", o->notes.n ? "; " : "", STR_ARG(url), name);
		next(o);
	} else if (api < API_OLDEST) {
		err_set(&o->err, ERR_RUNTIME, "unable to use %s at " STR_FMT ": it speaks version '" STR_FMT "' of the API, and 1.%d is the "
			"oldest that is known; a newer %s is needed", name, STR_ARG(url), STR_ARG(o->api), API_OLDEST, name);
		fail(o);
	} else {
		finish(o, engine_new(o, api));
	}
}

/* --- what did not --- */

const char *engine_advice(int os_errno, enum engine_kind likely)
{
	if (os_errno == EACCES && likely == ENGINE_DOCKER)
		return " (no right to the socket: become a member of the group docker, with a new login, or use a rootless engine)";
	if (os_errno == EACCES)
		return " (no right to the socket: start the user's own, `systemctl --user start podman.socket`)";
	if (os_errno == ECONNREFUSED)
		return " (nobody listens any more: start the engine)";
	return "";
}

static void not_answered(struct engine_opening *o, struct str why, int os_errno)
{
	struct engine_place *p = o->place;
	if (p->named && o->wanted < 0) {
		err_set(&o->err, ERR_RUNTIME, "unable to use the container engine that " STR_FMT " names, " STR_FMT ": " STR_FMT "%s", STR_ARG(p->why),
			STR_ARG(p->url), STR_ARG(why), engine_advice(os_errno, p->likely));
		fail(o);
		return;
	}
	/* That a usual place is empty is no news. */
	if (p->named || os_errno != ENOENT)
		buf_fmt(&o->notes, "%s" STR_FMT ": " STR_FMT "%s", o->notes.n ? "; " : "", STR_ARG(p->url), STR_ARG(why), engine_advice(os_errno, p->likely));
	next(o);
}

/* --- asking --- */

static void ask(void *ctx);

static void ping_head(void *ctx, const struct http_head *head)
{
	struct engine_opening *o = ctx;
	o->status = head->status;
	o->api = str_dup(&o->arena, http_header(head, "API-Version"));
	o->libpod = str_dup(&o->arena, http_header(head, "Libpod-API-Version"));
}

/* A service that has just been started: not yet, or never. True: it was dealt with. */
static bool service_late(struct engine_opening *o)
{
	struct str words;
	if (!o->service || o->place->how != PLACE_SERVICE)
		return false;
	if (!engine_service_ended(o->service) && loop_now() - o->began < SERVICE_MS * 1000000ull) {
		o->timer = loop_timer(http_loop(o->http), AGAIN_NS, ask, o);
		return true;
	}
	words = engine_service_words(o->service, &o->arena);
	engine_service_end(o->service);
	o->service = NULL;
	not_answered(o, words.n ? words : S("the service does not come up"), 0);
	return true;
}

static void ping_done(void *ctx, const struct http_end *end)
{
	struct engine_opening *o = ctx;
	struct str why, words;
	o->call = NULL;
	if (end->fault == HTTP_WHOLE && o->status == 200 && o->api.n) {
		answered(o);
		return;
	}
	if (end->fault != HTTP_WHOLE && service_late(o))
		return;
	if (end->fault == HTTP_WHOLE)
		why = str_fmt(&o->arena, "what answers is no container engine (status %d)", o->status);
	else if (end->fault == HTTP_NO_CONNECT && end->os_errno)
		why = str_fmt(&o->arena, "%s", strerror(end->os_errno));
	else
		why = str_dup(&o->arena, str_of(end->err->text));
	if (o->service && (words = engine_service_words(o->service, &o->arena)).n)
		why = words;            /* ssh says it better */
	engine_service_end(o->service);
	o->service = NULL;
	not_answered(o, why, end->os_errno);
}

static void ask(void *ctx)
{
	struct engine_opening *o = ctx;
	struct http_request r = {.server = &o->place->server, .path = S("/_ping"), .timeout_ms = PING_MS};
	struct http_handler handler = {ping_head, NULL, NULL, ping_done, o};
	o->timer = NULL;
	o->status = 0;
	o->api = o->libpod = (struct str){0};
	o->call = http_start(o->http, &r, &handler);
}

static void next(void *ctx)
{
	struct engine_opening *o = ctx;
	struct err err = ERR_INIT;
	struct str socket;
	o->timer = NULL;
	if (o->at == o->n || err_any(&o->err)) {
		fail(o);
		return;
	}
	o->place = &o->places[o->at++];
	if (o->place->problem.n) {
		not_answered(o, o->place->problem, 0);
		return;
	}
	if (o->place->how == PLACE_SSH || o->place->how == PLACE_SERVICE) {
		o->service = engine_service_start(http_loop(o->http), o->place, &socket, &err);
		if (!o->service) {
			struct str why = str_dup(&o->arena, str_of(err.text));
			err_release(&err);
			not_answered(o, why, 0);
			return;
		}
		o->began = loop_now();
		o->place->server = (struct http_server){.url = S("http://localhost"), .socket = socket};
	}
	ask(o);
}

struct engine_opening *engine_open(struct http *http, const struct engine_choice *choice, engine_opened *opened, void *ctx)
{
	struct engine_opening *o = xcalloc(1, sizeof(*o));
	struct engine_choice kept;
	o->http = http;
	o->opened = opened;
	o->ctx = ctx;
	o->notes = (struct buf)BUF_INIT(64u << 10);
	kept = (struct engine_choice){str_dup(&o->arena, choice->said), str_dup(&o->arena, choice->where)};
	engine_places(&o->arena, &kept, &o->wanted, &o->places, &o->n, &o->err);
	o->timer = loop_timer(http_loop(http), 0, next, o);
	return o;
}

struct open_wait { struct engine *engine; struct err *err; bool over; };

static void open_over(void *ctx, struct engine *e, struct err *err)
{
	struct open_wait *w = ctx;
	w->engine = e;
	if (err)
		err_move(w->err, err);
	w->over = true;
}

struct engine *engine_open_wait(struct http *http, const struct engine_choice *choice, struct err *err)
{
	struct open_wait w = {.err = err};
	struct engine_opening *o = engine_open(http, choice, open_over, &w);
	while (!w.over)
		if (loop_turn(http_loop(http), -1, err) < 0) {
			engine_open_cancel(o);
			return NULL;
		}
	return w.engine;
}
