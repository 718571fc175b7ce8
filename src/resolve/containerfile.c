#include "resolve/containerfile.h"

#include <strings.h>

#include "resolve/cfparts.h"

static const struct keyword {
	const char *name;
	enum cf_kind kind;
	const char *flags;              /* those it takes, each between blanks */
} keywords[] = {
	{"ADD", CF_ADD, " chown chmod link checksum keep-git-dir exclude unpack "},
	{"ARG", CF_ARG, ""},
	{"CMD", CF_OTHER, ""},
	{"COPY", CF_COPY, " from chown chmod link parents exclude "},
	{"ENTRYPOINT", CF_OTHER, ""},
	{"ENV", CF_ENV, ""},
	{"EXPOSE", CF_OTHER, ""},
	{"FROM", CF_FROM, " platform "},
	{"HEALTHCHECK", CF_OTHER, " interval timeout start-period start-interval retries "},
	{"LABEL", CF_OTHER, ""},
	{"MAINTAINER", CF_OTHER, ""},
	{"ONBUILD", CF_ONBUILD, ""},
	{"RUN", CF_RUN, " mount network security device "},
	{"SHELL", CF_OTHER, ""},
	{"STOPSIGNAL", CF_OTHER, ""},
	{"USER", CF_OTHER, ""},
	{"VOLUME", CF_OTHER, ""},
	{"WORKDIR", CF_OTHER, ""},
};

struct parser {
	struct arena *arena;
	struct cfile *file;
	VEC(struct cf_instruction) v;
	VEC(struct cf_stage) stages;
	struct err *err;
};

struct loc cf_loc(const struct cfile *f, const struct cfline *line, size_t at) { return cfline_loc(f->src, line, at); }

const struct cf_flag *cf_flag(const struct cf_instruction *in, const char *name)
{
	for (size_t i = in->nflags; i-- > 0;)
		if (str_is(in->flags[i].name, name))
			return &in->flags[i];
	return NULL;
}

struct str cf_lower(struct arena *arena, struct str s)
{
	char *lower = arena_dup(arena, s.s, s.n);

	for (size_t i = 0; i < s.n; i++)
		if (lower[i] >= 'A' && lower[i] <= 'Z')
			lower[i] += 'a' - 'A';
	return (struct str){lower, s.n};
}

bool cf_foreign(struct str syntax)
{
	struct str name = S("docker/dockerfile");

	if (str_starts(syntax, S("docker.io/")))
		syntax = str_from(syntax, 10);
	return !str_starts(syntax, name) || (syntax.n > name.n && syntax.s[name.n] != ':' && syntax.s[name.n] != '@');
}

ptrdiff_t cf_stage(const struct cfile *f, struct str lower, size_t before)
{
	for (size_t i = before; i-- > 0;)
		if (f->stages[i].name.n && str_eq(f->stages[i].name, lower))
			return i;
	return -1;
}

/* --- instructions --- */

static int unknown_keyword(struct parser *p, const struct cfline *line, struct str word, size_t at)
{
	struct str names[countof(keywords)], near;

	for (size_t i = 0; i < countof(keywords); i++)
		names[i] = str_of(keywords[i].name);
	near = str_nearest(word, names, countof(names));
	return err_at(p->err, cf_loc(p->file, line, at),
		      near.s ? str_fmt(p->arena, "did you mean " STR_FMT "?", STR_ARG(near)).s : NULL,
		      "unknown instruction " STR_FMT, STR_ARG(word));
}

static int read_flags(struct parser *p, struct cf_instruction *in, const struct keyword *keyword, size_t *rest)
{
	struct cfwords words;

	*rest = cfwords_flags(p->arena, in->line->text, *rest, &words);
	in->flags = arena_array(p->arena, words.n, struct cf_flag);
	for (; in->nflags < words.n; in->nflags++) {
		struct cfword word = words.v[in->nflags];
		struct str text = str_from(word.s, 2);
		ptrdiff_t equals = str_chr(text, '=');
		struct cf_flag *flag = &in->flags[in->nflags];

		*flag = (struct cf_flag){equals < 0 ? text : str_head(text, equals), {0}, word.at};
		if (equals >= 0)
			flag->value = str_from(text, equals + 1);
		if (str_chr(flag->name, ' ') >= 0 ||
		    str_find(str_of(keyword->flags), str_fmt(p->arena, " " STR_FMT " ", STR_ARG(flag->name))) < 0)
			return err_at(p->err, cf_loc(p->file, in->line, word.at), NULL, "%s knows no flag --" STR_FMT, keyword->name,
				      STR_ARG(flag->name));
	}
	return 0;
}

