/* exprlex.h: the tokens of the ${{ }} language, and what its parser shares with text.c.
 * Private to this room. */
#pragma once

#include "spec/expr.h"

enum token_kind {
	TOK_END,                        /* }} */
	TOK_EOF,                        /* the text ended before it */
	TOK_BAD,                        /* problem says why */
	TOK_NAME,
	TOK_NUM,
	TOK_STR,                        /* s holds its quotes and escapes */
	TOK_OP,
};

/* Operators are named by one character; those of two have these. */
enum { OP_EQ = 'E', OP_NE = 'N', OP_LE = 'L', OP_GE = 'G', OP_AND = '&', OP_OR = '|' };

struct token {
	enum token_kind kind;
	size_t at;                      /* offset in the text */
	struct str s;
	char op;
	const char *problem;
};

struct token expr_lex(struct str text, size_t *at);
struct str expr_unquote(struct arena *, struct str quoted);

#define EXPR_MAX_DEPTH 64
enum { EXPR_MISSING = 3 };              /* within default(): a name that is unknown */

/* A name that was seen while checking: "head" or "head.member". */
struct expr_name {
	struct str head, member;        /* member.s is NULL when there is none or it is computed */
	size_t at;
	bool forgiven;                  /* within default() */
};

struct expr {
	struct arena *arena;            /* NULL when only the form is checked */
	const struct text *text;
	const struct scope *scope;      /* NULL: only the form is checked */
	struct err *err;
	void (*seen)(void *ctx, const struct expr_name *);      /* may be NULL */
	void *ctx;
	struct token tok;
	size_t at;                      /* behind tok */
	unsigned depth, forgive;
	bool live;                      /* values are wanted */
};

/* Reads from behind "${{" to behind "}}". 0, -1 or EXPR_ASKED. */
int expr_run(struct expr *, struct value *out);
int expr_parse(struct expr *, struct value *out);       /* an operand of a function */
void expr_next(struct expr *);
int expr_fail(struct expr *, size_t at, const char *hint, const char *fmt, ...) PRINTF(4, 5);

#define FUNC_MAX_ARGS 2
struct expr_func {
	const char *name;
	size_t min, max;
	int (*call)(struct expr *, size_t at, const struct value *args, size_t n, struct value *out);
};
extern const struct expr_func expr_funcs[];
extern const size_t expr_nfuncs;
/* 1 equal, 0 not, -1 the types differ. */
int expr_equal(const struct value *, const struct value *);

/* Where byte `at` of the text stands in the file. */
struct loc text_loc_at(const struct text *, size_t at);
/* Walks the names of a text whose form is right. */
void text_walk(const struct text *, void (*seen)(void *ctx, const struct expr_name *), void *ctx);
/* The text with an "x" in place of each ${{ }}: what can be said about a pattern before it is expanded. */
struct str text_outline(struct arena *, const struct text *);
