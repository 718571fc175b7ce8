/* compile_commands.c: the compilations among the steps as a JSON compilation database (clang.llvm.org/docs/JSONCompilationDatabase).
 *
 * A step counts if its command, or one simple command of its script, is a C or C++ compiler with -c (or -S, -E,
 * -fsyntax-only) and source files, whose words are known without running anything: literal, or a variable of the step's own
 * environment. A script that names a compiler otherwise is told in a note, never guessed. */
#include "base/json.h"
#include "base/path.h"
#include "base/vec.h"
#include "generators/generator.h"

/* ---- words of a shell ---- */

typedef VEC(struct str) words;

struct reading {
	const struct plan *plan;
	const struct plan_step *step;
	struct arena *arena;
	struct str rest;
	struct buf word;
	bool in_word, known;            /* known: no word so far needs a shell to tell what it is */
	words words;
};

static bool is_name(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

static void word_end(struct reading *r)
{
	if (r->in_word)
		vec_add(&r->words, str_dup(r->arena, buf_view(&r->word)));
	buf_clear(&r->word);
	r->in_word = false;
}

static void take(struct reading *r, size_t n) { r->rest = str_from(r->rest, n); }

static const struct plan_env *variable(const struct reading *r, struct str name)
{
	for (uint32_t i = 0; i < r->step->env.n; i++) {
		const struct plan_env *env = &r->plan->envs[r->step->env.at + i];

		if (str_eq(plan_str(r->plan, env->name), name))
			return env;
	}
	return NULL;
}

/* $NAME or ${NAME} of the step's own environment; outside of quotes it falls into words. */
static void expand(struct reading *r, bool quoted)
{
	bool brace = r->rest.n > 1 && r->rest.s[1] == '{';
	size_t from = brace ? 2 : 1, n = from;
	const struct plan_env *env;
	struct str value;

	while (n < r->rest.n && is_name(r->rest.s[n]))
		n++;
	env = n > from ? variable(r, str_head(str_from(r->rest, from), n - from)) : NULL;
	if (!env || (brace && (n >= r->rest.n || r->rest.s[n] != '}'))) {
		r->known = false;
		take(r, 1);
		return;
	}
	take(r, n + brace);
	value = plan_str(r->plan, env->value);
	for (size_t i = 0; i < value.n; i++) {
		char c = value.s[i];

		if (!quoted && strchr(" \t\n", c)) {
			word_end(r);
			continue;
		}
		if (!quoted && strchr("*?[", c))
			r->known = false;
		buf_c(&r->word, c);
		r->in_word = true;
	}
}

static void quoted(struct reading *r)
{
	char mark = r->rest.s[0];

	r->in_word = true;
	take(r, 1);
	while (r->rest.n && r->rest.s[0] != mark) {
		char c = r->rest.s[0];

		if (mark == '"' && c == '$') {
			expand(r, true);
			continue;
		}
		if (mark == '"' && c == '`')
			r->known = false;
		if (mark == '"' && c == '\\' && r->rest.n > 1 && strchr("\"\\$`\n", r->rest.s[1])) {
			take(r, 1);
			if (r->rest.s[0] != '\n')
				buf_c(&r->word, r->rest.s[0]);
		} else {
			buf_c(&r->word, c);
		}
		take(r, 1);
	}
	if (!r->rest.n)
		r->known = false;
	else
		take(r, 1);
}

/* One simple command: false when there is none left. What ends it is taken. */
static bool command_read(struct reading *r)
{
	r->words.n = 0;
	r->known = true;
	while (r->rest.n) {
		char c = r->rest.s[0];

		if (c == ' ' || c == '\t') {
			word_end(r);
			take(r, 1);
		} else if (c == '#' && !r->in_word) {
			struct str line;

			str_cut(&r->rest, '\n', &line);
			break;
		} else if (strchr("\n;&|", c)) {
			take(r, r->rest.n > 1 && r->rest.s[1] == c && c != '\n' ? 2 : 1);
			break;
		} else if (c == '\\' && r->rest.n > 1) {
			if (r->rest.s[1] != '\n') {
				buf_c(&r->word, r->rest.s[1]);
				r->in_word = true;
			}
			take(r, 2);
		} else if (c == '\'' || c == '"') {
			quoted(r);
		} else if (c == '$') {
			expand(r, false);
		} else {
			/* redirections, globs, groups: what is behind them is a shell's to say */
			if (strchr("<>(){}*?[`~", c))
				r->known = false;
			buf_c(&r->word, c);
			r->in_word = true;
			take(r, 1);
		}
	}
	word_end(r);
	return r->words.n || r->rest.n;
}

/* ---- is it a compilation? ---- */

static bool is_compiler(struct str word)
{
	static const char *const names[] = {"cc", "c++", "gcc", "g++", "clang", "clang++", "c99", "c11", "icx", "icpx"};
	struct str name = path_name(word), base = name;
	ptrdiff_t dash = str_rchr(name, '-');

	if (dash > 0 && dash + 1 < (ptrdiff_t)name.n && name.s[dash + 1] >= '0' && name.s[dash + 1] <= '9')
		base = str_head(name, dash);            /* gcc-12 */
	for (size_t i = 0; i < countof(names); i++) {
		struct str end = str_of(names[i]);

		if (str_eq(base, end) || (str_ends(base, end) && base.s[base.n - end.n - 1] == '-'))    /* aarch64-linux-gnu-gcc */
			return true;
	}
	return false;
}

static bool is_wrapper(struct str word)
{
	struct str name = path_name(word);

	return str_is(name, "ccache") || str_is(name, "sccache") || str_is(name, "distcc");
}

static bool is_source(struct str word)
{
	static const char *const ends[] = {".c", ".cc", ".cpp", ".cxx", ".c++", ".C", ".m", ".mm", ".i", ".ii"};

	for (size_t i = 0; i < countof(ends); i++)
		if (str_eq(path_ext(word), str_of(ends[i])))
			return true;
	return false;
}

/* Options whose next word is theirs. */
static bool takes_word(struct str word)
{
	static const char *const options[] = {"-o", "-I", "-D", "-U", "-L", "-include", "-imacros", "-isystem", "-iquote", "-idirafter", "-MF", "-MT", "-MQ", "-x",
					      "-Xclang", "-Xlinker", "-T", "-u", "-target", "--param", "-isysroot", "-arch"};

	for (size_t i = 0; i < countof(options); i++)
		if (str_is(word, options[i]))
			return true;
	return false;
}

struct compilation { words files; struct str output; bool compiles; };

static void look(const words *w, size_t at, struct compilation *c)
{
	for (size_t i = at + 1; i < w->n; i++) {
		struct str word = w->v[i];

		if (str_is(word, "-c") || str_is(word, "-S") || str_is(word, "-E") || str_is(word, "-fsyntax-only"))
			c->compiles = true;
		else if (str_is(word, "-o") && i + 1 < w->n)
			c->output = w->v[++i];
		else if (takes_word(word))
			i++;
		else if (!str_starts(word, S("-")) && is_source(word))
			vec_add(&c->files, word);
	}
}

/* Where the compiler stands among the words, behind assignments and wrappers; SIZE_MAX. */
static size_t compiler_at(const words *w)
{
	size_t i = 0;

	while (i < w->n && (is_wrapper(w->v[i]) || (str_chr(w->v[i], '=') > 0 && w->v[i].s[0] != '-')))
		i++;
	return i < w->n && is_compiler(w->v[i]) ? i : SIZE_MAX;
}

/* ---- the database ---- */

struct database { struct generation *g; struct json j; size_t n; };

static void entry(struct database *d, const struct plan_step *s, const words *w, size_t at, const struct compilation *c, struct str file)
{
	struct str workdir = plan_str(d->g->plan, s->workdir);

	json_open(&d->j, '{');
	json_kstr(&d->j, "directory", workdir.n ? str_fmt(d->g->arena, "%s/" STR_FMT, d->g->root, STR_ARG(workdir)) : str_of(d->g->root));
	json_kstr(&d->j, "file", file);
	json_key(&d->j, "arguments");
	json_open(&d->j, '[');
	for (size_t i = at; i < w->n; i++)
		json_str(&d->j, w->v[i]);
	json_close(&d->j, ']');
	if (c->output.n)
		json_kstr(&d->j, "output", c->output);
	json_close(&d->j, '}');
	buf_c(d->j.out, '\n');
	d->n++;
}

/* 1 entries were written, 0 it compiles nothing, -1 it may. */
static int add_command(struct database *d, const struct plan_step *s, const words *w, bool known)
{
	struct compilation c = {0};
	size_t at = compiler_at(w);
	int rc = 0;

	if (at == SIZE_MAX)
		return 0;
	look(w, at, &c);
	if (!known)
		rc = c.compiles ? -1 : 0;
	for (size_t i = 0; known && c.compiles && i < c.files.n; i++) {
		entry(d, s, w, at, &c, c.files.v[i]);
		rc = 1;
	}
	vec_free(&c.files);
	return rc;
}

static bool is_shell(const struct plan *p, const struct plan_step *s)
{
	struct str name = s->argv.n ? path_name(plan_word(p, s->argv, 0)) : S("");

	return !(s->flags & (STEP_SHEBANG | STEP_SCRIPT_FILE)) &&
	       (str_is(name, "sh") || str_is(name, "bash") || str_is(name, "dash") || str_is(name, "ksh") || str_is(name, "zsh"));
}

static void add_script(struct database *d, uint32_t step)
{
	const struct plan *p = d->g->plan;
	struct reading r = {.plan = p, .step = &p->steps[step], .arena = d->g->arena, .rest = plan_str(p, p->steps[step].script),
			    .word = BUF_INIT(BUF_UNLIMITED)};
	bool moved = false, unknown = false;

	while (command_read(&r)) {
		bool cd = r.words.n && (str_is(r.words.v[0], "cd") || str_is(r.words.v[0], "pushd"));

		moved |= cd;
		unknown |= add_command(d, r.step, &r.words, r.known && !moved) < 0;
	}
	if (unknown)
		buf_fmt(d->g->notes, "cairn: compile_commands: " STR_FMT " compiles what only its shell can tell; it is left out\n",
			STR_ARG(plan_step_name(p, step)));
	vec_free(&r.words);
	buf_release(&r.word);
}

static void add_exec(struct database *d, const struct plan_step *s)
{
	words w = {0};

	for (uint32_t i = 0; i < s->argv.n; i++)
		vec_add(&w, plan_word(d->g->plan, s->argv, i));
	for (uint32_t i = 0; i < s->args.n; i++)
		vec_add(&w, plan_word(d->g->plan, s->args, i));
	add_command(d, s, &w, true);
	vec_free(&w);
}

/* Steps that don't compile, or not here, have no place in a database of compilations: nothing is refused. */
static int database_check(struct generation *g, struct err *err)
{
	(void)g;
	(void)err;
	return 0;
}

static int database_write(struct generation *g, struct buf *out, struct err *err)
{
	struct database d = {.g = g, .j.out = out};
	size_t elsewhere = 0;

	(void)err;
	json_open(&d.j, '[');
	buf_c(out, '\n');
	for (uint32_t i = 0; i < g->plan->nsteps; i++) {
		const struct plan_step *s = &g->plan->steps[i];

		if (!g->selection->wanted[i])
			continue;
		if (s->runtime != RUNTIME_KIND_NATIVE)
			elsewhere++;
		else if (s->script_kind == SCRIPT_KIND_EXEC)
			add_exec(&d, s);
		else if (s->script_kind == SCRIPT_KIND_RUN && is_shell(g->plan, s))
			add_script(&d, i);
	}
	json_close(&d.j, ']');
	buf_c(out, '\n');
	if (elsewhere)
		buf_fmt(g->notes, "cairn: compile_commands: %zu steps run in containers, whose compilers and headers are not here; they are left out\n", elsewhere);
	if (!d.n)
		buf_z(g->notes, "cairn: compile_commands: no step compiles C or C++ in a way that can be told without running it\n");
	return 0;
}

const struct generator generator_compile_commands = {
	.name = "compile_commands",
	.summary = "a JSON compilation database for editors",
	.mode = 0666,
	.whole = true,
	.check = database_check,
	.write = database_write,
};
