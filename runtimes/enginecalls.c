/* enginecalls.c: the Engine API's endpoints for containers, networks and volumes. */
#include "base/json.h"
#include "runtimes/engineown.h"

#define MS_PER_S 1000ull

static struct engine_call *ask(struct engine *e, struct engine_ask *a, struct buf *path, struct buf *what, engine_fn *fn, void *ctx)
{
	a->path = buf_view(path);
	a->what = buf_view(what);
	return engine_ask(e, a, fn, ctx);
}

void engine_label_filter(struct buf *path, struct str label)
{
	CLEANUP_BUF struct buf filter = BUF_INIT(BUF_UNLIMITED);
	struct json j = {.out = &filter};
	json_open(&j, '{');
	json_key(&j, "label");
	json_open(&j, '[');
	json_str(&j, label);
	json_close(&j, ']');
	json_close(&j, '}');
	engine_query(path, "filters", buf_view(&filter));
}

/* "/containers/NAME/verb" and "verb the container NAME" */
static void of_thing(struct buf *path, struct buf *what, const char *collection, struct str name, const char *tail, const char *verb,
		     const char *thing)
{
	buf_fmt(path, "/%s", collection);
	engine_segment(path, name);
	buf_z(path, tail);
	buf_fmt(what, "%s the %s " STR_FMT, verb, thing, STR_ARG(name));
}
#define PATHS CLEANUP_BUF struct buf path = BUF_INIT(BUF_UNLIMITED), what = BUF_INIT(BUF_UNLIMITED)

/* --- containers --- */

struct engine_call *engine_create(struct engine *e, struct str name, struct str platform, struct str body, engine_fn *fn, void *ctx)
{
	PATHS;
	struct engine_ask a = {.method = "POST", .body = body};
	buf_z(&path, "/containers/create");
	engine_query(&path, "name", name);
	if (platform.n)
		engine_query(&path, "platform", platform);
	buf_fmt(&what, "create the container " STR_FMT, STR_ARG(name));
	return ask(e, &a, &path, &what, fn, ctx);
}

struct engine_call *engine_start(struct engine *e, struct str id, engine_fn *fn, void *ctx)
{
	PATHS;
	struct engine_ask a = {.method = "POST", .not_modified = true, .path = {0}};
	of_thing(&path, &what, "containers", id, "/start", "start", "container");
	struct engine_call *c = ask(e, &a, &path, &what, fn, ctx);
	c->starts = true;
	return c;
}

struct engine_call *engine_kill(struct engine *e, struct str id, int sig, engine_fn *fn, void *ctx)
{
	PATHS;
	struct engine_ask a = {.method = "POST"};
	of_thing(&path, &what, "containers", id, "/kill", "send a signal to", "container");
	buf_fmt(&path, "?signal=%d", sig);
	return ask(e, &a, &path, &what, fn, ctx);
}

struct engine_call *engine_stop(struct engine *e, struct str id, unsigned seconds, engine_fn *fn, void *ctx)
{
	PATHS;
	struct engine_ask a = {.method = "POST", .not_modified = true, .timeout_ms = (seconds + 60) * MS_PER_S};
	of_thing(&path, &what, "containers", id, "/stop", "stop", "container");
	buf_fmt(&path, "?t=%u", seconds);
	return ask(e, &a, &path, &what, fn, ctx);
}

/* By its own API, Podman can be told not to wait for the container's grace period. */
struct engine_call *engine_remove(struct engine *e, struct str id, engine_fn *fn, void *ctx)
{
	PATHS;
	struct engine_ask a = {.method = "DELETE", .gone_is_fine = true, .libpod = e->libpod != 0};
	of_thing(&path, &what, "containers", id, e->libpod ? "?force=true&v=true&timeout=0" : "?force=1&v=1", "remove", "container");
	return ask(e, &a, &path, &what, fn, ctx);
}

struct engine_call *engine_inspect(struct engine *e, struct str id, engine_fn *fn, void *ctx)
{
	PATHS;
	struct engine_ask a = {.method = "GET"};
	of_thing(&path, &what, "containers", id, "/json", "inspect", "container");
	return ask(e, &a, &path, &what, fn, ctx);
}

struct engine_call *engine_wait(struct engine *e, struct str id, engine_fn *fn, void *ctx)
{
	PATHS;
	struct engine_ask a = {.method = "POST", .timeout_ms = ENGINE_NO_TIMEOUT};
	of_thing(&path, &what, "containers", id, "/wait?condition=not-running", "wait for", "container");
	return ask(e, &a, &path, &what, fn, ctx);
}