/* ENV NAME VALUE, the old way, has the rest of the line as its value: it is made NAME=VALUE. */
static int read_old_env(struct parser *p, struct cf_instruction *in, size_t rest)
{
	struct str text = str_trim(str_from(in->line->text, rest));
	size_t n = 0;

	while (n < text.n && !cf_space(text.s[n]))
		n++;
	if (n == text.n)
		return err_at(p->err, cf_loc(p->file, in->line, rest), NULL, "ENV has a name and no value");
	in->words.n = 1;
	in->words.v[0].s = str_fmt(p->arena, STR_FMT "=" STR_FMT, (int)n, text.s, STR_ARG(str_trim(str_from(text, n))));
	return 0;
}

static int read_words(struct parser *p, struct cf_instruction *in, size_t rest)
{
	struct str text = in->line->text;
	struct loc loc = cf_loc(p->file, in->line, in->at);
	bool named = in->kind == CF_ENV || in->kind == CF_ARG;

	if (named || !cfwords_json(p->arena, text, rest, &in->words))
		cfwords_split(p->arena, text, rest, p->file->escape, named, &in->words);
	if (!in->words.n)
		return err_at(p->err, loc, NULL, "there is nothing behind it");
	if ((in->kind == CF_ADD || in->kind == CF_COPY) && in->words.n < 2)
		return err_at(p->err, loc, NULL, "a source and a destination must follow");
	if (in->kind != CF_ENV)
		return 0;
	if (str_chr(in->words.v[0].s, '=') < 0)
		return read_old_env(p, in, rest);
	for (size_t i = 0; i < in->words.n; i++)
		if (str_chr(in->words.v[i].s, '=') < 1)
			return err_at(p->err, cf_loc(p->file, in->line, in->words.v[i].at), NULL, "NAME=VALUE must stand here");
	return 0;
}

static int read_instruction(struct parser *p, const struct cfline *line, size_t at, struct cf_instruction *in);

static int read_trigger(struct parser *p, struct cf_instruction *in, size_t rest)
{
	struct cf_instruction *trigger = arena_new(p->arena, struct cf_instruction);

	if (read_instruction(p, in->line, rest, trigger) < 0)
		return -1;
	in->trigger = trigger;
	return 0;
}

static int read_instruction(struct parser *p, const struct cfline *line, size_t at, struct cf_instruction *in)
{
	struct cfwords words;
	const struct keyword *keyword = NULL;
	size_t rest;

	cfwords_split(p->arena, line->text, at, p->file->escape, false, &words);
	if (!words.n)
		return err_at(p->err, cf_loc(p->file, line, at), NULL, "an instruction must follow");
	for (size_t i = 0; i < countof(keywords); i++)
		if (words.v[0].s.n == strlen(keywords[i].name) && !strncasecmp(words.v[0].s.s, keywords[i].name, words.v[0].s.n))
			keyword = &keywords[i];
	if (!keyword)
		return unknown_keyword(p, line, words.v[0].s, words.v[0].at);
	*in = (struct cf_instruction){.kind = keyword->kind, .line = line, .at = words.v[0].at};
	if (at && (in->kind == CF_ONBUILD || in->kind == CF_FROM || !strcmp(keyword->name, "MAINTAINER")))
		return err_at(p->err, cf_loc(p->file, line, in->at), NULL, "%s can't stand behind ONBUILD", keyword->name);
	rest = words.v[0].at + words.v[0].s.n;
	if (read_flags(p, in, keyword, &rest) < 0)
		return -1;
	if (in->kind == CF_ONBUILD)
		return read_trigger(p, in, rest);
	return in->kind == CF_OTHER ? 0 : read_words(p, in, rest);
}

