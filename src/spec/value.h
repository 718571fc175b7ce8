/* value.h: what an expression yields. Strings, numbers (with the spelling they had), booleans and
 * lists, by YAML's core rules. Only false, 0, "" and the empty list are false. */
#pragma once

#include "base/err.h"

enum value_kind { VALUE_STR, VALUE_NUM, VALUE_BOOL, VALUE_LIST, VALUE_MAP };

struct value {
	enum value_kind kind;
	struct str s;                   /* STR: the text; NUM, BOOL: the spelling */
	double num;
	bool truth;                     /* BOOL */
	const struct value *items;      /* LIST, MAP */
	const struct str *names;        /* MAP: a context such as vars; has no text of its own */
	size_t n;
};

struct value value_str(struct str);
struct value value_bool(bool);
struct value value_list(const struct value *items, size_t n);
/* Reads text as YAML's core schema reads a plain scalar. */
struct value value_plain(struct str);
/* Reads text by the type of like (the default of a var or param); false when it does not fit. */
bool value_like(const struct value *like, struct str text, struct value *out);
bool value_truth(const struct value *);
/* The text put in place of ${{ }}: a list's items joined by one space. */
struct str value_text(struct arena *, const struct value *);
const char *value_kind_name(const struct value *);      /* "a string", ... */
