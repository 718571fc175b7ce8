/* ledger.c: the table that the journal fills. What a step wrote is decoded when it is asked for. */
#include "exec/ledger.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/ledger-format.h"
#include "exec/ledger-table.h"

static struct ledger_step *find_step(const struct ledger *l, struct str name)
{
	return map_get(&l->steps, name);
}

static void decode(struct ledger *l, struct ledger_step *s)
{
	if (s->decoded)
		return;
	s->decoded = true;
	/* Its sum was right, so this is a fault of ours; nothing known is safer than half of it. */
	if (!frame_take_entries(&l->arena, s->encoded, &s->outputs))
		s->outputs = (struct entries){NULL, 0};
}

static void own(struct ledger *l, struct ledger_step *s)
{
	struct str rest = s->encoded;
	struct entry e;
	if (rest.n < 4)
		return;
	for (rest = str_from(rest, 4); rest.n && frame_take_entry(&rest, &e);)
		if (e.type != ENTRY_DIR)
			*map_put(&l->owners, e.path, NULL) = s;
}

static void disown(struct ledger *l, struct ledger_step *s)
{
	struct str rest = s->encoded;
	struct entry e;
	if (rest.n < 4)
		return;
	for (rest = str_from(rest, 4); rest.n && frame_take_entry(&rest, &e);)
		if (map_get(&l->owners, e.path) == s)
			*map_put(&l->owners, e.path, NULL) = NULL;
}

static uint64_t frame_size(const struct ledger_step *s)
{
	return LEDGER_FRAME + 4 + s->name.n + s->encoded.n;
}

static void apply_forget(struct ledger *l, struct str name)
{
	struct ledger_step *s = find_step(l, name);
	if (!s || !s->known)
		return;
	if (l->has_owners)
		disown(l, s);
	l->live -= frame_size(s);
	s->known = false;
	for (size_t i = 0; i < l->order.n; i++) {
		if (l->order.v[i] != s)
			continue;
		memmove(&l->order.v[i], &l->order.v[i + 1], (l->order.n - i - 1) * sizeof(*l->order.v));
		l->order.n--;
		break;
	}
}

/* Texts must stay: they are of the journal as read, or copied. */
static void apply_set(struct ledger *l, struct str name, struct str encoded)
{
	bool fresh;
	void **place = map_put(&l->steps, name, &fresh);
	if (fresh) {
		struct ledger_step *made = arena_new(&l->arena, struct ledger_step);
		made->name = name;
		*place = made;
	}
	struct ledger_step *s = *place;
	if (s->known) {
		l->live -= frame_size(s);
		if (l->has_owners)
			disown(l, s);
	} else {
		vec_add(&l->order, s);
	}
	s->known = true;
	s->encoded = encoded;
	s->decoded = false;
	l->live += frame_size(s);
	if (l->has_owners)
		own(l, s);
}

static struct ledger_pending *find_pending(struct ledger *l, struct str to)
{
	size_t i = (size_t)map_get(&l->by_name, to);    /* index + 1 */
	return i && i <= l->pending.n && !l->pending.v[i - 1].done ? &l->pending.v[i - 1] : NULL;
}

static void apply_settled(struct ledger *l, struct str to)
{
	struct ledger_pending *p = find_pending(l, to);
	if (!p)
		return;
	p->done = true;
	if (--l->npending)
		return;
	l->pending.n = 0;
	map_release(&l->by_name);
}

/* from.s NULL: a staged file. */
static void apply_moving(struct ledger *l, struct str from, struct str to)
{
	struct ledger_pending *p = find_pending(l, to);
	if (p) {
		p->from = from;
		return;
	}
	vec_add(&l->pending, (struct ledger_pending){from, to, false});
	l->npending++;
	*map_put(&l->by_name, to, NULL) = (void *)l->pending.n;
}

/* Does one frame; those that make no sense are passed over: the file is our own, its sums were right. */
static void apply(struct ledger *l, enum frame_kind kind, struct str payload)
{
	struct str a, b;
	if (!frame_take_text(&payload, &a))
		return;
	switch (kind) {
	case FRAME_SET:
		apply_set(l, a, payload);
		break;
	case FRAME_FORGET:
		apply_forget(l, a);
		break;
	case FRAME_MOVING:
		if (frame_take_text(&payload, &b))
			apply_moving(l, a, b);
		break;
	case FRAME_STAGING:
		apply_moving(l, (struct str){NULL, 0}, a);
		break;
	case FRAME_SETTLED:
		apply_settled(l, a);
		break;
	}
}

