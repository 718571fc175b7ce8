#include "runtimes/containerhost.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/vec.h"
#include "runtimes/containerbody.h"
#include "sys/hostrun.h"
#include "sys/hostssh.h"

struct call {
	struct containerhost *host;
	uint32_t id;
	struct hostrun *run;
};

struct containerhost {
	struct job *job;
	struct containerlink *link;
	void (*fn)(void *ctx);
	void *ctx;
	struct engine_call *asking;
	struct loop_watch *timer;
	struct hostssh_server *server;  /* NULL: none */
	const char *address;
	const char *const *env;         /* of commands */
	VEC(struct call *) calls;
};

static const struct plan_place *place_of(const struct containerhost *h) { return plan_place_of(h->job->plan, h->job->step); }

/* ---- the SSH server ---- */

static void tell(void *ctx)
{
	struct containerhost *h = ctx;

	h->timer = NULL;
	h->fn(h->ctx);
}

static void no_server(struct containerhost *h, const char *why)
{
	h->job->note(h->job->ctx, true, str_fmt(h->job->arena, "host_ssh: no SSH for " STR_FMT ", only cairn-host: %s",
						STR_ARG(plan_str(h->job->plan, h->job->step->name)), why));
}

/* CAIRN_WORKSPACE is where the command finds what the step has at /workspace. */
static const char *const *caller(const struct containerhost *h)
{
	const char **env;
	size_t n = 0, to = 0;

	while (environ[n])
		n++;
	env = arena_array(h->job->arena, n + 2, const char *);
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "CAIRN_WORKSPACE=", 16) != 0)
			env[to++] = environ[i];
	env[to] = str_fmt(h->job->arena, "CAIRN_WORKSPACE=%s", h->job->root).s;
	return env;
}

static void serve(struct containerhost *h, const char *address)
{
	struct err err = ERR_INIT;
	struct hostssh *ssh = container_hostssh(h->job->session, &err);
	struct hostssh_how how = {address, h->env, h->job->root};

	h->address = address;
	h->server = ssh ? hostssh_serve(ssh, &how, &err) : NULL;
	if (h->server)
		h->job->secret(h->job->ctx, str_of(hostssh_token(h->server)));
	else
		no_server(h, err.text ? err.text : "unknown reason");
	err_release(&err);
}

static struct str text_in(const struct node *map, const char *key)
{
	const struct node *n = map && map->kind == NODE_MAP ? node_get(map, str_of(key)) : NULL;

	return n && n->kind == NODE_SCALAR && !node_is_null(n) ? n->s : S("");
}

static const struct node *map_in(const struct node *map, const char *key)
{
	const struct node *n = map && map->kind == NODE_MAP ? node_get(map, str_of(key)) : NULL;

	return n && n->kind == NODE_MAP ? n : NULL;
}

/* On a bridge of this machine the gateway is this machine. Both engines say it of each network, and of the default one once
 * more. */
static struct str gateway_of(const struct node *inspect)
{
	const struct node *settings = map_in(inspect, "NetworkSettings"), *networks = map_in(settings, "Networks");
	struct str found = text_in(settings, "Gateway");

	for (size_t i = 0; networks && !found.n && i < networks->n; i++)
		found = text_in(networks->items[i].value, "Gateway");
	return found;
}

static void inspected(void *ctx, const struct engine_reply *reply)
{
	struct containerhost *h = ctx;
	struct str gateway = !reply->fault && reply->json ? gateway_of(reply->json) : S("");

	h->asking = NULL;
	if (reply->fault)
		no_server(h, reply->err && reply->err->text ? reply->err->text : "unknown reason");
	else if (!gateway.n)
		no_server(h, "the container's network has no gateway");
	else
		serve(h, str_dup(h->job->arena, gateway).s);
	h->fn(h->ctx);
}

static const struct shimlink_calls host_calls;

struct containerhost *containerhost_open(struct job *job, struct engine *engine, struct str id, struct containerlink *link,
					 void (*fn)(void *ctx), void *ctx)
{
	struct containerhost *h = xcalloc(1, sizeof(*h));
	const struct plan_place *place;

	*h = (struct containerhost){.job = job, .link = link, .fn = fn, .ctx = ctx};
	containerlink_host(link, &host_calls, h);
	place = place_of(h);
	h->env = caller(h);
	if (place->flags & PLACE_NETWORK_NONE) {        /* as documented: nothing to tell */
		h->timer = loop_timer(job->loop, 0, tell, h);
	} else if (place->networks.n && str_is(plan_word(job->plan, place->networks, 0), "host")) {
		serve(h, "127.0.0.1");
		h->timer = loop_timer(job->loop, 0, tell, h);
	} else {
		h->asking = engine_inspect(engine, id, inspected, h);
	}
	return h;
}

static void call_free(struct call *c)
{
	struct containerhost *h = c->host;

	hostrun_free(c->run);
	for (size_t i = 0; i < h->calls.n; i++)
		if (h->calls.v[i] == c) {
			h->calls.v[i] = h->calls.v[--h->calls.n];
			break;
		}
	free(c);
}