/* --- stages --- */

static bool stage_name_ok(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.s[i];

		if (!(c >= 'a' && c <= 'z') && (!i || (!(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')))
			return false;
	}
	return name.n;
}

static int name_stage(struct parser *p, struct cf_stage *stage, struct cfword word)
{
	struct loc loc = cf_loc(p->file, stage->line, word.at);

	stage->name = cf_lower(p->arena, word.s);
	if (!stage_name_ok(stage->name))
		return err_at(p->err, loc, NULL, "a stage's name is a letter and then letters, digits, \"-\", \"_\" and \".\"");
	if (str_is(stage->name, "scratch") || str_is(stage->name, "context"))
		return err_at(p->err, loc, NULL, "a stage can't be called " STR_FMT, STR_ARG(stage->name));
	for (size_t i = 0; i + 1 < p->stages.n; i++)
		if (str_eq(p->stages.v[i].name, stage->name))
			return err_at(p->err, loc, NULL, "there is a stage " STR_FMT " already; engines differ on which is meant then",
				      STR_ARG(stage->name));
	return 0;
}

static int add_stage(struct parser *p, const struct cf_instruction *in)
{
	struct cf_stage *stage = vec_push(&p->stages);
	const struct cf_flag *platform = cf_flag(in, "platform");
	struct cfwords words = in->words;
	struct str as = S("AS");

	*stage = (struct cf_stage){.name = S(""), .base = words.v[0], .line = in->line, .first = p->v.n};
	if (platform && platform->value.s)
		stage->platform = (struct cfword){platform->value, platform->at};
	if (words.n == 1)
		return 0;
	if (words.n != 3 || words.v[1].s.n != as.n || strncasecmp(words.v[1].s.s, as.s, as.n))
		return err_at(p->err, cf_loc(p->file, in->line, words.v[1].at), NULL, "FROM takes an image, and \"AS\" with a name");
	return name_stage(p, stage, words.v[2]);
}

static int add_line(struct parser *p, const struct cfline *line)
{
	struct cf_instruction in;

	if (read_instruction(p, line, 0, &in) < 0)
		return -1;
	if (in.kind == CF_FROM)
		return add_stage(p, &in);
	if (!p->stages.n && in.kind != CF_ARG)
		return err_at(p->err, cf_loc(p->file, line, 0), NULL, "only ARG can stand before the first FROM");
	vec_add(&p->v, in);
	if (p->stages.n)
		p->stages.v[p->stages.n - 1].n++;
	else
		p->file->nglobals++;
	return 0;
}

static void keep(struct parser *p)
{
	struct cfile *f = p->file;

	f->n = p->v.n;
	f->v = arena_array(p->arena, f->n, struct cf_instruction);
	if (f->n)
		memcpy(f->v, p->v.v, f->n * sizeof(*f->v));
	f->nstages = p->stages.n;
	f->stages = arena_array(p->arena, f->nstages, struct cf_stage);
	if (f->nstages)
		memcpy(f->stages, p->stages.v, f->nstages * sizeof(*f->stages));
	vec_free(&p->v);
	vec_free(&p->stages);
}

int cfile_parse(struct arena *arena, const struct source *src, struct cfile **out, struct err *err)
{
	struct cfile *f = *out = arena_new(arena, struct cfile);
	struct parser p = {.arena = arena, .file = f, .err = err};
	struct cflines *lines = arena_new(arena, struct cflines);
	int rc = cflines_read(arena, src, cf_foreign, lines, err);

	f->src = src;
	f->escape = lines->escape;
	f->syntax = lines->syntax;
	f->syntax_loc = lines->syntax_loc;
	f->foreign = lines->syntax.s && cf_foreign(lines->syntax);
	for (size_t i = 0; i < lines->n; i++)
		if (add_line(&p, &lines->v[i]) < 0)
			rc = -1;
	keep(&p);
	if (rc == 0 && !f->foreign && !f->nstages)
		return err_at(err, (struct loc){src, 1, 1}, NULL, "there is no FROM in it");
	return rc;
}
