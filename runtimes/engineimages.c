/* engineimages.c: images, and the lines of JSON that an engine writes while it pulls or builds one. It answers 200 first;
 * whether it succeeded stands in the lines. */
#include <stdlib.h>

#include "base/json.h"
#include "runtimes/engineown.h"

#define LINE_MAX_BYTES (4u << 20)
#define PULL_IDLE_S 600

static struct str member(const struct node *map, const char *key)
{
	const struct node *n = map && map->kind == NODE_MAP ? node_get(map, str_of(key)) : NULL;
	return n && n->kind == NODE_SCALAR && !node_is_null(n) ? n->s : (struct str){0};
}

static void keep(struct buf *where, struct str s)
{
	if (!s.n)
		return;
	buf_clear(where);
	buf_str(where, s);
}

static void line(struct engine_call *c, struct str text)
{
	struct arena arena = ARENA_INIT;
	struct source src = {S("the engine's progress"), str_trim(text)};
	struct node *n = NULL;
	if (!src.text.n || c->gone)
		return;
	if (json_read_loose(&arena, &src, &n, NULL) < 0 || n->kind != NODE_MAP) {
		err_set(&c->err, ERR_RUNTIME, "the engine's progress is no JSON: " STR_FMT, (int)(src.text.n < 200 ? src.text.n : 200),
			src.text.s);
	} else {
		const struct node *detail = node_get(n, S("errorDetail")), *aux = node_get(n, S("aux"));
		keep(&c->failed, member(n, "error"));
		keep(&c->failed, member(detail, "message"));
		keep(&c->id, member(aux, "ID"));
		if (c->progress)
			c->progress(c->ctx, n);
	}
	arena_release(&arena);
}

void call_data_lines(struct engine_call *c, struct str bytes, bool last)
{
	ptrdiff_t at;
	while (!c->gone && !err_any(&c->err) && (at = str_chr(bytes, '\n')) >= 0) {
		buf_str(&c->reply, str_head(bytes, (size_t)at));
		bytes = str_from(bytes, (size_t)at + 1);
		line(c, buf_view(&c->reply));
		buf_clear(&c->reply);
	}
	buf_str(&c->reply, bytes);
	if (!last && c->reply.n > LINE_MAX_BYTES && !err_any(&c->err))
		err_set(&c->err, ERR_RUNTIME, "a line of the engine's progress is longer than %u MiB", LINE_MAX_BYTES >> 20);
	if (last && !err_any(&c->err)) {
		line(c, buf_view(&c->reply));
		buf_clear(&c->reply);
	}
}

static struct engine_call *lines_new(struct engine *e, struct str what, engine_progress *progress, engine_fn *fn, void *ctx)
{
	struct engine_call *c = call_new(e, what, fn, ctx);
	c->lines = true;
	c->progress = progress;
	return c;
}

struct engine_call *engine_image(struct engine *e, struct str ref, engine_fn *fn, void *ctx)
{
	CLEANUP_BUF struct buf path = BUF_INIT(BUF_UNLIMITED), what = BUF_INIT(BUF_UNLIMITED);
	buf_z(&path, "/images");
	engine_segment(&path, ref);
	buf_z(&path, "/json");
	buf_fmt(&what, "inspect the image " STR_FMT, STR_ARG(ref));
	return engine_ask(e, &(struct engine_ask){.method = "GET", .path = buf_view(&path), .what = buf_view(&what)}, fn, ctx);
}

/* Podman's own way, which alone takes tlsVerify. */
static void libpod_pull(const struct engine_pull *p, const char *between, struct buf *path)
{
	CLEANUP_BUF struct buf ref = BUF_INIT(BUF_UNLIMITED);
	static const char *const keys[] = {"OS", "Arch", "Variant"};
	struct str rest = p->platform, part;
	buf_fmt(&ref, STR_FMT "%s" STR_FMT, STR_ARG(p->name), between, STR_ARG(p->tag));
	buf_z(path, "/images/pull?policy=always&tlsVerify=false");
	engine_query(path, "reference", buf_view(&ref));
	for (size_t i = 0; i < countof(keys) && str_cut(&rest, '/', &part); i++)
		engine_query(path, keys[i], part);
}

