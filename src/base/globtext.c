/* globtext.c: patterns as text: their syntax, their literal parts, escaping. */
#include "base/glob.h"

static const char special[] = "*?[]{}";

static bool is_special(char c) { return c && strchr(special, c); }

/* The class at *at, which is left behind it. */
static const char *class_problem(struct str p, size_t *at)
{
	size_t i = *at + 1;
	if (i < p.n && (p.s[i] == '!' || p.s[i] == '^'))
		i++;
	for (size_t first = i; i < p.n && p.s[i] != '/'; i++) {
		if (p.s[i] == ']' && i > first) {
			*at = i + 1;
			return NULL;
		}
		bool escaped = p.s[i] == '\\';
		uint8_t low = (uint8_t)p.s[i += escaped && i + 1 < p.n];
		if (i + 2 < p.n && p.s[i + 1] == '-' && p.s[i + 2] != ']') {
			i += 2;
			i += p.s[i] == '\\' && i + 1 < p.n;
			if ((uint8_t)p.s[i] < low)
				return "a range in [] that runs backwards";
		}
		if (p.s[i] == '/')
			break;
	}
	return "unclosed [";
}

/* How many patterns the braces from *at on stand for, up to the end of the text or, at a depth, of the
 * alternative; saturates past the limit. */
static unsigned count_alternatives(struct str p, size_t *at, int depth)
{
	unsigned product = 1;
	while (*at < p.n) {
		char c = p.s[*at];
		if (depth && (c == '}' || c == ','))
			break;
		size_t skip = *at;
		if (c == '[' && !class_problem(p, &skip)) {
			*at = skip;
			continue;
		}
		*at += 1 + (c == '\\');
		if (c != '{')
			continue;
		unsigned sum = 0;
		do {
			sum += count_alternatives(p, at, depth + 1);
			if (sum > GLOB_MAX_ALTERNATIVES)
				sum = GLOB_MAX_ALTERNATIVES + 1;
		} while (*at < p.n && p.s[(*at)++] == ',');
		product *= sum;
		if (product > GLOB_MAX_ALTERNATIVES)
			product = GLOB_MAX_ALTERNATIVES + 1;
	}
	return product;
}

const char *glob_problem(struct str p)
{
	int open = 0, braces = 0;
	if (p.n == 0)
		return "it is empty";
	if (p.n > GLOB_MAX_BYTES)
		return "longer than 4096 bytes";
	for (size_t i = 0; i < p.n;) {
		const char *problem = NULL;
		char c = p.s[i];
		if (c == '[') {
			if ((problem = class_problem(p, &i)))
				return problem;
			continue;
		}
		if (c == '\0')
			return "a NUL byte";
		if (c == '\\' && (i + 1 == p.n || p.s[i + 1] == '/'))
			return "a \\ that escapes nothing";
		if (c == '}' && open-- == 0)
			return "unopened }";
		if (c == '{') {
			open++;
			braces++;
		}
		i += 1 + (c == '\\');
	}
	if (open)
		return "unclosed {";
	if (braces > GLOB_MAX_BRACES)
		return "more than 32 {}";
	size_t at = 0;
	return count_alternatives(p, &at, 0) > GLOB_MAX_ALTERNATIVES ? "{} with more than 1000 alternatives"
								     : NULL;
}

bool glob_is(struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (is_special(text.s[i]))
			return true;
		if (text.s[i] == '\\')
			i++;
	}
	return false;
}

struct str glob_unescape(struct arena *a, struct str pattern)
{
	char *s = arena_alloc(a, pattern.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < pattern.n; i++) {
		if (pattern.s[i] == '\\' && i + 1 < pattern.n)
			i++;
		s[n++] = pattern.s[i];
	}
	return (struct str){s, n};
}

/* A comma would part alternatives, a leading "!" take away, where such fields allow it. */
struct str glob_escape(struct arena *a, struct str literal)
{
	char *s = arena_alloc(a, 2 * literal.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < literal.n; i++) {
		char c = literal.s[i];
		if (is_special(c) || c == '\\' || c == ',' || (c == '!' && i == 0))
			s[n++] = '\\';
		s[n++] = c;
	}
	return (struct str){s, n};
}

struct str glob_prefix(struct arena *a, struct str pattern)
{
	size_t end = 0;                 /* of the last component known to be literal and a folder */
	for (size_t i = 0; i < pattern.n && !is_special(pattern.s[i]); i++) {
		if (pattern.s[i] == '/')
			end = i ? i : 1;
		else if (pattern.s[i] == '\\')
			i++;
	}
	return glob_unescape(a, str_head(pattern, end));
}
