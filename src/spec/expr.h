/* expr.h: the ${{ }} language: parsing when a spec is read, evaluation when it is planned.
 * Grammar (C's precedence): || && ! == != < > <= >= ( ) name.name name[i] name["k"] f(a, b)
 * literals: numbers, true false, "..." and '...' with C's escapes.
 * Functions: sh json join default contains startswith endswith. Comparing values of different types
 * is a located error, and so is an unknown name (default() alone forgives one that is missing). */
#pragma once

#include "spec/value.h"

/* A text of the spec that may hold ${{ }}. loc is where its value begins; at() finds places within. */
struct text {
	struct str s;
	struct loc loc;
	const struct node *node;        /* NULL for synthetic texts */
};

#define TEXT_NONE ((struct text){0})

/* Where names come from. lookup gets the head of a path ("vars", "each", ...) and answers
 * 1 found, 0 unknown, -1 failed (err set), 2 not known yet (a question was asked; evaluation stops
 * and its caller gets EXPR_ASKED), or EXPR_BLANK: there is none, which *out says, too; default() takes its other
 * operand then. Values live in the arena given to the evaluation or longer. */
enum { EXPR_ASKED = 2, EXPR_BLANK = 4 };
struct scope {
	int (*lookup)(void *ctx, struct str head, struct str member /* {NULL} when none */, struct value *out, struct err *);
	void *ctx;
	const struct str *heads;        /* for "did you mean" */
	size_t nheads;
};

enum expand_mode {
	EXPAND_RAW,                     /* run, env: put in as it is */
	EXPAND_PATTERN,                 /* path fields: what ${{ }} yields is escaped as a glob literal */
};

bool text_has_expr(struct str);
/* Checks every ${{ }} of the text; all mistakes are added to err. */
int text_check(const struct text *, struct err *);
/* 0, -1 or EXPR_ASKED. */
int text_expand(struct arena *, const struct text *, const struct scope *, enum expand_mode, struct str *out, struct err *);
/* A text that is exactly one ${{ }} yields its value with its type; any other yields a string. */
int text_value(struct arena *, const struct text *, const struct scope *, struct value *out, struct err *);
/* The names a text mentions, as "head.member"; used to find out what a command depends on. */
int text_names(struct arena *, const struct text *, struct str **out, size_t *n);
/* POSIX shell quoting, as sh() does. */
struct str shell_quote(struct arena *, struct str);
