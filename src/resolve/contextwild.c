#include "resolve/contextwild.h"

#include "base/utf8.h"
#include "base/vec.h"

#define INVALID 0xfffd

enum token_kind {
	TOKEN_CHAR,
	TOKEN_ANY,                      /* one character, no slash */
	TOKEN_CLASS,
	TOKEN_STAR,                     /* any characters, no slash */
	TOKEN_DEEP,                     /* any characters */
	TOKEN_DEEP_DIR,                 /* nothing, or any characters and a slash */
};

struct range { uint32_t low, high; };

struct token {
	enum token_kind kind;
	uint32_t code;                  /* CHAR */
	bool negated;                   /* CLASS */
	struct range *ranges;
	size_t nranges;
};

enum shape {
	SHAPE_EXACT,                    /* the path is the text */
	SHAPE_PREFIX,                   /* it begins so */
	SHAPE_SUFFIX,                   /* it ends so */
	SHAPE_TOKENS,
};

struct contextwild {
	enum shape shape;
	bool newlines;                  /* DEEP and DEEP_DIR match them */
	struct str text;                /* TOKENS: plain characters that every match begins with */
	struct token *v;
	size_t n;
};

/* --- reading --- */

struct reader {
	struct str p;
	size_t at;
	enum contextwild_kind kind;
	VEC(struct token) tokens;
	VEC(struct range) ranges;       /* of the class being read */
	bool caret;                     /* a plain "^" outside of classes */
	const char *problem;
};

static uint32_t next_code(struct str s, size_t *at)
{
	size_t len = utf8_len(s.s + *at, s.n - *at);
	uint32_t code = len ? utf8_value(s.s + *at, len) : INVALID;

	*at += len ? len : 1;
	return code;
}

static bool done(const struct reader *r) { return r->at >= r->p.n; }
static char peek(const struct reader *r) { return done(r) ? 0 : r->p.s[r->at]; }
static bool is_word(uint32_t c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* The character behind a "\". */
static uint32_t read_escaped(struct reader *r)
{
	uint32_t code;

	if (done(r)) {
		r->problem = "a \"\\\" stands at its end";
		return 0;
	}
	code = next_code(r->p, &r->at);
	if (r->kind == CONTEXTWILD_IGNORE && (is_word(code) || code > 127))
		r->problem = "\"\\\" before a letter or digit is a command of Docker's regular expressions; leave the \"\\\" out";
	return code;
}

/* One end of a range. */
static uint32_t read_member(struct reader *r)
{
	char c = peek(r);

	if (done(r) || c == '-' || c == ']') {
		r->problem = "a class \"[...]\" is malformed; a \"-\" or \"]\" in it is written \"\\-\", \"\\]\"";
		return 0;
	}
	if (c == '\\') {
		r->at++;
		return read_escaped(r);
	}
	if (r->kind == CONTEXTWILD_IGNORE && (c == '*' || c == '?' || (c == '[' && r->at + 1 < r->p.n && r->p.s[r->at + 1] == ':')))
		r->problem = "in a class \"[...]\" Docker takes \"*\", \"?\" and \"[:\" for something else; put a \"\\\" before it";
	return next_code(r->p, &r->at);
}

/* Behind the "[". */
static void read_class(struct reader *r, struct arena *arena)
{
	struct token t = {.kind = TOKEN_CLASS};

	r->ranges.n = 0;
	if (peek(r) == '^') {
		t.negated = true;
		r->at++;
	}
	do {
		struct range range = {.low = read_member(r)};

		range.high = range.low;
		if (!r->problem && peek(r) == '-') {
			r->at++;
			range.high = read_member(r);
		}
		if (!r->problem && range.high < range.low)
			r->problem = "a range in a class \"[...]\" ends before it begins";
		vec_add(&r->ranges, range);
	} while (!r->problem && peek(r) != ']');
	r->at++;
	t.nranges = r->ranges.n;
	t.ranges = arena_array(arena, t.nranges, struct range);
	memcpy(t.ranges, r->ranges.v, t.nranges * sizeof(*t.ranges));
	vec_add(&r->tokens, t);
}

static void add(struct reader *r, enum token_kind kind, uint32_t code)
{
	vec_add(&r->tokens, (struct token){.kind = kind, .code = code});
}

/* A "*" was read and another follows. */
static void read_deep(struct reader *r, bool first, enum shape *shape)
{
	r->at++;
	if (peek(r) == '/')
		r->at++;
	if (r->kind == CONTEXTWILD_SOURCE) {
		add(r, TOKEN_DEEP, 0);
		*shape = SHAPE_TOKENS;
		return;
	}
	if (!done(r)) {
		add(r, TOKEN_DEEP_DIR, 0);
		*shape = SHAPE_TOKENS;
	} else if (*shape == SHAPE_EXACT) {
		*shape = SHAPE_PREFIX;
	} else {
		add(r, TOKEN_DEEP, 0);
		*shape = SHAPE_TOKENS;
	}
	if (first)
		*shape = SHAPE_SUFFIX;
}

static void read_token(struct reader *r, struct arena *arena, enum shape *shape)
{
	bool first = !r->at;
	uint32_t c = next_code(r->p, &r->at);

	switch (c) {
	case '*':
		if (peek(r) == '*') {
			read_deep(r, first, shape);
			return;
		}
		add(r, TOKEN_STAR, 0);
		break;
	case '?':
		add(r, TOKEN_ANY, 0);
		break;
	case '[':
		read_class(r, arena);
		break;
	case '\\':
		add(r, TOKEN_CHAR, read_escaped(r));
		break;
	default:
		add(r, TOKEN_CHAR, c);
		r->caret |= c == '^';
		if (c != ']')
			return;
	}
	*shape = SHAPE_TOKENS;
}

/* The plain characters in front. */
static struct str plain_head(struct arena *arena, const struct reader *r)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);
	char bytes[4];

	for (size_t i = 0; i < r->tokens.n && r->tokens.v[i].kind == TOKEN_CHAR && r->tokens.v[i].code != INVALID; i++)
		buf_add(&b, bytes, utf8_put(r->tokens.v[i].code, bytes));
	return str_dup(arena, buf_view(&b));
}

