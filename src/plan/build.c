#include "plan/build.h"

#include <stdlib.h>

#include "plan/image.h"

void build_init(struct build *b, struct arena *a)
{
	*b = (struct build){
		.arena = a, .texts_at.arena = a, .path_ids.arena = a, .text = BUF_INIT(PLAN_IMAGE_MAX)};
	build_text(b, S(""));
}

void build_release(struct build *b)
{
#define X(section, type) vec_free(&b->section);
	PLAN_SECTIONS(X)
#undef X
	buf_release(&b->text);
}

struct plan_text build_text(struct build *b, struct str s)
{
	bool fresh;
	uint32_t *at = table_put(&b->texts_at, s, &fresh);

	if (fresh) {
		*at = (uint32_t)b->text.n;
		if (buf_reserve(&b->text, s.n + 1)) {
			buf_str(&b->text, s);
			buf_c(&b->text, 0);
		}
	}
	return (struct plan_text){*at, (uint32_t)s.n};
}

uint32_t build_path(struct build *b, struct str path)
{
	bool fresh;
	uint32_t *id = table_put(&b->path_ids, path, &fresh);

	if (fresh) {
		*id = (uint32_t)b->paths.n;
		vec_add(&b->paths, (struct plan_path){build_text(b, path), PLAN_NONE});
	}
	return *id;
}

void build_producer(struct build *b, struct str path, uint32_t step)
{
	uint32_t id = build_path(b, path);      /* may move the paths */

	b->paths.v[id].producer = step;
}

void build_word(struct build *b, struct str s)
{
	struct plan_text t = build_text(b, s);

	vec_add(&b->words, t);
}

struct plan_span build_words(struct build *b, const struct str *words, size_t n)
{
	struct plan_span span = {(uint32_t)b->words.n, (uint32_t)n};

	for (size_t i = 0; i < n; i++)
		build_word(b, words[i]);
	return span;
}

/* ---- finishing ---- */

struct path_order { struct str path; uint32_t id; };

static int by_path(const void *a, const void *b)
{
	return str_cmp(((const struct path_order *)a)->path, ((const struct path_order *)b)->path);
}

static int by_input(const void *a, const void *b)
{
	uint32_t x = ((const struct plan_input *)a)->path, y = ((const struct plan_input *)b)->path;

	return (x > y) - (x < y);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* place[temporary id] = place in order. */
static void sort_paths(struct build *b, uint32_t *place)
{
	struct path_order *order = xcalloc(b->paths.n + 1, sizeof(*order));
	struct plan_path *sorted = xcalloc(b->paths.n + 1, sizeof(*sorted));

	for (uint32_t i = 0; i < b->paths.n; i++)
		order[i] = (struct path_order){{b->text.s + b->paths.v[i].path.at, b->paths.v[i].path.n}, i};
	qsort(order, b->paths.n, sizeof(*order), by_path);
	for (uint32_t i = 0; i < b->paths.n; i++) {
		sorted[i] = b->paths.v[order[i].id];
		place[order[i].id] = i;
	}
	if (b->paths.n)
		memcpy(b->paths.v, sorted, b->paths.n * sizeof(*sorted));
	free(order);
	free(sorted);
}

static void renumber_paths(struct build *b, const uint32_t *place)
{
	for (size_t i = 0; i < b->inputs.n; i++)
		b->inputs.v[i].path = place[b->inputs.v[i].path];
	for (size_t i = 0; i < b->steps.n; i++) {
		struct plan_span span = b->steps.v[i].inputs;

		if (span.n > 1)
			qsort(b->inputs.v + span.at, span.n, sizeof(*b->inputs.v), by_input);
	}
	for (size_t i = 0; i < b->sources.n; i++)
		b->sources.v[i] = place[b->sources.v[i]];
	if (b->sources.n)
		qsort(b->sources.v, b->sources.n, sizeof(*b->sources.v), by_number);
}

static uint64_t aligned(uint64_t n) { return (n + 7) & ~(uint64_t)7; }

static void *section_at(const struct buf *out, uint64_t at) { return out->s + at; }

static bool fits(const struct build *b)
{
	bool small = !b->text.full;

#define X(section, type) small &= b->section.n <= PLAN_IMAGE_MAX;
	PLAN_SECTIONS(X)
#undef X
	return small;
}

int build_finish(struct build *b, struct str name, struct buf *out, struct err *err)
{
	struct plan_head head = {.magic = PLAN_MAGIC, .format = PLAN_FORMAT, .name = build_text(b, name)};
	CLEANUP_FREE uint32_t *place = xcalloc(b->paths.n + 1, sizeof(*place));
	uint64_t at = sizeof(head);

	if (!fits(b))
		return err_set(
			err, ERR_SPEC,
			"unable to plan: the plan is too big (more than 4 GiB of texts or of one list)");
	sort_paths(b, place);
	renumber_paths(b, place);
	b->texts.n = b->text.n;
#define X(section, type) \
	head.section.at = at; \
	head.section.n = b->section.n; \
	at = aligned(at + b->section.n * sizeof(type));
	PLAN_SECTIONS(X)
#undef X
	head.size = at;
	buf_release(out);
	out->limit = BUF_UNLIMITED;
	out->full = false;
	buf_reserve(out, at);
	memset(out->s, 0, at);
	out->n = at;
#define X(section, type) \
	if (b->section.n && b->section.v) \
		memcpy(section_at(out, head.section.at), b->section.v, b->section.n * sizeof(type));
	PLAN_SECTIONS(X)
#undef X
	memcpy(section_at(out, head.texts.at), b->text.s, b->text.n);
	b->texts.n = 0;
	memcpy(out->s, &head, sizeof(head));
	((struct plan_head *)out->s)->sum = plan_sum((struct plan_head *)out->s, at);
	return 0;
}
