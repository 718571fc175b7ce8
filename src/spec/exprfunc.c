/* The functions of ${{ }}: sh json join contains startswith endswith; default is the parser's own. */
#include "spec/exprlex.h"

#include <math.h>
#include <stdio.h>

#include "base/json.h"

#define EXACT_MAX 9007199254740992.0      /* 2^53: below it a double is exact */

int expr_equal(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind || a->kind == VALUE_MAP)
		return -1;
	switch (a->kind) {
	case VALUE_STR:
		return str_eq(a->s, b->s);
	case VALUE_NUM:
		return a->num == b->num;
	case VALUE_BOOL:
		return a->truth == b->truth;
	case VALUE_LIST:
	case VALUE_MAP:
		break;
	}
	if (a->n != b->n)
		return 0;
	for (size_t i = 0; i < a->n; i++) {
		int same = expr_equal(&a->items[i], &b->items[i]);
		if (same <= 0)
			return same;
	}
	return 1;
}

static int want_text(struct expr *e, size_t at, const char *func, const struct value *v)
{
	if (v->kind == VALUE_STR)
		return 0;
	return expr_fail(e, at, NULL, "%s() takes a string, this is %s", func, value_kind_name(v));
}

static int sh_call(struct expr *e, size_t at, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	if (args->kind == VALUE_MAP)
		return expr_fail(e, at, NULL, "sh() takes a text or a list, this is a map");
	if (args->kind != VALUE_LIST) {
		*out = value_str(shell_quote(e->arena, args->s));
		return 0;
	}
	CLEANUP_BUF struct buf words = BUF_INIT(BUF_UNLIMITED);
	for (size_t i = 0; i < args->n; i++) {
		if (i)
			buf_c(&words, ' ');
		buf_str(&words, shell_quote(e->arena, value_text(e->arena, &args->items[i])));
	}
	*out = value_str(str_dup(e->arena, buf_view(&words)));
	return 0;
}

/* YAML's spelling of a number may be none of JSON's ("0x1f", "+1", ".5"). */
static void number_json(struct json *j, const struct value *v)
{
	char text[64];
	if (isnan(v->num) || isinf(v->num)) {
		json_str(j, v->s);
		return;
	}
	bool whole = v->num > -EXACT_MAX && v->num < EXACT_MAX && v->num == (double)(int64_t)v->num;
	if (whole) {
		json_int(j, (int64_t)v->num);
		return;
	}
	snprintf(text, sizeof(text), "%.17g", v->num);
	if (j->comma)
		buf_c(j->out, ',');
	buf_z(j->out, text);
	j->comma = true;
}

static void value_json(struct json *j, const struct value *v)
{
	switch (v->kind) {
	case VALUE_STR:
		json_str(j, v->s);
		return;
	case VALUE_NUM:
		number_json(j, v);
		return;
	case VALUE_BOOL:
		json_bool(j, v->truth);
		return;
	case VALUE_LIST:
	case VALUE_MAP:
		break;
	}
	json_open(j, v->kind == VALUE_MAP ? '{' : '[');
	for (size_t i = 0; i < v->n; i++) {
		if (v->kind == VALUE_MAP)
			json_key_str(j, v->names[i]);
		value_json(j, &v->items[i]);
	}
	json_close(j, v->kind == VALUE_MAP ? '}' : ']');
}

static int json_call(struct expr *e, size_t at, const struct value *args, size_t n, struct value *out)
{
	(void)at, (void)n;
	CLEANUP_BUF struct buf text = BUF_INIT(BUF_UNLIMITED);
	struct json j = {.out = &text};
	value_json(&j, args);
	*out = value_str(str_dup(e->arena, buf_view(&text)));
	return 0;
}

static int join_call(struct expr *e, size_t at, const struct value *args, size_t n, struct value *out)
{
	struct str between = n > 1 ? args[1].s : S(" ");
	if (n > 1 && want_text(e, at, "join", &args[1]))
		return -1;
	if (args->kind != VALUE_LIST)
		return expr_fail(e, at, NULL, "join() takes a list, this is %s", value_kind_name(args));
	CLEANUP_BUF struct buf text = BUF_INIT(BUF_UNLIMITED);
	for (size_t i = 0; i < args->n; i++) {
		if (i)
			buf_str(&text, between);
		buf_str(&text, value_text(e->arena, &args->items[i]));
	}
	*out = value_str(str_dup(e->arena, buf_view(&text)));
	return 0;
}

static int contains_call(struct expr *e, size_t at, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	if (args->kind != VALUE_LIST) {
		if (want_text(e, at, "contains", &args[0]) || want_text(e, at, "contains", &args[1]))
			return -1;
		*out = value_bool(str_find(args[0].s, args[1].s) >= 0);
		return 0;
	}
	bool found = false, comparable = args->n == 0;
	for (size_t i = 0; i < args->n && !found; i++) {
		int same = expr_equal(&args->items[i], &args[1]);
		comparable |= same >= 0;
		found = same == 1;
	}
	if (!comparable)
		return expr_fail(e, at, NULL, "contains() looks for %s in a list that holds none",
		                 value_kind_name(&args[1]));
	*out = value_bool(found);
	return 0;
}

static int startswith_call(struct expr *e, size_t at, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	if (want_text(e, at, "startswith", &args[0]) || want_text(e, at, "startswith", &args[1]))
		return -1;
	*out = value_bool(str_starts(args[0].s, args[1].s));
	return 0;
}

static int endswith_call(struct expr *e, size_t at, const struct value *args, size_t n, struct value *out)
{
	(void)n;
	if (want_text(e, at, "endswith", &args[0]) || want_text(e, at, "endswith", &args[1]))
		return -1;
	*out = value_bool(str_ends(args[0].s, args[1].s));
	return 0;
}

const struct expr_func expr_funcs[] = {
	{"sh", 1, 1, sh_call},
	{"json", 1, 1, json_call},
	{"join", 1, 2, join_call},
	{"default", 2, 2, NULL},
	{"contains", 2, 2, contains_call},
	{"startswith", 2, 2, startswith_call},
	{"endswith", 2, 2, endswith_call},
};
const size_t expr_nfuncs = countof(expr_funcs);
