#include "plan/placejson.h"

void put_image(struct json *j, const struct plan *p, const struct plan_image *i)
{
	json_open(j, '{');
	put_text(j, p, "name", i->name);
	if (i->kind == IMAGE_KIND_REF) {
		json_kstr(j, "ref", plan_str(p, i->ref));
		json_kstr(j, "pull", str_of(plan_pull_names[i->pull]));
	} else {
		json_kstr(j, "containerfile", plan_str(p, i->file));
		json_kstr(j, "context", plan_str(p, i->context));
		put_text(j, p, "target", i->target);
		put_pairs(j, p, "args", i->args);
	}
	put_text(j, p, "platform", i->platform);
	json_close(j, '}');
}

static void put_mounts(struct json *j, const struct plan *p, struct plan_span mounts)
{
	if (!mounts.n)
		return;
	json_key(j, "mounts");
	json_open(j, '[');
	for (uint32_t i = 0; i < mounts.n; i++) {
		const struct plan_mount *m = &p->mounts[mounts.at + i];

		json_open(j, '{');
		json_kstr(j, "type", str_of(plan_mount_names[m->kind]));
		put_text(j, p, "driver", m->driver);
		put_text(j, p, "source", m->source);
		json_kstr(j, "target", plan_str(p, m->target));
		put_flag(j, "inside", m->flags & MOUNT_INSIDE);
		put_flag(j, "readonly", m->flags & MOUNT_READONLY);
		put_flag(j, "unkeyed", m->flags & MOUNT_KEY_NONE);
		put_number(j, "size", m->size);
		put_pairs(j, p, "options", m->options);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_ports(struct json *j, const struct plan *p, struct plan_span ports)
{
	if (!ports.n)
		return;
	json_key(j, "ports");
	json_open(j, '[');
	for (uint32_t i = 0; i < ports.n; i++) {
		const struct plan_port *port = &p->ports[ports.at + i];

		json_open(j, '{');
		json_kstr(j, "ip", plan_str(p, port->ip));
		put_number(j, "host", port->host);
		json_kint(j, "inside", port->inside);
		put_flag(j, "udp", port->udp);
		json_close(j, '}');
	}
	json_close(j, ']');
}

void put_place(struct json *j, const struct plan *p, const struct plan_step *s)
{
	const struct plan_place *place = plan_place_of(p, s);

	if (!place)
		return;
	json_key(j, "place");
	json_open(j, '{');
	if (place->image != PLAN_NONE) {
		json_key(j, "image");
		put_image(j, p, &p->images[place->image]);
	}
	put_mounts(j, p, place->mounts);
	put_ports(j, p, place->ports);
	put_words(j, p, "networks", place->networks);
	for (size_t i = 0; i < nplan_place_flag_names; i++)
		put_flag(j, plan_place_flag_names[i].name, place->flags & plan_place_flag_names[i].flag);
	if (place->docker)
		json_kstr(j, "docker", str_of(plan_docker_names[place->docker]));
	put_text(j, p, "user", place->user);
	put_text(j, p, "group", place->group);
	put_words(j, p, "groups", place->groups);
	put_words(j, p, "writable", place->writable);
	put_words(j, p, "capabilities", place->capabilities);
	put_words(j, p, "denied_syscalls", place->denied_syscalls);
	if (place->flags & PLACE_UMASK)
		json_kint(j, "umask", place->umask);
	put_number(j, "cpus_milli", place->cpus_milli);
	put_number(j, "memory", place->memory);
	put_number(j, "pids", place->pids);
	put_number(j, "files", place->files);
	put_number(j, "fsize", place->fsize);
	put_number(j, "gpus", place->gpus);
	json_close(j, '}');
}
