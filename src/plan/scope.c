/* What ${{ }} sees at one place of one step, and the texts that are expanded there. */
#include "plan/maker.h"

#include <stdio.h>

#include "base/glob.h"
#include "base/path.h"

int wrong(struct maker *m, struct loc loc, const char *hint, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	m->failed = true;
	return err_at(m->err, loc, hint, "%s", text);
}

const struct answer *ask(struct maker *m, enum question_kind kind, struct str text, struct loc loc)
{
	const struct answer *a = facts_ask(m->facts, kind, text, loc);

	if (!a) {
		m->asked = true;
		return NULL;
	}
	if (a->problem.n) {
		wrong(m, loc, NULL, STR_FMT, STR_ARG(a->problem));
		return NULL;
	}
	return a;
}

/* ---- names ---- */

static int found(struct value *out, struct value v)
{
	*out = v;
	return 1;
}

static int find_named(const struct str *names, const struct value *values, size_t n, struct str name,
		      struct value *out)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(names[i], name))
			return found(out, values[i]);
	}
	return 0;
}

/* A whole context, for json() and for hints. */
static int as_map(struct value *out, const struct str *names, const struct value *values, size_t n)
{
	return found(out, (struct value){.kind = VALUE_MAP, .names = names, .items = values, .n = n});
}

static int look_vars(struct at *at, struct str member, struct value *out)
{
	const struct spec_file *f = at->vars->file;

	if (!member.s)
		return as_map(out, f->vars, at->vars->values, f->nvars);
	for (size_t i = 0; i < f->nvars; i++) {
		if (!str_eq(f->vars[i], member))
			continue;
		*out = at->vars->values[i];
		if (at->vars->known[i] == VAR_WAITS)
			at->m->asked = true;
		return at->vars->known[i] == VAR_KNOWN ? 1 : EXPR_ASKED;
	}
	return 0;
}

const struct value *param_value(const struct made *of, const struct variant *variant, struct str name)
{
	for (size_t i = 0; variant && i < variant->n; i++) {
		if (str_eq(variant->names[i], name))
			return &variant->values[i];
	}
	for (size_t i = 0; i < of->command->nparams; i++) {
		const struct spec_param *p = &of->command->params[i];

		if (str_eq(p->name, name))
			return p->required ? NULL : &p->preset;
	}
	return NULL;
}

static int look_params(struct at *at, struct str member, struct value *out)
{
	const struct value *v;
	const struct spec_command *c;
	struct str *names;
	struct value *values;

	if (!at->of)
		return 0;
	if (member.s)
		return (v = param_value(at->of, at->variant, member)) ? found(out, *v) : 0;
	c = at->of->command;
	names = arena_array(at->m->arena, c->nparams + 1, struct str);
	values = arena_array(at->m->arena, c->nparams + 1, struct value);
	for (size_t i = 0; i < c->nparams; i++) {
		names[i] = c->params[i].name;
		v = param_value(at->of, at->variant, names[i]);
		values[i] = v ? *v : value_str(S(""));
	}
	return as_map(out, names, values, c->nparams);
}

static int look_axes(struct at *at, bool each, struct str member, struct value *out)
{
	const struct inst *in = at->inst;
	size_t from = each && in ? in->nmatrix : 0, n = !in    ? 0
							: each ? in->naxes - in->nmatrix
							       : in->nmatrix;

	if (!in)
		return 0;
	if (!member.s)
		return as_map(out, in->names + from, in->values + from, n);
	return find_named(in->names + from, in->values + from, n, member, out);
}

static int look_out(struct at *at, struct str member, struct value *out)
{
	const struct inst *in = at->inst;
	struct value *items;
	size_t n = 0;

	if (!in || !in->outs)
		return 0;
	if (member.s && str_is(member, "depfile"))
		return in->depfile.n
			       ? found(out,
				       value_str(path_from(at->m->arena, at->vars->file->dir, in->depfile)))
			       : 0;
	if (member.s)
		return 0;
	items = arena_array(at->m->arena, in->nouts + 1, struct value);
	for (uint32_t i = 0; i < in->nouts; i++) {
		if (!in->outs[i].depfile && !(in->outs[i].flags & OUTPUT_NEGATED))
			items[n++] = value_str(in->outs[i].written);
	}
	return found(out, value_list(items, n));
}

static int look_fact(struct at *at, enum question_kind kind, struct str member, struct value *out,
		     struct err *err)
{
	static const struct str git[] = {
		{"branch", 6}, {"commit", 6}, {"short", 5}, {"tag", 3}, {"dirty", 5}};
	static const struct value nothing[countof(git)];
	struct loc loc =
		at->of ? at->of->command->loc : (struct loc){.src = at->vars->file->src, .line = 1, .col = 1};
	const struct answer *a;
	bool known = kind == Q_ENV;

