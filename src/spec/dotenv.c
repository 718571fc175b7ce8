/* env_files: lines of NAME=VALUE, as Docker Compose and the shells of this world write them:
 *   # comment, blank lines, an optional "export " before the name
 *   NAME=plain until the end of the line or " #"       blanks at both ends are dropped
 *   NAME='as it is, also over several lines'
 *   NAME="with \n \t \r \\ \" \$ escapes, also over several lines"
 * Nothing is expanded. Of two lines with the same name the later wins. */
#include "spec/fields.h"

#include <stdlib.h>

struct dotenv {
	struct reader *r;
	const struct source *src;
	size_t at, line_start;
	uint32_t line;
	bool failed;
};

static char peek(const struct dotenv *d)
{
	return d->at < d->src->text.n ? d->src->text.s[d->at] : 0;
}

static bool ended(const struct dotenv *d)
{
	return d->at >= d->src->text.n;
}

static struct loc here(const struct dotenv *d)
{
	return (struct loc){.src = d->src, .line = d->line, .col = (uint32_t)(d->at - d->line_start + 1)};
}

static void step(struct dotenv *d)
{
	if (d->src->text.s[d->at++] == '\n') {
		d->line++;
		d->line_start = d->at;
	}
}

static void skip_blanks(struct dotenv *d)
{
	while (!ended(d) && (peek(d) == ' ' || peek(d) == '\t' || peek(d) == '\r'))
		d->at++;
}

static void skip_line(struct dotenv *d)
{
	while (!ended(d) && peek(d) != '\n')
		d->at++;
	if (!ended(d))
		step(d);
}

static void fail(struct dotenv *d, struct loc loc, const char *text)
{
	mistake(d->r, loc, NULL, "%s", text);
	d->failed = true;
}

/* A value is taken as it is: the language must not find its own marks in it. */
static struct str protect(struct arena *a, struct str s)
{
	CLEANUP_BUF struct buf out = BUF_INIT(BUF_UNLIMITED);
	ptrdiff_t at;
	while ((at = str_find(s, S("${{"))) >= 0) {
		buf_add(&out, s.s, (size_t)at);
		buf_z(&out, "${{ \"${{\" }}");
		s = str_from(s, (size_t)at + 3);
	}
	buf_str(&out, s);
	return str_dup(a, buf_view(&out));
}

static void escape_add(struct dotenv *d, struct buf *out)
{
	static const char from[] = "ntr\\\"$'", to[] = "\n\t\r\\\"$'";
	char c = peek(d);
	const char *known = c ? strchr(from, c) : NULL;
	if (!known)
		buf_c(out, '\\');
	buf_c(out, known ? to[known - from] : c);
}

static void quoted_read(struct dotenv *d, struct buf *out)
{
	char quote = peek(d);
	struct loc open = here(d);
	for (step(d); !ended(d) && peek(d) != quote; step(d)) {
		if (quote == '"' && peek(d) == '\\' && d->at + 1 < d->src->text.n) {
			step(d);
			escape_add(d, out);
		} else {
			buf_c(out, peek(d));
		}
	}
	if (ended(d)) {
		fail(d, open, "the quote is not closed");
		return;
	}
	step(d);
	skip_blanks(d);
	if (!ended(d) && peek(d) != '\n' && peek(d) != '#')
		fail(d, here(d), "nothing but a comment may stand behind a closing quote");
}

static void plain_read(struct dotenv *d, struct buf *out)
{
	size_t start = d->at;
	while (!ended(d) && peek(d) != '\n' &&
	       !(peek(d) == '#' && (d->at == start || strchr(" \t", d->src->text.s[d->at - 1]))))
		d->at++;
	buf_str(out, str_trim((struct str){d->src->text.s + start, d->at - start}));
}

static struct str name_take(struct dotenv *d)
{
	const char *s = d->src->text.s;
	size_t start = d->at;
	while (!ended(d) && !strchr("= \t\r\n#", peek(d)))
		d->at++;
	return (struct str){s + start, d->at - start};
}

static void entry_read(struct dotenv *d, struct spec_env *e)
{
	CLEANUP_BUF struct buf value = BUF_INIT(BUF_UNLIMITED);
	e->loc = here(d);
	e->name = name_take(d);
	if (str_is(e->name, "export") && (peek(d) == ' ' || peek(d) == '\t')) {
		skip_blanks(d);
		e->loc = here(d);
		e->name = name_take(d);
	}
	if (peek(d) != '=') {
		skip_blanks(d);
		fail(d, here(d), peek(d) == '=' ? "no blank may stand before '='" : "expected NAME=VALUE");
		return;
	}
	if (!variable_name_check(d->r, e->name, e->loc, "an environment variable")) {
		d->failed = true;
		return;
	}
	d->at++;
	skip_blanks(d);
	e->value.loc = here(d);
	if (peek(d) == '"' || peek(d) == '\'')
		quoted_read(d, &value);
	else
		plain_read(d, &value);
	if (value.n && memchr(value.s, 0, value.n))
		fail(d, e->value.loc, "a variable can't hold a NUL byte");
	e->value.s = protect(d->r->arena, buf_view(&value));
}

void dotenv_parse(struct reader *r, const struct source *src, struct spec_envs *out)
{
	struct dotenv d = {.r = r, .src = src, .line = 1};
	VEC(struct spec_env) entries = {0};
	struct map places = MAP_INIT;
	if (str_starts(src->text, S("\xef\xbb\xbf")))
		d.at = 3;
	while (!ended(&d)) {
		struct spec_env e = {0};
		bool fresh;
		skip_blanks(&d);
		d.failed = ended(&d) || peek(&d) == '\n' || peek(&d) == '#';
		if (!d.failed)
			entry_read(&d, &e);
		if (!d.failed) {
			void **place = map_put(&places, e.name, &fresh);
			if (fresh) {
				vec_add(&entries, e);
				*place = (void *)(uintptr_t)entries.n;
			} else {
				entries.v[(uintptr_t)*place - 1] = e;
			}
		}
		skip_line(&d);
	}
	out->n = entries.n;
	out->v = arena_array(r->arena, entries.n + 1, struct spec_env);
	for (size_t i = 0; i < entries.n; i++)
		out->v[i] = entries.v[i];
	map_release(&places);
	vec_free(&entries);
}