static struct engine_call *list(struct engine *e, const char *where, struct str label, const char *things, engine_fn *fn, void *ctx)
{
	PATHS;
	struct engine_ask a = {.method = "GET"};
	buf_z(&path, where);
	engine_label_filter(&path, label);
	buf_fmt(&what, "list %s", things);
	return ask(e, &a, &path, &what, fn, ctx);
}

struct engine_call *engine_list(struct engine *e, struct str label, engine_fn *fn, void *ctx)
{
	return list(e, "/containers/json?all=1", label, "containers", fn, ctx);
}

static const struct node *at(const struct node *map, const char *key)
{
	return map && map->kind == NODE_MAP ? node_get(map, str_of(key)) : NULL;
}

static struct str text(const struct node *map, const char *key)
{
	const struct node *n = at(map, key);
	return n && n->kind == NODE_SCALAR && !node_is_null(n) ? n->s : (struct str){0};
}

static bool truth(const struct node *map, const char *key)
{
	bool b = false;
	const struct node *n = at(map, key);
	return n && node_bool(n, &b) && b;
}

bool engine_state_of(const struct node *inspect, struct engine_state *out)
{
	const struct node *s = at(inspect, "State");
	uint64_t code = 0, pid = 0;
	*out = (struct engine_state){.status = text(s, "Status")};
	if (!out->status.n || !str_u64(text(s, "ExitCode"), &code) || code > 255)
		return false;
	str_u64(text(s, "Pid"), &pid);
	out->exit_code = (int)code;
	out->pid = (int64_t)pid;
	out->oom = truth(s, "OOMKilled");
	out->error = text(s, "Error");
	out->started = text(s, "StartedAt");
	out->finished = text(s, "FinishedAt");
	out->ended = str_is(out->status, "exited") || str_is(out->status, "stopped") || str_is(out->status, "dead");
	out->settled = out->ended && !str_is(out->status, "stopped");
	out->running = !out->ended && (truth(s, "Running") || !(str_is(out->status, "created") || str_is(out->status, "configured") ||
								 str_is(out->status, "initialized") || str_is(out->status, "removing")));
	return true;
}

/* --- files --- */

struct engine_call *engine_put(struct engine *e, struct str id, struct str folder, engine_read *read, engine_fn *fn, void *ctx)
{
	CLEANUP_BUF struct buf path = BUF_INIT(BUF_UNLIMITED), full = BUF_INIT(BUF_UNLIMITED);
	struct http_header type = {"Content-Type", S("application/x-tar")};
	struct engine_call *c = call_new(e, call_what("copy files to " STR_FMT " in the container " STR_FMT, STR_ARG(folder), STR_ARG(id)),
					 fn, ctx);
	buf_z(&path, "/containers");
	engine_segment(&path, id);
	buf_z(&path, "/archive?noOverwriteDirNonDir=1&copyUIDGID=1");
	engine_query(&path, "path", folder);
	engine_path(e, false, buf_view(&path), &full);
	c->read = read;
	call_send(c, "PUT", buf_view(&full), &type, 1, NULL);
	return c;
}

struct engine_call *engine_get(struct engine *e, struct str id, struct str file, engine_data *data, engine_fn *fn, void *ctx)
{
	CLEANUP_BUF struct buf path = BUF_INIT(BUF_UNLIMITED), full = BUF_INIT(BUF_UNLIMITED);
	struct engine_call *c = call_new(e, call_what("copy " STR_FMT " from the container " STR_FMT, STR_ARG(file), STR_ARG(id)), fn, ctx);
	buf_z(&path, "/containers");
	engine_segment(&path, id);
	buf_z(&path, "/archive");
	engine_query(&path, "path", file);
	engine_path(e, false, buf_view(&path), &full);
	c->data = data;
	call_send(c, "GET", buf_view(&full), NULL, 0, NULL);
	return c;
}

/* --- exec --- */

struct engine_call *engine_exec_create(struct engine *e, struct str id, struct str body, engine_fn *fn, void *ctx)
{
	PATHS;
	struct engine_ask a = {.method = "POST", .body = body};
	of_thing(&path, &what, "containers", id, "/exec", "run a program in", "container");
	return ask(e, &a, &path, &what, fn, ctx);
}

struct engine_call *engine_exec_inspect(struct engine *e, struct str exec, engine_fn *fn, void *ctx)
{
	PATHS;
	struct engine_ask a = {.method = "GET"};
	of_thing(&path, &what, "exec", exec, "/json", "inspect", "program");
	return ask(e, &a, &path, &what, fn, ctx);
}

