#include "plan/image.h"

#include "base/path.h"
#include "plan/leads.h"

static int stale(struct err *err, const char *why)
{
	return err_set(err, ERR_STALE, "unable to read the plan: %s", why);
}

static bool section_fits(uint64_t at, uint64_t n, size_t each, uint64_t size)
{
	return at % 8 == 0 && at >= sizeof(struct plan_head) && at <= size && n <= UINT32_MAX &&
	       n <= (size - at) / each;
}

int plan_open(const void *image, size_t size, bool deep, struct plan *p, struct err *err)
{
	const struct plan_head *head = image;
	const char *problem;

	*p = (struct plan){0};
	if (size < sizeof(*head) || memcmp(head->magic, PLAN_MAGIC, sizeof(head->magic)))
		return stale(err, "it is no plan");
	if (head->format != PLAN_FORMAT || head->pad)
		return stale(err, "it was made by another version of cairn");
	if (head->size != size)
		return stale(err, "it is cut short");
	p->head = head;
#define X(section, type) \
	if (!section_fits(head->section.at, head->section.n, sizeof(type), size)) \
		return stale(err, "its parts do not fit together"); \
	p->section = (const type *)((const char *)image + head->section.at); \
	p->n##section = (uint32_t)head->section.n;
	PLAN_SECTIONS(X)
#undef X
	if (!deep)
		return 0;
	if (!xxh_eq(head->sum, plan_sum(head, size)))
		return stale(err, "it is damaged");
	problem = plan_check(p);
	return problem ? err_set(err, ERR_STALE, "unable to read the plan: it is malformed (%s)", problem)
		       : 0;
}

uint32_t plan_find_path(const struct plan *p, struct str path)
{
	uint32_t low = 0, high = p->npaths;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = str_cmp(plan_path_str(p, middle), path);

		if (!order)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return PLAN_NONE;
}

uint32_t plan_find_step(const struct plan *p, struct str name)
{
	for (uint32_t i = 0; i < p->nsteps; i++) {
		if (str_eq(plan_step_name(p, i), name))
			return i;
	}
	return PLAN_NONE;
}

bool plan_step_covers(const struct plan *p, uint32_t step, struct str path)
{
	const struct plan_step *s = &p->steps[step];
	bool covered = false;

	for (uint32_t i = 0; i < s->outputs.n; i++) {
		const struct plan_output *o = &p->outputs[s->outputs.at + i];
		struct str text = plan_str(p, o->path);

		if (!(o->flags & OUTPUT_GLOB ? pattern_holds(text, path) : path_within(path, text)))
			continue;
		if (o->flags & OUTPUT_NEGATED)
			return false;
		covered = true;
	}
	return covered;
}
