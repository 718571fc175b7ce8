#include "resolve/cfline.h"

#include "base/vec.h"

struct lines {
	struct arena *arena;
	const struct source *src;
	struct cflines *out;
	size_t at;                      /* of the next line's first byte */
	uint32_t line;                  /* its number */
	VEC(struct cfline) v;
	struct buf text;                /* of the line being joined */
	VEC(struct cfline_piece) pieces;
};

struct loc cfline_loc(const struct source *src, const struct cfline *line, size_t at)
{
	const struct cfline_piece *piece = line->pieces;

	for (size_t i = 1; i < line->npieces && line->pieces[i].at <= at; i++)
		piece = &line->pieces[i];
	return (struct loc){src, piece->line, piece->col + (uint32_t)(at - piece->at)};
}

/* The next line, with what ends it; false at the end. */
static bool next_line(struct lines *l, struct str *line)
{
	struct str rest = str_from(l->src->text, l->at);
	ptrdiff_t end = str_chr(rest, '\n');

	if (!rest.n)
		return false;
	*line = str_head(rest, end < 0 ? rest.n : (size_t)end + 1);
	l->at += line->n;
	l->line++;
	return true;
}

static struct str without_end(struct str line)
{
	if (str_ends(line, S("\n")))
		line.n--;
	if (str_ends(line, S("\r")))
		line.n--;
	return line;
}

static size_t blanks(struct str s)
{
	size_t n = 0;

	while (n < s.n && cf_space(s.s[n]))
		n++;
	return n;
}

/* --- directives --- */

/* "# name = value" in lower case; false when it is no such thing. */
static bool split_directive(struct arena *arena, struct str line, struct str *name, struct str *value)
{
	ptrdiff_t equals;
	char *lower;

	line = str_trim(line);
	if (!str_starts(line, S("#")) || (equals = str_chr(line, '=')) < 0)
		return false;
	*name = str_trim((struct str){line.s + 1, equals - 1});
	*value = str_trim(str_from(line, equals + 1));
	lower = arena_dup(arena, name->s, name->n);
	for (size_t i = 0; i < name->n; i++)
		if (lower[i] >= 'A' && lower[i] <= 'Z')
			lower[i] += 'a' - 'A';
	name->s = lower;
	return value->n && (str_is(*name, "syntax") || str_is(*name, "escape") || str_is(*name, "check"));
}

static int take_directive(struct lines *l, struct str name, struct str value, struct loc loc, bool shebang, struct err *err)
{
	if (str_is(name, "escape")) {
		if (shebang)
			return err_at(err, loc, NULL, "not every engine reads \"escape\" behind a \"#!\" line; leave that line out");
		if (!str_is(value, "\\") && !str_is(value, "`"))
			return err_at(err, loc, NULL, "the escape character is \"\\\" or \"`\", not \"" STR_FMT "\"", STR_ARG(value));
		l->out->escape = value.s[0];
	}
	if (str_is(name, "syntax")) {
		ptrdiff_t blank = str_chr(value, ' ');

		l->out->syntax = str_dup(l->arena, blank < 0 ? value : str_head(value, blank));
		l->out->syntax_loc = loc;
	}
	return 0;
}

static int read_directives(struct lines *l, struct err *err)
{
	bool shebang = str_starts(str_from(l->src->text, l->at), S("#!"));
	struct str seen[3], line, name, value;
	size_t nseen = 0;

	if (shebang)
		next_line(l, &line);
	for (;;) {
		size_t at = l->at;
		struct loc loc = {l->src, l->line, 1};

		if (!next_line(l, &line))
			return 0;
		if (!split_directive(l->arena, line, &name, &value)) {
			l->at = at;
			l->line--;
			return 0;
		}
		if (line.s[0] != '#')
			return err_at(err, loc, NULL, "a directive begins in the first column, for some engines do not see it elsewhere");
		for (size_t i = 0; i < nseen; i++)
			if (str_eq(seen[i], name))
				return err_at(err, loc, NULL, "the directive " STR_FMT " stands here twice", STR_ARG(name));
		seen[nseen++] = name;
		if (take_directive(l, name, value, loc, shebang, err) < 0)
			return -1;
	}
}

/* --- joining --- */

/* Adds the line from its byte `from` on; *more: it goes on in the next. */
static int add_piece(struct lines *l, struct str line, size_t from, bool *more, struct err *err)
{
	char escape = l->out->escape;
	size_t end = line.n;

	while (end > from && (line.s[end - 1] == ' ' || line.s[end - 1] == '\t'))
		end--;
	*more = end > from && line.s[end - 1] == escape;
	if (*more && end - from > 1 && line.s[end - 2] == escape)
		return err_at(err, (struct loc){l->src, l->line - 1, (uint32_t)end - 1}, NULL,
			      "engines differ on whether a line that ends in \"%c%c\" goes on in the next; put something behind it",
			      escape, escape);
	if (!*more)
		end = line.n;
	else
		end--;
	vec_add(&l->pieces, (struct cfline_piece){l->text.n, l->line - 1, (uint32_t)from + 1});
	buf_add(&l->text, line.s + from, end - from);
	return 0;
}

/* Joins what follows a line that goes on. Comments and blank lines in between do not count. */
static int join(struct lines *l, struct err *err)
{
	bool more = true;
	struct str line;

	while (more && next_line(l, &line)) {
		size_t n;

		line = without_end(line);
		n = blanks(line);
		if (n == line.n || line.s[n] == '#')
			continue;
		if (add_piece(l, line, 0, &more, err) < 0)
			return -1;
	}
	return 0;
}

/* --- heredocs --- */

