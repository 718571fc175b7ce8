/* Variables of a Containerfile: what a word is expanded with, and whether that is sure. */
#include "resolve/cfparts.h"

static struct cf_var *find(const struct cf_vars *vars, struct str name)
{
	for (size_t i = vars->v.n; i-- > 0;)
		if (str_eq(vars->v.v[i].name, name))
			return &vars->v.v[i];
	return NULL;
}

static bool image_env(const struct cfile_image *image, struct str name, struct str *value)
{
	for (size_t i = image ? image->nenv : 0; i-- > 0;) {
		struct str pair = image->env[i];

		if (pair.n > name.n && pair.s[name.n] == '=' && str_starts(pair, name)) {
			*value = str_from(pair, name.n + 1);
			return true;
		}
	}
	return false;
}

/* A child's arguments are those of its parent on some engines and none on others. */
void cf_vars_copy(struct cf_vars *to, const struct cf_vars *from)
{
	to->scratch = from->scratch;
	to->image = from->image;
	for (size_t i = 0; i < from->v.n; i++) {
		struct cf_var var = from->v.v[i];

		var.unsure |= var.kind == CF_VAR_ARG;
		vec_add(&to->v, var);
	}
}

/* ENV wins over ARG on some engines, the later one on others; they agree where both say the same. */
void cf_vars_set(struct cf_vars *vars, const struct cf_var *var)
{
	const struct cf_var *old = find(vars, var->name);
	struct cf_var new = *var;

	if (old && old->kind == CF_VAR_ENV && new.kind == CF_VAR_ARG)
		new.unsure |= old->unsure || !str_eq(old->value, new.value);
	vec_add(&vars->v, new);
}

int cf_vars_get(void *ctx, struct str name, struct str *value, bool *unsure)
{
	struct cf_vars *vars = ctx;
	const struct cf_var *var = find(vars, name);
	struct str below;

	if (var && var->kind == CF_VAR_ENV) {
		*value = var->value;
		*unsure |= var->unsure;
		return 1;
	}
	if (!vars->scratch && !vars->image)
		*unsure = true;
	if (var) {
		*value = var->value;
		*unsure |= var->unsure || (image_env(vars->image, name, &below) && !str_eq(below, var->value));
		return 1;
	}
	if (image_env(vars->image, name, value))
		return 1;
	if (str_is(name, "PATH") || cf_arg_ambient(name))
		*unsure = true;
	return 0;
}

bool cf_arg_ambient(struct str name)
{
	static const char *const names[] = {
		"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy",
		"ALL_PROXY", "all_proxy", "SOURCE_DATE_EPOCH",
	};

	for (size_t i = 0; i < countof(names); i++)
		if (str_is(name, names[i]))
			return true;
	return str_starts(name, S("BUILDKIT_"));
}

/* The n-th part between slashes; "" when there are fewer. */
static struct str platform_part(struct str platform, int n)
{
	struct str part = S("");

	for (; n >= 0; n--)
		if (!str_cut(&platform, '/', &part))
			return S("");
	return part;
}

bool cf_arg_platform(const struct cfile_ask *ask, struct str name, struct str *value)
{
	static const char *const parts[] = {"OS", "ARCH", "VARIANT"};
	bool build = str_starts(name, S("BUILD"));
	struct str platform = build ? ask->build_platform : ask->platform, rest;

	if (str_is(name, "TARGETSTAGE")) {
		*value = ask->target.n ? ask->target : S("default");
		return true;
	}
	if (!build && !str_starts(name, S("TARGET")))
		return false;
	rest = str_from(name, build ? 5 : 6);
	if (str_is(rest, "PLATFORM")) {
		*value = platform.n ? platform : (struct str){0};
		return true;
	}
	for (size_t i = 0; i < countof(parts); i++) {
		if (str_is(rest, parts[i])) {
			*value = platform.n ? platform_part(platform, i) : (struct str){0};
			return true;
		}
	}
	return false;
}

/* --- arguments of the ask --- */

const struct cfile_arg *cf_given(struct cf_reach *r, struct str name)
{
	for (size_t i = r->ask->nargs; i-- > 0;) {
		if (str_eq(r->ask->args[i].name, name)) {
			r->used[i] = true;
			return &r->ask->args[i];
		}
	}
	return NULL;
}

int cf_predefined(struct cf_reach *r, struct str name, struct loc loc, struct str *value)
{
	const struct cfile_arg *given;

	if (!cf_arg_platform(r->ask, name, value))
		return 0;
	cf_because(r, &r->needs->buildkit, loc, STR_FMT " is set by BuildKit alone", STR_ARG(name));
	if ((given = cf_given(r, name))) {
		*value = given->value;
		return 1;
	}
	if (!value->s)
		return err_at(r->err, loc, NULL, "unable to tell " STR_FMT ": it is not known where the image will be built", STR_ARG(name));
	vec_add(&r->predefined, (struct cfile_arg){name, *value});
	return 1;
}

int cf_global_get(void *ctx, struct str name, struct str *value, bool *unsure)
{
	struct cf_reach *r = ctx;
	int got = cf_vars_get(&r->globals, name, value, unsure);

	if (!got && (got = cf_predefined(r, str_dup(r->arena, name), r->loc, value)) < 0)
		r->failed = true;
	return got > 0;
}
