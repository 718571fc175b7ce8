/* images, and what a command says of its image itself. */
#include "spec/fields.h"

#include "spec/exprlex.h"

static void pull_read(struct reader *r, const struct node *n, void *at)
{
	static const struct str policies[] = {
		[PULL_MISSING] = S("missing"), [PULL_ALWAYS] = S("always"), [PULL_NEVER] = S("never")};
	enum pull_policy *pull = at;
	for (size_t i = 0; i < countof(policies); i++) {
		if (n->kind == NODE_SCALAR && str_eq(n->s, policies[i])) {
			*pull = (enum pull_policy)i;
			return;
		}
	}
	mistake(r, n->loc, n->kind == NODE_SCALAR ? hint_nearest(r, n->s, policies, countof(policies)) : NULL,
	        "pull is one of missing, always and never");
}

static void platform_read(struct reader *r, const struct node *n, void *at)
{
	struct text *t = at;
	if (!text_read(r, n, "a platform, such as linux/arm64", t) || text_has_expr(t->s))
		return;
	ptrdiff_t slash = str_chr(t->s, '/');
	if (slash <= 0 || slash + 1 == (ptrdiff_t)t->s.n)
		mistake(r, n->loc, "write linux/amd64 or linux/arm64", "'" STR_FMT "' is no platform",
		        STR_ARG(t->s));
}

static void build_args_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_envs *args = at;
	env_read(r, n, args);
	for (size_t i = 0; i < args->n; i++) {
		if (args->v[i].secret)
			mistake(r, args->v[i].value.loc, NULL,
			        "a build argument can't be a secret: it stays in the image for all to read");
	}
}

/* {image: ...} or {containerfile: ...} */
static void image_map_read(struct reader *r, const struct node *n, const char *what, struct spec_image *image)
{
	static const struct field fields[] = {
		FIELD(spec_image, "image", ref, field_name),
		FIELD(spec_image, "pull", pull, pull_read),
		FIELD(spec_image, "platform", platform, platform_read),
		FIELD(spec_image, "containerfile", containerfile, field_name),
		FIELD(spec_image, "context", context, field_name),
		FIELD(spec_image, "target", target, field_name),
		FIELD(spec_image, "args", args, build_args_read),
	};
	static const char *const of_builds[] = {"context", "target", "args"};
	if (!fields_read(r, n, PLACE_OTHER, what, fields, countof(fields), image))
		return;
	const struct node *ref = node_get(n, S("image")), *built = node_get(n, S("containerfile")),
			  *pull = node_get(n, S("pull"));
	if (!ref == !built)
		mistake(r, n->loc, NULL, "%s takes exactly one of image and containerfile", what);
	if (pull && built && !ref)
		mistake(r, pull->loc, NULL, "'pull' has no meaning beside containerfile: the image is built");
	for (size_t i = 0; i < countof(of_builds) && ref && !built; i++) {
		const struct node *only = node_get(n, str_of(of_builds[i]));
		if (only)
			mistake(r, only->loc, NULL, "'%s' has a meaning beside containerfile only", of_builds[i]);
	}
}

static struct spec_image *image_new(struct reader *r, struct loc loc)
{
	struct spec_image *image = arena_new(r->arena, struct spec_image);
	*image = (struct spec_image){.loc = loc, .file = r->unit->file};
	return image;
}

void images_read(struct reader *r, const struct node *n, void *at)
{
	(void)at;
	if (n->kind != NODE_MAP) {
		expected(r, n, "a map of images");
		return;
	}
	r->unit->images = arena_array(r->arena, n->n + 1, struct spec_image *);
	for (size_t i = 0; i < n->n; i++) {
		const struct node_item *item = &n->items[i];
		const char *problem = name_problem(item->key);
		struct spec_image *image = image_new(r, item->key_loc);
		image->name = item->key;
		if (problem || image_is_reference(item->key))
			mistake(r, item->key_loc, problem ? problem : "'/' and ':' are for references",
			        "'" STR_FMT "' can't name an image", STR_ARG(item->key));
		if (item->value->kind == NODE_SCALAR)
			field_name(r, item->value, &image->ref);
		else
			image_map_read(r, item->value,
			               str_fmt(r->arena, "image '" STR_FMT "'", STR_ARG(item->key)).s, image);
		r->unit->images[r->unit->nimages++] = image;
	}
}

bool image_is_reference(struct str s)
{
	return str_chr(s, '/') >= 0 || str_chr(s, ':') >= 0 || str_chr(s, '@') >= 0;
}

/* An included file sees the images of the files that include it. */
static const struct spec_image *image_find(struct reader *r, const struct text *t)
{
	struct str *names = NULL;
	size_t n = 0;
	for (const struct unit *u = r->unit; u; u = u->parent) {
		for (size_t i = 0; i < u->nimages; i++) {
			if (str_eq(u->images[i]->name, t->s))
				return u->images[i];
		}
		n += u->nimages;
	}
	names = arena_array(r->arena, n + 1, struct str);
	n = 0;
	for (const struct unit *u = r->unit; u; u = u->parent) {
		for (size_t i = 0; i < u->nimages; i++)
			names[n++] = u->images[i]->name;
	}
	const char *near = hint_nearest(r, t->s, names, n);
	mistake(r, t->loc, near ? near : str_fmt(r->arena, "a reference has a tag: " STR_FMT ":latest", STR_ARG(t->s)).s,
	        "'" STR_FMT "' names no entry of images", STR_ARG(t->s));
	return NULL;
}

void image_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_place *place = at;
	struct text t;
	struct spec_image *own = image_new(r, n->loc);
	place->image = own;
	if (n->kind == NODE_MAP) {
		image_map_read(r, n, "image", own);
		return;
	}
	own->ref = (struct text){.s = S(""), .loc = n->loc, .node = n};
	if (!text_read(r, n, "an image", &t))
		return;
	if (!t.s.n)
		mistake(r, n->loc, NULL, "the name is empty");
	else if (text_has_expr(t.s) || image_is_reference(t.s))
		own->ref = t;
	else if (!r->partial)
		place->image = image_find(r, &t);
}

void containerfile_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_place *place = at;
	struct spec_image *own = image_new(r, n->loc);
	place->image = own;
	field_name(r, n, &own->containerfile);
}