int ledger_open(struct ledger **out, const char *path, int rootfd, bool *fresh, struct err *err)
{
	struct stat st;
	if (fstat(rootfd, &st))
		return err_errno(err, "unable to look at the workspace's folder");
	struct ledger *l = xcalloc(1, sizeof(*l));
	l->path = xcalloc(1, strlen(path) + 1);
	strcpy(l->path, path);
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	l->fd = -1;
	l->notes.limit = BUF_UNLIMITED;
	struct str image;
	if (ledger_load(l, fresh, &image, err)) {
		ledger_close(l);
		return -1;
	}
	enum frame_kind kind;
	struct str payload;
	size_t at = LEDGER_HEAD;
	while (l->end && frame_next(image, &at, &kind, &payload)) {
		apply(l, kind, payload);
		l->end = at;
	}
	*out = l;
	return 0;
}

void ledger_close(struct ledger *l)
{
	if (!l)
		return;
	if (ledger_write(l, NULL) == 0)
		ledger_compact(l, NULL);        /* what fails here is done at the next close */
	if (l->fd >= 0)
		close(l->fd);
	map_release(&l->steps);
	map_release(&l->owners);
	map_release(&l->by_name);
	vec_free(&l->order);
	vec_free(&l->pending);
	buf_release(&l->notes);
	arena_release(&l->arena);
	free(l->path);
	free(l);
}

bool ledger_outputs(const struct ledger *l, struct str step, struct entries *out)
{
	struct ledger_step *s = find_step(l, step);
	if (!s || !s->known)
		return false;
	decode((struct ledger *)l, s);          /* fills what is derived, nothing that can be seen */
	*out = s->outputs;
	return true;
}

struct str ledger_owner(const struct ledger *cl, struct str path)
{
	struct ledger *l = (struct ledger *)cl; /* as above */
	if (!l->has_owners) {
		l->has_owners = true;
		for (size_t i = 0; i < l->order.n; i++)
			own(l, l->order.v[i]);
	}
	struct ledger_step *s = map_get(&l->owners, path);
	return s ? s->name : (struct str){NULL, 0};
}

int ledger_set(struct ledger *l, struct str step, const struct entries *entries, struct err *err)
{
	size_t begun = frame_begin(&l->notes, FRAME_SET);
	frame_text(&l->notes, step);
	size_t at = l->notes.n;
	frame_entries(&l->notes, entries);
	struct str encoded = {l->notes.s + at, l->notes.n - at};
	struct ledger_step *s = find_step(l, step);
	if (s && s->known && str_eq(s->encoded, encoded)) {
		l->notes.n = begun;
		return 0;
	}
	frame_end(&l->notes, begun);
	encoded = str_dup(&l->arena, encoded);
	apply_set(l, s ? s->name : str_dup(&l->arena, step), encoded);
	return ledger_flush(l, err);
}

int ledger_forget(struct ledger *l, struct str step, struct err *err)
{
	struct ledger_step *s = find_step(l, step);
	if (!s || !s->known)
		return 0;
	size_t begun = frame_begin(&l->notes, FRAME_FORGET);
	frame_text(&l->notes, step);
	frame_end(&l->notes, begun);
	apply_forget(l, step);
	return ledger_flush(l, err);
}

size_t ledger_steps(const struct ledger *l) { return l->order.n; }
struct str ledger_step(const struct ledger *l, size_t i) { return l->order.v[i]->name; }

void ledger_moving(struct ledger *l, struct str from, struct str to)
{
	size_t begun = frame_begin(&l->notes, FRAME_MOVING);
	frame_text(&l->notes, from);
	frame_text(&l->notes, to);
	frame_end(&l->notes, begun);
	apply_moving(l, str_dup(&l->arena, from), str_dup(&l->arena, to));
}

void ledger_staging(struct ledger *l, struct str staged)
{
	size_t begun = frame_begin(&l->notes, FRAME_STAGING);
	frame_text(&l->notes, staged);
	frame_end(&l->notes, begun);
	apply_moving(l, (struct str){NULL, 0}, str_dup(&l->arena, staged));
}

void ledger_settled(struct ledger *l, struct str name)
{
	size_t begun = frame_begin(&l->notes, FRAME_SETTLED);
	frame_text(&l->notes, name);
	frame_end(&l->notes, begun);
	apply_settled(l, name);
}

int ledger_flush(struct ledger *l, struct err *err) { return ledger_write(l, err); }
