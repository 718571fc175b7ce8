/* The files of a spec: the root, then what each includes, depth first. */
#include "spec/fields.h"

#include <stdlib.h>

#include "base/glob.h"
#include "base/path.h"

#define UNITS_MAX 100000
#define UNITS_MAX_DEPTH 32

static bool unit_add(struct reader *, struct unit *parent, struct str path, const struct node *by,
                     bool optional);

static bool unit_repeats(struct reader *r, struct unit *parent, struct str path, const struct node *by)
{
	const struct unit *other = map_get(&r->unit_by_path, path);
	if (!other)
		return false;
	for (const struct unit *u = parent; u; u = u->parent) {
		if (u == other) {
			mistake(r, by->loc, NULL,
			        "an include cycle: " STR_FMT " includes this file, directly or not",
			        STR_ARG(path));
			return true;
		}
	}
	const struct loc *first = &other->included_by->loc;
	mistake(r, by->loc,
	        str_fmt(r->arena, "the first include is at " STR_FMT ":%u", STR_ARG(first->src->path),
	                first->line)
	                .s,
	        STR_FMT " is included twice", STR_ARG(path));
	return true;
}

static void matches_add(struct reader *r, struct unit *u, const struct spec_path *p,
                        const struct spec_paths *all, struct str pattern)
{
	struct err own = ERR_INIT;
	struct str *found = NULL;
	size_t n = 0, used = 0;
	if (!r->opt->include || r->opt->include(r->opt->ctx, r->arena, pattern, &found, &n, &own)) {
		mistake(r, p->text.loc, NULL, "unable to look for included files: %s",
		        own.text ? own.text : "no way to");
		err_release(&own);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		bool taken_away = str_eq(found[i], u->path);
		struct str away;
		for (size_t k = 0; k < all->n && !taken_away; k++)
			taken_away = all->v[k].negated &&
			             path_join(r->arena, u->dir, all->v[k].text.s, &away) &&
			             glob_match(away, found[i]);
		if (taken_away)
			continue;
		used++;
		unit_add(r, u, found[i], p->text.node, false);
	}
	if (!used && !p->optional)
		mistake(r, p->text.loc, NULL, "the pattern matches no file");
}

static void include_one(struct reader *r, struct unit *u, const struct spec_path *p,
                        const struct spec_paths *all)
{
	struct str path, text = p->text.s;
	bool pattern = !p->literal && glob_is(text);
	if (p->negated || !text.n)
		return;
	if (text_has_expr(text)) {
		mistake(r, p->text.loc, NULL, "${{ }} has no meaning in include");
		return;
	}
	if (!pattern && !p->literal)
		text = glob_unescape(r->arena, text);
	if (text.s[0] == '/' || !path_join(r->arena, u->dir, text, &path) || !path.n)
		mistake(r, p->text.loc, NULL, "an included file lies in the workspace");
	else if (pattern)
		matches_add(r, u, p, all, path);
	else
		unit_add(r, u, path, p->text.node, p->optional);
}

static void includes_load(struct reader *r, struct unit *u)
{
	struct spec_paths paths = {0};
	const struct node *n = node_get(u->root, S("include"));
	size_t depth = 0;
	if (!n)
		return;
	for (const struct unit *up = u; up; up = up->parent)
		depth++;
	if (depth > UNITS_MAX_DEPTH) {
		mistake(r, n->loc, NULL, "files include each other more than %d levels deep",
		        UNITS_MAX_DEPTH);
		return;
	}
	inputs_read(r, n, &paths);
	for (size_t i = 0; i < paths.n; i++)
		include_one(r, u, &paths.v[i], &paths);
}

