/* Instructions evaluated: what they set and what they read. */
#include "base/digest.h"
#include "resolve/cfparts.h"
#include "resolve/contextwild.h"

/* The word expanded; *unsure names a variable that may have another value at the build. -1: malformed. */
static int expand(struct cf_reach *r, const struct cf_instruction *in, struct cfword word, struct cf_vars *vars, bool global,
		  struct str *out, struct str *unsure)
{
	struct cfword_env env = {.get = cf_vars_get, .ctx = vars, .escape = r->file->escape};
	const char *problem;

	r->loc = cf_loc(r->file, in->line, word.at);
	if (global) {
		env.get = cf_global_get;
		env.ctx = r;
	}
	problem = cfword_expand(r->arena, &env, word.s, out);
	*unsure = env.unsure;
	if (r->failed)
		return -1;
	return problem ? err_at(r->err, r->loc, NULL, STR_FMT " %s", STR_ARG(word.s), problem) : 0;
}

/* --- ENV and ARG --- */

static int read_env(struct cf_reach *r, const struct cf_instruction *in, struct cf_vars *vars)
{
	struct cf_var *new = arena_array(r->arena, in->words.n, struct cf_var);

	/* All on one line see what was before it. */
	for (size_t i = 0; i < in->words.n; i++) {
		struct cfword word = in->words.v[i], value = word;
		ptrdiff_t equals = str_chr(word.s, '=');
		struct str unsure, unsure_name;

		value.s = str_from(word.s, equals + 1);
		word.s = str_head(word.s, equals);
		if (expand(r, in, word, vars, false, &new[i].name, &unsure_name) < 0 ||
		    expand(r, in, value, vars, false, &new[i].value, &unsure) < 0)
			return -1;
		if (unsure_name.s)
			cf_because(r, &r->needs->whole, r->loc, "$" STR_FMT " names a variable here, and may differ at the build",
				   STR_ARG(unsure_name));
		new[i].unsure = unsure.s;
	}
	for (size_t i = 0; i < in->words.n; i++)
		cf_vars_set(vars, &new[i]);
	return 0;
}

/* Without a value of its own. */
static int arg_value(struct cf_reach *r, struct cf_vars *vars, struct cf_var *var, bool global)
{
	bool unsure = false;
	int got = cf_global_get(r, var->name, &var->value, &unsure);

	if (r->failed)
		return -1;
	var->unsure |= unsure;
	/* An earlier ARG of that name keeps its value on some engines and loses it on others. */
	if (!got && !global)
		for (size_t i = 0; i < vars->v.n; i++)
			vars->v.v[i].unsure |= str_eq(vars->v.v[i].name, var->name) && vars->v.v[i].kind == CF_VAR_ARG;
	return got;
}

static int read_one_arg(struct cf_reach *r, const struct cf_instruction *in, struct cfword word, struct cf_vars *vars, bool global)
{
	struct cf_var var = {.kind = CF_VAR_ARG};
	ptrdiff_t equals = str_chr(word.s, '=');
	struct cfword name = {equals < 0 ? word.s : str_head(word.s, equals), word.at}, value = word;
	const struct cfile_arg *given;
	struct str unsure = {0}, predefined;
	int got;

	if (expand(r, in, name, vars, global, &var.name, &unsure) < 0)
		return -1;
	var.unsure = unsure.s;
	if ((given = cf_given(r, var.name))) {
		var.value = given->value;
	} else if (equals >= 0) {
		value.s = str_from(word.s, equals + 1);
		if (expand(r, in, value, vars, global, &var.value, &unsure) < 0)
			return -1;
		/* Whether the default or the engine's own value wins depends on the engine. */
		var.unsure |= unsure.s || cf_arg_platform(r->ask, var.name, &predefined);
	} else if ((got = arg_value(r, vars, &var, global)) <= 0) {
		return got;
	}
	cf_vars_set(vars, &var);
	return 0;
}

int cf_read_arg(struct cf_reach *r, const struct cf_instruction *in, struct cf_vars *vars, bool global)
{
	for (size_t i = 0; i < in->words.n; i++)
		if (read_one_arg(r, in, in->words.v[i], vars, global) < 0)
			return -1;
	return 0;
}

/* --- sources in the context --- */

