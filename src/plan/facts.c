#include "plan/facts.h"

#include <stdlib.h>

void facts_init(struct facts *f, struct arena *arena)
{
	*f = (struct facts){.arena = arena};
}

void facts_release(struct facts *f)
{
	map_release(&f->known);
	free(f->asked);
	*f = (struct facts){0};
}

/* Look-ups are many and mostly of what is known: only a new key is copied into the arena. */
static void **facts_slot(struct facts *f, enum question_kind kind, struct str text, bool *fresh)
{
	char room[256], *key = text.n + 2 <= sizeof(room) ? room : xmalloc(text.n + 2);
	struct str s = {key, text.n + 2};
	void **slot;

	key[0] = (char)('0' + kind);
	key[1] = ' ';
	if (text.n)
		memcpy(key + 2, text.s, text.n);
	*fresh = !map_has(&f->known, s);
	slot = map_put(&f->known, *fresh ? str_dup(f->arena, s) : s, NULL);
	if (key != room)
		free(key);
	return slot;
}

static struct question *facts_asked(struct facts *f)
{
	if (f->nasked == f->capasked) {
		f->capasked = f->capasked ? f->capasked * 2 : 64;
		f->asked = xrealloc(f->asked, f->capasked * sizeof(*f->asked));
	}
	return &f->asked[f->nasked++];
}

const struct answer *facts_ask(struct facts *f, enum question_kind kind, struct str text, struct loc loc)
{
	bool fresh;
	void **slot = facts_slot(f, kind, text, &fresh);

	if (fresh) {
		struct str key = f->known.entries[f->known.n - 1].key;

		*facts_asked(f) = (struct question){.kind = kind, .text = str_from(key, 2), .loc = loc};
	}
	return *slot;
}

void facts_tell(struct facts *f, const struct question *q, const struct answer *answer)
{
	bool fresh;
	void **slot = facts_slot(f, q->kind, q->text, &fresh);
	struct answer *kept = arena_new(f->arena, struct answer);

	*kept = *answer;
	*slot = kept;
}
