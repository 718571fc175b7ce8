#include "resolve/cfword.h"

#include "base/json.h"
#include "base/node.h"
#include "base/vec.h"

bool cf_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

typedef VEC(struct cfword) word_list;

static void words_take(struct arena *arena, struct cfword *v, size_t n, struct cfwords *out)
{
	out->n = n;
	out->v = arena_array(arena, n, struct cfword);
	if (n)
		memcpy(out->v, v, n * sizeof(*v));
	free(v);
}

/* The end of the quote that opens at `at`, one behind it; the line's end when it is not closed. */
static size_t quote_end(struct str s, size_t at, char escape)
{
	char quote = s.s[at++];

	while (at < s.n && s.s[at] != quote)
		at += quote == '"' && s.s[at] == escape && at + 1 < s.n ? 2 : 1;
	return at < s.n ? at + 1 : s.n;
}

static size_t word_end(struct str s, size_t at, char escape, bool quoted)
{
	while (at < s.n && !cf_space(s.s[at])) {
		if (quoted && (s.s[at] == '\'' || s.s[at] == '"'))
			at = quote_end(s, at, escape);
		else
			at += quoted && s.s[at] == escape && at + 1 < s.n ? 2 : 1;
	}
	return at;
}

void cfwords_split(struct arena *arena, struct str line, size_t from, char escape, bool quoted, struct cfwords *out)
{
	word_list words = {0};

	for (size_t at = from, end; at < line.n; at = end) {
		while (at < line.n && cf_space(line.s[at]))
			at++;
		end = word_end(line, at, escape, quoted);
		if (end > at)
			vec_add(&words, (struct cfword){{line.s + at, end - at}, at});
	}
	words_take(arena, words.v, words.n, out);
}

bool cfwords_json(struct arena *arena, struct str line, size_t from, struct cfwords *out)
{
	struct str text = str_trim(str_from(line, from));
	struct source *src;
	struct node *list;

	*out = (struct cfwords){0};
	if (!str_starts(text, S("[")) || !str_ends(text, S("]")))
		return false;
	src = arena_new(arena, struct source);
	*src = (struct source){S(""), text};
	if (json_read(arena, src, &list, NULL) < 0 || list->kind != NODE_LIST)
		return false;
	out->v = arena_array(arena, list->n, struct cfword);
	for (; out->n < list->n; out->n++) {
		const struct node *item = list->items[out->n].value;

		if (item->kind != NODE_SCALAR || node_type(item) != TYPE_STR)
			return false;
		out->v[out->n] = (struct cfword){json_bytes(arena, item->s), from};
	}
	return true;
}

/* One flag at *at; leaves *at behind it. */
static struct str read_flag(struct arena *arena, struct str line, size_t *at)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);
	char quote = 0;

	for (; *at < line.n && (quote || !cf_space(line.s[*at])); ++*at) {
		char c = line.s[*at];

		if (c == '\\') {
			if (*at + 1 < line.n)
				buf_c(&b, line.s[++*at]);
		} else if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
		} else {
			buf_c(&b, c);
		}
	}
	return str_dup(arena, buf_view(&b));
}

size_t cfwords_flags(struct arena *arena, struct str line, size_t from, struct cfwords *out)
{
	word_list flags = {0};
	size_t at = from;

	for (;;) {
		struct cfword flag;

		while (at < line.n && cf_space(line.s[at]))
			at++;
		if (!str_starts(str_from(line, at), S("--")))
			break;
		flag.at = at;
		flag.s = read_flag(arena, line, &at);
		if (flag.s.n == 2)
			break;
		vec_add(&flags, flag);
	}
	words_take(arena, flags.v, flags.n, out);
	return at;
}

bool cfword_unquote(struct arena *arena, struct str word, char escape, struct str *out)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);
	char quote = 0;

	for (size_t i = 0; i < word.n; i++) {
		char c = word.s[i];

		if (quote ? c == quote : c == '\'' || c == '"')
			quote = quote ? 0 : c;
		else if (c == escape && quote != '\'' && i + 1 < word.n)
			buf_c(&b, word.s[++i]);
		else
			buf_c(&b, c);
	}
	*out = str_dup(arena, buf_view(&b));
	return !quote;
}

void cfword_fields(struct arena *arena, struct str word, struct cfwords *out)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);
	word_list fields = {0};
	bool quoted = false;

	for (size_t i = 0; i <= word.n; i++) {
		if (i == word.n || (word.s[i] == ',' && !quoted)) {
			vec_add(&fields, (struct cfword){str_dup(arena, buf_view(&b)), i - b.n});
			buf_clear(&b);
		} else if (word.s[i] != '"') {
			buf_c(&b, word.s[i]);
		} else if (quoted && i + 1 < word.n && word.s[i + 1] == '"') {
			buf_c(&b, word.s[i++]);
		} else {
			quoted = !quoted;
		}
	}
	words_take(arena, fields.v, fields.n, out);
}

/* --- expansion --- */

#define DEPTH_MAX 32

struct expander {
	struct arena *arena;
	struct cfword_env *env;
	struct str s;
	size_t at;
	int depth;
	const char *problem;
};

static void expand_until(struct expander *x, char stop, struct buf *out);

static bool name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (uint8_t)c > 127 || (!first && c >= '0' && c <= '9');
}

