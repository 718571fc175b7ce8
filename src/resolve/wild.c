#include "resolve/wild.h"

#include <ctype.h>

enum token_kind {
	TOKEN_BYTE,
	TOKEN_ANY,                      /* one byte, no slash */
	TOKEN_CLASS,
	TOKEN_STAR,                     /* any bytes, no slash */
	TOKEN_DEEP,                     /* any bytes; a slash or the end follows */
};

struct token {
	uint8_t kind, byte;
	bool none;                      /* DEEP: may stand for nothing, its slash included */
	uint32_t *bits;                 /* CLASS: 256 of them */
};

struct wild {
	struct token *v;
	size_t n;
};

static void bit_set(uint32_t *bits, unsigned char c) { bits[c / 32] |= 1u << c % 32; }
static bool bit_has(const uint32_t *bits, unsigned char c) { return bits[c / 32] >> c % 32 & 1; }

/* Git's own: ASCII alone, and neither \v nor \f is a space. */
static bool is_space(int c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static bool is_blank(int c) { return c == ' ' || c == '\t'; }
static bool is_graph(int c) { return c > 0x20 && c < 0x7f; }
static bool is_print(int c) { return c >= 0x20 && c < 0x7f; }
static bool is_cntrl(int c) { return c < 0x20 || c == 0x7f; }
static bool is_digit(int c) { return c >= '0' && c <= '9'; }
static bool is_lower(int c) { return c >= 'a' && c <= 'z'; }
static bool is_upper(int c) { return c >= 'A' && c <= 'Z'; }
static bool is_alpha(int c) { return is_lower(c) || is_upper(c); }
static bool is_alnum(int c) { return is_alpha(c) || is_digit(c); }
static bool is_punct(int c) { return is_graph(c) && !is_alnum(c); }
static bool is_xdigit(int c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

static const struct { const char *name; bool (*has)(int c); } classes[] = {
	{"alnum", is_alnum}, {"alpha", is_alpha}, {"blank", is_blank}, {"cntrl", is_cntrl},
	{"digit", is_digit}, {"graph", is_graph}, {"lower", is_lower}, {"print", is_print},
	{"punct", is_punct}, {"space", is_space}, {"upper", is_upper}, {"xdigit", is_xdigit},
};

static bool add_class(uint32_t *bits, struct str name)
{
	for (size_t i = 0; i < countof(classes); i++) {
		if (!str_is(name, classes[i].name))
			continue;
		for (int c = 0; c < 128; c++)
			if (classes[i].has(c))
				bit_set(bits, c);
		return true;
	}
	return false;
}

/* What stands at p.s[at], which is behind a "[:": its name if a ":]" ends it before any other "]". */
static bool class_name(struct str p, size_t at, struct str *name)
{
	ptrdiff_t end = str_chr(str_from(p, at), ']');

	if (end < 1 || p.s[at + end - 1] != ':')
		return false;
	*name = (struct str){p.s + at, end - 1};
	return true;
}

/* Reads the class whose "[" stands at *at and leaves *at behind its "]". */
static bool read_class(struct str p, size_t *at, uint32_t *bits)
{
	size_t i = *at + 1;
	int before = 0;                 /* what a "-" would begin its range with; 0: nothing */
	bool negated = i < p.n && (p.s[i] == '!' || p.s[i] == '^'), first = true;
	struct str name;

	i += negated;
	for (; i < p.n && (p.s[i] != ']' || first); i++, first = false) {
		unsigned char c = p.s[i];

		if (c == '-' && before && i + 1 < p.n && p.s[i + 1] != ']') {
			if (p.s[++i] == '\\' && ++i >= p.n)
				return false;
			for (int k = before; k <= (unsigned char)p.s[i]; k++)
				bit_set(bits, k);
			before = 0;
			continue;
		}
		if (c == '[' && i + 1 < p.n && p.s[i + 1] == ':') {
			if (str_chr(str_from(p, i + 2), ']') < 0)
				return false;
			if (class_name(p, i + 2, &name)) {
				if (!add_class(bits, name))
					return false;
				i += name.n + 3;
				before = 0;
				continue;
			}
		}
		if (c == '\\') {
			if (++i >= p.n)
				return false;
			c = p.s[i];
		}
		bit_set(bits, c);
		before = c;
	}
	if (i >= p.n)
		return false;
	for (int k = 0; negated && k < 8; k++)
		bits[k] = ~bits[k];
	*at = i + 1;
	return true;
}

/* Stars at p.s[at]: a `**` that is a component of its own crosses slashes. */
static struct token read_stars(struct str p, size_t *at)
{
	size_t from = *at, to = from;
	struct token token = {.kind = TOKEN_STAR};

	while (to < p.n && p.s[to] == '*')
		to++;
	*at = to;
	if (to - from < 2 || (from && p.s[from - 1] != '/'))
		return token;
	if (to == p.n || p.s[to] == '/' || (to + 1 < p.n && p.s[to] == '\\' && p.s[to + 1] == '/')) {
		token.kind = TOKEN_DEEP;
		token.none = to < p.n && p.s[to] == '/';
	}
	return token;
}

struct wild *wild_new(struct arena *arena, struct str p)
{
	struct wild *w = arena_new(arena, struct wild);

	w->v = arena_array(arena, p.n, struct token);
	for (size_t i = 0; i < p.n;) {
		struct token *token = &w->v[w->n++];

		switch (p.s[i]) {
		case '*':
			*token = read_stars(p, &i);
			break;
		case '?':
			token->kind = TOKEN_ANY;
			i++;
			break;
		case '[':
			token->kind = TOKEN_CLASS;
			token->bits = arena_array(arena, 8, uint32_t);
			if (!read_class(p, &i, token->bits))
				return NULL;
			break;
		case '\\':
			if (++i >= p.n)
				return NULL;
			/* fallthrough */
		default:
			token->kind = TOKEN_BYTE;
			token->byte = p.s[i++];
		}
	}
	return w;
}

static bool token_takes(const struct token *token, unsigned char c)
{
	if (token->kind == TOKEN_BYTE)
		return token->byte == c;
	return c != '/' && (token->kind == TOKEN_ANY || bit_has(token->bits, c));
}

/* Only the latest star and the latest `**` are ever tried again: what an earlier one could give up or
 * take, a later one of its kind can take as well, and no star goes past a slash. */
bool wild_match(const struct wild *w, struct str text)
{
	const struct token *star = NULL, *deep = NULL, *at = w->v, *end = w->v + w->n;
	size_t i = 0, star_at = 0, deep_at = 0;

	for (;;) {
		if (at == end && i == text.n)
			return true;
		if (at < end && at->kind == TOKEN_STAR) {
			star = at++;
			star_at = i;
			continue;
		}
		if (at < end && at->kind == TOKEN_DEEP) {
			if (at + 1 == end)
				return true;
			deep = at;
			deep_at = i;
			star = NULL;
			if (at->none) {
				at += 2;
				continue;
			}
		} else if (i == text.n) {
			return false;
		} else if (at < end && token_takes(at, text.s[i])) {
			if (text.s[i] == '/')
				star = NULL;
			at++;
			i++;
			continue;
		}
		if (star && text.s[star_at] != '/') {
			i = ++star_at;
			at = star + 1;
		} else if (deep) {
			const char *slash = memchr(text.s + deep_at, '/', text.n - deep_at);

			if (!slash)
				return false;
			i = deep_at = slash - text.s + 1;
			at = deep + 2;
			star = NULL;
		} else {
			return false;
		}
	}
}
