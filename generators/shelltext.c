#include "generators/shelltext.h"

#include "base/glob.h"

static bool plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("_./+:@%,-", c);
}

/* = is plain where the word is no first one. */
static bool all_plain(struct str s, bool equals)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.s[i] || !(plain(s.s[i]) || (equals && s.s[i] == '=')))
			return false;
	return true;
}

static void quoted(struct buf *out, struct str s)
{
	buf_c(out, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] == '\'')
			buf_z(out, "'\\''");
		else
			buf_c(out, s.s[i]);
	}
	buf_c(out, '\'');
}

void shell_word(struct buf *out, struct str s)
{
	if (s.n && all_plain(s, true))
		buf_str(out, s);
	else
		quoted(out, s);
}

void shell_assignment(struct buf *out, struct str name, struct str value)
{
	buf_str(out, name);
	buf_c(out, '=');
	if (all_plain(value, true))
		buf_str(out, value);
	else
		quoted(out, value);
}

static void literal(struct buf *out, char c)
{
	if (strchr(".[]{}()*+?|$^\\", c) && c)
		buf_c(out, '\\');
	buf_c(out, c);
}

/* As alternatives, since what a bracket means by ^ - ] and \ differs between implementations. A range keeps its form. */
static void class(struct buf *out, struct str p)
{
	bool not = p.s[1] == '!' || p.s[1] == '^', member[256] = {0};

	for (size_t i = 1 + not; i + 1 < p.n;) {
		unsigned low, high;

		i += p.s[i] == '\\' && i + 2 < p.n;
		low = high = (unsigned char)p.s[i++];
		if (i + 2 < p.n && p.s[i] == '-') {
			i++;
			i += p.s[i] == '\\' && i + 2 < p.n;
			high = (unsigned char)p.s[i++];
		}
		for (unsigned c = low; c <= high; c++)
			member[c] = true;
	}
	bool hat_alone = !not && member['^'];

	for (unsigned c = 1; c < 256; c++)
		hat_alone &= !member[c] || c == '^';
	if (hat_alone) {
		buf_z(out, "\\^");
		return;
	}
	if (not)
		member['/'] = true;     /* what is not in it is no slash either */
	buf_z(out, not ? "[^" : "[");
	if (member[']'])
		buf_c(out, ']');
	for (unsigned c = 1; c < 256; c++)
		if (member[c] && c != ']' && c != '-' && c != '^' && c != '\\' && (not || c != '/'))
			buf_c(out, (char)c);
	if (member['\\'])
		buf_z(out, "\\\\");
	if (member['^'])
		buf_z(out, "^");
	if (member['-'])
		buf_c(out, '-');
	buf_c(out, ']');
}

static bool at_component(struct str p, size_t i) { return i == 0 || strchr("/{,", p.s[i - 1]); }

/* ** from i on: how many bytes it takes. */
static size_t stars(struct buf *out, struct str p, size_t i)
{
	if (i + 2 < p.n && p.s[i + 2] == '/') {
		buf_z(out, "(.*/)?");
		return 3;
	}
	buf_z(out, ".+");
	return 2;
}

static bool whole_stars(struct str p, size_t i)
{
	return i + 1 < p.n && p.s[i + 1] == '*' && at_component(p, i) && (i + 2 == p.n || strchr("/},", p.s[i + 2]));
}

void shell_pattern(struct buf *out, struct str p)
{
	unsigned braces = 0;

	for (size_t i = 0; i < p.n;) {
		struct str rest = str_from(p, i);
		size_t n = p.s[i] == '[' ? glob_class_len(rest) : 0;

		if (n) {
			class(out, str_head(rest, n));
			i += n;
		} else if (p.s[i] == '*' && whole_stars(p, i)) {
			i += stars(out, p, i);
		} else if (p.s[i] == '*' || p.s[i] == '?') {
			buf_z(out, p.s[i++] == '*' ? "[^/]*" : "[^/]");
		} else if (p.s[i] == '\\' && i + 1 < p.n) {
			literal(out, p.s[i + 1]);
			i += 2;
		} else if (p.s[i] == '{' || (braces && p.s[i] == '}')) {
			braces += p.s[i] == '{' ? 1 : -1;
			buf_c(out, p.s[i++] == '{' ? '(' : ')');
		} else if (braces && p.s[i] == ',') {
			buf_c(out, '|');
			i++;
		} else {
			literal(out, p.s[i++]);
		}
	}
}

static bool has_line(struct str text, struct str line)
{
	struct str part;

	while (str_cut(&text, '\n', &part))
		if (str_eq(part, line))
			return true;
	return false;
}

struct str shell_delimiter(struct arena *a, struct str text)
{
	struct str word = S("END");

	for (unsigned n = 1; has_line(text, word); n++)
		word = str_fmt(a, "END%u", n);
	return word;
}
