#include "base/node.h"

static bool is_one_of(struct str s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(s, words[i]))
			return true;
	return false;
}

static size_t span_digits(struct str s, size_t at)
{
	while (at < s.n && s.s[at] >= '0' && s.s[at] <= '9')
		at++;
	return at;
}

static bool is_based_int(struct str s)
{
	if (s.n < 3 || s.s[0] != '0' || (s.s[1] != 'x' && s.s[1] != 'o'))
		return false;
	const char *digits = s.s[1] == 'x' ? "0123456789abcdefABCDEF" : "01234567";
	for (size_t i = 2; i < s.n; i++)
		if (!s.s[i] || !strchr(digits, s.s[i]))
			return false;
	return true;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static enum scalar_type number_type(struct str s)
{
	size_t first = s.n && (*s.s == '-' || *s.s == '+'), at = span_digits(s, first);
	bool digits = at > first;
	if (digits && at == s.n)
		return TYPE_INT;
	if (at < s.n && s.s[at] == '.') {
		size_t end = span_digits(s, at + 1);
		if (!digits && end == at + 1)
			return TYPE_STR;
		at = end;
	} else if (!digits) {
		return TYPE_STR;
	}
	if (at < s.n && (s.s[at] == 'e' || s.s[at] == 'E')) {
		at++;
		at += at < s.n && (s.s[at] == '-' || s.s[at] == '+');
		size_t end = span_digits(s, at);
		if (end == at)
			return TYPE_STR;
		at = end;
	}
	return at == s.n ? TYPE_FLOAT : TYPE_STR;
}

static bool is_special_float(struct str s)
{
	static const char *const nan[] = {".nan", ".NaN", ".NAN"}, *const inf[] = {".inf", ".Inf", ".INF"};
	if (is_one_of(s, nan, countof(nan)))
		return true;
	return is_one_of(str_from(s, s.n && (*s.s == '-' || *s.s == '+')), inf, countof(inf));
}

/* YAML 1.2.2, 10.3.2 "Tag Resolution". */
enum scalar_type node_type(const struct node *n)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
	bool ignored;

	if (n->kind != NODE_SCALAR || n->style != STYLE_PLAIN)
		return TYPE_STR;
	if (is_one_of(n->s, nulls, countof(nulls)))
		return TYPE_NULL;
	if (node_bool(n, &ignored))
		return TYPE_BOOL;
	if (is_based_int(n->s))
		return TYPE_INT;
	return is_special_float(n->s) ? TYPE_FLOAT : number_type(n->s);
}

bool node_bool(const struct node *n, bool *out)
{
	static const char *const yes[] = {"true", "True", "TRUE"}, *const no[] = {"false", "False", "FALSE"};

	if (n->kind != NODE_SCALAR || n->style != STYLE_PLAIN)
		return false;
	*out = is_one_of(n->s, yes, countof(yes));
	return *out || is_one_of(n->s, no, countof(no));
}

struct node *node_get(const struct node *map, struct str key)
{
	for (size_t i = 0; map->kind == NODE_MAP && i < map->n; i++)
		if (str_eq(map->items[i].key, key))
			return map->items[i].value;
	return NULL;
}

const char *node_kind_name(const struct node *n)
{
	if (n->kind != NODE_SCALAR)
		return n->kind == NODE_LIST ? "a list" : "a map";
	switch (node_type(n)) {
	case TYPE_STR:
		return "a text";
	case TYPE_NULL:
		return "nothing";
	case TYPE_BOOL:
		return "a boolean";
	case TYPE_INT:
	case TYPE_FLOAT:
		return "a number";
	}
	BUG("scalar type %d", (int)node_type(n));
}
