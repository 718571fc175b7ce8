#include "base/glob.h"

size_t glob_class_len(struct str p)
{
	size_t i = 1;
	if (i < p.n && (p.s[i] == '!' || p.s[i] == '^'))
		i++;
	for (size_t first = i; i < p.n && p.s[i] != '/'; i++) {
		if (p.s[i] == ']' && i > first)
			return i + 1;
		if (p.s[i] == '\\')
			i++;
	}
	return 0;
}

/* Bytes of the piece of a pattern at p that stands for itself: an escaped byte, a class, or a byte. */
static size_t piece_len(struct str p)
{
	size_t len = *p.s == '\\' && p.n > 1 ? 2 : *p.s == '[' ? glob_class_len(p) : 1;
	return len ? len : 1;
}

/* One member or range of a class at p[*i]; reads up to `end`. */
static void class_item(struct str p, size_t *i, size_t end, uint8_t *low, uint8_t *high)
{
	if (p.s[*i] == '\\' && *i + 1 < end)
		++*i;
	*low = *high = (uint8_t)p.s[(*i)++];
	if (*i + 1 < end && p.s[*i] == '-') {
		++*i;
		if (p.s[*i] == '\\' && *i + 1 < end)
			++*i;
		*high = (uint8_t)p.s[(*i)++];
	}
}

static bool class_holds(struct str p, size_t len, char c)
{
	size_t i = 1, end = len - 1;
	bool not = p.s[1] == '!' || p.s[1] == '^', found = false;
	for (i += not; i < end;) {
		uint8_t low, high;
		class_item(p, &i, end, &low, &high);
		found |= low <= (uint8_t)c && (uint8_t)c <= high;
	}
	return found != not;
}

/* Does the first piece of p match c? Its length, or 0. */
static size_t match_piece(struct str p, char c)
{
	size_t len = piece_len(p);
	if (*p.s == '?')
		return 1;
	if (*p.s == '[' && len > 1)
		return class_holds(p, len, c) ? len : 0;
	return p.s[len - 1] == c ? len : 0;
}

/* One component without braces. Only the last star is ever tried again, so the time is at most the
 * product of both lengths. */
static bool match_component(struct str p, struct str s)
{
	size_t at = 0, i = 0, star = SIZE_MAX, star_i = 0;
	while (i < s.n) {
		size_t len = 0;
		if (at < p.n && p.s[at] == '*') {
			star = ++at;
			star_i = i;
		} else if (at < p.n && (len = match_piece(str_from(p, at), s.s[i]))) {
			at += len;
			i++;
		} else if (star != SIZE_MAX) {
			at = star;
			i = ++star_i;
		} else {
			return false;
		}
	}
	while (at < p.n && p.s[at] == '*')
		at++;
	return at == p.n;
}

/* The component of s that begins at `at`; the next begins one past its end. */
static struct str component_at(struct str s, size_t at)
{
	struct str rest = str_from(s, at);
	ptrdiff_t slash = str_chr(rest, '/');
	return slash < 0 ? rest : str_head(rest, (size_t)slash);
}

static bool is_double_star(struct str component) { return str_is(component, "**"); }

/* A pattern without braces: the same way with components for bytes and `**` for the star. */
static bool match_plain(struct str p, struct str s)
{
	size_t at = 0, i = 0, star = SIZE_MAX, star_i = 0;
	if (s.n == 0 || p.n == 0)
		return s.n == p.n;
	while (i <= s.n) {
		struct str part = component_at(s, i), wild = {0};
		if (at <= p.n)
			wild = component_at(p, at);
		if (at <= p.n && is_double_star(wild)) {
			star = at += wild.n + 1;
			star_i = i;
			if (at > p.n)
				return true;
		} else if (at <= p.n && match_component(wild, part)) {
			at += wild.n + 1;
			i += part.n + 1;
		} else if (star != SIZE_MAX) {
			at = star;
			i = star_i += component_at(s, star_i).n + 1;
		} else {
			return false;
		}
	}
	return at > p.n;
}

/* Components without `**` must match dir's; behind a `**` anything may follow. */
static bool enter_plain(struct str p, struct str dir)
{
	size_t at = 0;
	for (size_t i = 0; dir.n && i <= dir.n; i += component_at(dir, i).n + 1) {
		if (at > p.n)
			return false;
		struct str wild = component_at(p, at);
		if (is_double_star(wild))
			return true;
		if (!match_component(wild, component_at(dir, i)))
			return false;
		at += wild.n + 1;
	}
	return at <= p.n;
}

/* Offset of the first brace, or p.n. */
static size_t find_brace(struct str p)
{
	size_t i = 0;
	while (i < p.n && p.s[i] != '{')
		i += piece_len(str_from(p, i));
	return i;
}

/* Offset of the "}" or top-level "," that ends the alternative at `at`, or p.n. */
static size_t alternative_end(struct str p, size_t at)
{
	for (size_t depth = 0; at < p.n; at += piece_len(str_from(p, at))) {
		if (p.s[at] == '{')
			depth++;
		else if ((p.s[at] == '}' || p.s[at] == ',') && depth == 0)
			return at;
		else if (p.s[at] == '}')
			depth--;
	}
	return at;
}

struct expansion {
	bool (*plain)(struct str pattern, struct str path);
	struct str path;
	int left;                       /* patterns that may still be tried */
};

static bool expand(struct expansion *x, struct str p, int braces)
{
	char next[GLOB_MAX_BYTES];
	size_t open = find_brace(p), close = open;

	if (open == p.n || braces == GLOB_MAX_BRACES || p.n > sizeof(next))
		return x->left-- > 0 && open == p.n && x->plain(p, x->path);
	do
		close = alternative_end(p, close + 1);
	while (close < p.n && p.s[close] == ',');
	if (close >= p.n) {
		x->left--;
		return false;
	}

	memcpy(next, p.s, open);
	for (size_t at = open + 1, end; at <= close && x->left > 0; at = end + 1) {
		end = alternative_end(p, at);
		memcpy(next + open, p.s + at, end - at);
		memcpy(next + open + end - at, p.s + close + 1, p.n - close - 1);
		if (expand(x, (struct str){next, open + end - at + p.n - close - 1}, braces + 1))
			return true;
	}
	return false;
}

bool glob_match(struct str pattern, struct str path)
{
	/* Most paths differ from most patterns in front. */
	size_t i = 0;
	for (; i < pattern.n && !strchr("*?[{\\", pattern.s[i]); i++)
		if (i >= path.n || pattern.s[i] != path.s[i])
			return false;
	struct expansion x = {match_plain, path, GLOB_MAX_ALTERNATIVES};
	return expand(&x, pattern, 0);
}

bool glob_may_enter(struct str pattern, struct str dir)
{
	while (dir.n && dir.s[dir.n - 1] == '/')
		dir.n--;
	struct expansion x = {enter_plain, dir, GLOB_MAX_ALTERNATIVES};
	return expand(&x, pattern, 0);
}