const struct contextwild *contextwild_new(struct arena *arena, struct str pattern, enum contextwild_kind kind, const char **problem)
{
	struct reader r = {.p = pattern, .kind = kind};
	struct contextwild *w = arena_new(arena, struct contextwild);
	enum shape shape = SHAPE_EXACT;

	if (pattern.n > CONTEXTWILD_MAX)
		r.problem = "it is longer than 4096 bytes";
	while (!r.problem && !done(&r))
		read_token(&r, arena, &shape);
	if (!r.problem && kind == CONTEXTWILD_IGNORE && shape == SHAPE_TOKENS && r.caret)
		r.problem = "Docker takes \"^\" beside wildcards for the beginning of a line; write \"\\^\"";
	if (!r.problem) {
		w->shape = shape;
		w->newlines = kind == CONTEXTWILD_SOURCE;
		w->text = shape == SHAPE_TOKENS ? plain_head(arena, &r) : str_dup(arena, pattern);
		if (shape == SHAPE_PREFIX)
			w->text.n -= 2;
		if (shape == SHAPE_SUFFIX)
			w->text = str_from(w->text, 2);
		w->n = r.tokens.n;
		w->v = arena_array(arena, w->n, struct token);
		if (w->n)
			memcpy(w->v, r.tokens.v, w->n * sizeof(*w->v));
	}
	vec_free(&r.tokens);
	vec_free(&r.ranges);
	*problem = r.problem;
	return r.problem ? NULL : w;
}

/* --- matching --- */

/* Where a match may stand: before token i, or inside the DEEP_DIR i. */
struct places {
	bool at[CONTEXTWILD_MAX + 1], in[CONTEXTWILD_MAX + 1];
};

