/* Recursive descent that evaluates as it reads; with live false it only checks the form, which is
 * also how the untaken side of && and || is passed over. */
#include "spec/exprlex.h"

#include <stdio.h>

#include "base/path.h"

int expr_fail(struct expr *e, size_t at, const char *hint, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return err_at(e->err, text_loc_at(e->text, at), hint, "%s", text);
}

void expr_next(struct expr *e)
{
	e->tok = expr_lex(e->text->s, &e->at);
}

static bool is_op(const struct expr *e, char op)
{
	return e->tok.kind == TOK_OP && e->tok.op == op;
}

static bool take_op(struct expr *e, char op)
{
	if (!is_op(e, op))
		return false;
	expr_next(e);
	return true;
}

static int unexpected(struct expr *e, const char *wanted)
{
	const struct token *t = &e->tok;
	if (t->kind == TOK_BAD)
		return expr_fail(e, t->at, NULL, "%s", t->problem);
	if (t->kind == TOK_EOF)
		return expr_fail(e, t->at, "to write ${{ itself: ${{ \"${{\" }}", "${{ is not closed by }}");
	if (t->kind == TOK_END)
		return expr_fail(e, t->at, NULL, "expected %s before }}", wanted);
	return expr_fail(e, t->at, NULL, "expected %s, found '" STR_FMT "'", wanted,
	                 STR_ARG(str_head(t->s, t->s.n < 60 ? t->s.n : 60)));
}

static int expect_op(struct expr *e, char op, const char *wanted)
{
	return take_op(e, op) ? 0 : unexpected(e, wanted);
}

/* ---- names ---- */

static const char *nearest_hint(struct expr *e, struct str head, struct str wrong, const struct str *names,
                                size_t n)
{
	struct str near = str_nearest(wrong, names, n);
	if (!near.s)
		return NULL;
	return str_fmt(e->arena, "did you mean '" STR_FMT "%s" STR_FMT "'?", STR_ARG(head), head.n ? "." : "",
	               STR_ARG(near))
	        .s;
}

static int unknown_name(struct expr *e, struct str head, struct str member, size_t at)
{
	struct value map = {0};
	const char *hint = NULL;
	bool known = false;
	for (size_t i = 0; i < e->scope->nheads; i++)
		known |= str_eq(head, e->scope->heads[i]);
	if (!known)
		hint = nearest_hint(e, (struct str){0}, head, e->scope->heads, e->scope->nheads);
	else if (member.s && e->scope->lookup(e->scope->ctx, head, (struct str){0}, &map, NULL) == 1 &&
	         map.kind == VALUE_MAP) {
		for (size_t i = 0; i < map.n; i++)
			if (str_eq(map.names[i], member))
				return expr_fail(e, at, "default() gives it one", "'" STR_FMT "." STR_FMT "' has no value here",
				                 STR_ARG(head), STR_ARG(member));
		hint = nearest_hint(e, head, member, map.names, map.n);
	}
	if (!member.s)
		return expr_fail(e, at, hint, "unknown name '" STR_FMT "'", STR_ARG(head));
	return expr_fail(e, at, hint, "unknown name '" STR_FMT "." STR_FMT "'", STR_ARG(head),
	                 STR_ARG(member));
}

static int name_lookup(struct expr *e, struct str head, struct str member, size_t at, struct value *out)
{
	int got = e->scope->lookup(e->scope->ctx, head, member, out, e->err);
	if (got == 1)
		return 0;
	if (got == EXPR_BLANK)
		return e->forgive ? EXPR_MISSING : 0;
	if (got == 0)
		return e->forgive ? EXPR_MISSING : unknown_name(e, head, member, at);
	return got;
}

static int path_part(struct expr *e, size_t at, struct str part, struct value *v)
{
	struct str s = v->s, got;
	if (str_is(part, "dir"))
		got = path_dir(s).n ? path_dir(s) : s.n && s.s[0] == '/' ? S("/") : S(".");
	else if (str_is(part, "name"))
		got = path_name(s);
	else if (str_is(part, "stem"))
		got = path_stem(s);
	else if (str_is(part, "ext"))
		got = path_ext(s);
	else if (str_is(part, "noext"))
		got = path_noext(s);
	else
		return expr_fail(e, at, "a path has .dir .name .stem .ext .noext",
		                 "a text has no part '" STR_FMT "'", STR_ARG(part));
	*v = value_str(got);
	return 0;
}