/* As it is looked for below the context: "/" in front goes, ".." stops at the root. */
static struct str clean_source(struct arena *arena, struct str s)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);
	struct str part;

	while (str_cut(&s, '/', &part)) {
		if (str_is(part, "..")) {
			ptrdiff_t slash = str_rchr(buf_view(&b), '/');

			b.n = slash < 0 ? 0 : slash;
		} else if (part.n && !str_is(part, ".")) {
			if (b.n)
				buf_c(&b, '/');
			buf_str(&b, part);
		}
	}
	return str_dup(arena, buf_view(&b));
}

static void add_source(struct cf_reach *r, struct str word, struct loc loc)
{
	struct cfile_source source = {clean_source(r->arena, word), false, loc};
	const char *problem = NULL;

	for (size_t i = 0; i < source.path.n; i++)
		source.wild |= strchr("*?[", source.path.s[i]) != NULL;
	if (str_chr(source.path, '\\') >= 0)
		problem = "engines differ on \"\\\" in a name";
	else if (source.wild)
		contextwild_new(r->arena, source.path, CONTEXTWILD_SOURCE, &problem);
	if (problem)
		cf_because(r, &r->needs->whole, loc, "what " STR_FMT " reads is not sure: %s", STR_ARG(word), problem);
	vec_add(&r->sources, source);
}

/* --- ADD of what is elsewhere --- */

static bool is_url(struct str s) { return str_starts(s, S("http://")) || str_starts(s, S("https://")); }

/* user@host:path */
static bool is_scp(struct str s)
{
	ptrdiff_t at = str_chr(s, '@'), colon = str_chr(s, ':'), slash = str_chr(s, '/');

	return at > 0 && colon > at + 1 && (slash < 0 || slash > colon);
}

static bool is_git(struct str s)
{
	ptrdiff_t hash = str_chr(s, '#');
	struct str where = hash < 0 ? s : str_head(s, hash);

	return str_starts(s, S("git://")) || str_starts(s, S("ssh://")) || is_scp(s) ||
	       (is_url(s) && (str_ends(where, S(".git")) || str_find(where, S(".git?")) >= 0));
}

static bool is_commit(struct str s)
{
	if (s.n != 40 && s.n != 64)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789abcdef", s.s[i]) || !s.s[i])
			return false;
	return true;
}

/* The commit a git address names behind "#"; up to a ":", where a folder follows. */
static struct str git_commit(struct str s)
{
	ptrdiff_t hash = str_chr(s, '#'), colon;

	if (hash < 0)
		return S("");
	s = str_from(s, hash + 1);
	colon = str_chr(s, ':');
	return colon < 0 ? s : str_head(s, colon);
}

static int read_elsewhere(struct cf_reach *r, const struct cf_instruction *in, struct str word, struct cf_vars *vars, struct loc loc)
{
	const struct cf_flag *flag = cf_flag(in, "checksum");
	struct str checksum = S(""), unsure = {0};
	struct digest digest;

	if (flag && flag->value.s && expand(r, in, (struct cfword){flag->value, flag->at}, vars, false, &checksum, &unsure) < 0)
		return -1;
	if (unsure.s)
		checksum = S("");
	if (is_git(word)) {
		cf_because(r, &r->needs->buildkit, loc, "ADD takes a git repository with BuildKit alone");
		if (!is_commit(git_commit(word)) && !is_commit(checksum))
			cf_because(r, &r->needs->uncached, loc, "ADD of " STR_FMT ", which names no whole commit", STR_ARG(word));
	} else if (!digest_parse(checksum, &digest)) {
		cf_because(r, &r->needs->uncached, loc, "ADD of " STR_FMT " without --checksum=sha256:...", STR_ARG(word));
	}
	return 0;
}

/* --- COPY and ADD --- */

static void needs_buildkit(struct cf_reach *r, const struct cf_instruction *in)
{
	static const char *const flags[] = {"chmod", "link", "parents", "exclude", "checksum", "keep-git-dir", "unpack"};
	const struct cf_flag *flag;

	for (size_t i = 0; i < countof(flags); i++)
		if ((flag = cf_flag(in, flags[i])))
			cf_because(r, &r->needs->buildkit, cf_loc(r->file, in->line, flag->at), "--%s is known to BuildKit alone", flags[i]);
	if (in->line->nheredocs)
		cf_because(r, &r->needs->buildkit, cf_loc(r->file, in->line, in->at), "heredocs are known to BuildKit alone");
}

