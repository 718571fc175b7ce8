#include "plan/placefields.h"

#include <stdio.h>

#include "plan/jsonnames.h"

static void put_words(const struct plan *p, const char *tag, struct plan_span words, struct buf *out)
{
	for (uint32_t i = 0; i < words.n; i++)
		manifest_field(out, tag, plan_word(p, words, i), S("yes"));
}

static void put_number(const char *tag, uint64_t n, struct buf *out)
{
	char number[24];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)n);
	if (n)
		manifest_field(out, tag, str_of(number));
}

static void put_pairs(const struct plan *p, const char *tag, struct plan_span pairs, struct buf *out)
{
	for (uint32_t i = 0; i < pairs.n; i++)
		manifest_field(out, tag, plan_str(p, p->envs[pairs.at + i].name), plan_str(p, p->envs[pairs.at + i].value));
}

static void put_mounts(const struct plan *p, struct plan_span mounts, struct buf *out)
{
	char size[24];

	for (uint32_t i = 0; i < mounts.n; i++) {
		const struct plan_mount *m = &p->mounts[mounts.at + i];
		struct str driver = plan_str(p, m->driver);

		snprintf(size, sizeof(size), "%llu", (unsigned long long)m->size);
		manifest_field(out, "mount", plan_str(p, m->target), driver.n ? driver : str_of(plan_mount_names[m->kind]),
			       plan_str(p, m->source), m->flags & MOUNT_INSIDE ? S("inside") : S(""),
			       m->flags & MOUNT_READONLY ? S("ro") : S("rw"), str_of(size));
		put_pairs(p, "mount option", m->options, out);
	}
}

void place_key_fields(const struct plan *p, const struct plan_place *place, struct buf *out)
{
	char mask[8];

	put_mounts(p, place->mounts, out);
	put_words(p, "network", place->networks, out);
	for (size_t i = 0; i < nplan_place_flag_names; i++) {
		uint32_t flag = plan_place_flag_names[i].flag;

		if (place->flags & flag && flag != PLACE_REUSE)
			manifest_field(out, plan_place_flag_names[i].name, S("yes"));
	}
	if (place->user.n)
		manifest_field(out, "user", plan_str(p, place->user));
	if (place->group.n)
		manifest_field(out, "group", plan_str(p, place->group));
	put_words(p, "group", place->groups, out);
	put_words(p, "writable", place->writable, out);
	put_words(p, "capability", place->capabilities, out);
	put_words(p, "denied syscall", place->denied_syscalls, out);
	snprintf(mask, sizeof(mask), "%03o", place->umask & 0777);
	if (place->flags & PLACE_UMASK)
		manifest_field(out, "umask", str_of(mask));
}

static void image_fields(const struct plan *p, const struct plan_image *image, struct buf *out)
{
	if (image->kind == IMAGE_KIND_REF) {
		manifest_field(out, "image", plan_str(p, image->ref));
		manifest_field(out, "pull", str_of(plan_pull_names[image->pull]));
	} else {
		manifest_field(out, "containerfile", plan_str(p, image->file));
		manifest_field(out, "context", plan_str(p, image->context));
		manifest_field(out, "target", plan_str(p, image->target));
		put_pairs(p, "build argument", image->args, out);
	}
	if (image->platform.n)
		manifest_field(out, "platform", plan_str(p, image->platform));
}

static void port_fields(const struct plan *p, struct plan_span ports, struct buf *out)
{
	char host[12], inside[12];

	for (uint32_t i = 0; i < ports.n; i++) {
		const struct plan_port *port = &p->ports[ports.at + i];

		snprintf(host, sizeof(host), "%u", port->host);
		snprintf(inside, sizeof(inside), "%u", port->inside);
		manifest_field(out, "port", str_of(inside), port->udp ? S("udp") : S("tcp"), plan_str(p, port->ip), str_of(host));
	}
}

void place_fields(const struct plan *p, const struct plan_place *place, struct buf *out)
{
	if (place->image != PLAN_NONE)
		image_fields(p, &p->images[place->image], out);
	place_key_fields(p, place, out);
	port_fields(p, place->ports, out);
	if (place->flags & PLACE_REUSE)
		manifest_field(out, "reuse", S("yes"));
	if (place->docker)
		manifest_field(out, "docker", str_of(plan_docker_names[place->docker]));
	put_number("cpus (milli)", place->cpus_milli, out);
	put_number("memory", place->memory, out);
	put_number("pids", place->pids, out);
	put_number("files", place->files, out);
	put_number("fsize", place->fsize, out);
	put_number("gpus", place->gpus, out);
}
