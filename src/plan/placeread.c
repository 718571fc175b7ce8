#include "plan/placejson.h"

/* What of an object makes it the same as another: its bytes, since texts are kept once. Lists are written anew
 * each time, so objects that hold some are told apart by their text instead. */
static void node_text(struct buf *b, const struct node *n)
{
	buf_c(b, n->kind == NODE_SCALAR ? '"' : n->kind == NODE_LIST ? '[' : '{');
	buf_str(b, n->s.s ? n->s : S(""));
	for (size_t i = 0; i < n->n; i++) {
		buf_c(b, 0);
		if (n->kind == NODE_MAP)
			buf_str(b, n->items[i].key);
		buf_c(b, 0);
		node_text(b, n->items[i].value);
	}
	buf_c(b, 1);
}

static uint32_t *seen(struct reader *r, struct table *t, const struct node *n, bool *fresh)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);

	node_text(&b, n);
	return table_put(t, str_dup(r->arena, buf_view(&b)), fresh);
}

uint32_t read_image(struct reader *r, const struct node *n)
{
	bool fresh, built = member(n, "containerfile");
	uint32_t *id = seen(r, &r->images, n, &fresh);
	struct plan_image image = {
		.kind = built ? IMAGE_KIND_BUILD : IMAGE_KIND_REF, .name = member_built(r, n, "name"), .platform = member_built(r, n, "platform"),
		.ref = build_text(&r->build, member_text(r, n, "ref", !built)), .file = member_built(r, n, "containerfile"),
		.context = member_built(r, n, "context"), .target = member_built(r, n, "target"), .args = pairs(r, n, "args"),
	};

	if (!built)
		image.pull = one_of(r, member_text(r, n, "pull", true), plan_pull_names, 3, "pull");
	if (!fresh)
		return *id;
	vec_add(&r->build.images, image);
	return *id = (uint32_t)r->build.images.n - 1;
}

static struct plan_span read_mounts(struct reader *r, const struct node *n)
{
	const struct node *list = member_list(r, n, "mounts", NODE_LIST);
	struct plan_span span = {(uint32_t)r->build.mounts.n, (uint32_t)list->n};

	for (size_t i = 0; i < list->n; i++) {
		const struct node *of = object(r, list, i, "mounts");
		struct plan_mount m = {
			.kind = one_of(r, member_text(r, of, "type", true), plan_mount_names, 4, "type"), .driver = member_built(r, of, "driver"),
			.source = member_built(r, of, "source"), .target = build_text(&r->build, member_text(r, of, "target", true)),
			.size = member_number(r, of, "size"), .options = pairs(r, of, "options"),
			.flags = (member_flag(r, of, "inside") ? MOUNT_INSIDE : 0) | (member_flag(r, of, "readonly") ? MOUNT_READONLY : 0) |
				 (member_flag(r, of, "unkeyed") ? MOUNT_KEY_NONE : 0),
		};

		vec_add(&r->build.mounts, m);
	}
	return span;
}

static struct plan_span read_ports(struct reader *r, const struct node *n)
{
	const struct node *list = member_list(r, n, "ports", NODE_LIST);
	struct plan_span span = {(uint32_t)r->build.ports.n, (uint32_t)list->n};

	for (size_t i = 0; i < list->n; i++) {
		const struct node *of = object(r, list, i, "ports");
		struct plan_port port = {
			.ip = build_text(&r->build, member_text(r, of, "ip", true)), .host = member_u32(r, of, "host", 0),
			.inside = member_u32(r, of, "inside", 0), .udp = member_flag(r, of, "udp"),
		};

		vec_add(&r->build.ports, port);
	}
	return span;
}

static void read_numbers(struct reader *r, const struct node *n, struct plan_place *p)
{
	p->cpus_milli = member_number(r, n, "cpus_milli");
	p->memory = member_number(r, n, "memory");
	p->pids = member_number(r, n, "pids");
	p->files = member_number(r, n, "files");
	p->fsize = member_number(r, n, "fsize");
	p->gpus = member_number(r, n, "gpus");
	p->umask = member_u32(r, n, "umask", 0);
	p->flags |= member(n, "umask") ? PLACE_UMASK : 0;
}

uint32_t read_place(struct reader *r, const struct node *step)
{
	const struct node *n = member(step, "place"), *image;
	struct plan_place p = {.image = PLAN_NONE};
	uint32_t *id;
	bool fresh;

	if (!n)
		return PLAN_NONE;
	if (n->kind != NODE_MAP || ((image = member(n, "image")) && image->kind != NODE_MAP)) {
		read_wrong(r, "place", "an object with the object \"image\"");
		return PLAN_NONE;
	}
	id = seen(r, &r->places, n, &fresh);
	if (!fresh)
		return *id;
	if (image)
		p.image = read_image(r, image);
	for (size_t i = 0; i < nplan_place_flag_names; i++)
		p.flags |= member_flag(r, n, plan_place_flag_names[i].name) ? plan_place_flag_names[i].flag : 0;
	p.docker = member(n, "docker") ? one_of(r, member_text(r, n, "docker", true), plan_docker_names, 6, "docker") : DOCKER_KIND_NONE;
	p.mounts = read_mounts(r, n);
	p.ports = read_ports(r, n);
	p.networks = words(r, n, "networks");
	p.user = member_built(r, n, "user");
	p.group = member_built(r, n, "group");
	p.groups = words(r, n, "groups");
	p.writable = words(r, n, "writable");
	p.capabilities = words(r, n, "capabilities");
	p.denied_syscalls = words(r, n, "denied_syscalls");
	read_numbers(r, n, &p);
	vec_add(&r->build.places, p);
	return *id = (uint32_t)r->build.places.n - 1;
}
