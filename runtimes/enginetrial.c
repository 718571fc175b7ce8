#include "runtimes/enginetrial.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "sys/archive.h"
#include "sys/file.h"
#include "sys/module.h"

#define SHIM_MAX (4u << 20)
#define RUN_NS 20000000000ull           /* it ends at once; an engine under load may take a while to see it */
#define SHIM_USAGE 125                  /* what it exits with when it is told nonsense */

struct trial { struct arena arena; struct engine *engine; struct str name, image; };

static int to_buf(void *ctx, const void *bytes, size_t n, struct err *err)
{
	(void)err;
	buf_add(ctx, bytes, n);
	return 0;
}

static int shim_archive(struct trial *t, struct buf *out, struct err *err)
{
	char path[PATH_MAX];
	struct str bytes;
	struct tar_writer *w CLEANUP_TAR = NULL, *whole;
	struct tar_entry entry = {.name = S("cairn-shim"), .type = TAR_FILE, .mode = 0755};
	if (module_file("cairn-shim", path, err) < 0)
		return -1;
	if (file_read(&t->arena, AT_FDCWD, path, SHIM_MAX, &bytes, err) <= 0)
		return err_any(err) ? -1 : err_set(err, ERR_SYSTEM, "unable to read %s: it is gone", path);
	entry.size = bytes.n;
	if (tar_create(&(struct tar_options){0}, to_buf, out, &w, err) < 0 || tar_add_bytes(w, &entry, bytes.s, err) < 0)
		return -1;
	whole = w;
	w = NULL;
	return tar_finish(whole, err);
}

static int import(struct trial *t, struct err *err)
{
	CLEANUP_BUF struct buf archive = BUF_INIT(2 * SHIM_MAX), path = BUF_INIT(4096);
	struct engine_answer a = {.arena = &t->arena};
	if (shim_archive(t, &archive, err) < 0)
		return -1;
	bool podman = engine_kind(t->engine) == ENGINE_PODMAN;  /* which gives no name by Docker's API */
	buf_z(&path, podman ? "/images/import" : "/images/create?fromSrc=-");
	if (podman) {
		engine_query(&path, "reference", t->image);
	} else {
		engine_query(&path, "repo", str_fmt(&t->arena, "localhost/cairn-doctor-%d", (int)getpid()));
		engine_query(&path, "tag", S("trial"));
	}
	engine_ask(t->engine, &(struct engine_ask){.method = "POST", .path = buf_view(&path), .body = buf_view(&archive), .libpod = podman,
						   .type = "application/x-tar", .what = S("make an image")}, engine_keep, &a);
	return engine_await(t->engine, &a, err);
}

static int run(struct trial *t, struct err *err)
{
	struct engine_answer a = {.arena = &t->arena};
	struct engine_state state;
	uint64_t end = loop_now() + RUN_NS;
	struct str body = str_fmt(&t->arena, "{\"Image\":\"" STR_FMT "\",\"Entrypoint\":[\"/cairn-shim\",\"--trial\"],\"Labels\":{\"io.cairn.doctor\":"
		"\"%d\"},\"HostConfig\":{\"NetworkMode\":\"none\"}}", STR_ARG(t->image), (int)getpid());
	engine_create(t->engine, t->name, (struct str){0}, body, engine_keep, &a);
	if (engine_await(t->engine, &a, err) < 0)
		return -1;
	a = (struct engine_answer){.arena = &t->arena};
	engine_start(t->engine, t->name, engine_keep, &a);
	if (engine_await(t->engine, &a, err) < 0)
		return -1;
	do {
		usleep(10000);
		a = (struct engine_answer){.arena = &t->arena};
		engine_inspect(t->engine, t->name, engine_keep, &a);
		if (engine_await(t->engine, &a, err) < 0)
			return -1;
		if (!engine_state_of(a.json, &state))
			return err_set(err, ERR_RUNTIME, "unable to read what the engine says of a container");
	} while (!state.ended && loop_now() < end);
	if (!state.ended)
		return err_set(err, ERR_RUNTIME, "a container that ends at once is still '" STR_FMT "' after %d s", STR_ARG(state.status),
			       (int)(RUN_NS / 1000000000));
	if (state.exit_code != SHIM_USAGE)
		return err_set(err, ERR_RUNTIME, "a container ended with status %d instead of %d%s" STR_FMT, state.exit_code, SHIM_USAGE,
			       state.error.n ? ": " : "", STR_ARG(state.error));
	return 0;
}

static void clean_up(struct trial *t)
{
	struct engine_answer a = {.arena = &t->arena}, b = {.arena = &t->arena};
	struct err err = ERR_INIT;
	engine_remove(t->engine, t->name, engine_keep, &a);
	engine_await(t->engine, &a, &err);
	engine_untag(t->engine, t->image, engine_keep, &b);
	engine_await(t->engine, &b, &err);
	err_release(&err);
}

int engine_trial(struct engine *e, struct err *err)
{
	struct trial t = {.engine = e};
	t.name = str_fmt(&t.arena, "cairn-doctor-%d", (int)getpid());
	t.image = str_fmt(&t.arena, "localhost/cairn-doctor-%d:trial", (int)getpid());
	int rc = import(&t, err);
	if (rc == 0) {
		rc = run(&t, err);
		clean_up(&t);
	}
	arena_release(&t.arena);
	return rc;
}

struct str engine_trial_advice(struct str problem)
{
	static const struct { const char *says, *advice; } known[] = {
		{"hybrid", "crun refuses this machine's hybrid cgroups: install runc and choose it (Podman: runtime = \"runc\" in containers.conf)"},
		{"rlimit", "the engine's preset ulimits are above what it may set: lower default_ulimits in containers.conf, or start it with higher ones"},
		{"subuid", "give the user ranges in /etc/subuid and /etc/subgid: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER"},
		{"newuidmap", "install the package with newuidmap and newgidmap (uidmap)"},
		{"OCI runtime", "look at the OCI runtime (runc or crun): it is missing, or does not work on this machine"},
		{"cgroup", "look at the cgroups: the engine can't make one for a container"},
		{"no space", "make room on the disk that holds the engine's storage"},
	};
	for (size_t i = 0; i < countof(known); i++)
		if (str_find(problem, str_of(known[i].says)) >= 0)
			return str_of(known[i].advice);
	return (struct str){0};
}
