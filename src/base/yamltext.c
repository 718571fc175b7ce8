#include "base/yamltext.h"

#include <stdio.h>

#include "base/node.h"
#include "base/utf8.h"

static const struct str bom = S("\xef\xbb\xbf");

static void rewind_to_start(struct textpos *t)
{
	t->index = 0;
	t->at = t->line_at = t->begin;
	t->line = 1;
	if (t->begin)
		t->line_at = 0;         /* the mark's bytes count in columns, as they do for an editor's offset */
}

void textpos_init(struct textpos *t, const struct source *src)
{
	t->src = src;
	t->begin = str_starts(src->text, bom) ? bom.n : 0;
	rewind_to_start(t);
}

static void step(struct textpos *t)
{
	struct str text = t->src->text;
	char c = text.s[t->at++];
	while (t->at < text.n && ((uint8_t)text.s[t->at] & 0xc0) == 0x80)
		t->at++;
	t->index++;
	if (c == '\n') {
		t->line++;
		t->line_at = t->at;
	}
}

static struct loc here(const struct textpos *t)
{
	return (struct loc){t->src, t->line, (uint32_t)(t->at - t->line_at) + 1};
}

size_t textpos_byte(struct textpos *t, size_t index)
{
	if (index < t->index)
		rewind_to_start(t);
	while (t->index < index && t->at < t->src->text.n)
		step(t);
	return t->at;
}

struct loc textpos_loc(struct textpos *t, size_t index)
{
	textpos_byte(t, index);
	return here(t);
}

struct loc textpos_loc_of_byte(struct textpos *t, size_t at)
{
	if (at < t->at)
		rewind_to_start(t);
	while (t->at < at && t->at < t->src->text.n)
		step(t);
	return here(t);
}

/* What YAML 1.2.2 calls c-printable. */
static bool is_printable(uint32_t code)
{
	if (code < 0x20)
		return code == '\t' || code == '\n' || code == '\r';
	return code != 0x7f && (code < 0x80 || code == 0x85 || code >= 0xa0) && code != 0xfeff &&
	       code != 0xfffe && code != 0xffff;
}

int yamltext_check(const struct source *src, struct err *err)
{
	struct textpos pos;
	struct str text = src->text;
	size_t len;

	if (text.n > NODE_MAX_BYTES)
		return err_at(err, (struct loc){.src = src}, NULL, "the file is larger than %u MiB",
			      NODE_MAX_BYTES >> 20);
	textpos_init(&pos, src);
	for (size_t at = pos.begin; at < text.n; at += len) {
		len = utf8_len(text.s + at, text.n - at);
		if (!len)
			return err_at(err, textpos_loc_of_byte(&pos, at), "a spec is UTF-8",
				      "byte 0x%02x is no UTF-8 here", (uint8_t)text.s[at]);
		uint32_t code = utf8_value(text.s + at, len);
		if (!is_printable(code))
			return err_at(err, textpos_loc_of_byte(&pos, at),
				      "in double quotes it is written \\x.. or \\u....",
				      "the control character U+%04X is not allowed here", code);
	}
	return 0;
}

/* libyaml's wording, what a user is told instead, and what may help. at_context: the place to look at
 * is where the context begins. */
static const struct saying {
	const char *problem, *text, *hint;
	bool at_context;
} sayings[] = {
	{"did not find expected key", "this line does not fit the map it stands in",
	 "check its indentation and the line before", false},
	{"did not find expected '-' indicator", "a list entry, '- ...', is expected here", "check the indentation", false},
	{"mapping values are not allowed in this context", "':' is not allowed here",
	 "put a text that holds ': ' in quotes, or check the indentation", false},
	{"could not find expected ':'", "this line has no ':'",
	 "a map's line is 'key: value'; check the indentation of a text of several lines", true},
	{"found unexpected end of stream", "the quote that opens here is never closed", NULL, true},
	{"did not find expected ',' or ']'", "',' or ']' is expected here",
	 "is the bracket closed? within it put ${{ }} in quotes, and any text that holds one of , [ ] { }", false},
	{"did not find expected ',' or '}'", "',' or '}' is expected here",
	 "is the bracket closed? within it put ${{ }} in quotes, and any text that holds one of , [ ] { }", false},
	{"block sequence entries are not allowed in this context", "a list entry is not allowed here",
	 "a list begins on a line of its own, under its key", false},
	{"did not find expected alphabetic or numeric character", "'*' and '&' begin an alias or an anchor here",
	 "put a text that begins with one of them in quotes, as in \"*.c\"", true},
	{"found unknown escape character", "there is no such escape in a double-quoted text",
	 "in single quotes \\ stands for itself", false},
	{"did not find expected <document start>", "the document has ended before this",
	 "check brackets and indentation", false},
	{"did not find expected node content", "a value is expected here", "put a text of punctuation in quotes", false},
};

static int tab_fault(struct loc loc, struct err *err)
{
	return err_at(err, loc, "YAML is indented with spaces", "a tab is not allowed as indentation");
}

int yamltext_fault(struct textpos *pos, const struct yamlfault *fault, struct err *err)
{
	struct str text = pos->src->text;
	size_t at = textpos_byte(pos, fault->problem_index);
	struct loc loc = textpos_loc(pos, fault->problem_index);
	char c = at < text.n ? text.s[at] : '\0';
	char where[128] = "";

	if (c == '\t' && !strcmp(fault->problem, "found character that cannot start any token"))
		return tab_fault(loc, err);
	if (strstr(fault->problem, "tab character"))
		return tab_fault(loc, err);
	if (!strcmp(fault->problem, "found character that cannot start any token"))
		return err_at(err, loc, "put it in quotes", "a text can't begin with '%c'", c);

	if (fault->context) {
		struct loc began = textpos_loc(pos, fault->context_index);
		if (began.line != loc.line || began.col != loc.col)
			snprintf(where, sizeof(where), " (%.60s at line %u, column %u)", fault->context,
				 began.line, began.col);
	}
	for (size_t i = 0; i < countof(sayings); i++) {
		const struct saying *s = &sayings[i];
		if (strcmp(s->problem, fault->problem) != 0)
			continue;
		if (s->at_context && fault->context)
			return err_at(err, textpos_loc(pos, fault->context_index), s->hint, "%s", s->text);
		return err_at(err, loc, s->hint, "%s%s", s->text, where);
	}
	return err_at(err, loc, NULL, "%s%s", fault->problem, where);
}
