#include "exec/history.h"

#include <fcntl.h>

#include "sys/file.h"

#define HISTORY_MAGIC "cairn history 1\n"
#define HISTORY_MAX (1u << 30)

struct fixed {                          /* as it stands in the file, before the three texts */
	struct digest key, log;
	int64_t when_ns;
	uint64_t duration_ns;
	int32_t status, signal;
	uint32_t state;
	uint32_t name, log_file, reason;        /* lengths */
};

static int decode(struct arena *arena, struct str bytes, struct history *h)
{
	size_t at = sizeof(HISTORY_MAGIC) - 1 + sizeof(struct xxh);
	struct xxh sum;

	if (bytes.n < at || !str_starts(bytes, S(HISTORY_MAGIC)))
		return -1;
	memcpy(&sum, bytes.s + sizeof(HISTORY_MAGIC) - 1, sizeof(sum));
	if (!xxh_eq(sum, xxh_bytes(bytes.s + at, bytes.n - at)))
		return -1;
	while (at < bytes.n) {
		struct history_step *step = arena_new(arena, struct history_step);
		struct fixed f;
		struct str name;

		if (bytes.n - at < sizeof(f))
			return -1;
		memcpy(&f, bytes.s + at, sizeof(f));
		at += sizeof(f);
		if ((uint64_t)f.name + f.log_file + f.reason > bytes.n - at || f.state > STATE_UNKNOWN)
			return -1;
		name = (struct str){bytes.s + at, f.name};
		*step = (struct history_step){
			.key = f.key, .log = f.log, .when_ns = f.when_ns, .duration_ns = f.duration_ns, .status = f.status, .signal = f.signal,
			.state = f.state, .log_file = {name.s + f.name, f.log_file}, .reason = {name.s + f.name + f.log_file, f.reason},
		};
		at += (size_t)f.name + f.log_file + f.reason;
		*map_put(&h->steps, name, NULL) = step;
	}
	return 0;
}

int history_read(struct arena *arena, const char *path, struct history *h, struct err *err)
{
	struct str bytes;
	int got = file_read(arena, AT_FDCWD, path, HISTORY_MAX, &bytes, err);

	*h = (struct history){.arena = arena};
	if (got <= 0)
		return got;
	if (decode(arena, bytes, h) < 0) {      /* of another format or damaged: as if there were none */
		map_release(&h->steps);
		h->steps = (struct map)MAP_INIT;
	}
	return 0;
}

void history_set(struct history *h, struct str step, const struct history_step *s)
{
	struct history_step *copy = arena_new(h->arena, struct history_step);

	*copy = *s;
	copy->reason = str_dup(h->arena, s->reason);
	copy->log_file = str_dup(h->arena, s->log_file);
	*map_put(&h->steps, str_dup(h->arena, step), NULL) = copy;
}

const struct history_step *history_get(const struct history *h, struct str step) { return map_get(&h->steps, step); }

int history_write(const struct history *h, const char *path, struct err *err)
{
	CLEANUP_BUF struct buf b = BUF_INIT(HISTORY_MAX);
	size_t at = sizeof(HISTORY_MAGIC) - 1 + sizeof(struct xxh);
	struct xxh sum = {0};

	buf_z(&b, HISTORY_MAGIC);
	buf_add(&b, &sum, sizeof(sum));
	for (size_t i = 0; i < h->steps.n; i++) {
		const struct history_step *s = h->steps.entries[i].value;
		struct str name = h->steps.entries[i].key;
		struct fixed f = {
			.key = s->key, .log = s->log, .when_ns = s->when_ns, .duration_ns = s->duration_ns, .status = s->status,
			.signal = s->signal, .state = s->state, .name = name.n, .log_file = s->log_file.n, .reason = s->reason.n,
		};

		buf_add(&b, &f, sizeof(f));
		buf_str(&b, name);
		buf_str(&b, s->log_file);
		buf_str(&b, s->reason);
	}
	if (b.full)
		return err_set(err, ERR_SYSTEM, "unable to write %s: too many steps", path);
	sum = xxh_bytes(b.s + at, b.n - at);
	memcpy(b.s + sizeof(HISTORY_MAGIC) - 1, &sum, sizeof(sum));
	return file_write(AT_FDCWD, path, buf_view(&b), 0600, err);
}

void history_release(struct history *h) { map_release(&h->steps); }
