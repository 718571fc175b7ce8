/* errprint.c: an err as text for a terminal. What stands in a spec or a file name is shown with its
 * control bytes replaced, so that it can't steer the terminal. */
#include "base/err.h"
#include "base/utf8.h"

#define WIDTH 100                       /* bytes of a source line that are shown */

#define RED "\033[1;31m"
#define GREEN "\033[1;32m"
#define PLAIN "\033[0m"

/* Bytes of the next character; *shown is false for a control or a byte that is no character. */
static size_t next_char(struct str s, bool *shown)
{
	size_t len = utf8_len(s.s, s.n);
	uint32_t code = len ? utf8_value(s.s, len) : 0;
	*shown = len && code >= 0x20 && (code < 0x7f || code >= 0xa0);
	return len ? len : 1;
}

static void put_text(struct buf *out, struct str s, bool newlines)
{
	bool shown;
	for (size_t len; s.n; s = str_from(s, len)) {
		len = next_char(s, &shown);
		if (shown || *s.s == '\t' || (newlines && *s.s == '\n'))
			buf_add(out, s.s, len);
		else
			buf_c(out, '?');
	}
}

/* The part of an overlong line that is shown: [*from, *to) around offset at, cut between characters. */
static void clip(struct str line, size_t at, size_t *from, size_t *to)
{
	*from = 0;
	*to = line.n;
	if (line.n <= WIDTH)
		return;
	if (at > WIDTH / 2)
		*from = at - WIDTH / 2;
	if (*from > line.n - WIDTH)
		*from = line.n - WIDTH;
	*to = *from + WIDTH;
	while (*from > 0 && *from < line.n && ((uint8_t)line.s[*from] & 0xc0) == 0x80)
		--*from;
	while (*to < line.n && ((uint8_t)line.s[*to] & 0xc0) == 0x80)
		++*to;
}

/* One blank for each character before the caret; tabs stay tabs, so that both lines align. */
static void put_caret(struct buf *out, struct str before, bool color)
{
	bool shown;
	for (size_t len; before.n; before = str_from(before, len)) {
		len = next_char(before, &shown);
		if (!str_starts(before, S("\xef\xbb\xbf")))      /* a byte order mark has no width */
			buf_c(out, *before.s == '\t' ? '\t' : ' ');
	}
	buf_z(out, color ? GREEN "^" PLAIN "\n" : "^\n");
}

static void put_source(struct buf *out, struct str line, struct loc loc, bool color)
{
	size_t from, to;
	if (line.n == 0)
		return;
	size_t at = loc.col ? loc.col - 1 : 0;
	if (at > line.n)
		at = line.n;
	clip(line, at, &from, &to);
	const char *gap = from ? "..." : "";
	buf_fmt(out, "  %s", gap);
	put_text(out, (struct str){line.s + from, to - from}, false);
	buf_z(out, to < line.n ? "...\n" : "\n");
	if (loc.col) {
		buf_fmt(out, "  %*s", (int)strlen(gap), "");
		put_caret(out, (struct str){line.s + from, at - from}, color);
	}
}

static void put_diag(struct buf *out, const struct diag *d, bool color)
{
	if (d->shown) {
		put_text(out, d->shown->path, false);
		if (d->loc.line)
			buf_fmt(out, ":%u", d->loc.line);
		if (d->loc.line && d->loc.col)
			buf_fmt(out, ":%u", d->loc.col);
	} else {
		buf_z(out, "cairn");
	}
	buf_z(out, color ? ": " RED "error" PLAIN ": " : ": error: ");
	put_text(out, str_of(d->text), true);
	buf_c(out, '\n');
	if (d->shown && d->loc.line)
		put_source(out, d->shown->text, d->loc, color);
	if (d->hint) {
		buf_z(out, "  hint: ");
		put_text(out, str_of(d->hint), true);
		buf_c(out, '\n');
	}
}

void err_print(const struct err *e, struct buf *out, bool color)
{
	if (e->text) {
		buf_z(out, "cairn: ");
		put_text(out, str_of(e->text), true);
		buf_c(out, '\n');
	}
	for (size_t i = 0; i < e->ndiags; i++)
		put_diag(out, &e->diags[i], color);
	if (e->nmore)
		buf_fmt(out, "cairn: %zu more mistake%s\n", e->nmore, e->nmore == 1 ? "" : "s");
}
