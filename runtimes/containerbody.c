#include "runtimes/containerbody.h"

#include <stdio.h>

#include "base/json.h"

static void words(struct json *j, const char *key, const struct str *v, size_t n)
{
	json_key(j, key);
	json_open(j, '[');
	for (size_t i = 0; i < n; i++)
		json_str(j, v[i]);
	json_close(j, ']');
}

static void span_words(struct json *j, const struct plan *p, const char *key, struct plan_span span)
{
	if (!span.n)
		return;
	json_key(j, key);
	json_open(j, '[');
	for (uint32_t i = 0; i < span.n; i++)
		json_str(j, plan_word(p, span, i));
	json_close(j, ']');
}

/* ---- mounts ---- */

static void bind(struct json *j, struct str source, struct str target, bool readonly)
{
	json_open(j, '{');
	json_kstr(j, "Type", S("bind"));
	json_kstr(j, "Source", source);
	json_kstr(j, "Target", target);
	json_kbool(j, "ReadOnly", readonly);
	json_close(j, '}');
}

/* As an option of the engine and not as a mount, whose default forbids to execute what is on it. */
static void tmpfs(struct json *j, struct str target, uint64_t size)
{
	char room[80];

	if (size)
		snprintf(room, sizeof(room), "rw,exec,nosuid,nodev,mode=1777,size=%llu", (unsigned long long)size);
	else
		snprintf(room, sizeof(room), "rw,exec,nosuid,nodev,mode=1777");
	json_key_str(j, target);
	json_str(j, str_of(room));
}

/* Without a name it ends with the container; it begins with what the image has there. */
static void volume(struct json *j, struct str name, struct str target, bool readonly)
{
	json_open(j, '{');
	json_kstr(j, "Type", S("volume"));
	if (name.n)
		json_kstr(j, "Source", name);
	json_kstr(j, "Target", target);
	json_kbool(j, "ReadOnly", readonly);
	json_close(j, '}');
}

static void mount(struct json *j, const struct containerbody *b, const struct plan_mount *m, struct str source)
{
	struct str target = plan_str(b->plan, m->target);
	bool readonly = m->flags & MOUNT_READONLY;

	switch (m->kind) {
	case MOUNT_KIND_TMPFS:
		return;                 /* see tmpfses */
	case MOUNT_KIND_VOLUME:
		volume(j, source, target, readonly);
		return;
	default:
		bind(j, source, target, readonly);
	}
}

static bool is_target(const struct plan *p, const struct plan_place *place, struct str path)
{
	for (uint32_t i = 0; i < place->mounts.n; i++)
		if (str_eq(plan_str(p, p->mounts[place->mounts.at + i].target), path))
			return true;
	return false;
}

static const struct str tmp[] = {{"/tmp", 4}, {"/var/tmp", 8}};

static void tmpfses(struct json *j, const struct containerbody *b, const struct plan_place *place)
{
	json_key(j, "Tmpfs");
	json_open(j, '{');
	tmpfs(j, S("/cairn/run"), 0);
	for (size_t i = 0; i < countof(tmp) && place->flags & PLACE_PRIVATE_TMP; i++)
		if (!is_target(b->plan, place, tmp[i]))
			tmpfs(j, tmp[i], 0);
	for (uint32_t i = 0; i < place->mounts.n; i++) {
		const struct plan_mount *m = &b->plan->mounts[place->mounts.at + i];

		if (m->kind == MOUNT_KIND_TMPFS)
			tmpfs(j, plan_str(b->plan, m->target), m->size);
	}
	json_close(j, '}');
}

static void place_mounts(struct json *j, const struct containerbody *b, const struct plan_place *place)
{
	for (uint32_t i = 0; i < place->mounts.n; i++)
		mount(j, b, &b->plan->mounts[place->mounts.at + i], b->sources[i]);
	for (uint32_t i = 0; i < place->writable.n; i++) {
		struct str path = plan_word(b->plan, place->writable, i);

		if (!is_target(b->plan, place, path) && !(place->flags & PLACE_PRIVATE_TMP && (str_eq(path, tmp[0]) || str_eq(path, tmp[1]))))
			volume(j, S(""), path, false);
	}
}

