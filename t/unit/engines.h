/* engines.h: for unit tests with real container engines: each of t/testbed/engines.sh is opened in turn. */
#pragma once

#include <signal.h>
#include <unistd.h>

#include "runtimes/engine.h"
#include "scratch.h"

static struct loop *loop;
static struct http *http;
static struct arena arena;
static struct engine *engine;
static const char *kind;

static struct engine_answer answer(void) { return (struct engine_answer){.arena = &arena}; }
#define BLOCKING(a, call) ({ struct err e_ = ERR_INIT; a = answer(); call; int rc_ = engine_await(engine, &a, &e_); \
	snprintf(said, sizeof(said), "%s", e_.text ? e_.text : ""); err_release(&e_); rc_; })
static char said[4096];

/* What a container wrote. */
struct heard {
	struct buf streams[2];
	int ready, over, drained;
	enum engine_fault fault;
	struct engine_call *call;
};

static void heard_ready(void *ctx) { ((struct heard *)ctx)->ready++; }
static void heard_drained(void *ctx) { ((struct heard *)ctx)->drained++; }
static void heard_output(void *ctx, int stream, struct str bytes)
{
	struct heard *h = ctx;
	buf_str(&h->streams[stream - 1], bytes);
}
static void heard_end(void *ctx, const struct engine_reply *r)
{
	struct heard *h = ctx;
	h->over++;
	h->fault = r->fault;
	if (r->err)
		printf("# %s: %s\n", kind, r->err->text);
}

static struct engine_output listen_to(struct heard *h)
{
	*h = (struct heard){.streams = {BUF_INIT(BUF_UNLIMITED), BUF_INIT(BUF_UNLIMITED)}};
	return (struct engine_output){heard_ready, heard_output, heard_drained, heard_end, h};
}

static void heard_release(struct heard *h)
{
	buf_release(&h->streams[0]);
	buf_release(&h->streams[1]);
}

__attribute__((unused)) static bool until(const int *what)
{
	uint64_t end = loop_now() + 60000000000u;
	while (!*what && loop_now() < end)
		loop_turn(loop, 1000, NULL);
	return *what;
}

static struct str name_of(const char *what) { return str_fmt(&arena, "cairn-u-engine-%d-%s", (int)getpid(), what); }

static struct engine_state state_of(struct str id)
{
	struct engine_answer a;
	struct engine_state s = {0};
	do {
		BLOCKING(a, engine_inspect(engine, id, engine_keep, &a));
		if (a.fault != ENGINE_OK || !engine_state_of(a.json, &s))
			return s;
	} while (s.running);
	return s;
}

/* Runs the checks with each engine; main's value. */
static int with_engines(void (*checks)(void))
{
	const char *urls[] = {getenv("TESTBED_PODMAN"), getenv("TESTBED_DOCKER")};
	struct err err = ERR_INIT;
	scratch_make();
	if (!(loop = loop_open(&err)) || !(http = http_open(loop, &err))) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	for (size_t i = 0; i < countof(urls) && getenv("TESTBED_ROOT"); i++) {
		engine = engine_open_wait(http, &(struct engine_choice){str_of(urls[i]), S("--engine")}, &err);
		if (!ok(engine != NULL, "an engine at %s answers", urls[i])) {
			printf("# %s\n", err.text);
			continue;
		}
		kind = engine_kind_name(engine_kind(engine));
		checks();
		engine_close(engine);
	}
	if (!getenv("TESTBED_ROOT") && getenv("CI"))
		ok(false, "container engines were started: see ./build.sh test");
	else if (!getenv("TESTBED_ROOT"))
		ok(true, "# SKIP no container engines: ./build.sh test starts them as root");
	http_close(http);
	loop_close(loop);
	arena_release(&arena);
	scratch_remove();
	return done();
}