static int map_member(struct expr *e, size_t at, struct str name, struct value *v)
{
	for (size_t i = 0; i < v->n; i++) {
		if (str_eq(v->names[i], name)) {
			*v = v->items[i];
			return 0;
		}
	}
	if (e->forgive)
		return EXPR_MISSING;
	return expr_fail(e, at, nearest_hint(e, (struct str){0}, name, v->names, v->n),
	                 "unknown name '" STR_FMT "'", STR_ARG(name));
}

static int member_of(struct expr *e, size_t at, struct str name, struct value *v)
{
	if (!e->live)
		return 0;
	if (v->kind == VALUE_MAP)
		return map_member(e, at, name, v);
	if (v->kind == VALUE_STR || v->kind == VALUE_NUM)
		return path_part(e, at, name, v);
	return expr_fail(e, at, v->kind == VALUE_LIST ? "[0] is the first of a list" : NULL,
			 "%s has no part '" STR_FMT "'", value_kind_name(v), STR_ARG(name));
}

static int item_of(struct expr *e, size_t at, const struct value *index, struct value *v)
{
	if (!e->live)
		return 0;
	if (v->kind == VALUE_MAP && index->kind == VALUE_STR)
		return map_member(e, at, index->s, v);
	if (v->kind != VALUE_LIST)
		return expr_fail(e, at, NULL, "[ ] takes an item of a list, this is %s", value_kind_name(v));
	if (index->kind != VALUE_NUM)
		return expr_fail(e, at, NULL, "[ ] of a list takes a number, this is %s",
		                 value_kind_name(index));
	if (!(index->num >= 0) || index->num >= (double)v->n || index->num != (double)(size_t)index->num) {
		if (e->forgive)
			return EXPR_MISSING;
		return expr_fail(e, at, NULL, "there is no item [" STR_FMT "] in a list of %zu",
		                 STR_ARG(index->s), v->n);
	}
	*v = v->items[(size_t)index->num];
	return 0;
}

/* What stands between [ and ]. *literal is its text when it is a plain string. */
static int index_parse(struct expr *e, struct value *index, struct str *literal)
{
	struct token first = e->tok;
	int got = expr_parse(e, index);
	if (got)
		return got;
	*literal = (struct str){0};
	if (first.kind == TOK_STR && is_op(e, ']') && !memchr(first.s.s, '\\', first.s.n))
		*literal = (struct str){first.s.s + 1, first.s.n - 2};
	return expect_op(e, ']', "']'");
}

static void name_seen(struct expr *e, struct str head, struct str member, size_t at)
{
	struct expr_name name = {.head = head, .member = member, .at = at, .forgiven = e->forgive > 0};
	if (e->seen)
		e->seen(e->ctx, &name);
}

/* A context: its first .member or ["member"] goes to the look-up with it. */
static int name_parse(struct expr *e, struct token head, struct value *out)
{
	struct str member = {0}, literal = {0};
	struct value index = {0};
	bool indexed = false;
	size_t at = head.at;
	if (take_op(e, '.')) {
		member = e->tok.s;
		if (e->tok.kind != TOK_NAME)
			return unexpected(e, "a name");
		expr_next(e);
	} else if (is_op(e, '[')) {
		at = e->tok.at;
		expr_next(e);
		int got = index_parse(e, &index, &literal);
		if (got)
			return got;
		indexed = !(e->live ? index.kind == VALUE_STR : literal.s != NULL);
		if (!indexed)
			member = e->live ? index.s : literal;
	}
	name_seen(e, head.s, member, head.at);
	if (!e->live)
		return 0;
	int got = name_lookup(e, head.s, member, head.at, out);
	return got || !indexed ? got : item_of(e, at, &index, out);
}

/* ---- calls ---- */