static void mounts(struct json *j, const struct containerbody *b, const struct plan_place *place)
{
	json_key(j, "Mounts");
	json_open(j, '[');
	bind(j, b->shim, S(CONTAINER_SHIM), true);
	if (place->flags & PLACE_HOST_SSH)
		bind(j, b->shim, S(CONTAINER_HOST_DIR "/cairn-host"), true);
	bind(j, b->root, S(PLAN_INSIDE), b->step->workspace == WORKSPACE_KIND_RO);
	place_mounts(j, b, place);
	json_close(j, ']');
	tmpfses(j, b, place);
}

/* ---- networks and ports ---- */

static struct str port_name(char room[24], const struct plan_port *port)
{
	snprintf(room, 24, "%u/%s", port->inside, port->udp ? "udp" : "tcp");
	return str_of(room);
}

static bool first_of_port(const struct plan *p, struct plan_span ports, uint32_t i)
{
	const struct plan_port *v = &p->ports[ports.at];

	for (uint32_t k = 0; k < i; k++)
		if (v[k].inside == v[i].inside && v[k].udp == v[i].udp)
			return false;
	return true;
}

static void exposed(struct json *j, const struct plan *p, struct plan_span ports)
{
	char room[24];

	if (!ports.n)
		return;
	json_key(j, "ExposedPorts");
	json_open(j, '{');
	for (uint32_t i = 0; i < ports.n; i++) {
		if (!first_of_port(p, ports, i))
			continue;
		json_key_str(j, port_name(room, &p->ports[ports.at + i]));
		json_open(j, '{');
		json_close(j, '}');
	}
	json_close(j, '}');
}

static void bindings(struct json *j, const struct plan *p, struct plan_span ports)
{
	const struct plan_port *v = &p->ports[ports.at];
	char room[24], host[12];

	if (!ports.n)
		return;
	json_key(j, "PortBindings");
	json_open(j, '{');
	for (uint32_t i = 0; i < ports.n; i++) {
		if (!first_of_port(p, ports, i))
			continue;
		json_key_str(j, port_name(room, &v[i]));
		json_open(j, '[');
		for (uint32_t k = i; k < ports.n; k++) {
			if (v[k].inside != v[i].inside || v[k].udp != v[i].udp)
				continue;
			snprintf(host, sizeof(host), "%u", v[k].host);
			json_open(j, '{');
			json_kstr(j, "HostIp", plan_str(p, v[k].ip));
			json_kstr(j, "HostPort", v[k].host ? str_of(host) : S(""));
			json_close(j, '}');
		}
		json_close(j, ']');
	}
	json_close(j, '}');
}

static void network(struct json *j, const struct plan *p, const struct plan_place *place)
{
	if (place->flags & PLACE_NETWORK_NONE)
		json_kstr(j, "NetworkMode", S("none"));
	else if (place->networks.n)             /* further ones are connected before it starts */
		json_kstr(j, "NetworkMode", plan_word(p, place->networks, 0));
}

/* ---- limits and rights ---- */

/* Open files and the size of a file are the step's own limits, which the shim sets: engines add some of theirs to those given. */
static void limits(struct json *j, const struct plan_place *place)
{
	if (place->cpus_milli)
		json_kint(j, "NanoCpus", (int64_t)(place->cpus_milli * 1000000));
	if (place->memory) {                    /* and no swap beside it */
		json_kint(j, "Memory", (int64_t)place->memory);
		json_kint(j, "MemorySwap", (int64_t)place->memory);
	}
	if (place->pids)
		json_kint(j, "PidsLimit", (int64_t)place->pids);
	if (!place->gpus)
		return;
	json_key(j, "DeviceRequests");
	json_open(j, '[');
	json_open(j, '{');
	json_kint(j, "Count", place->gpus == UINT32_MAX ? -1 : (int64_t)place->gpus);
	json_key(j, "Capabilities");
	json_open(j, '[');
	json_open(j, '[');
	json_str(j, S("gpu"));
	json_close(j, ']');
	json_close(j, ']');
	json_close(j, '}');
	json_close(j, ']');
}

