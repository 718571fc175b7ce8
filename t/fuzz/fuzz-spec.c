/* A whole spec: the input is cairn.yaml; behind a line "---8<---" follows what any other file holds. */
#include "spec/spec.h"

struct world { struct str root, other; };

static int load(void *ctx, struct arena *a, struct str path, struct str *out, struct err *err)
{
	struct world *w = ctx;
	(void)err;
	if (path.n > 40)
		return 0;
	*out = str_dup(a, str_ends(path, S("/cairn.yaml")) && path.n == 13 ? w->root : w->other);
	return 1;
}

static int include(void *ctx, struct arena *a, struct str pattern, struct str **out, size_t *n,
                   struct err *err)
{
	(void)ctx, (void)pattern, (void)err;
	*out = arena_array(a, 2, struct str);
	(*out)[0] = S("a/cairn.yaml");
	(*out)[1] = S("b/c.yaml");
	*n = 2;
	return 0;
}

static const char *env_get(void *ctx, const char *name)
{
	(void)ctx;
	return name[0] == 'H' ? "value" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct str all = {(const char *)data, size};
	ptrdiff_t cut = str_find(all, S("\n---8<---\n"));
	struct world world = {.root = cut < 0 ? all : str_head(all, (size_t)cut + 1),
	                      .other = cut < 0 ? S("") : str_from(all, (size_t)cut + 10)};
	struct spec_options opt = {
		.root = S("/r"),
		.file = S("cairn.yaml"),
		.os = S("linux"),
		.arch = S("x86_64"),
		.runtime = S("native"),
		.load = load,
		.include = include,
		.getenv = env_get,
		.ctx = &world,
	};
	struct spec *spec = NULL;
	if (spec_read(&arena, &opt, &spec, &err) == 0)
		spec_release(spec);
	struct buf text = BUF_INIT(1 << 20);
	err_print(&err, &text, false);
	buf_release(&text);
	err_release(&err);
	arena_release(&arena);
	return 0;
}
