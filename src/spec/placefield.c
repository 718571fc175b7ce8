/* What a command says of the place it runs in: mounts, ports, networks, limits, security. */
#include "spec/fields.h"

#include "spec/exprlex.h"

/* ---- sizes and numbers ---- */

static void size_read(struct reader *r, const struct node *n, void *at)
{
	uint64_t *bytes = at;
	if (n->kind != NODE_SCALAR || node_is_null(n))
		expected(r, n, "a size");
	else if (!spec_size(n->s, bytes) || !*bytes)
		mistake(r, n->loc, "write 1024 (bytes), 64k, 512m or 2g", "'" STR_FMT "' is no size", STR_ARG(n->s));
}

static void count_read(struct reader *r, const struct node *n, void *at)
{
	uint_read(r, n, 1, 1u << 30, at);
}

static void cpus_read(struct reader *r, const struct node *n, void *at)
{
	struct value v = n->kind == NODE_SCALAR && n->style == STYLE_PLAIN ? value_plain(n->s) : (struct value){0};
	if (v.kind != VALUE_NUM)
		expected(r, n, "a number of CPUs");
	else if (!(v.num >= 0.001 && v.num <= 100000))
		mistake(r, n->loc, "1.5 is one and a half", "'" STR_FMT "' is no number of CPUs", STR_ARG(n->s));
	else
		*(uint64_t *)at = (uint64_t)(v.num * 1000 + 0.5);
}

static void gpus_read(struct reader *r, const struct node *n, void *at)
{
	uint64_t *gpus = at;
	if (n->kind == NODE_SCALAR && str_is(n->s, "all"))
		*gpus = UINT32_MAX;
	else
		uint_read(r, n, 1, 1000, gpus);
}

void limits_read(struct reader *r, const struct node *n, void *at)
{
	static const struct field fields[] = {
		FIELD(spec_limits, "cpus", cpus_milli, cpus_read), FIELD(spec_limits, "memory", memory, size_read),
		FIELD(spec_limits, "pids", pids, count_read),      FIELD(spec_limits, "files", files, count_read),
		FIELD(spec_limits, "fsize", fsize, size_read),     FIELD(spec_limits, "gpus", gpus, gpus_read),
	};
	fields_read(r, n, PLACE_OTHER, "limits", fields, countof(fields), at);
}

/* ---- mounts, ports, networks ---- */

static void mount_type_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_mount *m = at;
	field_str(r, n, &m->driver);
	m->kind = str_is(m->driver, "bind")     ? MOUNT_BIND
	          : str_is(m->driver, "volume") ? MOUNT_VOLUME
	          : str_is(m->driver, "tmpfs")  ? MOUNT_TMPFS
	                                        : MOUNT_CUSTOM;
	for (size_t i = 0; i < m->driver.n; i++) {
		char c = m->driver.s[i];
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && i))
			continue;
		mistake(r, n->loc, "bind, volume, tmpfs, or the NAME of a program cairn-mount-NAME",
		        "'" STR_FMT "' is no type of mount", STR_ARG(m->driver));
		return;
	}
}

static void mount_key_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_mount *m = at;
	if (n->kind == NODE_SCALAR && str_is(n->s, "none"))
		m->key_none = true;
	else if (n->kind == NODE_SCALAR && str_is(n->s, "content"))
		mistake(r, n->loc, "key: none says that the content does not matter", "'key: content' is not built yet");
	else
		mistake(r, n->loc, NULL, "key is one of content and none");
}

static void mount_options_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_mount *m = at;
	env_read(r, n, &m->options);
	for (size_t i = 0; i < m->options.n; i++) {
		if (m->options.v[i].secret)
			mistake(r, m->options.v[i].value.loc, NULL, "an option of a mount can't be a secret");
	}
}

static void mount_check(struct reader *r, const struct node *n, const struct spec_mount *m)
{
	static const struct { const char *field; unsigned kinds; } meant[] = {
		{"source", 1u << MOUNT_BIND | 1u << MOUNT_CUSTOM}, {"name", 1u << MOUNT_VOLUME},
		{"size", 1u << MOUNT_TMPFS}, {"key", 1u << MOUNT_BIND}, {"options", 1u << MOUNT_CUSTOM},
		{"readonly", 1u << MOUNT_BIND | 1u << MOUNT_VOLUME | 1u << MOUNT_CUSTOM},
	};
	if (!node_get(n, S("type")) || !node_get(n, S("target")))
		mistake(r, n->loc, "{type: tmpfs, target: /scratch}", "a mount written as a map needs 'type' and 'target'");
	else if (m->kind == MOUNT_BIND && !node_get(n, S("source")))
		mistake(r, n->loc, NULL, "a bind mount needs 'source'");
	for (size_t i = 0; i < countof(meant); i++) {
		const struct node *of = node_get(n, str_of(meant[i].field));
		if (of && !(meant[i].kinds & 1u << m->kind))
			mistake(r, of->loc, NULL, "'%s' has no meaning for a mount of type " STR_FMT, meant[i].field,
			        STR_ARG(m->driver));
	}
}

static void mount_read(struct reader *r, const struct node *n, struct spec_mount *m)
{
	static const struct field fields[] = {
		{"type", mount_type_read, 0},
		FIELD(spec_mount, "source", source, field_name),
		FIELD(spec_mount, "name", source, field_name),
		FIELD(spec_mount, "target", target, field_name),
		FIELD(spec_mount, "size", size, size_read),
		FIELD(spec_mount, "readonly", readonly, field_bool),
		{"key", mount_key_read, 0},
		{"options", mount_options_read, 0},
	};
	*m = (struct spec_mount){.loc = n->loc, .driver = S("bind")};
	if (n->kind != NODE_MAP) {
		if (text_read(r, n, "a mount, such as ./data:/data", &m->brief) && !m->brief.s.n)
			mistake(r, n->loc, NULL, "the mount is empty");
		return;
	}
	if (fields_read(r, n, PLACE_OTHER, "a mount", fields, countof(fields), m))
		mount_check(r, n, m);
}