static void rights(struct json *j, const struct containerbody *b, const struct plan_place *place)
{
	static const struct str all[] = {S("ALL")};
	struct str options[2];
	size_t n = 0;

	if (place->flags & PLACE_CAPABILITIES) {
		words(j, "CapDrop", all, 1);
		span_words(j, b->plan, "CapAdd", place->capabilities);
	}
	span_words(j, b->plan, "GroupAdd", place->groups);
	if (place->flags & PLACE_NO_NEW_PRIVS)
		options[n++] = S("no-new-privileges");
	if (b->selinux)
		options[n++] = S("label=disable");
	if (n)
		words(j, "SecurityOpt", options, n);
	if (place->flags & PLACE_READONLY_FS)
		json_kbool(j, "ReadonlyRootfs", true);
}

/* ---- all of it ---- */

static void host_config(struct json *j, const struct containerbody *b, const struct plan_place *place)
{
	json_key(j, "HostConfig");
	json_open(j, '{');
	mounts(j, b, place);
	bindings(j, b->plan, place->ports);
	network(j, b->plan, place);
	limits(j, place);
	rights(j, b, place);
	json_key(j, "LogConfig");
	json_open(j, '{');
	json_kstr(j, "Type", S("none"));
	json_close(j, '}');
	json_close(j, '}');
}

static void labels(struct json *j, const struct containerbody *b)
{
	json_key(j, "Labels");
	json_open(j, '{');
	json_kstr(j, LABEL_OWNER, b->owner);
	json_kstr(j, LABEL_RUN, b->run);
	json_kstr(j, LABEL_STEP, plan_str(b->plan, b->step->name));
	json_close(j, '}');
}

void containerbody_write(const struct containerbody *b, struct buf *out)
{
	const struct plan_place *place = plan_place_of(b->plan, b->step);
	const struct str entrypoint = S(CONTAINER_SHIM), none = S("NONE");
	struct json j = {.out = out};

	json_open(&j, '{');
	json_kstr(&j, "Image", b->image);
	words(&j, "Entrypoint", &entrypoint, 1);
	words(&j, "Cmd", (struct str[]){b->silence}, 1);
	json_kstr(&j, "WorkingDir", S("/"));
	if (b->user.n)
		json_kstr(&j, "User", b->user);
	json_kbool(&j, "Tty", false);
	json_kbool(&j, "OpenStdin", true);      /* and not once: a stream that broke is attached again */
	json_kbool(&j, "AttachStdin", true);
	json_kbool(&j, "AttachStdout", true);
	json_kbool(&j, "AttachStderr", true);
	json_key(&j, "Healthcheck");
	json_open(&j, '{');
	words(&j, "Test", &none, 1);
	json_close(&j, '}');
	labels(&j, b);
	exposed(&j, b->plan, place->ports);
	host_config(&j, b, place);
	json_close(&j, '}');
}

/* ---- what can't be kept ---- */

static int refuse(const struct plan *p, const struct plan_step *s, const char *what, struct err *err)
{
	return err_set(err, ERR_RUNTIME, STR_FMT ": %s", STR_ARG(plan_str(p, s->name)), what);
}

int containerbody_check(const struct plan *p, const struct plan_step *s, struct err *err)
{
	const struct plan_place *place = plan_place_of(p, s);

	if (s->flags & STEP_CONSOLE)
		return refuse(p, s, "console: a container step can't have the terminal", err);
	if (place->denied_syscalls.n)
		return refuse(p, s, "security.denied_syscalls: not built yet for container steps", err);
	if (place->docker != DOCKER_KIND_NONE)
		return refuse(p, s, "docker: not built yet", err);
	for (uint32_t i = 0; i < place->mounts.n; i++)
		if (p->mounts[place->mounts.at + i].kind == MOUNT_KIND_CUSTOM)
			return refuse(p, s, "mounts: programs cairn-mount-NAME are not built yet", err);
	for (uint32_t i = 0; i < place->writable.n; i++)
		if (plan_word(p, place->writable, i).s[0] != '/')
			return refuse(p, s, "security.readonly_fs: a writable path is absolute", err);
	return 0;
}
