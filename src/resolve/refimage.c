#include "resolve/refimage.h"

#include <stdlib.h>

#include "base/map.h"

struct refimages {
	struct arena arena;
	struct identifier *who;
	struct imagelock lock;
	struct map answers;             /* question -> struct answer */
};

struct answer { struct refimage image; char *problem; /* heap; NULL: it was answered */ };

struct refimages *refimages_open(int rootfd, struct identifier *who, struct err *err)
{
	struct refimages *r = xcalloc(1, sizeof(*r));

	r->who = who;
	if (imagelock_read(&r->arena, rootfd, &r->lock, err) < 0) {
		refimages_close(r);
		return NULL;
	}
	return r;
}

void refimages_close(struct refimages *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->answers.n; i++)
		free(((struct answer *)r->answers.entries[i].value)->problem);
	map_release(&r->answers);
	imagelock_release(&r->lock);
	arena_release(&r->arena);
	free(r);
}

static struct str by_digest(struct refimages *r, const struct imageref *ref, const struct digest *d)
{
	char text[DIGEST_TEXT_MAX];

	return str_fmt(&r->arena, STR_FMT "@%s", STR_ARG(imageref_name(&r->arena, ref)), digest_text(d, text));
}

static void from_pin(struct refimages *r, const struct imageref *ref, const struct imagelock_image *image, const struct imagelock_pin *pin,
		     struct image_found *out)
{
	char text[DIGEST_TEXT_MAX];
	struct imageref pinned = *ref;

	/* with the digest behind the tag: a pull then leaves the engine's tag alone */
	pinned.digest = pinned.digest.n ? pinned.digest : str_fmt(&r->arena, "%s", digest_text(&pin->manifest, text));
	*out = (struct image_found){
		.identity = pin->identity, .source = IMAGE_FROM_REGISTRY, .ref = imageref_text(&r->arena, &pinned), .index = image->index, .manifest = pin->manifest,
		.config = pin->config, .description = S(""),
		.create = str_fmt(&r->arena, "%s", digest_text(&pin->config, text)),
		.pull = by_digest(r, ref, &pin->manifest),
	};
	platform_parse(&r->arena, pin->platform, &out->platform);
}

/* By the pinned digest, so that it is what the lock says whoever tells it. */
static int ask_pinned(struct refimages *r, const struct image_ask *ask, struct str pinned, const struct digest *identity, struct image_found *out,
		      struct err *err)
{
	struct image_ask question = {pinned, ask->platform, ask->policy};

	if (image_identify(r->who, &r->arena, &question, out, err) < 0)
		return -1;
	if (identity && !digest_eq(&out->identity, identity))
		return err_set(err, ERR_RUNTIME, "the image " STR_FMT " is not what " IMAGELOCK_FILE " says of it; run cairn update " STR_FMT,
			       STR_ARG(pinned), STR_ARG(ask->ref));
	return 0;
}

static int look(struct refimages *r, const struct image_ask *ask, bool whole, struct refimage *out, struct err *err)
{
	struct imageref ref;
	struct platform want;
	const struct imagelock_image *image = NULL;
	const struct imagelock_pin *pin = NULL;

	if (!imageref_parse(&r->arena, ask->ref, &ref) && !ref.id.n)
		image = imagelock_find(&r->lock, imageref_text(&r->arena, &ref));
	if (!ask->platform.n)
		image_platform(&r->arena, &want);
	else if (platform_parse(&r->arena, ask->platform, &want))
		image = NULL;           /* image_identify says what is wrong with it */
	if (image)
		pin = imagelock_pin(image, &want);
	out->pinned = pin != NULL;
	if (pin && whole)
		return ask_pinned(r, ask, by_digest(r, &ref, &pin->manifest), &pin->identity, &out->found, err);
	if (pin)
		from_pin(r, &ref, image, pin, &out->found);
	else if (image && image->index.algo)
		return ask_pinned(r, ask, by_digest(r, &ref, &image->index), NULL, &out->found, err);
	else
		return image_identify(r->who, &r->arena, ask, &out->found, err);
	return 0;
}

int refimages_ask(struct refimages *r, const struct image_ask *ask, bool whole, const struct refimage **out, struct err *err)
{
	struct str key = str_fmt(&r->arena, STR_FMT "\n" STR_FMT "\n%d%d", STR_ARG(ask->ref), STR_ARG(ask->platform), ask->policy, whole);
	struct answer *answer = map_get(&r->answers, key);
	struct err why = ERR_INIT;

	if (!answer) {
		answer = arena_new(&r->arena, struct answer);
		if (look(r, ask, whole, &answer->image, &why) < 0)
			answer->problem = strdup(why.text ? why.text : "");
		else if (ask->policy == IMAGE_NEVER)
			answer->image.found.pull = S("");
		err_release(&why);
		*map_put(&r->answers, key, NULL) = answer;
	}
	*out = &answer->image;
	return answer->problem ? err_set(err, ERR_RUNTIME, "%s", answer->problem) : 0;
}
