/* Texts that may hold ${{ }}: finding, checking and expanding them. */
#include "spec/exprlex.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/glob.h"
#include "base/node.h"
#include "base/vec.h"

#define TEXT_MAX_BYTES (64u << 20)
#define TEXT_MAX_MISTAKES 20            /* in one text; where each stands costs a walk through it */

static const struct str context_names[] = {
	S("vars"), S("each"), S("matrix"), S("params"), S("out"), S("env"), S("git"), S("os"), S("arch"),
};

/* Offset of the next "${{" at or behind `from`, or -1. */
static ptrdiff_t opening(struct str s, size_t from)
{
	ptrdiff_t at = from < s.n ? str_find(str_from(s, from), S("${{")) : -1;
	return at < 0 ? -1 : at + (ptrdiff_t)from;
}

bool text_has_expr(struct str s)
{
	return s.n > 3 && str_find(s, S("${{")) >= 0;
}

struct loc text_loc_at(const struct text *t, size_t at)
{
	const struct node *n = t->node;
	if (!n)
		return t->loc;
	/* The text may be a part of its node's value. */
	uintptr_t first = (uintptr_t)n->s.s, begin = (uintptr_t)t->s.s;
	if (begin < first || begin + t->s.n > first + n->s.n)
		return t->loc;
	return node_loc_at(n, begin - first + at);
}

/* The place behind the }} that ends the ${{ at `at`, whose form is right. */
static size_t closing(struct str s, size_t at)
{
	struct token t;
	at += 3;
	do {
		t = expr_lex(s, &at);
	} while (t.kind != TOK_END && t.kind != TOK_EOF && t.kind != TOK_BAD);
	return t.kind == TOK_END ? at : s.n;
}

/* ---- checking ---- */

struct checker {
	struct expr *expr;
	bool failed;
};

static void head_check(void *ctx, const struct expr_name *name)
{
	struct checker *c = ctx;
	for (size_t i = 0; i < countof(context_names); i++) {
		if (str_eq(name->head, context_names[i]))
			return;
	}
	struct str near = str_nearest(name->head, context_names, countof(context_names)), head = name->head;
	char hint[80];
	snprintf(hint, sizeof(hint), "did you mean '" STR_FMT "'?", STR_ARG(near));
	head.n = head.n < 60 ? head.n : 60;
	expr_fail(c->expr, name->at, near.s ? hint : "there are vars each matrix params out env git os arch",
		  "unknown name '" STR_FMT "'", STR_ARG(head));
	c->failed = true;
}

int text_check(const struct text *t, struct err *err)
{
	int mistakes = 0;
	for (ptrdiff_t at = opening(t->s, 0); at >= 0 && mistakes < TEXT_MAX_MISTAKES;) {
		struct expr e = {.text = t, .err = err, .at = (size_t)at + 3, .seen = head_check};
		struct checker c = {.expr = &e};
		struct value ignored = {0};
		e.ctx = &c;
		bool failed = expr_run(&e, &ignored) != 0;
		mistakes += failed || c.failed;
		size_t next = e.at;
		if (failed) {
			ptrdiff_t end = str_find(str_from(t->s, e.tok.at), S("}}"));
			if (end < 0)
				break;
			next = e.tok.at + (size_t)end + 2;
		}
		at = opening(t->s, next);
	}
	return mistakes ? -1 : 0;
}

void text_walk(const struct text *t, void (*seen)(void *, const struct expr_name *), void *ctx)
{
	for (ptrdiff_t at = opening(t->s, 0); at >= 0;) {
		struct expr e = {.text = t, .at = (size_t)at + 3, .seen = seen, .ctx = ctx};
		struct value ignored = {0};
		if (expr_run(&e, &ignored))
			return;
		at = opening(t->s, e.at);
	}
}

struct name_list {
	struct arena *arena;
	VEC(struct str) names;
};

static void name_add(void *ctx, const struct expr_name *name)
{
	struct name_list *l = ctx;
	struct str s = name->head;
	if (name->member.s)
		s = str_fmt(l->arena, STR_FMT "." STR_FMT, STR_ARG(name->head), STR_ARG(name->member));
	for (size_t i = 0; i < l->names.n; i++) {
		if (str_eq(l->names.v[i], s))
			return;
	}
	vec_add(&l->names, s);
}