static int read_source(struct cf_reach *r, const struct cf_instruction *in, struct cfword word, struct cf_vars *vars)
{
	struct loc loc = cf_loc(r->file, in->line, word.at);
	struct str path, unsure;

	if (cfline_opens(r->arena, in->line, word.s, r->file->escape))
		return 0;
	if (expand(r, in, word, vars, false, &path, &unsure) < 0)
		return -1;
	if (unsure.s) {
		cf_because(r, &r->needs->whole, loc, "what it reads depends on $" STR_FMT ", which may have another value at the build",
			   STR_ARG(unsure));
		if (in->kind == CF_ADD)
			cf_because(r, &r->needs->uncached, loc, "ADD may be of an address, as $" STR_FMT " is not known for sure",
				   STR_ARG(unsure));
		return 0;
	}
	if (in->kind == CF_ADD && (is_url(path) || is_git(path)))
		return read_elsewhere(r, in, path, vars, loc);
	add_source(r, path, loc);
	return 0;
}

static int read_copy(struct cf_reach *r, const struct cf_instruction *in, struct cf_vars *vars)
{
	needs_buildkit(r, in);
	if (cf_flag(in, "from"))
		return 0;               /* not of the context; cfreach.c followed it */
	for (size_t i = 0; i + 1 < in->words.n; i++)
		if (read_source(r, in, in->words.v[i], vars) < 0)
			return -1;
	return 0;
}

/* --- RUN --- */

static void add_secret(struct cf_reach *r, const struct cf_mount *m)
{
	struct str id = m->id.n ? m->id : m->source;
	ptrdiff_t slash = str_rchr(m->target, '/');

	if (!id.n)
		id = str_from(m->target, slash < 0 ? 0 : slash + 1);
	for (size_t i = 0; i < r->secrets.n; i++) {
		if (str_eq(r->secrets.v[i].id, id)) {
			r->secrets.v[i].required |= m->required;
			return;
		}
	}
	vec_add(&r->secrets, (struct cfile_secret){id, m->required});
}

static int read_mount(struct cf_reach *r, const struct cf_instruction *in, const struct cf_flag *flag)
{
	struct loc loc = cf_loc(r->file, in->line, flag->at);
	struct cf_mount m;

	if (cf_mount_read(r, in, flag, &m) < 0)
		return -1;
	r->needs->ssh |= str_is(m.type, "ssh");
	if (str_is(m.type, "secret"))
		add_secret(r, &m);
	if (!str_is(m.type, "bind") || m.from.s.s)
		return 0;
	if (str_chr(m.source, '$') >= 0)
		cf_because(r, &r->needs->whole, loc, "RUN mounts " STR_FMT " of the context, which not every engine expands",
			   STR_ARG(m.source));
	else if (!clean_source(r->arena, m.source).n)
		cf_because(r, &r->needs->whole, loc, "RUN mounts the context");
	else if (str_find(m.source, S("*")) >= 0 || str_find(m.source, S("?")) >= 0 || str_find(m.source, S("[")) >= 0)
		cf_because(r, &r->needs->whole, loc, "RUN mounts " STR_FMT " of the context, which is no plain name", STR_ARG(m.source));
	else
		add_source(r, m.source, loc);
	return 0;
}

static int read_run(struct cf_reach *r, const struct cf_instruction *in)
{
	for (size_t i = 0; i < in->nflags; i++) {
		const struct cf_flag *flag = &in->flags[i];

		cf_because(r, &r->needs->buildkit, cf_loc(r->file, in->line, flag->at), "RUN --" STR_FMT " is known to BuildKit alone",
			   STR_ARG(flag->name));
		if (str_is(flag->name, "mount") && read_mount(r, in, flag) < 0)
			return -1;
	}
	needs_buildkit(r, in);
	return 0;
}

int cf_read(struct cf_reach *r, const struct cf_instruction *in, struct cf_vars *vars)
{
	switch (in->kind) {
	case CF_ENV:
		return read_env(r, in, vars);
	case CF_ARG:
		return cf_read_arg(r, in, vars, false);
	case CF_COPY:
	case CF_ADD:
		return read_copy(r, in, vars);
	case CF_RUN:
		return read_run(r, in);
	case CF_FROM:
	case CF_ONBUILD:
	case CF_OTHER:
		break;
	}
	return 0;
}
