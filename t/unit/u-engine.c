#include "runtimes/engine.h"

#include "engines.h"

static struct str create(const char *what, const char *more)
{
	struct engine_answer a;
	struct str name = name_of(what), body = str_fmt(&arena, "{\"Image\":\"localhost/busybox:1\",\"Labels\":{\"cairn.test\":\"%d\"},%s,"
		"\"HostConfig\":{\"NetworkMode\":\"none\",\"Init\":true}}", (int)getpid(), more);
	BLOCKING(a, engine_create(engine, name, (struct str){0}, body, engine_keep, &a));
	ok(a.fault == ENGINE_OK && a.id.n >= 12, "%s: a container is created", kind);
	if (a.fault != ENGINE_OK)
		printf("# %s\n", said);
	return a.id;
}

static void removed(struct str id)
{
	struct engine_answer a;
	BLOCKING(a, engine_remove(engine, id, engine_keep, &a));
	is_int(a.fault, ENGINE_OK, "%s: it is removed", kind);
	BLOCKING(a, engine_remove(engine, id, engine_keep, &a));
	is_int(a.fault, ENGINE_OK, "%s: twice is no fault", kind);
	BLOCKING(a, engine_inspect(engine, id, engine_keep, &a));
	is_int(a.fault, ENGINE_ABSENT, "%s: and then it is absent", kind);
	ok(strstr(said, "unable to inspect the container") && strstr(said, "says: "), "%s: in the engine's own words", kind);
}

static void outputs(void)
{
	struct heard h;
	struct engine_output out = listen_to(&h);
	struct engine_answer a;
	struct engine_state s;
	struct str id = create("out", "\"Cmd\":[\"sh\",\"-c\",\"echo one; echo two >&2; exit 42\"]");
	engine_attach(engine, id, false, false, &out);
	ok(until(&h.ready), "%s: attached before it starts", kind);
	BLOCKING(a, engine_start(engine, id, engine_keep, &a));
	is_int(a.fault, ENGINE_OK, "%s: it starts", kind);
	until(&h.over);
	is_int(h.fault, ENGINE_OK, "%s: its output comes to an end", kind);
	is_str(buf_view(&h.streams[0]), "one\n", "%s: one stream", kind);
	is_str(buf_view(&h.streams[1]), "two\n", "%s: and the other", kind);
	s = state_of(id);
	ok(s.ended && s.exit_code == 42 && !s.oom, "%s: its status is known", kind);
	BLOCKING(a, engine_wait(engine, id, engine_keep, &a));
	ok(a.fault == ENGINE_OK && a.json && str_is(node_get(a.json, S("StatusCode"))->s, "42"), "%s: waiting tells the same", kind);
	BLOCKING(a, engine_kill(engine, id, SIGTERM, engine_keep, &a));
	ok(a.fault == ENGINE_CONFLICT, "%s: no signal reaches what has ended", kind);
	heard_release(&h);
	out = listen_to(&h);
	engine_logs(engine, id, (struct str){0}, false, false, &out);
	until(&h.over);
	ok(h.fault == ENGINE_OK && str_is(buf_view(&h.streams[0]), "one\n") && str_is(buf_view(&h.streams[1]), "two\n"), "%s: its log has it, too", kind);
	heard_release(&h);
	removed(id);
}

static void inputs(void)
{
	struct heard h;
	struct engine_output out = listen_to(&h);
	struct engine_answer a;
	struct str id = create("in", "\"Cmd\":[\"sh\",\"-c\",\"cat; echo end >&2\"],\"OpenStdin\":true,\"StdinOnce\":true,\"AttachStdin\":true");
	char *block = calloc(1, 1 << 20);
	memset(block, 'x', 1 << 20);
	h.call = engine_attach(engine, id, true, false, &out);
	until(&h.ready);
	BLOCKING(a, engine_start(engine, id, engine_keep, &a));
	for (int i = 0; i < 4; i++)
		engine_write(h.call, (struct str){block, 1 << 20});
	ok(engine_shut(h.call), "%s: its input can be ended", kind);
	until(&h.over);
	ok(h.streams[0].n == 4u << 20 && str_is(buf_view(&h.streams[1]), "end\n"), "%s: what is written to it comes back, and its end is seen", kind);
	ok(state_of(id).exit_code == 0, "%s: it ends well", kind);
	free(block);
	heard_release(&h);
	removed(id);
}