struct engine_call *engine_pull(struct engine *e, const struct engine_pull *p, engine_progress *progress, engine_fn *fn, void *ctx)
{
	CLEANUP_BUF struct buf path = BUF_INIT(BUF_UNLIMITED), full = BUF_INIT(BUF_UNLIMITED);
	const char *between = str_chr(p->tag, ':') >= 0 ? "@" : ":";
	struct http_header auth = {"X-Registry-Auth", p->auth};
	struct engine_call *c = lines_new(e, call_what("pull the image " STR_FMT "%s" STR_FMT, STR_ARG(p->name), between, STR_ARG(p->tag)),
					  progress, fn, ctx);
	bool libpod = p->insecure && e->libpod;
	if (libpod) {
		libpod_pull(p, between, &path);
	} else {
		buf_z(&path, "/images/create");
		engine_query(&path, "fromImage", p->name);
		engine_query(&path, "tag", p->tag);
		if (p->platform.n)
			engine_query(&path, "platform", p->platform);
	}
	engine_path(e, libpod, buf_view(&path), &full);
	call_send(c, "POST", buf_view(&full), &auth, p->auth.n > 0, &(struct http_request){.fresh = true, .idle_s = PULL_IDLE_S});
	return c;
}

struct engine_call *engine_build(struct engine *e, const struct engine_build *b, engine_progress *progress, engine_fn *fn, void *ctx)
{
	CLEANUP_BUF struct buf path = BUF_INIT(BUF_UNLIMITED), full = BUF_INIT(BUF_UNLIMITED);
	struct http_header headers[2] = {{"Content-Type", S("application/x-tar")}, {"X-Registry-Config", b->auth}};
	const struct { const char *key; struct str value; } given[] = {
		{"dockerfile", b->file}, {"t", b->tag}, {"target", b->target}, {"platform", b->platform}, {"networkmode", b->network},
		{"buildargs", b->args}, {"labels", b->labels}, {"nocache", b->no_cache ? S("1") : S("")}, {"pull", b->pull ? S("1") : S("")},
	};
	struct engine_call *c = lines_new(e, call_what("build an image of " STR_FMT, STR_ARG(b->file)), progress, fn, ctx);
	buf_z(&path, "/build?rm=1&forcerm=1&version=1");
	for (size_t i = 0; i < countof(given); i++)
		if (given[i].value.n)
			engine_query(&path, given[i].key, given[i].value);
	engine_path(e, false, buf_view(&path), &full);
	c->read = b->read;
	call_send(c, "POST", buf_view(&full), headers, b->auth.n ? 2 : 1, &(struct http_request){.fresh = true});
	return c;
}

struct engine_call *engine_tag(struct engine *e, struct str id, struct str name, struct str tag, engine_fn *fn, void *ctx)
{
	CLEANUP_BUF struct buf path = BUF_INIT(BUF_UNLIMITED), what = BUF_INIT(BUF_UNLIMITED);
	buf_z(&path, "/images");
	engine_segment(&path, id);
	buf_z(&path, "/tag");
	engine_query(&path, "repo", name);
	engine_query(&path, "tag", tag);
	buf_fmt(&what, "tag the image " STR_FMT " as " STR_FMT ":" STR_FMT, STR_ARG(id), STR_ARG(name), STR_ARG(tag));
	return engine_ask(e, &(struct engine_ask){.method = "POST", .path = buf_view(&path), .what = buf_view(&what)}, fn, ctx);
}

struct engine_call *engine_untag(struct engine *e, struct str ref, engine_fn *fn, void *ctx)
{
	CLEANUP_BUF struct buf path = BUF_INIT(BUF_UNLIMITED), what = BUF_INIT(BUF_UNLIMITED);
	buf_z(&path, "/images");
	engine_segment(&path, ref);
	buf_fmt(&what, "remove the image " STR_FMT, STR_ARG(ref));
	struct engine_ask a = {.method = "DELETE", .path = buf_view(&path), .what = buf_view(&what), .gone_is_fine = true};
	return engine_ask(e, &a, fn, ctx);
}

struct engine_call *engine_images(struct engine *e, struct str label, engine_fn *fn, void *ctx)
{
	CLEANUP_BUF struct buf path = BUF_INIT(BUF_UNLIMITED);
	buf_z(&path, "/images/json?all=1");  /* without it Podman hides what others were built on, named or not */
	engine_label_filter(&path, label);
	return engine_ask(e, &(struct engine_ask){.method = "GET", .path = buf_view(&path), .what = S("list images")}, fn, ctx);
}

struct engine_call *engine_distribution(struct engine *e, struct str ref, struct str auth, engine_fn *fn, void *ctx)
{
	CLEANUP_BUF struct buf path = BUF_INIT(BUF_UNLIMITED), what = BUF_INIT(BUF_UNLIMITED);
	buf_z(&path, "/distribution");
	engine_segment(&path, ref);
	buf_z(&path, "/json");
	buf_fmt(&what, "ask the registry of " STR_FMT, STR_ARG(ref));
	struct engine_ask a = {.method = "GET", .path = buf_view(&path), .what = buf_view(&what), .auth = auth};
	return engine_ask(e, &a, fn, ctx);
}