/* Does such a word open one? */
static bool opens_heredoc(struct arena *arena, struct str word, char escape, struct cfline_heredoc *out)
{
	size_t at = 0;
	struct str rest;

	while (at < word.n && word.s[at] >= '0' && word.s[at] <= '9')
		at++;
	if (!str_starts(str_from(word, at), S("<<")))
		return false;
	rest = str_from(word, at + 2);
	*out = (struct cfline_heredoc){.chomp = str_starts(rest, S("-"))};
	rest = str_from(rest, out->chomp);
	if (!rest.n || str_chr(rest, '<') >= 0 || !cfword_unquote(arena, rest, escape, &out->name) || !out->name.n)
		return false;
	out->expand = str_eq(out->name, rest);
	return true;
}

bool cfline_opens(struct arena *arena, const struct cfline *line, struct str word, char escape)
{
	struct cfline_heredoc doc;

	if (!opens_heredoc(arena, word, escape, &doc))
		return false;
	for (size_t i = 0; i < line->nheredocs; i++)
		if (str_eq(line->heredocs[i].name, doc.name))
			return true;
	return false;
}

static bool word_is(struct str word, const char *name)
{
	return word.n == strlen(name) && !strncasecmp(word.s, name, word.n);
}

/* May the line hold heredocs? RUN, COPY and ADD do, also behind ONBUILD, unless they are given as a JSON list. */
static bool may_hold_heredocs(struct lines *l, struct str text)
{
	struct cfwords words, flags;
	size_t at;

	cfwords_split(l->arena, text, 0, l->out->escape, false, &words);
	if (words.n > 1 && word_is(words.v[0].s, "ONBUILD"))
		words.v++, words.n--;
	if (words.n < 2 || !(word_is(words.v[0].s, "RUN") || word_is(words.v[0].s, "COPY") || word_is(words.v[0].s, "ADD")))
		return false;
	at = cfwords_flags(l->arena, text, words.v[1].at, &flags);
	return !cfwords_json(l->arena, text, at, &words);
}

static int read_body(struct lines *l, struct cfline_heredoc *doc, struct loc loc, struct err *err)
{
	size_t from = l->at, end = from;
	struct str line;

	while (next_line(l, &line)) {
		struct str bare = without_end(line);

		while (doc->chomp && str_starts(bare, S("\t")))
			bare = str_from(bare, 1);
		if (str_eq(bare, doc->name)) {
			doc->body = (struct str){l->src->text.s + from, end - from};
			return 0;
		}
		end = l->at;
	}
	return err_at(err, loc, NULL, "the heredoc " STR_FMT " has no end: no line is just that", STR_ARG(doc->name));
}

static int read_heredocs(struct lines *l, struct cfline *line, struct err *err)
{
	VEC(struct cfline_heredoc) docs = {0};
	struct cfwords words;
	int rc = 0;

	if (str_find(line->text, S("<<")) < 0 || !may_hold_heredocs(l, line->text))
		return 0;
	cfwords_split(l->arena, line->text, 0, l->out->escape, true, &words);
	for (size_t i = 1; i < words.n && rc == 0; i++) {
		struct cfline_heredoc doc;

		if (!opens_heredoc(l->arena, words.v[i].s, l->out->escape, &doc))
			continue;
		rc = read_body(l, &doc, cfline_loc(l->src, line, words.v[i].at), err);
		vec_add(&docs, doc);
	}
	line->nheredocs = docs.n;
	line->heredocs = arena_array(l->arena, docs.n, struct cfline_heredoc);
	if (docs.n)
		memcpy(line->heredocs, docs.v, docs.n * sizeof(*docs.v));
	vec_free(&docs);
	return rc;
}

/* --- lines --- */

static int read_logical(struct lines *l, struct str line, struct err *err)
{
	struct cfline *out;
	size_t from;
	bool more;

	line = without_end(line);
	from = blanks(line);
	if (from == line.n || line.s[from] == '#')
		return 0;
	buf_clear(&l->text);
	l->pieces.n = 0;
	if (add_piece(l, line, from, &more, err) < 0 || (more && join(l, err) < 0))
		return -1;
	if (!str_trim(buf_view(&l->text)).n)
		return 0;
	out = vec_push(&l->v);
	*out = (struct cfline){.text = str_dup(l->arena, buf_view(&l->text)), .npieces = l->pieces.n};
	out->pieces = arena_array(l->arena, out->npieces, struct cfline_piece);
	memcpy(out->pieces, l->pieces.v, out->npieces * sizeof(*out->pieces));
	return read_heredocs(l, out, err);
}

int cflines_read(struct arena *arena, const struct source *src, bool (*foreign)(struct str), struct cflines *out, struct err *err)
{
	struct lines l = {.arena = arena, .src = src, .out = out, .line = 1, .text = BUF_INIT(BUF_UNLIMITED)};
	struct str line;
	int rc;

	*out = (struct cflines){.escape = '\\'};
	if (src->text.n > CFLINE_FILE_MAX)
		return err_set(err, ERR_SPEC, "unable to read " STR_FMT ": it is longer than 4 MiB", STR_ARG(src->path));
	if (memchr(src->text.s ? src->text.s : "", 0, src->text.n))
		return err_set(err, ERR_SPEC, "unable to read " STR_FMT ": it is no text, a byte of it is 0", STR_ARG(src->path));
	if (str_starts(src->text, S("\xef\xbb\xbf")))
		l.at = 3;
	rc = read_directives(&l, err);
	while (rc == 0 && !(out->syntax.s && foreign(out->syntax)) && next_line(&l, &line))
		rc = read_logical(&l, line, err);
	out->n = l.v.n;
	out->v = arena_array(arena, l.v.n, struct cfline);
	if (l.v.n)
		memcpy(out->v, l.v.v, l.v.n * sizeof(*out->v));
	vec_free(&l.v);
	vec_free(&l.pieces);
	buf_release(&l.text);
	return rc;
}