static void signals(void)
{
	struct heard h;
	struct engine_output out = listen_to(&h);
	struct engine_answer a;
	struct str id = create("sig", "\"Cmd\":[\"sh\",\"-c\",\"trap 'echo got; exit 7' TERM; echo up; while :; do sleep 0.1; done\"]");
	engine_attach(engine, id, false, false, &out);
	until(&h.ready);
	BLOCKING(a, engine_start(engine, id, engine_keep, &a));
	BLOCKING(a, engine_start(engine, id, engine_keep, &a));
	is_int(a.fault, ENGINE_OK, "%s: a second start is no fault", kind);
	while (!h.over && h.streams[0].n < 3)
		loop_turn(loop, 1000, NULL);
	BLOCKING(a, engine_kill(engine, id, SIGTERM, engine_keep, &a));
	is_int(a.fault, ENGINE_OK, "%s: a signal is sent", kind);
	until(&h.over);
	is_str(buf_view(&h.streams[0]), "up\ngot\n", "%s: and arrives", kind);
	is_int(state_of(id).exit_code, 7, "%s: the status is the program's", kind);
	heard_release(&h);
	removed(id);
}

static void faults(void)
{
	struct engine_answer a;
	struct str id;
	BLOCKING(a, engine_create(engine, name_of("no"), (struct str){0}, S("{\"Image\":\"localhost/never:1\"}"), engine_keep, &a));
	is_int(a.fault, ENGINE_ABSENT, "%s: an image that is not here", kind);
	id = create("noprog", "\"Cmd\":[\"/no/such/program\"],\"Entrypoint\":[]");
	BLOCKING(a, engine_create(engine, name_of("noprog"), (struct str){0}, S("{\"Image\":\"localhost/busybox:1\"}"), engine_keep, &a));
	is_int(a.fault, ENGINE_CONFLICT, "%s: a name that is taken", kind);
	removed(id);
}

static void no_program(const char *what, const char *cmd, enum engine_fault want)
{
	struct engine_answer a;
	struct str name = name_of("prog"), body = str_fmt(&arena, "{\"Image\":\"localhost/busybox:1\",\"Entrypoint\":[\"%s\"],"
		"\"HostConfig\":{\"NetworkMode\":\"none\"}}", cmd);
	BLOCKING(a, engine_create(engine, name, (struct str){0}, body, engine_keep, &a));
	BLOCKING(a, engine_start(engine, name, engine_keep, &a));
	if (!is_int(a.fault, want, "%s: %s is told from a fault of the engine", kind, what))
		printf("# %s\n", said);
	BLOCKING(a, engine_remove(engine, name, engine_keep, &a));
}

static void checks(void)
{
	bool podman = strstr(engine_url(engine).s, "podman.sock");
	ok(engine_kind(engine) == (podman ? ENGINE_PODMAN : ENGINE_DOCKER), "%s: it is known what it is", kind);
	ok(engine_api(engine) >= 40 && engine_api(engine) <= 51, "%s: by a version that both speak", kind);
	outputs();
	inputs();
	signals();
	faults();
	no_program("a missing program", "/no/such/program", ENGINE_NO_PROGRAM);
	no_program("one that is nowhere in PATH", "nosuchprogram", ENGINE_NO_PROGRAM);
	no_program("one without the right to execute", "/etc/passwd", ENGINE_NOT_EXECUTABLE);
	no_program("a folder", "/etc", ENGINE_NOT_EXECUTABLE);
}

int main(void)
{
	return with_engines(checks);
}
