#include "spec/value.h"

#include <stdlib.h>

#include "base/node.h"

struct value value_str(struct str s)
{
	return (struct value){.kind = VALUE_STR, .s = s};
}

struct value value_bool(bool truth)
{
	return (struct value){.kind = VALUE_BOOL, .s = truth ? S("true") : S("false"), .truth = truth};
}

struct value value_list(const struct value *items, size_t n)
{
	return (struct value){.kind = VALUE_LIST, .items = items, .n = n};
}

/* The number of a text that the core schema takes for one. */
static double number_of(struct str s)
{
	char z[512];
	if (s.n >= sizeof(z))
		return s.s[0] == '-' ? -__builtin_inf() : __builtin_inf();
	memcpy(z, s.s, s.n);
	z[s.n] = 0;
	if (s.n > 2 && z[0] == '0' && z[1] == 'o')
		return (double)strtoull(z + 2, NULL, 8);
	const char *digits = z + (z[0] == '-' || z[0] == '+');
	if (digits[0] == '.' && (digits[1] | 32) == 'i')
		return z[0] == '-' ? -__builtin_inf() : __builtin_inf();
	if (digits[0] == '.' && (digits[1] | 32) == 'n')
		return __builtin_nan("");
	return strtod(z, NULL);
}

struct value value_plain(struct str text)
{
	struct node scalar = {.kind = NODE_SCALAR, .style = STYLE_PLAIN, .s = text};
	bool truth;
	switch (node_type(&scalar)) {
	case TYPE_BOOL:
		if (!node_bool(&scalar, &truth))
			BUG("a boolean that is none");
		return (struct value){.kind = VALUE_BOOL, .s = text, .truth = truth};
	case TYPE_INT:
	case TYPE_FLOAT:
		return (struct value){.kind = VALUE_NUM, .s = text, .num = number_of(text)};
	case TYPE_NULL:
	case TYPE_STR:
		break;
	}
	return value_str(text);
}

bool value_like(const struct value *like, struct str text, struct value *out)
{
	*out = like->kind == VALUE_STR ? value_str(text) : value_plain(text);
	return out->kind == like->kind;
}

bool value_truth(const struct value *v)
{
	switch (v->kind) {
	case VALUE_BOOL:
		return v->truth;
	case VALUE_NUM:
		return v->num != 0;
	case VALUE_STR:
		return v->s.n > 0;
	case VALUE_LIST:
	case VALUE_MAP:
		break;
	}
	return v->n > 0;
}

static void list_add(struct buf *out, const struct value *v)
{
	if (v->kind != VALUE_LIST) {
		buf_str(out, v->s);
		return;
	}
	for (size_t i = 0; i < v->n; i++) {
		if (i)
			buf_c(out, ' ');
		list_add(out, &v->items[i]);
	}
}

struct str value_text(struct arena *a, const struct value *v)
{
	if (v->kind != VALUE_LIST)
		return v->s;
	CLEANUP_BUF struct buf out = BUF_INIT(BUF_UNLIMITED);
	list_add(&out, v);
	return str_dup(a, buf_view(&out));
}

const char *value_kind_name(const struct value *v)
{
	static const char *const names[] = {
		[VALUE_STR] = "a string", [VALUE_NUM] = "a number", [VALUE_BOOL] = "a boolean",
		[VALUE_LIST] = "a list", [VALUE_MAP] = "a map",
	};
	return names[v->kind];
}