	if (!member.s)
		return kind == Q_GIT && !err ? as_map(out, git, nothing, countof(git)) : 0;
	for (size_t i = 0; i < countof(git); i++)
		known |= str_eq(git[i], member);
	if (!known || memchr(member.s, 0, member.n))
		return 0;
	if (!(a = facts_ask(at->m->facts, kind, member, loc))) {
		at->m->asked = true;
		return EXPR_ASKED;
	}
	if (a->problem.n)
		return err_at(err, loc, NULL, STR_FMT, STR_ARG(a->problem));
	*out = value_str(a->found && a->n ? a->items[0] : S(""));
	/* a commit may well be on no branch and have no tag; what asks for it is no mistake where that is so */
	if (!a->found)
		return kind == Q_GIT && (str_is(member, "branch") || str_is(member, "tag")) ? EXPR_BLANK : 0;
	if (kind == Q_GIT && str_is(member, "dirty"))
		*out = value_plain(out->s);
	return 1;
}

static int look_up(void *ctx, struct str head, struct str member, struct value *out, struct err *err)
{
	struct at *at = ctx;

	if (str_is(head, "vars"))
		return look_vars(at, member, out);
	if (str_is(head, "each") || str_is(head, "matrix"))
		return look_axes(at, str_is(head, "each"), member, out);
	if (str_is(head, "params"))
		return look_params(at, member, out);
	if (str_is(head, "out"))
		return look_out(at, member, out);
	if (str_is(head, "env") || str_is(head, "git"))
		return look_fact(at, str_is(head, "env") ? Q_ENV : Q_GIT, member, out, err);
	if (member.s)
		return 0;
	if (str_is(head, "os"))
		return found(out, value_str(at->m->options->os));
	return str_is(head, "arch") ? found(out, value_str(at->m->options->arch)) : 0;
}

static const struct str heads[] = {
	{"vars", 4}, {"each", 4}, {"matrix", 6}, {"params", 6}, {"out", 3},
	{"env", 3},  {"git", 3},  {"os", 2},	 {"arch", 4},
};

void at_init(struct at *at, struct maker *m, const struct vars_file *vars, const struct made *of,
	     const struct inst *inst, const struct variant *variant)
{
	*at = (struct at){.m = m, .vars = vars, .of = of, .inst = inst, .variant = variant};
	at->scope = (struct scope){look_up, at, heads, countof(heads)};
}

/* ---- texts ---- */

static int settle(struct at *at, int got)
{
	if (got == EXPR_ASKED)
		at->m->asked = true;
	else if (got < 0)
		at->m->failed = true;
	return got;
}

int at_text(struct at *at, const struct text *t, enum expand_mode mode, struct str *out)
{
	return settle(at, text_expand(at->m->arena, t, &at->scope, mode, out, at->m->err));
}

int at_value(struct at *at, const struct text *t, struct value *out)
{
	return settle(at, text_value(at->m->arena, t, &at->scope, out, at->m->err));
}

int at_truth(struct at *at, const struct text *t, bool *out)
{
	struct value v = value_bool(true);
	int got = t->s.n ? at_value(at, t, &v) : 0;

	*out = value_truth(&v);
	return got;
}

int at_words(struct at *at, const struct spec_texts *texts, struct str **out)
{
	int rc = 0;

	*out = arena_array(at->m->arena, texts->n + 1, struct str);
	for (size_t i = 0; i < texts->n; i++)
		rc |= at_text(at, &texts->v[i], EXPAND_RAW, &(*out)[i]);
	return rc;
}

bool is_absolute(struct str path)
{
	return path.n && path.s[0] == '/';
}

int at_path(struct at *at, const struct text *t, bool literal, struct str *out)
{
	struct arena *a = at->m->arena;
	struct str s, dir = at->vars->file->dir;
	const char *problem;
	int got = at_text(at, t, literal ? EXPAND_RAW : EXPAND_PATTERN, &s);

	if (got)
		return got;
	if (!s.n)
		return wrong(at->m, t->loc, NULL, "the path is empty");
	if (memchr(s.s, 0, s.n))
		return wrong(at->m, t->loc, NULL, "a path can't hold a NUL byte");
	if (!literal && (problem = glob_problem(s)))
		return wrong(at->m, t->loc, "{path: ...} is taken as it is", "malformed pattern: %s",
			     problem);
	if (path_join(a, literal ? dir : glob_escape(a, dir), s, out))
		return 0;
	return wrong(at->m, t->loc, NULL, "'" STR_FMT "' lies outside of the workspace", STR_ARG(s));
}

struct str path_from(struct arena *a, struct str dir, struct str path)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);

	if (!dir.n || is_absolute(path))
		return path;
	while (dir.n && !(path_within(path, dir) && path.n > dir.n)) {
		buf_z(&b, "../");
		dir = path_dir(dir);
	}
	buf_str(&b, dir.n ? str_from(path, dir.n + 1) : path);
	return str_dup(a, buf_view(&b));
}

struct str command_from(const struct spec_file *file, struct str name)
{
	return file->prefix.n && str_starts(name, file->prefix) ? str_from(name, file->prefix.n) : name;
}