void mounts_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_place *place = at;
	if (n->kind != NODE_LIST) {
		expected(r, n, "a list of mounts");
		return;
	}
	place->mounts = arena_array(r->arena, n->n + 1, struct spec_mount);
	place->nmounts = 0;
	for (size_t i = 0; i < n->n; i++)
		mount_read(r, list_item(n, i), &place->mounts[place->nmounts++]);
}

/* `network: none` or one network; `networks` a list of them. */
void network_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_place *place = at;
	place->networks = (struct spec_texts){0};
	place->network_none = n->kind == NODE_SCALAR && str_is(n->s, "none");
	if (n->kind != NODE_SCALAR)
		expected(r, n, "none or the name of a network");
	else if (!place->network_none)
		field_texts(r, n, &place->networks);
}

void docker_read(struct reader *r, const struct node *n, void *at)
{
	static const struct str kinds[] = {
		[DOCKER_ROOTLESS] = S("rootless"), [DOCKER_PRIVILEGED] = S("privileged"),
		[DOCKER_KATA_QEMU] = S("kata-qemu"), [DOCKER_KATA_FC] = S("kata-fc"),
	};
	enum docker_wish *docker = at;
	bool yes;
	if (node_bool(n, &yes)) {
		*docker = yes ? DOCKER_CONFIGURED : DOCKER_NONE;
		return;
	}
	for (size_t i = DOCKER_ROOTLESS; i < countof(kinds); i++) {
		if (n->kind == NODE_SCALAR && str_eq(n->s, kinds[i])) {
			*docker = (enum docker_wish)i;
			return;
		}
	}
	mistake(r, n->loc, NULL, "docker is true, false, or one of rootless, privileged, kata-qemu and kata-fc");
}

/* ---- security ---- */

static void umask_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_security *s = at;
	uint32_t mask = 0;
	bool good = n->kind == NODE_SCALAR && n->s.n && n->s.n <= 4;
	for (size_t i = 0; good && i < n->s.n; i++) {
		good = n->s.s[i] >= '0' && n->s.s[i] <= '7';
		mask = mask * 8 + (uint32_t)(n->s.s[i] - '0');
	}
	if (!good || mask > 0777)
		mistake(r, n->loc, "write umask: \"022\"", "a umask is up to three octal digits");
	s->umask = mask;
	s->umask_given = true;
}

static void readonly_fs_read(struct reader *r, const struct node *n, void *at)
{
	static const struct field fields[] = {{"writable", field_texts, 0}};
	struct spec_security *s = at;
	s->writable = (struct spec_texts){0};
	if (n->kind != NODE_MAP) {
		field_bool(r, n, &s->readonly_fs);
		return;
	}
	s->readonly_fs = true;
	fields_read(r, n, PLACE_OTHER, "readonly_fs", fields, countof(fields), &s->writable);
}

static void capabilities_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_security *s = at;
	s->capabilities_given = true;
	if (n->kind != NODE_LIST)
		expected(r, n, "a list of capabilities");
	else
		field_texts(r, n, &s->capabilities);
}

void security_read(struct reader *r, const struct node *n, void *at)
{
	static const struct field fields[] = {
		FIELD(spec_security, "user", user, field_name),
		FIELD(spec_security, "group", group, field_name),
		FIELD(spec_security, "groups", groups, field_texts),
		{"umask", umask_read, 0},
		FIELD(spec_security, "nonroot", nonroot, field_bool),
		FIELD(spec_security, "no_new_privs", no_new_privs, field_bool),
		FIELD(spec_security, "private_tmp", private_tmp, field_bool),
		{"readonly_fs", readonly_fs_read, 0},
		{"capabilities", capabilities_read, 0},
		FIELD(spec_security, "denied_syscalls", denied_syscalls, field_texts),
		FIELD(spec_security, "best_effort", best_effort, field_bool),
	};
	fields_read(r, n, PLACE_OTHER, "security", fields, countof(fields), at);
}

/* ---- secret_files ---- */

void secret_files_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_texts *names = at;
	field_texts(r, n, names);
	for (size_t i = 0; i < names->n; i++) {
		if (text_has_expr(names->v[i].s))
			mistake(r, names->v[i].loc, NULL, "the name of a secret can't hold ${{ }}");
		else if (!r->partial)
			vec_add(&r->secret_uses, names->v[i]);
	}
}

/* ---- what it means for the kind that was picked ---- */

/* These say where a step runs; without a kind that has such places they would be ignored in silence. */
void place_check(struct reader *r, const struct spec_command *c, const struct node *own)
{
	static const char *const of_containers[] = {"image", "containerfile", "ports", "networks", "network",
	                                            "docker", "host_ssh", "reuse"};
	const struct node *image = node_get(own, S("image")), *built = node_get(own, S("containerfile")),
			  *network = node_get(own, S("network")), *networks = node_get(own, S("networks"));
	if (image && built)
		mistake(r, built->loc, NULL, "%s has both image and containerfile", r->place);
	if (network && networks)
		mistake(r, networks->loc, NULL, "%s has both network and networks", r->place);
	for (size_t i = 0; i < countof(of_containers) && c->runtimes == 1u << RUNTIME_NATIVE; i++) {
		const struct node *n = node_get(own, str_of(of_containers[i]));
		if (n)
			mistake(r, n->loc, "runtime: container, or a list with it, makes use of it",
			        "'%s' has no meaning for a native step", of_containers[i]);
	}
}
