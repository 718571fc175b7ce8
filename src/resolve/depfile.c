#include "resolve/depfile.h"

#include "base/map.h"

struct reader {
	struct str text;
	size_t at;
	uint32_t line;
	char *name;                     /* the name being read; as long as the text */
	size_t n;
	bool colon;                     /* it ended in a colon that was not escaped, or was but before a blank */
};

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static char peek(const struct reader *r, size_t ahead)
{
	return r->at + ahead < r->text.n ? r->text.s[r->at + ahead] : '\n';
}

static bool at_newline(const struct reader *r, size_t ahead)
{
	return peek(r, ahead) == '\n' || (peek(r, ahead) == '\r' && peek(r, ahead + 1) == '\n');
}

static void take(struct reader *r, size_t n)
{
	memcpy(r->name + r->n, r->text.s + r->at, n);
	r->n += n;
	r->at += n;
}

/* At a `\`. False when it ends the name. */
static bool take_backslashes(struct reader *r)
{
	size_t n = 0;
	char next;

	while (peek(r, n) == '\\' && r->at + n < r->text.n)
		n++;
	if (at_newline(r, n)) {         /* all but the last stand for themselves, the last continues the line */
		take(r, n - (r->at + n < r->text.n));
		return false;
	}
	next = peek(r, n);
	if (next == ' ' && n % 2) {
		take(r, n / 2);
		r->at += n - n / 2;
		take(r, 1);
	} else if (next == ' ') {
		take(r, n);
		return false;
	} else if (next == '#' || (next == ':' && !is_blank(peek(r, n + 1)) && !at_newline(r, n + 1))) {
		take(r, n - 1);
		r->at++;
		take(r, 1);
	} else {
		take(r, n);
	}
	return true;
}

/* Skips blanks and continued lines. False at the end of a line, which is left to the caller. */
static bool skip_blanks(struct reader *r)
{
	for (; r->at < r->text.n; r->at++) {
		if (peek(r, 0) == '\\' && at_newline(r, 1)) {
			r->at += peek(r, 1) == '\r' ? 2 : 1;
			r->line++;
		} else if (!is_blank(peek(r, 0)) || at_newline(r, 0)) {
			break;
		}
	}
	return r->at < r->text.n && !at_newline(r, 0);
}

/* The next name of the line. False when there is none. */
static bool read_name(struct reader *r)
{
	r->n = 0;
	if (!skip_blanks(r))
		return false;
	while (r->at < r->text.n && !is_blank(peek(r, 0)) && !at_newline(r, 0)) {
		if (peek(r, 0) == '\\') {
			if (!take_backslashes(r))
				break;
		} else if (peek(r, 0) == '$' && peek(r, 1) == '$') {
			r->at++;
			take(r, 1);
		} else {
			take(r, 1);
		}
	}
	r->colon = r->n && r->name[r->n - 1] == ':';
	r->n -= r->colon;
	return true;
}

static void end_line(struct reader *r)
{
	while (r->at < r->text.n && r->text.s[r->at] != '\n')
		r->at++;
	r->at += r->at < r->text.n;
	r->line++;
}

/* One line with those that continue it. */
static int read_rule(struct reader *r, struct arena *arena, struct map *deps, struct err *err)
{
	bool targets = true, any = false;
	uint32_t line = r->line;

	if (skip_blanks(r) && peek(r, 0) == '#') {
		end_line(r);
		return 0;
	}
	while (read_name(r)) {
		struct str name = {r->name, r->n};

		any = true;
		if (!targets && name.n && !map_has(deps, name))
			map_put(deps, str_dup(arena, name), NULL);
		targets &= !r->colon;
	}
	end_line(r);
	if (any && targets)
		return err_set(err, ERR_SYSTEM, "line %u has no colon behind its targets", line);
	return 0;
}

int depfile_parse(struct arena *arena, struct str text, struct str **out, size_t *n, struct err *err)
{
	struct reader r = {.text = text, .line = 1};
	struct map deps = MAP_INIT;
	int rc = 0;

	*n = 0;
	*out = NULL;
	if (text.n > DEPFILE_MAX)
		return err_set(err, ERR_SYSTEM, "it is longer than %u bytes", DEPFILE_MAX);
	if (text.n && memchr(text.s, 0, text.n))
		return err_set(err, ERR_SYSTEM, "it holds a NUL byte");
	r.name = xmalloc(text.n + 1);
	while (rc == 0 && r.at < text.n)
		rc = read_rule(&r, arena, &deps, err);
	if (rc == 0) {
		*out = arena_array(arena, deps.n, struct str);
		for (size_t i = 0; i < deps.n; i++)
			(*out)[(*n)++] = deps.entries[i].key;
	}
	cleanup_free(&r.name);
	map_release(&deps);
	return rc;
}