void containerhost_close(struct containerhost *h)
{
	if (!h)
		return;
	containerlink_host(h->link, NULL, NULL);
	engine_cancel(h->asking);
	loop_remove(h->job->loop, h->timer);
	hostssh_end(h->server);
	while (h->calls.n)
		call_free(h->calls.v[0]);
	vec_free(&h->calls);
	free(h);
}

struct str containerhost_known(const struct containerhost *h)
{
	return h->server ? hostssh_known(h->server) : (struct str){0};
}

static const char *given_path(const char *const *env)
{
	for (; *env; env++)
		if (strncmp(*env, "PATH=", 5) == 0)
			return *env + 5;
	return NULL;
}

const char *const *containerhost_env(const struct containerhost *h, const char *const *given, struct str image_path)
{
	struct arena *a = h->job->arena;
	const char *path = given_path(given), **env;
	size_t n = 0, to = 0;

	while (given[n])
		n++;
	env = arena_array(a, n + 8, const char *);
	for (size_t i = 0; i < n; i++)
		if (strncmp(given[i], "PATH=", 5) != 0)
			env[to++] = given[i];
	env[to++] = path ? str_fmt(a, "PATH=" CONTAINER_HOST_DIR ":%s", path).s
			 : str_fmt(a, "PATH=" CONTAINER_HOST_DIR ":" STR_FMT, STR_ARG(image_path)).s;
	if (!h->server)
		return env;
	env[to++] = str_fmt(a, "CAIRN_SSH_HOST=%s", h->address).s;
	env[to++] = str_fmt(a, "CAIRN_SSH_PORT=%u", hostssh_port(h->server)).s;
	env[to++] = "CAIRN_SSH_USER=" HOSTSSH_USER;
	env[to++] = str_fmt(a, "CAIRN_SSH_TOKEN=%s", hostssh_token(h->server)).s;
	env[to++] = "CAIRN_SSH_KNOWN_HOSTS=" INSIDE_SSH "/known_hosts";
	return env;
}

/* ---- cairn-host ---- */

static struct call *call_find(struct containerhost *h, uint32_t id)
{
	for (size_t i = 0; i < h->calls.n; i++)
		if (h->calls.v[i]->id == id)
			return h->calls.v[i];
	return NULL;
}

static struct shimlink *shim_of(const struct call *c) { return containerlink_shim(c->host->link); }

static size_t on_output(void *ctx, int stream, struct str bytes)
{
	struct call *c = ctx;
	size_t taken = 0, n;

	do {
		n = shimlink_host_output(shim_of(c), c->id, stream, str_from(bytes, taken));
		taken += n;
	} while (n && taken < bytes.n);
	containerlink_push(c->host->link);
	return taken;
}

static void on_taken(void *ctx, size_t n)
{
	struct call *c = ctx;

	shimlink_host_taken(shim_of(c), c->id, n);
	containerlink_push(c->host->link);
}

static void on_done(void *ctx, bool signalled, int status)
{
	struct call *c = ctx;

	shimlink_host_done(shim_of(c), c->id, signalled ? SHIM_SIGNALLED : SHIM_EXITED, (uint32_t)status, S(""));
	containerlink_push(c->host->link);
	call_free(c);
}

/* The same folder where it is one of the workspace, else its root. */
static const char *folder(const struct containerhost *h, const char *cwd)
{
	struct str at = str_of(cwd ? cwd : "");

	if (!str_starts(at, S(INSIDE_WORKSPACE "/")))
		return h->job->root;
	return str_fmt(h->job->arena, "%s%s", h->job->root, cwd + sizeof(INSIDE_WORKSPACE) - 1).s;
}

static void on_call(void *ctx, uint32_t id, char *const *argv, char *const *env, const char *cwd)
{
	static const struct hostrun_calls calls = {on_output, on_taken, on_done};
	struct containerhost *h = ctx;
	struct hostrun_how how = {(const char *const *)argv, h->env, folder(h, cwd)};
	struct err err = ERR_INIT;
	struct call *c = xcalloc(1, sizeof(*c));

	(void)env;
	c->host = h;
	c->id = id;
	vec_add(&h->calls, c);
	if (!argv[0])
		err_set(&err, ERR_RUNTIME, "no command was given");
	else
		c->run = hostrun_start(h->job->loop, &how, &calls, c, &err);
	if (!c->run) {
		shimlink_host_done(shim_of(c), id, SHIM_NOT_STARTED, 0, str_of(err.text ? err.text : "unknown reason"));
		call_free(c);
	}
	err_release(&err);
}

static void on_input(void *ctx, uint32_t id, struct str bytes)
{
	struct call *c = call_find(ctx, id);

	if (c)
		hostrun_input(c->run, bytes);
}

static void on_room(void *ctx, uint32_t id, int stream)
{
	struct call *c = call_find(ctx, id);

	if (c)
		hostrun_more(c->run, stream);
}

static void on_gone(void *ctx, uint32_t id)
{
	struct call *c = call_find(ctx, id);

	if (c)
		call_free(c);
}

static const struct shimlink_calls host_calls = {.host_call = on_call, .host_input = on_input, .host_room = on_room, .host_gone = on_gone};
