/* A plan from outside. First byte: 0 an image (its sum is made right, that the checks behind it are
 * reached), else an exported plan as JSON. What passes the checks is then used as a run would. */
#include <stdlib.h>

#include "plan/planjson.h"
#include "plan/select.h"

static void use_index(struct arena *a, const struct plan *p)
{
	struct plan_index *ix = plan_index_new(a, p);

	for (uint32_t i = 0; i < p->npaths && i < 64; i++)
		plan_index_producer(ix, plan_path_str(p, i));
	for (uint32_t i = 0; i < p->nsteps && i < 64; i++) {
		plan_index_reaches(ix, p->nsteps - 1, i);
		plan_step_covers(p, i, S("a/b/c"));
	}
	plan_find_step(p, S("a"));
	plan_find_path(p, S("a"));
}

static void use_plan(struct arena *a, const struct plan *p)
{
	struct err err = ERR_INIT;
	struct selection sel;
	struct str all = S("*");

	use_index(a, p);
	select_goals(a, p, NULL, 0, &sel, &err);
	err_release(&err);
	select_goals(a, p, &all, 1, &sel, &err);
	err_release(&err);
	for (uint32_t i = 0; i < p->nworkflows; i++) {
		struct str name = plan_str(p, p->workflows[i].name);

		select_goals(a, p, &name, 1, &sel, &err);
		err_release(&err);
	}
}

static void open_image(struct arena *a, const char *s, size_t n)
{
	char *copy = malloc(n ? n : 1);
	struct err err = ERR_INIT;
	struct plan plan;

	if (n)
		memcpy(copy, s, n);
	if (n >= sizeof(struct plan_head)) {
		struct plan_head *h = (struct plan_head *)copy;

		h->size = n;
		h->sum = xxh_bytes(&h->size, n - offsetof(struct plan_head, size));
	}
	if (plan_open(copy, n, true, &plan, &err) == 0)
		use_plan(a, &plan);
	err_release(&err);
	free(copy);
}

static void read_json(struct arena *a, struct str text)
{
	struct buf image = BUF_INIT(BUF_UNLIMITED);
	struct err err = ERR_INIT;
	struct plan_content content;
	struct plan plan;

	if (plan_from_json(a, text, &image, &content, &err) == 0 && plan_open(image.s, image.n, true, &plan, &err) == 0)
		use_plan(a, &plan);
	err_release(&err);
	buf_release(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;

	if (size && !data[0])
		open_image(&arena, (const char *)data + 1, size - 1);
	else if (size)
		read_json(&arena, (struct str){(const char *)data + 1, size - 1});
	arena_release(&arena);
	return 0;
}
