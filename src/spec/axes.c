/* each, matrix and params: what makes several steps of one command. */
#include "spec/fields.h"

#include "base/glob.h"
#include "spec/exprlex.h"

/* ---- each ---- */

static bool text_is_glob(struct reader *r, const struct text *t)
{
	return (t->s.n && t->s.s[0] == '!') || glob_is(text_outline(r->arena, t));
}

static void pattern_check(struct reader *r, const struct text *t)
{
	struct str s = text_outline(r->arena, t);
	if (s.n && s.s[0] == '!')
		s = str_from(s, 1);
	const char *problem = glob_problem(s);
	if (problem)
		mistake(r, t->loc, "'\\' escapes a character", "malformed pattern: %s", problem);
}

static void axis_lines_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_axis *axis = at;
	axis->kind = AXIS_LINES;
	axis->items = (struct spec_texts){.v = arena_array(r->arena, 1, struct text), .n = 1};
	if (text_read(r, n, "the path of a file", axis->items.v) && !axis->items.v->s.n)
		mistake(r, n->loc, NULL, "the path is empty");
}

static void axis_values_read(struct reader *r, const struct node *n, bool globs, struct spec_axis *axis)
{
	if (n->kind == NODE_MAP) {
		expected(r, n, "a list of values");
		return;
	}
	field_texts(r, n, &axis->items);
	if (n->kind == NODE_LIST && !n->n)
		mistake(r, n->loc, NULL, "the list is empty, so there would be no step");
	for (size_t i = 0; i < axis->items.n && globs; i++) {
		if (text_is_glob(r, &axis->items.v[i]))
			axis->kind = AXIS_GLOB;
	}
	for (size_t i = 0; i < axis->items.n && axis->kind == AXIS_GLOB; i++)
		pattern_check(r, &axis->items.v[i]);
}

static void each_axis_read(struct reader *r, const struct node *n, struct spec_axis *axis)
{
	static const struct field fields[] = {{"lines", axis_lines_read, 0}};
	if (n->kind != NODE_MAP) {
		axis_values_read(r, n, true, axis);
		return;
	}
	if (refuse_value(r, n))
		return;
	fields_read(r, n, PLACE_OTHER, "each", fields, countof(fields), axis);
	if (!n->n)
		mistake(r, n->loc, NULL, "expected a pattern, a list or {lines: FILE}, found an empty map");
}

static struct spec_axis *axes_read(struct reader *r, const struct node *n, bool each, size_t *count)
{
	*count = 0;
	if (n->kind != NODE_MAP) {
		expected(r, n, each ? "a map, such as {src: \"src/*.c\"}" : "a map of names to lists");
		return NULL;
	}
	if (!n->n)
		mistake(r, n->loc, NULL, each ? "each names nothing" : "axes name nothing");
	struct spec_axis *v = arena_array(r->arena, n->n + 1, struct spec_axis);
	for (size_t i = 0; i < n->n; i++) {
		struct spec_axis *axis = &v[(*count)++];
		*axis = (struct spec_axis){.name = n->items[i].key, .loc = n->items[i].key_loc};
		variable_name_check(r, axis->name, axis->loc, each ? "what each goes through" : "an axis");
		if (each)
			each_axis_read(r, n->items[i].value, axis);
		else
			axis_values_read(r, n->items[i].value, false, axis);
	}
	return v;
}

void each_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_command *c = at;
	c->each = axes_read(r, n, true, &c->neach);
}

/* ---- matrix ---- */

static void matrix_axes_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_matrix *m = at;
	m->axes = axes_read(r, n, false, &m->naxes);
}

static void point_read(struct reader *r, const struct node *n, struct spec_point *p)
{
	*p = (struct spec_point){.loc = n->loc};
	if (n->kind != NODE_MAP || !n->n) {
		expected(r, n, "a map of axes to values");
		return;
	}
	p->names = arena_array(r->arena, n->n, struct str);
	p->values = arena_array(r->arena, n->n, struct text);
	for (size_t i = 0; i < n->n; i++) {
		variable_name_check(r, n->items[i].key, n->items[i].key_loc, "an axis");
		p->names[p->n] = n->items[i].key;
		text_read(r, n->items[i].value, "a value", &p->values[p->n++]);
	}
}

static struct spec_point *points_read(struct reader *r, const struct node *n, size_t *count)
{
	*count = 0;
	if (n->kind == NODE_SCALAR) {
		expected(r, n, "a list of maps");
		return NULL;
	}
	struct spec_point *v = arena_array(r->arena, list_length(n) + 1, struct spec_point);
	for (size_t i = 0; i < list_length(n); i++)
		point_read(r, list_item(n, i), &v[(*count)++]);
	return v;
}

static void matrix_exclude_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_matrix *m = at;
	m->exclude = points_read(r, n, &m->nexclude);
}

