/* spec_read: the fields of a file, and the order in which the files are read. */
#include "spec/fields.h"

#include <stdlib.h>

#include "spec/exprlex.h"

struct str spec_prefixed(struct reader *r, struct str name)
{
	struct str prefix = r->unit->file->prefix;
	return prefix.n ? str_fmt(r->arena, STR_FMT STR_FMT, STR_ARG(prefix), STR_ARG(name)) : name;
}

/* ---- vars ---- */

static bool var_name_ok(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.s[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '-')))
			return false;
	}
	return s.n > 0;
}

static void var_read(struct reader *r, const struct node_item *item, struct spec_file *f)
{
	const struct node *n = item->value;
	size_t i = 0;
	if (!var_name_ok(item->key))
		mistake(r, item->key_loc, "letters, digits, _ and - make one, a letter or _ comes first",
		        "'" STR_FMT "' can't name a var", STR_ARG(item->key));
	while (i < f->nvars && !str_eq(f->vars[i], item->key))
		i++;
	struct text t = {.s = S(""), .loc = n->loc, .node = n};
	struct value preset = {.kind = VALUE_STR, .s = S("")};
	if (n->kind == NODE_SCALAR && node_is_null(n)) {
		mistake(r, n->loc, "write \"\" for an empty text", "the var '" STR_FMT "' has no value",
		        STR_ARG(item->key));
	} else if (n->kind == NODE_SCALAR && text_has_expr(n->s)) {
		if (text_read(r, n, "a text", &t))
			exprs_check_var(r, &t, f->nvars);
	} else {
		preset = value_read(r, n);
		t.s = preset.kind == VALUE_LIST ? S("") : preset.s;
	}
	/* One that overrides an inherited var comes last: it may use what its file defines before it. */
	for (; i + 1 < f->nvars; i++) {
		f->vars[i] = f->vars[i + 1];
		f->values[i] = f->values[i + 1];
		f->presets[i] = f->presets[i + 1];
	}
	if (i == f->nvars)
		f->nvars++;
	f->vars[i] = item->key;
	f->values[i] = t;
	f->presets[i] = preset;
}

static void vars_read(struct reader *r, const struct node *n, void *at)
{
	(void)at;
	if (n->kind != NODE_MAP) {
		expected(r, n, "a map of vars");
		return;
	}
	struct spec_file *f = r->unit->file, old = *f;
	size_t most = old.nvars + n->n + 1;
	f->vars = arena_array(r->arena, most, struct str);
	f->values = arena_array(r->arena, most, struct text);
	f->presets = arena_array(r->arena, most, struct value);
	for (size_t i = 0; i < old.nvars; i++) {
		f->vars[i] = old.vars[i];
		f->values[i] = old.values[i];
		f->presets[i] = old.presets[i];
	}
	for (size_t i = 0; i < n->n; i++)
		var_read(r, &n->items[i], f);
}

/* ---- one file ---- */

static void unit_inherit(struct reader *r, struct unit *u)
{
	const struct unit *up = u->parent;
	if (!up)
		return;
	u->file->vars = up->file->vars;
	u->file->values = up->file->values;
	u->file->presets = up->file->presets;
	u->file->nvars = up->file->nvars;
	u->defaults = overlay_inherited(r->arena, up->defaults);
	u->shell = up->shell;
	u->pass = up->pass;
	u->npass = up->npass;
	u->env = up->env;
}

