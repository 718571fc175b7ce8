/* env, env_files, pass_env and secrets. */
#include "spec/fields.h"

#include <stdlib.h>

#include "base/path.h"
#include "spec/exprlex.h"

#define ENV_FILE_MAX (1u << 20)

/* ---- ${NAME} ---- */

/* Finds the next ${NAME} at or behind *at: 1 found, 0 none, -1 a mistake. *at moves behind it. */
static int caller_next(struct reader *r, const struct text *t, struct str s, size_t *at, size_t *start,
                       struct str *name)
{
	ptrdiff_t open = str_find(str_from(s, *at), S("${"));
	if (open < 0)
		return 0;
	*start = *at + (size_t)open;
	struct str rest = str_from(s, *start + 2);
	ptrdiff_t close = str_chr(rest, '}');
	struct loc loc = s.s == t->s.s ? text_loc_at(t, *start) : t->loc;
	if (close < 0) {
		mistake(r, loc, NULL, "${ is not closed by }");
		return -1;
	}
	*name = str_head(rest, (size_t)close);
	*at = *start + (size_t)close + 3;
	if (name_is_variable(*name))
		return 1;
	mistake(r, loc, "only ${NAME} is known here", "'" STR_FMT "' names no variable", STR_ARG(*name));
	return -1;
}

bool caller_check(struct reader *r, const struct text *t)
{
	struct str s = text_outline(r->arena, t), name;
	size_t at = 0, start;
	int got;
	do {
		got = caller_next(r, t, s, &at, &start, &name);
	} while (got > 0);
	return got == 0;
}

bool caller_expand(struct reader *r, const struct text *t, struct str *out)
{
	CLEANUP_BUF struct buf buf = BUF_INIT(1u << 16);
	size_t at = 0, before = 0, start;
	struct str name;
	int got;
	while ((got = caller_next(r, t, t->s, &at, &start, &name)) > 0) {
		const char *value =
			r->opt->getenv ? r->opt->getenv(r->opt->ctx, str_dup(r->arena, name).s) : NULL;
		if (!value)
			return mistake(r, text_loc_at(t, start), NULL,
			               STR_FMT " is not set in the environment", STR_ARG(name));
		buf_add(&buf, t->s.s + before, start - before);
		buf_z(&buf, value);
		before = at;
	}
	if (got < 0)
		return false;
	buf_str(&buf, str_from(t->s, before));
	if (buf.full)
		return mistake(r, t->loc, NULL, "the path is too long");
	*out = str_dup(r->arena, buf_view(&buf));
	return true;
}

/* ---- env ---- */

static void env_value_read(struct reader *r, const struct node *n, struct spec_env *e)
{
	static const struct field fields[] = {{"secret", field_text, 0}};
	e->value = (struct text){.s = S(""), .loc = n->loc, .node = n};
	if (n->kind != NODE_MAP) {
		text_read(r, n, "a text or {secret: NAME}", &e->value);
		return;
	}
	if (refuse_value(r, n) ||
	    !fields_read(r, n, PLACE_OTHER, "a variable's value", fields, countof(fields), &e->value))
		return;
	e->secret = node_get(n, S("secret")) != NULL;
	if (!n->n)
		mistake(r, n->loc, NULL, "expected a text or {secret: NAME}, found an empty map");
	if (!e->secret)
		return;
	if (text_has_expr(e->value.s))
		mistake(r, e->value.loc, NULL, "the name of a secret can't hold ${{ }}");
	else
		vec_add(&r->secret_uses, e->value);
}

void env_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_envs *out = at;
	*out = (struct spec_envs){0};
	if (n->kind != NODE_MAP) {
		expected(r, n, "a map of variables");
		return;
	}
	out->v = arena_array(r->arena, n->n + 1, struct spec_env);
	for (size_t i = 0; i < n->n; i++) {
		const struct node_item *item = &n->items[i];
		struct spec_env *e = &out->v[out->n++];
		*e = (struct spec_env){.name = item->key, .loc = item->key_loc};
		variable_name_check(r, item->key, item->key_loc, "an environment variable");
		env_value_read(r, item->value, e);
	}
}

/* base with own over it, one a name, in order of first definition. */
struct spec_envs env_merge(struct arena *a, struct spec_envs base, struct spec_envs own)
{
	if (!own.n || !base.n)
		return own.n ? own : base;
	struct spec_envs out = {.v = arena_array(a, base.n + own.n, struct spec_env), .n = base.n};
	memcpy(out.v, base.v, base.n * sizeof(*base.v));
	struct map places = MAP_INIT;
	for (size_t i = 0; i < base.n; i++)
		*map_put(&places, base.v[i].name, NULL) = &out.v[i];
	for (size_t i = 0; i < own.n; i++) {
		bool fresh;
		void **place = map_put(&places, own.v[i].name, &fresh);
		if (fresh)
			*place = &out.v[out.n++];
		*(struct spec_env *)*place = own.v[i];
	}
	map_release(&places);
	return out;
}

/* ---- env_files ---- */

void env_files_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_paths *out = at;
	paths_read(r, n, out);
	for (size_t i = 0; i < out->n; i++) {
		if (text_has_expr(out->v[i].text.s))
			mistake(r, out->v[i].text.loc, "${NAME} takes a variable of the caller",
			        "${{ }} has no meaning in env_files");
	}
}