static void matrix_include_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_matrix *m = at;
	m->include = points_read(r, n, &m->ninclude);
}

static void exclude_check(struct reader *r, const struct spec_matrix *m, const struct node *n)
{
	struct str *names = arena_array(r->arena, m->naxes + 1, struct str);
	for (size_t i = 0; i < m->naxes; i++)
		names[i] = m->axes[i].name;
	for (size_t i = 0; i < list_length(n); i++) {
		const struct node *point = list_item(n, i);
		for (size_t k = 0; point->kind == NODE_MAP && k < point->n; k++) {
			const struct node_item *item = &point->items[k];
			bool known = false;
			for (size_t j = 0; j < m->naxes; j++)
				known |= str_eq(names[j], item->key);
			if (!known)
				mistake(r, item->key_loc, hint_nearest(r, item->key, names, m->naxes),
				        "there is no axis '" STR_FMT "'", STR_ARG(item->key));
		}
	}
}

void matrix_read(struct reader *r, const struct node *n, void *at)
{
	static const struct field fields[] = {
		{"axes", matrix_axes_read, 0},
		{"exclude", matrix_exclude_read, 0},
		{"include", matrix_include_read, 0},
	};
	struct spec_matrix *m = at;
	if (!fields_read(r, n, PLACE_OTHER, "matrix", fields, countof(fields), m))
		return;
	const struct node *exclude = node_get(n, S("exclude"));
	if (!r->partial && !node_get(n, S("axes")) && !node_get(n, S("include")))
		mistake(r, n->loc, "write matrix: {axes: {NAME: [a, b]}}", "a matrix needs 'axes'");
	else if (exclude && !r->partial)
		exclude_check(r, m, exclude);
}

/* ---- params ---- */

static struct value plain_read(struct reader *r, const struct node *n, const char *what)
{
	if (n->kind != NODE_SCALAR || node_is_null(n)) {
		expected(r, n, what);
		return value_str(S(""));
	}
	if (n->s.n && memchr(n->s.s, 0, n->s.n))
		mistake(r, n->loc, NULL, "a text can't hold a NUL byte");
	if (text_has_expr(n->s))
		mistake(r, n->loc, NULL, "${{ }} has no meaning here");
	return n->style == STYLE_PLAIN ? value_plain(n->s) : value_str(n->s);
}

struct value value_read(struct reader *r, const struct node *n)
{
	if (n->kind != NODE_LIST)
		return plain_read(r, n, "a text, a number, a boolean or a list of them");
	struct value *items = arena_array(r->arena, n->n + 1, struct value);
	for (size_t i = 0; i < n->n; i++)
		items[i] = plain_read(r, n->items[i].value, "a text, a number or a boolean");
	return value_list(items, n->n);
}

static void param_default_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_param *p = at;
	p->preset = plain_read(r, n, "a text, a number or a boolean");
	p->required = false;
}

/* The options of `cairn run`: a param of the same name could not be given. */
static bool is_run_option(struct str name)
{
	static const char *const options[] = {
		"C", "V", "affected", "claim", "color", "directory", "dry-run", "dry_run", "engine", "env", "events",
		"explain", "file", "force", "help", "jobs", "json", "junit", "keep-going", "keep_going", "no-cache",
		"no_cache", "output", "plan", "progress", "quiet", "runtime", "sandbox", "since", "status", "tags",
		"timeout", "var", "verbose", "version", "workspace",
	};
	for (size_t i = 0; i < countof(options); i++) {
		if (str_is(name, options[i]))
			return true;
	}
	return false;
}

void params_read(struct reader *r, const struct node *n, void *at)
{
	static const struct field fields[] = {{"default", param_default_read, 0},
	                                      FIELD(spec_param, "help", help, field_str)};
	struct spec_command *c = at;
	c->nparams = 0;
	if (n->kind != NODE_MAP) {
		expected(r, n, "a map of params");
		return;
	}
	c->params = arena_array(r->arena, n->n + 1, struct spec_param);
	for (size_t i = 0; i < n->n; i++) {
		const struct node_item *item = &n->items[i];
		struct spec_param *p = &c->params[c->nparams++];
		const char *what = str_fmt(r->arena, "param '" STR_FMT "'", STR_ARG(item->key)).s;
		*p = (struct spec_param){.name = item->key, .loc = item->key_loc, .required = true};
		variable_name_check(r, item->key, item->key_loc, "a param");
		if (is_run_option(item->key))
			mistake(r, item->key_loc, NULL,
			        "a param can't be named '" STR_FMT "', an option of run is",
			        STR_ARG(item->key));
		if (item->value->kind == NODE_MAP)
			fields_read(r, item->value, PLACE_OTHER, what, fields, countof(fields), p);
		else if (!node_is_null(item->value))
			param_default_read(r, item->value, p);
	}
}
