#include <stdio.h>

#include "plan/manifest.h"
#include "resolve/context.h"
#include "sys/sha.h"

static void add_file(struct buf *b, const struct entry *e)
{
	char digest[DIGEST_TEXT_MAX];

	if (e->type == ENTRY_LINK)
		manifest_field(b, "context", e->path, S("link"), e->link);
	else if (e->type == ENTRY_DIR)
		manifest_field(b, "context", e->path, S("folder"));
	else
		manifest_field(b, "context", e->path, e->mode & 0100 ? S("program") : S("file"),
			       str_of(digest_text(&e->digest, digest)));
}

static void add_target(struct buf *b, const struct cfile_needs *needs)
{
	char number[16];

	if (!needs->nstages) {          /* the file is in a language of which nothing is known */
		manifest_field(b, "target", needs->target_name);
		return;
	}
	snprintf(number, sizeof(number), "%u", needs->target);
	manifest_field(b, "stage", str_of(number));
}

int context_key(const struct cfile_needs *needs, struct str containerfile, struct str platform, const struct context *context,
		struct buf *manifest, struct digest *key, struct err *err)
{
	char text[DIGEST_TEXT_MAX];
	struct digest digest;

	if (needs->uncached.text.s)
		return err_set(err, ERR_SPEC, "the image can't be kept: " STR_FMT, STR_ARG(needs->uncached.text));
	if (sha256_init(err) < 0)
		return -1;
	manifest_begin(manifest);
	manifest_field(manifest, "image of", S("containerfile 1"));
	sha256_bytes(containerfile.s, containerfile.n, &digest);
	manifest_field(manifest, "containerfile", str_of(digest_text(&digest, text)));
	add_target(manifest, needs);
	manifest_field(manifest, "platform", platform);
	for (size_t i = 0; i < needs->nargs; i++)
		manifest_field(manifest, "arg", needs->args[i].name, needs->args[i].value);
	for (size_t i = 0; i < needs->nbases; i++)
		manifest_field(manifest, "base", needs->bases[i].ref, needs->bases[i].platform, needs->bases[i].image->identity);
	for (size_t i = 0; i < context->n; i++)
		add_file(manifest, &context->files[i].entry);
	if (manifest->full)
		return err_set(err, ERR_SYSTEM, "the context of a container build has too many files for its key");
	sha256_bytes(manifest->s, manifest->n, key);
	return 0;
}
