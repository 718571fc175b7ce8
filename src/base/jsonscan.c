#include "base/jsonscan.h"

#include "base/node.h"
#include "base/utf8.h"

struct scan {
	struct str text;
	struct buf *out;
	size_t at;
	unsigned depth;
	size_t values;
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)? */
static size_t number_len(struct str s)
{
	size_t i = *s.s == '-', begin = i;
	while (i < s.n && is_digit(s.s[i]))
		i++;
	if (i == begin || (s.s[begin] == '0' && i > begin + 1))
		return 0;
	if (i < s.n && s.s[i] == '.') {
		begin = ++i;
		while (i < s.n && is_digit(s.s[i]))
			i++;
		if (i == begin)
			return 0;
	}
	if (i < s.n && (s.s[i] == 'e' || s.s[i] == 'E')) {
		i++;
		i += i < s.n && (s.s[i] == '-' || s.s[i] == '+');
		begin = i;
		while (i < s.n && is_digit(s.s[i]))
			i++;
		if (i == begin)
			return 0;
	}
	return i;
}

/* The four digits behind \u, or -1. */
static int hex4(struct str s)
{
	int value = 0;
	if (s.n < 6 || s.s[0] != '\\' || s.s[1] != 'u')
		return -1;
	for (size_t i = 2; i < 6; i++) {
		char c = s.s[i], lower = (char)(c | 0x20);
		if (is_digit(c))
			value = value * 16 + c - '0';
		else if (lower >= 'a' && lower <= 'f')
			value = value * 16 + lower - 'a' + 10;
		else
			return -1;
	}
	return value;
}

static const char *scan_unicode(struct scan *s, struct str rest)
{
	int unit = hex4(rest), low;
	if (unit < 0)
		return "an escape \\u without four hexadecimal digits";
	s->at += 6;
	if (unit == 0) {
		buf_z(s->out, JSONSCAN_NUL);
	} else if (unit >= 0xdc80 && unit <= 0xdcff) {
		char bytes[4];
		buf_add(s->out, bytes, utf8_put((uint32_t)unit, bytes));
	} else if (unit >= 0xd800 && unit <= 0xdbff) {
		low = hex4(str_from(rest, 6));
		if (low < 0xdc00 || low > 0xdfff)
			return "half a surrogate pair";
		s->at += 6;
		buf_add(s->out, rest.s, 12);
	} else if (unit >= 0xdc00 && unit <= 0xdfff) {
		return "half a surrogate pair";
	} else {
		buf_add(s->out, rest.s, 6);
	}
	return NULL;
}

static const char *scan_string(struct scan *s)
{
	buf_c(s->out, '"');
	for (s->at++; s->at < s->text.n;) {
		struct str rest = str_from(s->text, s->at);
		uint8_t c = (uint8_t)*rest.s;
		if (c == '\\') {
			if (rest.n > 1 && rest.s[1] == 'u') {
				const char *problem = scan_unicode(s, rest);
				if (problem)
					return problem;
				continue;
			}
			if (rest.n < 2 || !rest.s[1] || !strchr("\"\\/bfnrt", rest.s[1]))
				return "an unknown escape";
			buf_add(s->out, rest.s, 2);
			s->at += 2;
			continue;
		}
		size_t len = utf8_len(rest.s, rest.n);
		if (!len)
			return "a byte that is no UTF-8";
		if (c < 0x20)
			return "a control character in a string";
		buf_add(s->out, rest.s, len);
		s->at += len;
		if (c == '"')
			return NULL;
	}
	return "a string that is not closed";
}

static const char *copy(struct scan *s, size_t n)
{
	buf_add(s->out, s->text.s + s->at, n);
	s->at += n;
	return NULL;
}

static const char *scan_value(struct scan *s, struct str rest)
{
	static const struct str words[] = {S("true"), S("false"), S("null")};
	if (*rest.s == '"')
		return scan_string(s);
	if (*rest.s == '-' || is_digit(*rest.s)) {
		size_t n = number_len(rest);
		if (n > JSONSCAN_MAX_NUMBER)
			return "a number that is too long";
		return n ? copy(s, n) : "a number in a wrong form";
	}
	for (size_t i = 0; i < countof(words); i++)
		if (str_starts(rest, words[i]))
			return copy(s, words[i].n);
	return "nothing that JSON knows";
}

static const char *scan_token(struct scan *s)
{
	struct str rest = str_from(s->text, s->at);
	char c = *rest.s;
	if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ':')
		return copy(s, 1);
	if (c == ']' || c == '}') {
		s->depth -= s->depth > 0;
		return copy(s, 1);
	}
	if (c == ',')
		return copy(s, 1);
	if (++s->values > NODE_MAX_NODES)
		return "too many values";
	if (c == '[' || c == '{')
		return ++s->depth > NODE_MAX_DEPTH ? "too many levels" : copy(s, 1);
	return scan_value(s, rest);
}

const char *jsonscan(struct str text, struct buf *out, size_t stop, size_t *at)
{
	struct scan s = {.text = text, .out = out};
	const char *problem = NULL;
	while (!problem && s.at < text.n && out->n < stop)
		problem = scan_token(&s);
	*at = s.at;
	return problem;
}
