/* What is laid over a command: defaults below it, platforms.<os> and runtimes.<kind> above it. */
#include "spec/fields.h"

static const char *const default_names[] = {
	"runtime", "timeout",   "retry", "env",  "pass_env", "shell", "interpreter",
	"workdir", "workspace", "cache", "tags", "requires", "tools", "continue_on_failure",
	"image",   "mounts",    "networks", "network", "limits", "security", "reuse",
};
/* Those that hold no path: an included file, whose folder is another, gets these. */
static const char *const inherited_names[] = {
	"runtime", "timeout",   "retry", "env",  "pass_env",
	"shell",   "workspace", "cache", "tags", "continue_on_failure",
	"networks", "network",  "limits", "security", "reuse",
};
static const char *const never_overlaid[] = {"summary", "params", "platforms", "runtimes"};

static const struct node_item *item_find(const struct node *map, struct str key)
{
	for (size_t i = 0; i < map->n; i++) {
		if (str_eq(map->items[i].key, key))
			return &map->items[i];
	}
	return NULL;
}

/* run and exec exclude each other: an overlay that has one takes the other away. */
static bool displaced(const struct node *over, struct str key)
{
	return (str_is(key, "exec") && item_find(over, S("run"))) ||
	       (str_is(key, "run") && item_find(over, S("exec")));
}

static bool one_kind(const struct node *over)
{
	return !(item_find(over, S("run")) && item_find(over, S("exec")));
}

/* Maps merge, all else is replaced; the result keeps the places of what it was made of. */
const struct node *overlay_merge(struct arena *a, const struct node *base, const struct node *over)
{
	if (!base || base->kind != NODE_MAP || !over || over->kind != NODE_MAP)
		return over ? over : base;
	struct node *out = arena_new(a, struct node);
	*out = *over;
	out->n = 0;
	out->items = arena_array(a, base->n + over->n + 1, struct node_item);
	for (size_t i = 0; i < base->n; i++) {
		const struct node_item *above = item_find(over, base->items[i].key);
		if (!above && one_kind(over) && displaced(over, base->items[i].key))
			continue;
		struct node_item *item = &out->items[out->n++];
		*item = above ? *above : base->items[i];
		if (above)
			item->value = (struct node *)overlay_merge(a, base->items[i].value, above->value);
	}
	for (size_t i = 0; i < over->n; i++) {
		if (!item_find(base, over->items[i].key))
			out->items[out->n++] = over->items[i];
	}
	return out;
}

const struct node *overlay_pick(const struct node *command, const char *field, struct str name)
{
	const struct node *all = command->kind == NODE_MAP ? node_get(command, str_of(field)) : NULL;
	const struct node *one = all && all->kind == NODE_MAP ? node_get(all, name) : NULL;
	return one && one->kind == NODE_MAP ? one : NULL;
}

static bool is_among(struct str name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (str_is(name, names[i]))
			return true;
	}
	return false;
}

/* Reads an overlay by itself, for its form: what it names is known only once it is merged. */
static void overlay_read(struct reader *r, const struct node *n, const char *what, bool defaults,
                         const char *without)
{
	struct field fields[64];
	size_t nfields = 0, nexprs = r->exprs.n;
	for (size_t i = 0; i < command_nfields; i++) {
		struct str name = str_of(command_fields[i].name);
		bool allowed = defaults ? is_among(name, default_names, countof(default_names))
					: !is_among(name, never_overlaid, countof(never_overlaid));
		if (allowed && !(without && str_is(name, without)))
			fields[nfields++] = command_fields[i];
	}
	struct spec_command *ignored = arena_new(r->arena, struct spec_command);
	r->partial = true;
	fields_read(r, n, PLACE_COMMAND, what, fields, nfields, ignored);
	r->partial = false;
	r->exprs.n = nexprs;
}

const struct node *overlay_inherited(struct arena *a, const struct node *defaults)
{
	struct node *out = arena_new(a, struct node);
	if (!defaults)
		return NULL;
	*out = *defaults;
	out->items = arena_array(a, defaults->n + 1, struct node_item);
	out->n = 0;
	for (size_t i = 0; i < defaults->n; i++) {
		const struct node_item *item = &defaults->items[i];
		/* a name or a reference holds no path */
		if (is_among(item->key, inherited_names, countof(inherited_names)) ||
		    (str_is(item->key, "image") && item->value->kind == NODE_SCALAR))
			out->items[out->n++] = defaults->items[i];
	}
	return out;
}

void overlay_defaults(struct reader *r, const struct node *n, void *at)
{
	(void)at;
	size_t before = r->err->ndiags;
	overlay_read(r, n, "defaults", true, NULL);
	if (r->err->ndiags == before)
		r->unit->defaults = overlay_merge(r->arena, r->unit->defaults, n);
}

void overlay_platforms(struct reader *r, const struct node *n, void *at)
{
	static const struct str systems[] = {S("linux"), S("macos"), S("freebsd"), S("windows")};
	(void)at;
	if (n->kind != NODE_MAP) {
		expected(r, n, "a map of systems");
		return;
	}
	for (size_t i = 0; i < n->n; i++) {
		const struct node_item *item = &n->items[i];
		bool known = false;
		for (size_t k = 0; k < countof(systems); k++)
			known |= str_eq(systems[k], item->key);
		if (known) {
			overlay_read(r, item->value,
			             str_fmt(r->arena, "platforms." STR_FMT, STR_ARG(item->key)).s, false,
			             NULL);
			continue;
		}
		const char *hint = hint_nearest(r, item->key, systems, countof(systems));
		mistake(r, item->key_loc, hint ? hint : "there are linux, macos, freebsd and windows",
		        "unknown platform '" STR_FMT "'", STR_ARG(item->key));
	}
}

void overlay_runtimes(struct reader *r, const struct node *n, void *at)
{
	static const struct str kinds[] = {S("native"), S("container"), S("pod")};
	(void)at;
	if (n->kind != NODE_MAP) {
		expected(r, n, "a map of runtime kinds");
		return;
	}
	for (size_t i = 0; i < n->n; i++) {
		const struct node_item *item = &n->items[i];
		if (str_is(item->key, "native") || str_is(item->key, "container"))
			overlay_read(r, item->value, str_fmt(r->arena, "runtimes." STR_FMT, STR_ARG(item->key)).s, false, "runtime");
		else if (str_is(item->key, "pod"))
			mistake(r, item->key_loc, "native and container are",
			        "the runtime '" STR_FMT "' is not built yet", STR_ARG(item->key));
		else
			mistake(r, item->key_loc, hint_nearest(r, item->key, kinds, countof(kinds)),
			        "unknown runtime '" STR_FMT "'", STR_ARG(item->key));
	}
}
