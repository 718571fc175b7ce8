/* ask-context: answers about container builds, for shell tests.
 *	ask-context ignore FILE              those of the paths on standard input that the rules in FILE keep
 *	ask-context tar FILE DIR [WORD...]   the tar that is sent for the Containerfile FILE and the context DIR
 *	ask-context key FILE DIR [WORD...]   the key of the image; nothing when it can't be kept
 *	ask-context list FILE DIR [WORD...]  the paths of the context that count
 * WORD: every (all stages up to the target), target=NAME, or NAME=VALUE, an argument. Images have the identity "id" and PATH=/bin.
 * Exits 1, having said why, when something is refused. */
#include "resolve/context.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "plan/manifest.h"

static int say(struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(BUF_UNLIMITED);

	err_print(err, &text, false);
	fwrite(text.s, 1, text.n, stderr);
	return 1;
}

static const struct contextignore *rules_of(struct arena *arena, struct str file, struct err *err)
{
	struct source *src = arena_new(arena, struct source);
	const struct contextignore *ig;
	int got;

	src->path = file;
	got = file_read(arena, AT_FDCWD, file.s, CONTEXTIGNORE_MAX, &src->text, err);
	return got < 0 || contextignore_read(arena, got ? src : NULL, &ig, err) < 0 ? NULL : ig;
}

static int keep(struct arena *arena, const char *file, struct err *err)
{
	const struct contextignore *ig = rules_of(arena, str_of(file), err);
	char line[4096];

	while (ig && fgets(line, sizeof(line), stdin)) {
		struct str path = str_trim(str_of(line));

		if (!contextignore_match(ig, path))
			puts(str_dup(arena, path).s);
	}
	return ig ? 0 : -1;
}

static const struct str env[] = {{"PATH=/bin", 9}};
static const struct cfile_image image = {.identity = {"id", 2}, .env = env, .nenv = 1};
static const struct cfile_image *image_of(void *ctx, struct str ref, struct str platform)
{
	(void)ctx;
	(void)ref;
	(void)platform;
	return &image;
}

static void words(struct arena *arena, char **v, struct cfile_ask *ask)
{
	struct cfile_arg *args = arena_array(arena, 64, struct cfile_arg);

	for (; *v; v++) {
		struct str word = str_of(*v);
		ptrdiff_t equals = str_chr(word, '=');

		if (str_is(word, "every"))
			ask->every = true;
		else if (str_starts(word, S("target=")))
			ask->target = str_from(word, 7);
		else if (equals > 0 && ask->nargs < 64)
			args[ask->nargs++] = (struct cfile_arg){str_head(word, equals), str_from(word, equals + 1)};
	}
	ask->args = args;
}

static int answer(const char *what, const struct cfile_needs *needs, struct str text, const struct context *context, int rootfd,
		  struct err *err)
{
	CLEANUP_BUF struct buf manifest = BUF_INIT(MANIFEST_MAX);
	char digest[DIGEST_TEXT_MAX];
	struct digest key;
	int out = 1;

	if (!strcmp(what, "tar"))
		return context_tar(context, rootfd, text, NULL, &out, err);
	for (size_t i = 0; !strcmp(what, "list") && i < context->n; i++)
		printf("%.*s\n", STR_ARG(context->files[i].entry.path));
	if (!strcmp(what, "list") || needs->uncached.text.s)
		return 0;
	if (context_key(needs, text, S("linux/amd64"), context, &manifest, &key, err) < 0)
		return -1;
	puts(digest_text(&key, digest));
	return 0;
}

static int build(struct arena *arena, char **v, struct err *err)
{
	struct source *src = arena_new(arena, struct source);
	struct cfile_ask ask = {.platform = S("linux/amd64"), .build_platform = S("linux/amd64"), .image = image_of};
	struct context_ask in = {.dir = S(""), .threads = 2};
	struct listing listing = {.arena = arena};
	struct cfile_needs needs;
	struct context context;
	struct content *content;
	struct cfile *file;
	char *root = realpath(v[2], NULL);
	int rc = -1;
	CLEANUP_FD int fd = root ? open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "there is no folder %s", v[2]);
	src->path = str_of(v[1]);
	listing.rootfd = fd;
	listing.root = str_of(root);
	words(arena, v + 3, &ask);
	in.needs = &needs;
	in.ignore = rules_of(arena, str_fmt(arena, "%s/.dockerignore", root), err);
	content = content_open(arena, fd, listing.root, NULL, err);
	if (in.ignore && content && file_read(arena, AT_FDCWD, v[1], CFLINE_FILE_MAX, &src->text, err) > 0 &&
	    cfile_parse(arena, src, &file, err) == 0 && cfile_reach(arena, file, &ask, &needs, err) == 0 &&
	    context_read(arena, &listing, content, &in, &context, err) == 0)
		rc = answer(v[0], &needs, src->text, &context, fd, err);
	if (content)
		content_close(content);
	listing_release(&listing);
	free(root);
	return rc;
}

int main(int argc, char **argv)
{
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	int rc = -1;

	if (argc == 3 && !strcmp(argv[1], "ignore"))
		rc = keep(&arena, argv[2], &err);
	else if (argc >= 4)
		rc = build(&arena, argv + 1, &err);
	return rc < 0 ? say(&err) : 0;
}