int text_names(struct arena *a, const struct text *t, struct str **out, size_t *n)
{
	struct name_list l = {.arena = a};
	text_walk(t, name_add, &l);
	*out = arena_array(a, l.names.n ? l.names.n : 1, struct str);
	for (size_t i = 0; i < l.names.n; i++)
		(*out)[i] = l.names.v[i];
	*n = l.names.n;
	vec_free(&l.names);
	return 0;
}

struct str text_outline(struct arena *a, const struct text *t)
{
	if (!text_has_expr(t->s))
		return t->s;
	char *out = arena_alloc(a, t->s.n + 1);
	size_t n = 0, from = 0;
	for (ptrdiff_t at = opening(t->s, 0); at >= 0; at = opening(t->s, from)) {
		memcpy(out + n, t->s.s + from, (size_t)at - from);
		n += (size_t)at - from;
		out[n++] = 'x';
		from = closing(t->s, (size_t)at);
	}
	memcpy(out + n, t->s.s + from, t->s.n - from);
	return (struct str){out, n + t->s.n - from};
}

/* ---- expanding ---- */

static int value_put(struct expr *e, size_t at, const struct value *v, enum expand_mode mode, struct buf *out)
{
	if (v->kind == VALUE_MAP)
		return expr_fail(e, at, "name one of its members, or use json()", "a map has no text");
	struct str s = value_text(e->arena, v);
	buf_str(out, mode == EXPAND_PATTERN ? glob_escape(e->arena, s) : s);
	return 0;
}

int text_expand(struct arena *a, const struct text *t, const struct scope *scope, enum expand_mode mode,
                struct str *out, struct err *err)
{
	*out = t->s;
	if (!text_has_expr(t->s))
		return 0;
	CLEANUP_BUF struct buf buf = BUF_INIT(TEXT_MAX_BYTES);
	struct expr e = {.arena = a, .text = t, .scope = scope, .err = err};
	bool asked = false;
	for (ptrdiff_t at = opening(t->s, 0); at >= 0; at = opening(t->s, e.at)) {
		struct value v = {0};
		buf_add(&buf, t->s.s + e.at, (size_t)at - e.at);
		e.at = (size_t)at + 3;
		e.depth = 0;
		int got = expr_run(&e, &v);
		if (got == EXPR_ASKED)
			asked = true;
		else if (got || value_put(&e, (size_t)at, &v, mode, &buf))
			return -1;
	}
	if (asked)
		return EXPR_ASKED;
	buf_str(&buf, str_from(t->s, e.at));
	if (buf.full)
		return err_at(err, t->loc, NULL, "the text is more than %u MiB once expanded",
		              TEXT_MAX_BYTES >> 20);
	*out = str_dup(a, buf_view(&buf));
	return 0;
}

int text_value(struct arena *a, const struct text *t, const struct scope *scope, struct value *out,
               struct err *err)
{
	struct str s;
	if (str_starts(t->s, S("${{")) && closing(t->s, 0) == t->s.n) {
		struct expr e = {.arena = a, .text = t, .scope = scope, .err = err, .at = 3};
		return expr_run(&e, out);
	}
	int got = text_expand(a, t, scope, EXPAND_RAW, &s, err);
	if (!got)
		*out = value_str(s);
	return got;
}

/* ---- quoting ---- */

static bool is_safe(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_@%+=:,./-", c));
}

struct str shell_quote(struct arena *a, struct str s)
{
	size_t safe = 0, quotes = 0;
	for (size_t i = 0; i < s.n; i++) {
		safe += is_safe(s.s[i]);
		quotes += s.s[i] == '\'';
	}
	if (s.n && safe == s.n)
		return s;
	char *out = arena_alloc(a, s.n + quotes * 3 + 3), *p = out;
	*p++ = '\'';
	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] == '\'') {
			memcpy(p, "'\\''", 4);
			p += 4;
		} else {
			*p++ = s.s[i];
		}
	}
	*p++ = '\'';
	return (struct str){out, (size_t)(p - out)};
}