/* All fields of a file but its commands and workflows, which may name what any file defines. */
static void head_read(struct reader *r, struct unit *u)
{
	static const struct field fields[] = {
		{"cairn", field_skip, 0},
		{"name", field_str, offsetof(struct unit, name)},
		{"vars", vars_read, 0},
		{"env", env_read, offsetof(struct unit, own_env)},
		{"env_files", env_files_read, offsetof(struct unit, own_env_files)},
		{"pass_env", pass_read, offsetof(struct unit, pass)},
		{"secrets", secrets_read, 0},
		{"images", images_read, 0},
		{"shell", shell_read, offsetof(struct unit, shell)},
		{"defaults", overlay_defaults, 0},
		{"commands", field_skip, 0},
		{"workflows", field_skip, 0},
		{"include", field_skip, 0},
	};
	r->unit = u;
	r->place = "the spec";
	unit_inherit(r, u);
	exprs_begin(r);
	fields_read(r, u->root, PLACE_FILE, "the spec", fields, countof(fields), u);
	exprs_check(r, NULL);
	for (size_t i = 0; i < u->own_env_files.n; i++) {
		struct spec_envs envs;
		env_file_load(r, &u->own_env_files.v[i], &envs);
		u->env = env_merge(r->arena, u->env, envs);
	}
	u->env = env_merge(r->arena, u->env, u->own_env);
}

/* ---- all files ---- */

static size_t count_all(const struct reader *r, struct str field)
{
	size_t n = 0;
	for (size_t i = 0; i < r->units.n; i++) {
		const struct node *map = node_get(r->units.v[i]->root, field);
		n += map && map->kind == NODE_MAP ? map->n : 0;
	}
	return n;
}

static bool bodies_read(struct reader *r)
{
	struct spec *s = r->spec;
	size_t ncommands = count_all(r, S("commands")), nworkflows = count_all(r, S("workflows"));
	if (ncommands > SPEC_MAX_COMMANDS || nworkflows > SPEC_MAX_COMMANDS)
		return err_set(r->err, ERR_SPEC, "the spec has more than %u commands or workflows",
		               SPEC_MAX_COMMANDS) == 0;
	s->commands = arena_array(r->arena, ncommands + 1, struct spec_command);
	s->workflows = arena_array(r->arena, nworkflows + 1, struct spec_workflow);
	for (size_t i = 0; i < r->units.n; i++) {
		const struct node *commands = node_get(r->units.v[i]->root, S("commands"));
		const struct node *workflows = node_get(r->units.v[i]->root, S("workflows"));
		r->unit = r->units.v[i];
		if (commands)
			commands_read(r, commands);
		if (workflows)
			workflows_read(r, workflows);
	}
	return true;
}

static void spec_finish(struct reader *r)
{
	struct spec *s = r->spec;
	s->name = r->units.v[0]->name;
	s->nsecrets = r->secrets.n;
	s->secrets = arena_array(r->arena, r->secrets.n + 1, struct spec_secret);
	for (size_t i = 0; i < r->secrets.n; i++)
		s->secrets[i] = r->secrets.v[i];
	s->nenv_files = r->env_files.n;
	s->env_files = arena_array(r->arena, r->env_files.n + 1, struct str);
	for (size_t i = 0; i < r->env_files.n; i++)
		s->env_files[i] = r->env_files.v[i];
}

static void all_read(struct reader *r)
{
	if (!units_load(r))
		return;
	for (size_t i = 0; i < r->units.n; i++)
		head_read(r, r->units.v[i]);
	if (!bodies_read(r))
		return;
	spec_finish(r);
	whole_check(r);
}

void spec_release(struct spec *s)
{
	map_release(&s->command_by_name);
	map_release(&s->workflow_by_name);
}

int spec_read(struct arena *arena, const struct spec_options *opt, struct spec **out, struct err *err)
{
	struct err own = ERR_INIT;
	struct reader r = {.arena = arena,
	                   .opt = opt,
	                   .err = err ? err : &own,
	                   .spec = arena_new(arena, struct spec),
	                   .place = ""};
	all_read(&r);
	vec_free(&r.exprs);
	vec_free(&r.secrets);
	vec_free(&r.secret_uses);
	vec_free(&r.env_files);
	vec_free(&r.units);
	map_release(&r.unit_by_path);
	*out = r.spec;
	int status = err_any(r.err) ? -1 : 0;
	if (status) {
		spec_release(r.spec);
		*out = NULL;
	}
	err_release(&own);
	return status;
}
