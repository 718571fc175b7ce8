#include "spec/exprlex.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of the escape whose backslash is at s[*i]; *i moves behind it. False: there is no such escape. */
static bool escape_read(struct str s, size_t *i, char *out)
{
	static const char from[] = "abfnrtv\\'\"?", to[] = "\a\b\f\n\r\t\v\\'\"?";
	size_t at = *i + 1;
	if (at >= s.n)
		return false;
	char c = s.s[at++];
	unsigned byte = 0;
	if (c == 'x') {
		size_t first = at;
		for (; at < s.n && at < first + 2 && hex_digit(s.s[at]) >= 0; at++)
			byte = byte * 16 + (unsigned)hex_digit(s.s[at]);
		if (at == first)
			return false;
	} else if (c >= '0' && c <= '7') {
		size_t first = --at;
		for (; at < s.n && at < first + 3 && s.s[at] >= '0' && s.s[at] <= '7'; at++)
			byte = byte * 8 + (unsigned)(s.s[at] - '0');
		if (byte > 255)
			return false;
	} else {
		const char *p = c ? strchr(from, c) : NULL;
		if (!p)
			return false;
		byte = (unsigned char)to[p - from];
	}
	if (!byte)
		return false;           /* no text of a spec can hold a NUL */
	*out = (char)byte;
	*i = at;
	return true;
}

struct str expr_unquote(struct arena *a, struct str quoted)
{
	struct str in = {quoted.s + 1, quoted.n - 2};
	char *out = arena_alloc(a, in.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < in.n;) {
		if (in.s[i] != '\\')
			out[n++] = in.s[i++];
		else if (!escape_read(in, &i, &out[n++]))
			BUG("an escape that was not checked");
	}
	return (struct str){out, n};
}

static struct token token_bad(size_t at, const char *problem)
{
	return (struct token){.kind = TOK_BAD, .at = at, .problem = problem};
}

static struct token string_lex(struct str text, size_t *at)
{
	size_t start = *at, i = start + 1;
	while (i < text.n && text.s[i] != text.s[start]) {
		char byte;
		if (text.s[i] != '\\')
			i++;
		else if (!escape_read(text, &i, &byte))
			return token_bad(i,
			                 "unknown escape; \\n \\t \\\\ \\\" \\' \\xHH and the like are C's");
	}
	if (i >= text.n)
		return token_bad(start, "the quote is not closed");
	*at = i + 1;
	return (struct token){.kind = TOK_STR, .at = start, .s = {text.s + start, *at - start}};
}

static struct token number_lex(struct str text, size_t *at)
{
	size_t start = *at, i = start + (text.s[start] == '-');
	while (i < text.n) {
		char c = text.s[i], before = text.s[i - (i > start)];
		bool sign = (c == '-' || c == '+') && (before | 32) == 'e';
		if (!is_digit(c) && !is_letter(c) && c != '.' && !sign)
			break;
		i++;
	}
	struct str s = {text.s + start, i - start};
	if (value_plain(s).kind != VALUE_NUM)
		return token_bad(start, "this is no number; a text needs quotes");
	*at = i;
	return (struct token){.kind = TOK_NUM, .at = start, .s = s};
}

static struct token operator_lex(struct str text, size_t *at)
{
	static const struct { char text[3], op; } two[] = {
		{"==", OP_EQ}, {"!=", OP_NE}, {"<=", OP_LE}, {">=", OP_GE}, {"&&", OP_AND}, {"||", OP_OR},
	};
	struct token t = {.kind = TOK_OP, .at = *at, .s = {text.s + *at, 2}};
	for (size_t i = 0; i < countof(two) && *at + 2 <= text.n; i++) {
		if (!memcmp(t.s.s, two[i].text, 2)) {
			t.op = two[i].op;
			*at += 2;
			return t;
		}
	}
	char c = text.s[*at];
	t.s.n = 1;
	t.op = c;
	if (c && strchr("()[].,!<>", c)) {
		(*at)++;
		return t;
	}
	if (c == '=')
		return token_bad(*at, "'=' is no operator; '==' compares");
	if (c == '&' || c == '|')
		return token_bad(*at, c == '&' ? "'&' is no operator; '&&' is and"
		                               : "'|' is no operator; '||' is or");
	return token_bad(*at, "this character has no meaning in ${{ }}");
}

struct token expr_lex(struct str text, size_t *at)
{
	while (*at < text.n && is_blank(text.s[*at]))
		(*at)++;
	size_t start = *at;
	if (start >= text.n)
		return (struct token){.kind = TOK_EOF, .at = start};
	char c = text.s[start], after = start + 1 < text.n ? text.s[start + 1] : 0;
	if (c == '}' && after == '}') {
		*at += 2;
		return (struct token){.kind = TOK_END, .at = start};
	}
	if (c == '"' || c == '\'')
		return string_lex(text, at);
	if (is_digit(c) || (c == '-' && (is_digit(after) || after == '.')))
		return number_lex(text, at);
	if (!is_letter(c))
		return operator_lex(text, at);
	size_t i = start;
	while (i < text.n && (is_letter(text.s[i]) || is_digit(text.s[i]) || text.s[i] == '-'))
		i++;
	*at = i;
	return (struct token){.kind = TOK_NAME, .at = start, .s = {text.s + start, i - start}};
}