/* Does the file say "cairn: 1"? Of another format nothing else can be said. */
static bool version_check(struct reader *r, const struct node *root, const struct source *src)
{
	struct loc first = {.src = src, .line = 1, .col = 1};
	const struct node *n;
	if (root->kind == NODE_SCALAR && node_is_null(root) && !root->s.n)
		return mistake(r, first,
		               "the least there can be is cairn: 1, and commands: {hello: {run: echo hello}}",
		               "the file is empty");
	if (root->kind != NODE_MAP)
		return mistake(r, root->loc, NULL, "a spec is a map of fields, found %s",
		               node_kind_name(root));
	n = node_get(root, S("cairn"));
	if (!n)
		return mistake(r, first, "the first line of a spec tells its format: cairn: 1",
		               "'cairn' is missing");
	if (n->kind != NODE_SCALAR || node_type(n) != TYPE_INT)
		return mistake(r, n->loc, "write cairn: 1", "the format must be the number 1, found %s",
		               node_kind_name(n));
	if (!str_is(n->s, "1"))
		return mistake(r, n->loc, "write cairn: 1, or use a cairn that reads this format",
			       "this cairn reads format 1, the file says " STR_FMT, STR_ARG(n->s));
	return true;
}

static bool text_load(struct reader *r, struct str path, const struct node *by, bool optional,
                      struct str *text)
{
	struct err own = ERR_INIT;
	struct str absolute = str_fmt(r->arena, STR_FMT "/" STR_FMT, STR_ARG(r->opt->root), STR_ARG(path));
	int got = r->opt->load(r->opt->ctx, r->arena, absolute, text, &own);
	if (got > 0)
		return true;
	if (got < 0 && !by)
		err_move(r->err, &own);
	else if (got < 0)
		mistake(r, by->loc, NULL, "unable to read " STR_FMT ": %s", STR_ARG(path),
		        own.text ? own.text : "it is malformed");
	else if (!by)
		err_set(r->err, ERR_SPEC, "unable to open " STR_FMT ": no such file", STR_ARG(path));
	else if (!optional)
		mistake(r, by->loc, NULL, "unable to open " STR_FMT ": no such file", STR_ARG(path));
	err_release(&own);
	return false;
}

static bool unit_add(struct reader *r, struct unit *parent, struct str path, const struct node *by,
                     bool optional)
{
	struct source *src = arena_new(r->arena, struct source);
	struct node *root;
	if (unit_repeats(r, parent, path, by) || !text_load(r, path, by, optional, &src->text))
		return false;
	if (r->units.n >= UNITS_MAX)
		return mistake(r, by->loc, NULL, "more than %d files are included", UNITS_MAX);
	src->path = path;
	if (yaml_read(r->arena, src, &root, r->err) || !version_check(r, root, src))
		return false;
	struct unit *u = arena_new(r->arena, struct unit);
	*u = (struct unit){
		.parent = parent, .root = root, .included_by = by, .path = path, .dir = path_dir(path)};
	u->file = arena_new(r->arena, struct spec_file);
	*u->file = (struct spec_file){.src = src, .path = path, .dir = u->dir, .prefix = S("")};
	if (parent && u->dir.n && !str_eq(u->dir, r->units.v[0]->dir))
		u->file->prefix = str_fmt(r->arena, STR_FMT ":", STR_ARG(u->dir));
	vec_add(&r->units, u);
	*map_put(&r->unit_by_path, path, NULL) = u;
	r->unit = u;
	includes_load(r, u);
	return true;
}

bool units_load(struct reader *r)
{
	struct str path;
	if (!path_join(r->arena, S(""), r->opt->file, &path) || !path.n)
		return err_set(r->err, ERR_USAGE, "'" STR_FMT "' lies outside of the workspace",
		               STR_ARG(r->opt->file)) == 0;
	unit_add(r, NULL, path, NULL, false);
	if (!r->units.n)
		return false;
	/* One array, as the spec promises; the units point into it. */
	r->spec->nfiles = r->units.n;
	r->spec->files = arena_array(r->arena, r->units.n, struct spec_file);
	for (size_t i = 0; i < r->units.n; i++) {
		r->spec->files[i] = *r->units.v[i]->file;
		r->units.v[i]->file = &r->spec->files[i];
	}
	return true;
}