/* Digits, or one of the shell's own, or a name; may be empty. */
static struct str read_name(struct expander *x)
{
	size_t from = x->at;

	if (x->at < x->s.n && strchr("@*#?-$!", x->s.s[x->at]) && x->s.s[x->at])
		x->at++;
	else if (x->at < x->s.n && x->s.s[x->at] >= '0' && x->s.s[x->at] <= '9')
		while (x->at < x->s.n && x->s.s[x->at] >= '0' && x->s.s[x->at] <= '9')
			x->at++;
	else
		while (x->at < x->s.n && name_char(x->s.s[x->at], x->at == from))
			x->at++;
	return (struct str){x->s.s + from, x->at - from};
}

static bool look_up(struct expander *x, struct str name, struct str *value)
{
	bool unsure = false;

	*value = S("");
	x->env->expanded = true;
	int got = x->env->get(x->env->ctx, name, value, &unsure);
	if (unsure && !x->env->unsure.s)
		x->env->unsure = str_dup(x->arena, name);
	return got > 0;
}

/* Behind "${name", from the modifier on. */
static void expand_modified(struct expander *x, struct str name, struct buf *out)
{
	CLEANUP_BUF struct buf word = BUF_INIT(BUF_UNLIMITED);
	bool colon = x->at < x->s.n && x->s.s[x->at] == ':', set;
	struct str value;
	char how;

	x->at += colon;
	how = x->at < x->s.n ? x->s.s[x->at++] : 0;
	if (how != '-' && how != '+' && how != '?') {
		x->problem = "is not expanded the same way by all engines; only ${X}, ${X:-y}, ${X:+y} and ${X:?y} are";
		return;
	}
	expand_until(x, '}', &word);
	if (x->problem)
		return;
	set = look_up(x, name, &value) && !(colon && !value.n);
	if (how == '+')
		buf_str(out, set ? buf_view(&word) : S(""));
	else if (how == '-' || set)
		buf_str(out, set ? value : buf_view(&word));
	else if (!x->env->unsure.s)
		x->problem = str_fmt(x->arena, "says that " STR_FMT " must be set: " STR_FMT, STR_ARG(name), STR_ARG(buf_view(&word))).s;
}

static void expand_dollar(struct expander *x, struct buf *out)
{
	struct str name, value;

	x->at++;
	if (x->at >= x->s.n || x->s.s[x->at] != '{') {
		name = read_name(x);
		if (!name.n)
			buf_c(out, '$');
		else if (look_up(x, name, &value))
			buf_str(out, value);
		return;
	}
	x->at++;
	name = read_name(x);
	if (!name.n || x->at >= x->s.n) {
		x->problem = x->at >= x->s.n ? "has a \"${\" without a \"}\"" : "has a \"${\" without a name behind it";
		return;
	}
	if (x->s.s[x->at] != '}') {
		expand_modified(x, name, out);
		return;
	}
	x->at++;
	if (look_up(x, name, &value))
		buf_str(out, value);
}

static void expand_single(struct expander *x, struct buf *out)
{
	ptrdiff_t end = str_chr(str_from(x->s, x->at + 1), '\'');

	if (end < 0) {
		x->problem = "has a quote that is not closed";
		return;
	}
	buf_add(out, x->s.s + x->at + 1, end);
	x->at += end + 2;
}

static void expand_double(struct expander *x, struct buf *out)
{
	char escape = x->env->escape;

	for (x->at++; !x->problem && x->at < x->s.n;) {
		char c = x->s.s[x->at], next = x->at + 1 < x->s.n ? x->s.s[x->at + 1] : 0;

		if (c == '"') {
			x->at++;
			return;
		}
		if (c == '$') {
			expand_dollar(x, out);
			continue;
		}
		if (c == escape && (next == '"' || next == '$' || next == escape)) {
			c = next;
			x->at++;
		}
		buf_c(out, c);
		x->at++;
	}
	if (!x->problem)
		x->problem = "has a quote that is not closed";
}

/* Up to the character `stop` and past it; 0: to the end. */
static void expand_until(struct expander *x, char stop, struct buf *out)
{
	if (++x->depth > DEPTH_MAX)
		x->problem = "is nested too deep";
	while (!x->problem && x->at < x->s.n) {
		char c = x->s.s[x->at];

		if (stop && c == stop) {
			x->at++;
			x->depth--;
			return;
		}
		if (c == '\'') {
			expand_single(x, out);
		} else if (c == '"') {
			expand_double(x, out);
		} else if (c == '$') {
			expand_dollar(x, out);
		} else {
			x->at += c == x->env->escape;
			if (x->at < x->s.n)
				buf_c(out, x->s.s[x->at++]);
		}
	}
	x->depth--;
	if (stop && !x->problem)
		x->problem = "has a \"${\" without a \"}\"";
}

const char *cfword_expand(struct arena *arena, struct cfword_env *env, struct str word, struct str *out)
{
	CLEANUP_BUF struct buf b = BUF_INIT(CFWORD_MAX);
	struct expander x = {.arena = arena, .env = env, .s = word};

	expand_until(&x, 0, &b);
	if (b.full && !x.problem)
		x.problem = "gets too long";
	*out = str_dup(arena, buf_view(&b));
	return x.problem;
}