static bool class_holds(const struct token *t, uint32_t c)
{
	for (size_t i = 0; i < t->nranges; i++)
		if (t->ranges[i].low <= c && c <= t->ranges[i].high)
			return !t->negated;
	return t->negated;
}

static bool token_takes(const struct contextwild *w, const struct token *t, uint32_t c)
{
	switch (t->kind) {
	case TOKEN_CHAR:
		return t->code == c;
	case TOKEN_ANY:
	case TOKEN_STAR:
		return c != '/';
	case TOKEN_CLASS:
		return class_holds(t, c);
	case TOKEN_DEEP:
	case TOKEN_DEEP_DIR:
		break;
	}
	return c != '\n' || w->newlines;
}

/* What can be reached without a character more. */
static void places_settle(const struct contextwild *w, struct places *p)
{
	for (size_t i = 0; i < w->n; i++) {
		if (!p->at[i] || w->v[i].kind < TOKEN_STAR)
			continue;
		p->at[i + 1] = true;
		p->in[i] |= w->v[i].kind == TOKEN_DEEP_DIR;
	}
}

/* false: nowhere is left to stand */
static bool places_step(const struct contextwild *w, const struct places *p, struct places *next, uint32_t c)
{
	bool any = false;

	memset(next->at, 0, w->n + 1);
	memset(next->in, 0, w->n + 1);
	for (size_t i = 0; i < w->n; i++) {
		const struct token *t = &w->v[i];

		if ((!p->at[i] && !p->in[i]) || !token_takes(w, t, c))
			continue;
		if (t->kind == TOKEN_DEEP_DIR) {
			next->in[i] |= p->in[i];
			next->at[i + 1] |= p->in[i] && c == '/';
		} else {
			next->at[t->kind < TOKEN_STAR ? i + 1 : i] = true;
		}
		any = true;
	}
	places_settle(w, next);
	return any;
}

/* false: nowhere is left to stand behind text */
static bool places_walk(const struct contextwild *w, struct str text, struct places *p)
{
	struct places other, *now = p, *next = &other, *swap;
	size_t at = 0;

	while (at < text.n) {
		if (!places_step(w, now, next, next_code(text, &at)))
			return false;
		swap = now;
		now = next;
		next = swap;
	}
	if (now != p) {
		memcpy(p->at, now->at, w->n + 1);
		memcpy(p->in, now->in, w->n + 1);
	}
	return true;
}

static void places_begin(const struct contextwild *w, struct places *p)
{
	memset(p->at, 0, w->n + 1);
	memset(p->in, 0, w->n + 1);
	p->at[0] = true;
	places_settle(w, p);
}

bool contextwild_match(const struct contextwild *w, struct str path)
{
	struct places p;

	switch (w->shape) {
	case SHAPE_EXACT:
		return str_eq(path, w->text);
	case SHAPE_PREFIX:
		return str_starts(path, w->text);
	case SHAPE_SUFFIX:
		return str_ends(path, w->text) || (w->text.n && w->text.s[0] == '/' && str_eq(path, str_from(w->text, 1)));
	case SHAPE_TOKENS:
		break;
	}
	if (!str_starts(path, w->text))
		return false;
	places_begin(w, &p);
	return places_walk(w, path, &p) && p.at[w->n];
}

/* Is one the beginning of the other, with a "/" behind dir? */
static bool along(struct str text, struct str dir)
{
	size_t n = text.n < dir.n ? text.n : dir.n;

	if (memcmp(text.s, dir.s, n))
		return false;
	return text.n <= dir.n || text.s[dir.n] == '/';
}

bool contextwild_may_enter(const struct contextwild *w, struct str dir)
{
	struct places p;

	if (!dir.n || w->shape == SHAPE_SUFFIX)
		return true;
	if (w->shape == SHAPE_EXACT)
		return w->text.n > dir.n && along(w->text, dir);
	if (!along(w->text, dir))
		return false;
	if (w->shape == SHAPE_PREFIX)
		return true;
	places_begin(w, &p);
	return places_walk(w, dir, &p) && places_walk(w, S("/"), &p);
}
