/* The last line is a path, the lines before it are rules. A last rule that names the path itself has the say, a folder that can
 * hold something that is brought back may be entered, and a source matches what an ignore pattern without "**" does. */
#include "base/path.h"
#include "resolve/contextignore.h"
#include "resolve/contextwild.h"

static const struct contextignore *with(struct arena *arena, struct str rules, const char *last, struct str path)
{
	struct source *src = arena_new(arena, struct source);
	const struct contextignore *ig;

	*src = (struct source){S("x"), rules};
	if (last)
		src->text = str_fmt(arena, STR_FMT "\n%s" STR_FMT, STR_ARG(rules), last, STR_ARG(path));
	return contextignore_read(arena, src, &ig, NULL) < 0 ? NULL : ig;
}

static bool plain(struct str path)
{
	for (size_t i = 0; i < path.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789./_-", path.s[i]) || !path.s[i])
			return false;
	return path.n && path.n < 4000;
}

static void check_parents(const struct contextignore *ig, struct str path)
{
	if (contextignore_match(ig, path))
		return;
	for (size_t i = 1; i < path.n; i++)
		if (path.s[i] == '/' && contextignore_match(ig, str_head(path, i)) && !contextignore_may_enter(ig, str_head(path, i)))
			BUG("brought back, but never come by");
}

static void check_source(struct arena *arena, struct str rules, struct str path)
{
	struct str line;

	while (str_cut(&rules, '\n', &line)) {
		const char *problem;
		const struct contextwild *ignore = contextwild_new(arena, line, CONTEXTWILD_IGNORE, &problem),
					 *source = contextwild_new(arena, line, CONTEXTWILD_SOURCE, &problem);

		if (!ignore || str_find(line, S("**")) >= 0 || str_chr(line, '[') >= 0)
			continue;
		if (!source || contextwild_match(source, path) != contextwild_match(ignore, path))
			BUG("a source and an ignore pattern differ");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct str rules = {(const char *)data, size}, path;
	ptrdiff_t cut = str_rchr(rules, '\n');
	const struct contextignore *ig, *last;

	if (cut < 0 || size > 10000 || !path_join(&arena, S(""), str_from(rules, cut + 1), &path) || !path.n || path.s[0] == '/')
		goto out;
	rules.n = cut;
	if ((ig = with(&arena, rules, NULL, path)))
		check_parents(ig, path);
	if (plain(path)) {
		if ((last = with(&arena, rules, "", path)) && !contextignore_match(last, path))
			BUG("kept in spite of its own rule");
		if ((last = with(&arena, rules, "!", path)) && contextignore_match(last, path))
			BUG("left out in spite of its own rule");
	}
	check_source(&arena, rules, path);
out:
	arena_release(&arena);
	return 0;
}
