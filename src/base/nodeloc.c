/* nodeloc.c: where a byte of a scalar's value stands in the source, found by walking both side by side. */
#include "base/node.h"

/* The source from loc on; {NULL} when it has no such place. */
static struct str source_from(struct loc loc)
{
	if (!loc.src || !loc.line || !loc.col)
		return (struct str){0};
	struct str rest = loc.src->text;
	for (uint32_t line = 1; line < loc.line; line++) {
		ptrdiff_t at = str_chr(rest, '\n');
		if (at < 0)
			return (struct str){0};
		rest = str_from(rest, (size_t)at + 1);
	}
	return loc.col - 1 <= rest.n ? str_from(rest, loc.col - 1) : (struct str){0};
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* A line break with the blanks around it, which stands for one space, or for a newline less than it
 * has. Returns the bytes at s and how many of the value they make; 0 when there is no break. */
static size_t fold_len(struct str s, size_t *made)
{
	size_t n = 0, breaks = 0;
	for (; n < s.n && is_space(s.s[n]); n++)
		breaks += s.s[n] == '\n';
	*made = breaks > 1 ? breaks - 1 : 1;
	return breaks ? n : 0;
}

/* Source offset of byte `at` of a value written in plain or quoted style, or -1 when it can't be told. */
static ptrdiff_t walk_flow(const struct node *n, struct str src, size_t at)
{
	size_t i = 0, v = 0, made;
	if (n->style != STYLE_PLAIN && (!src.n || src.s[i++] != (n->style == STYLE_SINGLE ? '\'' : '"')))
		return -1;
	while (v < at && i < src.n) {
		struct str rest = str_from(src, i);
		size_t fold = fold_len(rest, &made);
		if (fold) {
			i += fold;
			v += made;
			continue;
		}
		if (n->style == STYLE_SINGLE && rest.n > 1 && rest.s[0] == '\'' && rest.s[1] == '\'')
			i++;
		else if (n->style == STYLE_DOUBLE && rest.n > 1 && rest.s[0] == '\\' &&
			 strchr("\"\\/ ", rest.s[1]))
			i++;
		if (src.s[i] != n->s.s[v])
			return -1;
		i++;
		v++;
	}
	return v == at && i <= src.n ? (ptrdiff_t)i : -1;
}

/* Bytes of the line at s, its newline included. */
static size_t line_len(struct str s)
{
	ptrdiff_t end = str_chr(s, '\n');
	return end < 0 ? s.n : (size_t)end + 1;
}

static bool is_blank_line(struct str line) { return str_trim(line).n == 0; }

/* Line `wanted` (from 0) of a literal block whose header stands at src: its text without the
 * indentation must begin with value. */
static ptrdiff_t walk_literal(struct str src, size_t wanted, struct str line, size_t col)
{
	size_t i = line_len(src);
	for (; wanted > 0 && i < src.n; wanted--)
		i += line_len(str_from(src, i));
	struct str found = str_head(str_from(src, i), line_len(str_from(src, i)));
	if (is_blank_line(found))
		return (ptrdiff_t)i;
	/* The indentation is what the line has more than the value's line. */
	found.n -= found.s[found.n - 1] == '\n';
	found.n -= found.n && found.s[found.n - 1] == '\r';
	if (found.n < line.n || !str_ends(found, line))
		return -1;
	return (ptrdiff_t)(i + found.n - line.n + col);
}

static ptrdiff_t walk_block(const struct node *n, struct str src, size_t at)
{
	size_t line = 0, begin = 0;
	for (size_t i = 0; i < at; i++) {
		if (n->s.s[i] == '\n') {
			line++;
			begin = i + 1;
		}
	}
	struct str rest = str_from(n->s, begin);
	ptrdiff_t end = str_chr(rest, '\n');
	return walk_literal(src, line, end < 0 ? rest : str_head(rest, (size_t)end), at - begin);
}

struct loc node_loc_at(const struct node *n, size_t at)
{
	struct loc loc = n->loc;
	struct str src = source_from(loc);
	ptrdiff_t offset = -1;

	if (!src.s || n->kind != NODE_SCALAR)
		return loc;
	if (at > n->s.n)
		at = n->s.n;
	if (n->style == STYLE_LITERAL)
		offset = walk_block(n, src, at);
	else if (n->style != STYLE_FOLDED)
		offset = walk_flow(n, src, at);
	for (ptrdiff_t i = 0; i < offset; i++) {
		loc.col++;
		if (src.s[i] == '\n') {
			loc.line++;
			loc.col = 1;
		}
	}
	return loc;
}