/* --- networks and volumes --- */

struct engine_call *engine_network_create(struct engine *e, struct str body, engine_fn *fn, void *ctx)
{
	struct engine_ask a = {.method = "POST", .path = S("/networks/create"), .body = body, .what = S("create a network")};
	return engine_ask(e, &a, fn, ctx);
}

struct engine_call *engine_network_remove(struct engine *e, struct str id, engine_fn *fn, void *ctx)
{
	PATHS;
	struct engine_ask a = {.method = "DELETE", .gone_is_fine = true};
	of_thing(&path, &what, "networks", id, "", "remove", "network");
	return ask(e, &a, &path, &what, fn, ctx);
}

struct engine_call *engine_network_connect(struct engine *e, struct str network, struct str container, engine_fn *fn, void *ctx)
{
	PATHS;
	CLEANUP_BUF struct buf body = BUF_INIT(BUF_UNLIMITED);
	struct engine_ask a = {.method = "POST"};
	buf_fmt(&body, "{\"Container\":\"" STR_FMT "\"}", STR_ARG(container));
	a.body = buf_view(&body);
	of_thing(&path, &what, "networks", network, "/connect", "connect the container to", "network");
	return ask(e, &a, &path, &what, fn, ctx);
}

struct engine_call *engine_networks(struct engine *e, struct str label, engine_fn *fn, void *ctx)
{
	return list(e, "/networks", label, "networks", fn, ctx);
}

struct engine_call *engine_volume_create(struct engine *e, struct str body, engine_fn *fn, void *ctx)
{
	struct engine_ask a = {.method = "POST", .path = S("/volumes/create"), .body = body, .what = S("create a volume")};
	return engine_ask(e, &a, fn, ctx);
}

struct engine_call *engine_volume_remove(struct engine *e, struct str name, engine_fn *fn, void *ctx)
{
	PATHS;
	struct engine_ask a = {.method = "DELETE", .gone_is_fine = true};
	of_thing(&path, &what, "volumes", name, "", "remove", "volume");
	return ask(e, &a, &path, &what, fn, ctx);
}

struct engine_call *engine_volumes(struct engine *e, struct str label, engine_fn *fn, void *ctx)
{
	return list(e, "/volumes", label, "volumes", fn, ctx);
}

/* --- what it is --- */

struct engine_call *engine_info(struct engine *e, engine_fn *fn, void *ctx)
{
	struct engine_ask a = {.method = "GET", .path = S("/info"), .what = S("ask the engine what it is")};
	return engine_ask(e, &a, fn, ctx);
}

void engine_about_of(struct arena *arena, const struct node *info, struct engine_about *out)
{
	const struct node *options = at(info, "SecurityOptions"), *warnings = at(info, "Warnings");
	uint64_t cgroups = 0;
	*out = (struct engine_about){
		.version = text(info, "ServerVersion"), .os = text(info, "OSType"), .arch = text(info, "Architecture"),
		.storage = text(info, "Driver"), .cgroup_driver = text(info, "CgroupDriver"), .runtime = text(info, "DefaultRuntime"),
	};
	str_u64(text(info, "CgroupVersion"), &cgroups);
	out->cgroup_version = (unsigned)cgroups;
	for (size_t i = 0; options && options->kind == NODE_LIST && i < options->n; i++) {
		struct str name = options->items[i].value->s, word;
		str_starts(name, S("name=")) ? (name = str_from(name, 5)) : name;
		if (!str_cut(&name, ',', &word))
			continue;
		out->rootless |= str_is(word, "rootless");
		out->userns |= str_is(word, "userns");
		out->seccomp |= str_is(word, "seccomp");
		out->selinux |= str_is(word, "selinux");
		out->apparmor |= str_is(word, "apparmor");
	}
	if (warnings && warnings->kind == NODE_LIST) {
		out->warnings = arena_array(arena, warnings->n + 1, struct str);
		for (size_t i = 0; i < warnings->n; i++)
			if (warnings->items[i].value->kind == NODE_SCALAR)
				out->warnings[out->nwarnings++] = str_dup(arena, warnings->items[i].value->s);
	}
	out->version = str_dup(arena, out->version);
	out->os = str_dup(arena, out->os);
	out->arch = str_dup(arena, out->arch);
	out->storage = str_dup(arena, out->storage);
	out->cgroup_driver = str_dup(arena, out->cgroup_driver);
	out->runtime = str_dup(arena, out->runtime);
}
