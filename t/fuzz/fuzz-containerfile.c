/* The first line is the target and arguments ("TARGET A=1 B=2"), the rest a Containerfile. Any text is read or refused with a
 * reason that has its place; what is needed is in order; reading all stages up to the target only adds. */
#include "resolve/containerfile.h"

static const struct str env[] = {{"DIR=app", 7}};
static const struct str triggers[] = {{"COPY . /", 8}};
static const struct cfile_image image = {.identity = {"i", 1}, .env = env, .nenv = 1};
static const struct cfile_image other = {.identity = {"o", 1}, .onbuild = triggers, .nonbuild = 1};

static const struct cfile_image *image_of(void *ctx, struct str ref, struct str platform)
{
	(void)ctx;
	(void)platform;
	return ref.n % 5 == 4 ? NULL : ref.n % 5 == 3 ? &other : &image;
}

static void check_source(const struct cfile_source *source)
{
	struct str rest = source->path, part;

	while (str_cut(&rest, '/', &part))
		if (!part.n || str_is(part, ".") || str_is(part, ".."))
			BUG("a source that is not clean");
	if (str_ends(source->path, S("/")))
		BUG("a source that is not clean at its end");
}

static void check_loc(const struct cfile_why *why, const struct source *src)
{
	struct str rest = src->text, line;

	if (!why->text.s)
		return;
	for (uint32_t i = 0; i < why->loc.line; i++)
		if (!str_cut(&rest, '\n', &line))
			BUG("a place behind the end");
	if (!why->loc.line || !why->loc.col || why->loc.col > line.n + 1)
		BUG("a place beside the line");
}

static void check(const struct cfile_needs *needs, const struct source *src)
{
	for (size_t i = 0; i < needs->nsources; i++)
		check_source(&needs->sources[i]);
	for (size_t i = 1; i < needs->nargs; i++)
		if (str_cmp(needs->args[i - 1].name, needs->args[i].name) >= 0)
			BUG("arguments out of order");
	for (size_t i = 1; i < needs->nstages; i++)
		if (needs->stages[i - 1] >= needs->stages[i])
			BUG("stages out of order");
	for (size_t i = 0; i < needs->nbases; i++)
		if (!needs->bases[i].ref.n || (!needs->bases[i].image && !needs->uncached.text.s))
			BUG("a base of which nothing is said");
	if (!needs->frontend.s && (!needs->nstages || needs->stages[needs->nstages - 1] != needs->target))
		BUG("the target is not reached");
	check_loc(&needs->whole, src);
	check_loc(&needs->uncached, src);
	check_loc(&needs->buildkit, src);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct source src = {S("Containerfile"), {(const char *)data, size}};
	struct cfile_arg args[8];
	struct cfile_ask ask = {.args = args, .platform = S("linux/arm64/v8"), .build_platform = S("linux/amd64"), .image = image_of};
	struct cfile_needs needs, all;
	struct cfile *file;
	struct str head, word;

	if (size > 20000 || !str_cut(&src.text, '\n', &head))
		return 0;
	str_cut(&head, ' ', &ask.target);
	while (ask.nargs < countof(args) && str_cut(&head, ' ', &word)) {
		ptrdiff_t equals = str_chr(word, '=');

		if (equals > 0)
			args[ask.nargs++] = (struct cfile_arg){str_head(word, equals), str_from(word, equals + 1)};
	}
	if (cfile_parse(&arena, &src, &file, &err) == 0 && cfile_reach(&arena, file, &ask, &needs, &err) == 0) {
		check(&needs, &src);
		ask.every = true;
		if (cfile_reach(&arena, file, &ask, &all, &err) == 0 && (all.nstages < needs.nstages || all.nsources < needs.nsources))
			BUG("more stages need less");
	} else if (!err_any(&err)) {
		BUG("refused without a reason");
	}
	err_release(&err);
	arena_release(&arena);
	return 0;
}