static bool env_file_open(struct reader *r, const struct spec_path *p, struct str path, struct source *src)
{
	struct err own = ERR_INIT;
	struct str absolute = path.s[0] == '/' ? path
	                                       : str_fmt(r->arena, STR_FMT "/" STR_FMT, STR_ARG(r->opt->root),
	                                                 STR_ARG(path));
	vec_add(&r->env_files, absolute);
	int got = r->opt->load(r->opt->ctx, r->arena, absolute, &src->text, &own);
	if (got < 0)
		mistake(r, p->text.loc, NULL, "unable to read %s: %s", path.s,
		        own.text ? own.text : "it is malformed");
	else if (!got && !p->optional)
		mistake(r, p->text.loc,
		        str_fmt(r->arena, "a file that may be absent is {path: %s, optional: true}",
		                p->text.s.s)
		                .s,
		        "unable to open %s: no such file", path.s);
	else if (got && src->text.n > ENV_FILE_MAX)
		got = mistake(r, p->text.loc, NULL, "%s is larger than %u KiB", path.s, ENV_FILE_MAX >> 10);
	src->path = path;
	err_release(&own);
	return got > 0;
}

void env_file_load(struct reader *r, const struct spec_path *p, struct spec_envs *out)
{
	struct str expanded, path;
	struct source *src = arena_new(r->arena, struct source);
	*out = (struct spec_envs){0};
	if (text_has_expr(p->text.s) || !p->text.s.n || !caller_expand(r, &p->text, &expanded))
		return;
	if (!path_join(r->arena, r->unit->dir, expanded, &path) || !path.n)
		mistake(r, p->text.loc, NULL, "'" STR_FMT "' lies outside of the workspace",
		        STR_ARG(expanded));
	else if (env_file_open(r, p, path, src))
		dotenv_parse(r, src, out);
}

/* ---- pass_env ---- */

void pass_read(struct reader *r, const struct node *n, void *at)
{
	static const struct field fields[] = {FIELD(spec_pass, "name", name, field_str),
	                                      FIELD(spec_pass, "key", key, field_bool)};
	struct { struct spec_pass *v; size_t n; } *out = at;
	out->v = arena_array(r->arena, list_length(n) + 1, struct spec_pass);
	out->n = 0;
	for (size_t i = 0; i < list_length(n); i++) {
		const struct node *item = list_item(n, i);
		struct spec_pass *p = &out->v[out->n++];
		*p = (struct spec_pass){.name = S(""), .loc = item->loc};
		if (item->kind == NODE_MAP)
			fields_read(r, item, PLACE_OTHER, "an entry of pass_env", fields, countof(fields), p);
		else
			field_str(r, item, &p->name);
		if (item->kind == NODE_MAP && !node_get(item, S("name")))
			mistake(r, item->loc, NULL, "an entry of pass_env needs 'name'");
		else if (p->name.n || item->kind == NODE_SCALAR)
			variable_name_check(r, p->name, item->loc, "an environment variable");
	}
}

/* ---- secrets ---- */

static void secret_env_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_secret *s = at;
	s->kind = SECRET_ENV;
	s->source = (struct text){.loc = n->loc, .node = n};
	field_str(r, n, &s->source.s);
	if (s->source.s.n)
		variable_name_check(r, s->source.s, n->loc, "an environment variable");
}

static void secret_file_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_secret *s = at;
	s->kind = SECRET_FILE;
	if (!text_read(r, n, "a path", &s->source))
		return;
	if (!s->source.s.n)
		mistake(r, n->loc, NULL, "the path is empty");
	caller_check(r, &s->source);
}

static void secret_read(struct reader *r, const struct node_item *item)
{
	static const struct field fields[] = {{"env", secret_env_read, 0}, {"file", secret_file_read, 0}};
	struct spec_secret s = {.name = item->key, .loc = item->key_loc};
	const char *what = str_fmt(r->arena, "secret '" STR_FMT "'", STR_ARG(s.name)).s,
		   *problem = name_problem(s.name);
	const struct node *n = item->value;
	if (problem)
		mistake(r, s.loc, problem, "'" STR_FMT "' can't name a secret", STR_ARG(s.name));
	if (fields_read(r, n, PLACE_SECRET, what, fields, countof(fields), &s)) {
		bool env = node_get(n, S("env")), file = node_get(n, S("file"));
		if (env == file && (env || !node_get(n, S("run"))))
			mistake(r, n->loc, NULL, "a secret takes one of env and file");
	}
	for (size_t i = 0; i < r->secrets.n; i++) {
		const struct spec_secret *other = &r->secrets.v[i];
		if (str_eq(other->name, s.name)) {
			mistake(r, s.loc,
			        str_fmt(r->arena, "the other is at " STR_FMT ":%u",
			                STR_ARG(other->loc.src->path), other->loc.line)
			                .s,
			        "there are two secrets '" STR_FMT "'", STR_ARG(s.name));
			return;
		}
	}
	vec_add(&r->secrets, s);
}

void secrets_read(struct reader *r, const struct node *n, void *at)
{
	(void)at;
	if (n->kind != NODE_MAP) {
		expected(r, n, "a map of secrets");
		return;
	}
	for (size_t i = 0; i < n->n; i++)
		secret_read(r, &n->items[i]);
}
