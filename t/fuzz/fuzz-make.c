/* A spec planned in a small world: whatever the spec, the plan that comes out is sound, and the same
 * when it is made again. */
#include "../unit/planned.h"

#include "plan/select.h"

static const char *const files[] = {"Makefile", "a.c", "b.c", "d/e/", "gen.sh", "src/a.c", "src/a.h", "src/b [1].c", "src/sub/c.c", NULL};
static const char *const env[] = {"HOME", "/h", "CC", "cc", NULL}, *const git[] = {"branch", "main", "dirty", "true", NULL};
static const char *const lines[] = {"list.txt", "one", "two", NULL};

static void plan_again(const struct planned *first, const char *text)
{
	struct world w = {.files = files, .env = env, .git = git, .lines = lines};
	struct planned p;

	plan_text_of(&p, text, &w);
	if (p.rc || !str_eq(buf_view(&p.image), buf_view(&first->image)))
		abort();
	planned_release(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.files = files, .env = env, .git = git, .lines = lines};
	char *text = malloc(size + 1);
	struct planned p;

	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	plan_text_of(&p, text, &w);
	if (p.image.n) {
		if (p.rc)
			abort();        /* an image that its own check refuses */
		plan_again(&p, text);
	}
	planned_release(&p);
	free(text);
	return 0;
}
