#include "resolve/imagelock.h"

#include "base/node.h"
#include "sys/file.h"

#define FORMAT "1"
#define HINT "`cairn update` writes this file; to begin anew, remove it and run that"

static const char head[] = "# What the images of the spec were when `cairn update` last asked. Written by it; to be committed.\nlock: " FORMAT "\n";

void imagelock_release(struct imagelock *lock)
{
	for (size_t i = 0; i < lock->images.n; i++)
		vec_free(&lock->images.v[i].pins);
	vec_free(&lock->images);
}

/* ---- looking and changing ---- */

/* Where ref is or belongs. */
static size_t place_of(const struct imagelock *lock, struct str ref, bool *there)
{
	size_t low = 0, high = lock->images.n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (str_cmp(lock->images.v[mid].ref, ref) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*there = low < lock->images.n && str_eq(lock->images.v[low].ref, ref);
	return low;
}

struct imagelock_image *imagelock_find(const struct imagelock *lock, struct str ref)
{
	bool there;
	size_t at = place_of(lock, ref, &there);

	return there ? &lock->images.v[at] : NULL;
}

/* Its own text first, then what means the same: arm64 and arm64/v8. */
const struct imagelock_pin *imagelock_pin(const struct imagelock_image *image, const struct platform *want)
{
	struct platform w = platform_normal(*want), p;
	struct arena a = ARENA_INIT;
	const struct imagelock_pin *found = NULL;

	for (size_t i = 0; !found && i < image->pins.n; i++) {
		if (platform_parse(&a, image->pins.v[i].platform, &p))
			continue;
		p = platform_normal(p);
		if (str_eq(p.os, w.os) && str_eq(p.arch, w.arch) && str_eq(p.variant, w.variant))
			found = &image->pins.v[i];
	}
	arena_release(&a);
	return found;
}

static struct imagelock_image *image_put(struct arena *a, struct imagelock *lock, struct str ref)
{
	bool there;
	size_t at = place_of(lock, ref, &there);

	if (there)
		return &lock->images.v[at];
	vec_push(&lock->images);
	memmove(&lock->images.v[at + 1], &lock->images.v[at], (lock->images.n - 1 - at) * sizeof(*lock->images.v));
	lock->images.v[at] = (struct imagelock_image){.ref = str_dup(a, ref)};
	return &lock->images.v[at];
}

static void pin_put(struct arena *a, struct imagelock_image *image, const struct imagelock_pin *pin)
{
	struct imagelock_pin mine = *pin;
	size_t at = 0;

	mine.platform = str_dup(a, pin->platform);
	while (at < image->pins.n && str_cmp(image->pins.v[at].platform, mine.platform) < 0)
		at++;
	if (at == image->pins.n || !str_eq(image->pins.v[at].platform, mine.platform)) {
		vec_push(&image->pins);
		memmove(&image->pins.v[at + 1], &image->pins.v[at], (image->pins.n - 1 - at) * sizeof(*image->pins.v));
	}
	image->pins.v[at] = mine;
}

void imagelock_set(struct arena *a, struct imagelock *lock, struct str ref, const struct digest *index, const struct imagelock_pin *pin)
{
	struct imagelock_image *image = image_put(a, lock, ref);

	/* without an index there is but one image, whatever it was asked for */
	if (!index->algo || !digest_eq(&image->index, index))
		image->pins.n = 0;
	image->index = *index;
	pin_put(a, image, pin);
}

void imagelock_remove(struct imagelock *lock, struct str ref)
{
	bool there;
	size_t at = place_of(lock, ref, &there);

	if (!there)
		return;
	vec_free(&lock->images.v[at].pins);
	lock->images.n--;
	memmove(&lock->images.v[at], &lock->images.v[at + 1], (lock->images.n - at) * sizeof(*lock->images.v));
}

/* ---- writing ---- */

static void put_digest(struct buf *out, const char *indent, const char *name, const struct digest *d)
{
	char text[DIGEST_TEXT_MAX];

	buf_fmt(out, "%s%s: %s\n", indent, name, digest_text(d, text));
}

void imagelock_text(const struct imagelock *lock, struct buf *out)
{
	buf_z(out, head);
	buf_z(out, lock->images.n ? "images:\n" : "images: {}\n");
	for (size_t i = 0; i < lock->images.n; i++) {
		const struct imagelock_image *image = &lock->images.v[i];
		const char *quote = image->ref.n && image->ref.s[0] == '[' ? "\"" : "";         /* an IPv6 address */

		buf_fmt(out, "  %s" STR_FMT "%s:\n", quote, STR_ARG(image->ref), quote);
		if (image->index.algo)
			put_digest(out, "    ", "index", &image->index);
		for (size_t k = 0; k < image->pins.n; k++) {
			buf_fmt(out, "    " STR_FMT ":\n", STR_ARG(image->pins.v[k].platform));
			put_digest(out, "      ", "manifest", &image->pins.v[k].manifest);
			put_digest(out, "      ", "config", &image->pins.v[k].config);
			put_digest(out, "      ", "identity", &image->pins.v[k].identity);
		}
	}
}

int imagelock_write(int rootfd, const struct imagelock *lock, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(BUF_UNLIMITED);

	imagelock_text(lock, &text);
	return file_write(rootfd, IMAGELOCK_FILE, buf_view(&text), 0644, err);
}

/* ---- reading ---- */

struct reading {
	struct arena *arena;
	struct imagelock *lock;
	struct err *err;
};

static void read_digest(struct reading *r, const struct node *n, struct digest *out)
{
	if (n->kind != NODE_SCALAR || !digest_parse(n->s, out) || out->algo != DIGEST_SHA256)
		err_at(r->err, n->loc, HINT, "expected sha256: and 64 hexadecimal digits");
}

static void read_pin(struct reading *r, struct imagelock_image *image, const struct node_item *item)
{
	struct imagelock_pin pin = {.platform = item->key};
	struct platform platform;
	const char *why = platform_parse(r->arena, item->key, &platform);

	if (why) {
		err_at(r->err, item->key_loc, HINT, "'" STR_FMT "' is neither 'index' nor a platform: %s", STR_ARG(item->key), why);
		return;
	}
	if (item->value->kind != NODE_MAP) {
		err_at(r->err, item->value->loc, HINT, "expected a map, not %s", node_kind_name(item->value));
		return;
	}
	for (size_t i = 0; i < item->value->n; i++) {
		const struct node_item *field = &item->value->items[i];

		if (str_is(field->key, "manifest"))
			read_digest(r, field->value, &pin.manifest);
		else if (str_is(field->key, "config"))
			read_digest(r, field->value, &pin.config);
		else if (str_is(field->key, "identity"))
			read_digest(r, field->value, &pin.identity);
		else
			err_at(r->err, field->key_loc, HINT, "unknown field '" STR_FMT "'", STR_ARG(field->key));
	}
	if (!pin.manifest.algo || !pin.config.algo || !pin.identity.algo)
		err_at(r->err, item->key_loc, HINT, "a platform has manifest, config and identity");
	pin_put(r->arena, image, &pin);
}

static void read_image(struct reading *r, const struct node_item *item)
{
	struct imagelock_image *image;
	struct imageref ref;
	const char *why = imageref_parse(r->arena, item->key, &ref);

	if (why || !str_eq(imageref_text(r->arena, &ref), item->key)) {
		err_at(r->err, item->key_loc, HINT, "'" STR_FMT "' is not the whole name of an image%s%s", STR_ARG(item->key), why ? ": " : "", why ? why : "");
		return;
	}
	if (item->value->kind != NODE_MAP || !item->value->n) {
		err_at(r->err, item->value->loc, HINT, "expected a map with at least one platform");
		return;
	}
	image = image_put(r->arena, r->lock, item->key);
	for (size_t i = 0; i < item->value->n; i++) {
		if (str_is(item->value->items[i].key, "index"))
			read_digest(r, item->value->items[i].value, &image->index);
		else
			read_pin(r, image, &item->value->items[i]);
	}
}

static void read_root(struct reading *r, const struct node *root)
{
	const struct node *version = root->kind == NODE_MAP ? node_get(root, S("lock")) : NULL, *images = version ? node_get(root, S("images")) : NULL;

	if (!version || version->kind != NODE_SCALAR || !str_is(version->s, FORMAT)) {
		err_at(r->err, version ? version->loc : root->loc, HINT, "this is no lock file of a kind that is known here (lock: " FORMAT ")");
		return;
	}
	if (!images || images->kind != NODE_MAP) {
		err_at(r->err, images ? images->loc : root->loc, HINT, "a lock file has a map 'images'");
		return;
	}
	for (size_t i = 0; i < root->n; i++)
		if (!str_is(root->items[i].key, "lock") && !str_is(root->items[i].key, "images"))
			err_at(r->err, root->items[i].key_loc, HINT, "unknown field '" STR_FMT "'", STR_ARG(root->items[i].key));
	for (size_t i = 0; i < images->n; i++)
		read_image(r, &images->items[i]);
}

int imagelock_parse(struct arena *a, struct str text, struct imagelock *out, struct err *err)
{
	struct source *src = arena_new(a, struct source);
	struct err mistakes = ERR_INIT;
	struct reading r = {a, out, &mistakes};
	struct node *root;

	*out = (struct imagelock){0};
	*src = (struct source){S(IMAGELOCK_FILE), text};
	if (yaml_read(a, src, &root, &mistakes) == 0)
		read_root(&r, root);
	if (!err_any(&mistakes))
		return 0;
	if (err)
		err_move(err, &mistakes);
	err_release(&mistakes);
	imagelock_release(out);
	*out = (struct imagelock){0};
	return -1;
}

int imagelock_read(struct arena *a, int rootfd, struct imagelock *out, struct err *err)
{
	struct str text;
	int got = file_read(a, rootfd, IMAGELOCK_FILE, IMAGELOCK_MAX, &text, err);

	*out = (struct imagelock){0};
	if (got <= 0)
		return got;
	return imagelock_parse(a, text, out, err) < 0 ? -1 : 1;
}
