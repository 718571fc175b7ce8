#include "runtimes/shimmessage.h"

#include "runtimes/shim/wire.h"

static void add(struct buf *m, uint16_t tag, const void *value, size_t n)
{
	uint8_t head[FIELD_HEAD];
	wire_field_head(head, tag, (uint32_t)n);
	buf_add(m, head, sizeof(head));
	buf_add(m, value, n);
}

static void add_text(struct buf *m, uint16_t tag, const char *z)
{
	if (z)
		add(m, tag, z, strlen(z));
}

static void add_words(struct buf *m, uint16_t tag, const char *const *words)
{
	for (; words && *words; words++)
		add_text(m, tag, *words);
}

static void add_u32(struct buf *m, uint16_t tag, uint32_t v)
{
	uint8_t p[4];
	wire_u32(p, v);
	add(m, tag, p, sizeof(p));
}

static void add_id(struct buf *m, uint32_t id)
{
	uint8_t p[4];
	wire_u32(p, id);
	buf_add(m, p, sizeof(p));
}

static void add_user(struct buf *m, uint32_t uid, uint32_t gid, const uint32_t *groups, size_t n)
{
	uint8_t p[4];
	struct buf ids CLEANUP_BUF = BUF_INIT(MESSAGE_MAX);
	for (size_t i = 0; i < n + 2; i++) {
		wire_u32(p, i == 0 ? uid : i == 1 ? gid : groups[i - 2]);
		buf_add(&ids, p, sizeof(p));
	}
	add(m, FIELD_USER, ids.s, ids.n);
}

void message_step(struct buf *m, uint32_t id, const struct shim_step *s)
{
	uint8_t timeout[8];
	add_id(m, id);
	add_words(m, FIELD_ARG, s->argv);
	add_words(m, FIELD_ENV, s->env);
	add_u32(m, FIELD_FLAGS, s->flags);
	add_text(m, FIELD_CWD, s->cwd);
	if (s->has_user)
		add_user(m, s->uid, s->gid, s->groups, s->ngroups);
	add_u32(m, FIELD_UMASK, s->umask);
	for (uint32_t i = 0; i < SHIM_LIMITS; i++) {
		uint8_t limit[12];
		wire_u32(limit, i);
		wire_u64(limit + 4, s->limits[i]);
		if (s->limits[i])
			add(m, FIELD_LIMIT, limit, sizeof(limit));
	}
	wire_u64(timeout, s->timeout_ms);
	if (s->timeout_ms)
		add(m, FIELD_TIMEOUT, timeout, sizeof(timeout));
	add_u32(m, FIELD_GRACE, s->grace_ms);
	add_text(m, FIELD_SCRIPT_PATH, s->script_path);
	if (s->script_path)
		add(m, FIELD_SCRIPT, s->script.s, s->script.n);
}

void message_put(struct buf *m, uint32_t id, const struct shim_put *p)
{
	add_id(m, id);
	add_text(m, FIELD_ROOT, p->root);
	add_u32(m, FIELD_FLAGS, p->flags);
	if (p->has_user)
		add_user(m, p->uid, p->gid, NULL, 0);
}

void message_get(struct buf *m, uint32_t id, const char *root, const char *const *paths, size_t n, uint32_t flags)
{
	add_id(m, id);
	add_text(m, FIELD_ROOT, root);
	add_u32(m, FIELD_FLAGS, flags);
	for (size_t i = 0; i < n; i++)
		add_text(m, FIELD_PATH, paths[i]);
}

/* Words of one tag, as many as there are fields at most. */
static bool read_words(struct bytes fields, uint16_t wanted, struct arena *arena, char **out)
{
	uint16_t tag;
	struct bytes v;
	int got;
	while ((got = wire_field(&fields, &tag, &v)) > 0) {
		if (memchr(v.p, '\0', v.n) || (tag != FIELD_ARG && tag != FIELD_ENV && tag != FIELD_CWD))
			return false;
		if (tag == wanted)
			*out++ = arena_dup(arena, v.p, v.n);
	}
	return got == 0;
}

bool host_request_read(struct str message, struct arena *arena, struct host_request *r)
{
	struct bytes b = {(const uint8_t *)message.s, message.n};
	if (!wire_take32(&b, &r->call) || !r->call)
		return false;
	size_t most = b.n / FIELD_HEAD + 1;
	char **cwd = arena_array(arena, most, char *);
	r->argv = arena_array(arena, most, char *);
	r->env = arena_array(arena, most, char *);
	if (!read_words(b, FIELD_ARG, arena, r->argv) || !read_words(b, FIELD_ENV, arena, r->env) ||
	    !read_words(b, FIELD_CWD, arena, cwd))
		return false;
	r->cwd = cwd[0];
	return r->argv[0] && r->cwd && !cwd[1];
}