static const struct expr_func *func_find(struct expr *e, struct token name)
{
	struct str names[16];
	for (size_t i = 0; i < expr_nfuncs; i++) {
		names[i] = str_of(expr_funcs[i].name);
		if (str_eq(name.s, names[i]))
			return &expr_funcs[i];
	}
	struct str near = str_nearest(name.s, names, expr_nfuncs);
	char hint[64];
	snprintf(hint, sizeof(hint), "did you mean '%.*s'?", STR_ARG(near));
	expr_fail(e, name.at, near.s ? hint : NULL, "unknown function '" STR_FMT "'",
	          STR_ARG(str_head(name.s, name.s.n < 60 ? name.s.n : 60)));
	return NULL;
}

/* default()'s first operand: an unknown name in it is no mistake. */
static int forgiving_parse(struct expr *e, struct value *out)
{
	struct expr before = *e;
	e->forgive++;
	int got = expr_parse(e, out);
	e->forgive--;
	if (got != EXPR_MISSING)
		return got;
	e->tok = before.tok;
	e->at = before.at;
	e->depth = before.depth;
	e->live = false;
	e->forgive++;
	int passed = expr_parse(e, out);
	e->forgive--;
	e->live = true;
	return passed ? passed : EXPR_MISSING;
}

static int default_parse(struct expr *e, struct value *out)
{
	struct value other = {0};
	int got = forgiving_parse(e, out);
	bool live = e->live;
	if (got && got != EXPR_MISSING)
		return got;
	if (expect_op(e, ',', "',' and what to use instead"))
		return -1;
	e->live = live && got == EXPR_MISSING;
	int second = expr_parse(e, &other);
	e->live = live;
	if (second)
		return second;
	if (got == EXPR_MISSING)
		*out = other;
	return expect_op(e, ')', "')'");
}

static int call_parse(struct expr *e, struct token name, struct value *out)
{
	const struct expr_func *f = func_find(e, name);
	struct value args[FUNC_MAX_ARGS] = {0};
	size_t n = 0;
	if (!f)
		return -1;
	if (!f->call)
		return default_parse(e, out);
	while (!is_op(e, ')')) {
		struct value arg = {0};
		int got = expr_parse(e, &arg);
		if (got)
			return got;
		if (n < FUNC_MAX_ARGS)
			args[n] = arg;
		n++;
		if (!take_op(e, ','))
			break;
	}
	if (expect_op(e, ')', "')'"))
		return -1;
	if (n < f->min || n > f->max)
		return expr_fail(e, name.at, NULL, "%s() takes %zu%s %s, not %zu", f->name, f->min,
				 f->max > f->min ? " or 2" : "", f->max == 1 ? "operand" : "operands", n);
	return e->live ? f->call(e, name.at, args, n, out) : 0;
}

/* ---- operators ---- */

static int primary_parse(struct expr *e, struct value *out)
{
	struct token t = e->tok;
	if (t.kind == TOK_OP && t.op == '(') {
		expr_next(e);
		int got = expr_parse(e, out);
		return got ? got : expect_op(e, ')', "')'");
	}
	if (t.kind != TOK_NAME && t.kind != TOK_NUM && t.kind != TOK_STR)
		return unexpected(e, "a value");
	expr_next(e);
	if (t.kind == TOK_NAME && take_op(e, '('))
		return call_parse(e, t, out);
	if (t.kind == TOK_NAME && !str_is(t.s, "true") && !str_is(t.s, "false"))
		return name_parse(e, t, out);
	if (t.kind == TOK_STR)
		*out = e->live ? value_str(expr_unquote(e->arena, t.s)) : (struct value){0};
	else
		*out = value_plain(t.s);
	return 0;
}

static int postfix_parse(struct expr *e, struct value *out)
{
	int got = primary_parse(e, out);
	while (!got) {
		size_t at = e->tok.at;
		struct value index = {0};
		struct str literal;
		if (take_op(e, '.')) {
			struct token name = e->tok;
			if (name.kind != TOK_NAME)
				return unexpected(e, "a name");
			expr_next(e);
			got = member_of(e, name.at, name.s, out);
		} else if (take_op(e, '[')) {
			got = index_parse(e, &index, &literal);
			if (!got)
				got = item_of(e, at, &index, out);
		} else {
			break;
		}
	}
	return got;
}

