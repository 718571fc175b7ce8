/* enginestream.c: what containers write, and what is written to them. */
#include "runtimes/engineown.h"

static void output(void *ctx, int stream, struct str bytes)
{
	struct engine_call *c = ctx;
	if (!c->gone && c->out.output)
		c->out.output(c->out.ctx, stream, bytes);
}

void call_data_stream(struct engine_call *c, struct str bytes)
{
	if (c->raw)
		output(c, 1, bytes);
	else
		demux_feed(&c->demux, bytes, output, c, &c->err);
}

static struct engine_call *stream_new(struct engine *e, struct str what, bool upgrade, bool tty, const struct engine_output *out)
{
	struct engine_call *c = call_new(e, what, out->end, out->ctx);
	c->stream = true;
	c->upgrade = upgrade;
	c->raw = tty;
	c->out = *out;
	return c;
}

static void send(struct engine_call *c, const char *method, struct str path, const struct http_header *header, size_t n)
{
	CLEANUP_BUF struct buf full = BUF_INIT(BUF_UNLIMITED);
	engine_path(c->engine, false, path, &full);
	call_send(c, method, buf_view(&full), header, n, &(struct http_request){.fresh = true});
}

struct engine_call *engine_attach(struct engine *e, struct str id, bool in, bool tty, const struct engine_output *out)
{
	CLEANUP_BUF struct buf path = BUF_INIT(BUF_UNLIMITED);
	struct engine_call *c = stream_new(e, call_what("attach to the container " STR_FMT, STR_ARG(id)), in, tty, out);
	buf_z(&path, "/containers");
	engine_segment(&path, id);
	buf_fmt(&path, "/attach?stream=1&stdout=1&stderr=1%s", in ? "&stdin=1" : "");
	send(c, "POST", buf_view(&path), NULL, 0);
	return c;
}

struct engine_call *engine_logs(struct engine *e, struct str id, struct str since, bool follow, bool tty, const struct engine_output *out)
{
	CLEANUP_BUF struct buf path = BUF_INIT(BUF_UNLIMITED);
	struct engine_call *c = stream_new(e, call_what("read the log of the container " STR_FMT, STR_ARG(id)), false, tty, out);
	buf_z(&path, "/containers");
	engine_segment(&path, id);
	buf_fmt(&path, "/logs?stdout=1&stderr=1%s", follow ? "&follow=1" : "");
	if (since.n)
		engine_query(&path, "since", since);
	send(c, "GET", buf_view(&path), NULL, 0);
	return c;
}

struct engine_call *engine_exec_start(struct engine *e, struct str exec, bool in, bool tty, const struct engine_output *out)
{
	CLEANUP_BUF struct buf path = BUF_INIT(BUF_UNLIMITED);
	struct http_header type = {"Content-Type", S("application/json")};
	struct engine_call *c = stream_new(e, call_what("run a program in a container"), in, tty, out);
	buf_z(&path, "/exec");
	engine_segment(&path, exec);
	buf_z(&path, "/start");
	buf_fmt(&c->body, "{\"Detach\":false,\"Tty\":%s}", tty ? "true" : "false");
	send(c, "POST", buf_view(&path), &type, 1);
	return c;
}

void engine_write(struct engine_call *c, struct str bytes)
{
	if (c->http && c->upgrade)
		http_write(c->http, bytes);
}

size_t engine_unsent(const struct engine_call *c)
{
	return c->http && c->upgrade ? http_unsent(c->http) : 0;
}

bool engine_shut(struct engine_call *c)
{
	return c->http && c->upgrade && http_shut(c->http);
}

void engine_pause(struct engine_call *c, bool paused)
{
	if (c->http)
		http_pause(c->http, paused);
}