static int unary_parse(struct expr *e, struct value *out)
{
	bool negate = false, any = false;
	while (take_op(e, '!')) {
		negate = !negate;
		any = true;
	}
	int got = postfix_parse(e, out);
	if (!got && any && e->live)
		*out = value_bool(value_truth(out) != negate);
	return got;
}

static int compare_fail(struct expr *e, size_t at, const struct value *a, const struct value *b)
{
	return expr_fail(e, at, "quotes make a text, a number or true and false stand without them",
			 "unable to compare %s with %s", value_kind_name(a), value_kind_name(b));
}

static int order_parse(struct expr *e, struct value *out)
{
	int got = unary_parse(e, out);
	while (!got && (is_op(e, '<') || is_op(e, '>') || is_op(e, OP_LE) || is_op(e, OP_GE))) {
		struct token op = e->tok;
		struct value right = {0};
		expr_next(e);
		if ((got = unary_parse(e, &right)) || !e->live)
			continue;
		if (out->kind != right.kind)
			return compare_fail(e, op.at, out, &right);
		if (out->kind != VALUE_NUM && out->kind != VALUE_STR)
			return expr_fail(e, op.at, NULL, "%s has no order", value_kind_name(out));
		int c = out->kind == VALUE_STR ? str_cmp(out->s, right.s)
		                               : (out->num > right.num) - (out->num < right.num);
		bool number = out->kind == VALUE_NUM && (out->num != out->num || right.num != right.num);
		bool truth = op.op == '<' ? c < 0 : op.op == '>' ? c > 0 : op.op == OP_LE ? c <= 0 : c >= 0;
		*out = value_bool(truth && !number);
	}
	return got;
}

static int equal_parse(struct expr *e, struct value *out)
{
	int got = order_parse(e, out);
	while (!got && (is_op(e, OP_EQ) || is_op(e, OP_NE))) {
		struct token op = e->tok;
		struct value right = {0};
		expr_next(e);
		if ((got = order_parse(e, &right)) || !e->live)
			continue;
		int same = expr_equal(out, &right);
		if (same < 0)
			return compare_fail(e, op.at, out, &right);
		*out = value_bool(same == (op.op == OP_EQ));
	}
	return got;
}

/* && and || yield the operand that decided, so that `c && "a" || "b"` chooses. */
static int logic_parse(struct expr *e, struct value *out, char op,
                       int (*operand)(struct expr *, struct value *))
{
	bool live = e->live;
	int got = operand(e, out);
	while (!got && take_op(e, op)) {
		struct value right = {0};
		bool wanted = e->live && value_truth(out) == (op == OP_AND);
		e->live = wanted;
		got = operand(e, &right);
		e->live = live;
		if (wanted)
			*out = right;
	}
	return got;
}

static int and_parse(struct expr *e, struct value *out)
{
	return logic_parse(e, out, OP_AND, equal_parse);
}

int expr_parse(struct expr *e, struct value *out)
{
	if (++e->depth > EXPR_MAX_DEPTH)
		return expr_fail(e, e->tok.at, NULL, "more than %d levels of ( ) and [ ]", EXPR_MAX_DEPTH);
	int got = logic_parse(e, out, OP_OR, and_parse);
	e->depth--;
	return got;
}

int expr_run(struct expr *e, struct value *out)
{
	size_t start = e->at;
	e->live = e->scope != NULL;
	expr_next(e);
	int got = expr_parse(e, out);
	if (!got && e->tok.kind != TOK_END)
		got = unexpected(e, "an operator or }}");
	if (got != EXPR_ASKED)
		return got;
	/* A question was asked: pass over the rest, so that the next ${{ }} can ask its own. */
	e->at = start;
	do {
		expr_next(e);
	} while (e->tok.kind != TOK_END && e->tok.kind != TOK_EOF && e->tok.kind != TOK_BAD);
	return EXPR_ASKED;
}
