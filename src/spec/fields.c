#include "spec/fields.h"

#include <stdio.h>
#include <stdlib.h>

#include "spec/exprlex.h"

bool mistake(struct reader *r, struct loc loc, const char *hint, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	struct str text = str_vfmt(r->arena, fmt, args);
	va_end(args);
	/* Merged overlays and defaults are read once a command: the same mistake is said once. */
	for (size_t i = 0; i < r->err->ndiags; i++) {
		const struct diag *d = &r->err->diags[i];
		if (d->loc.src == loc.src && d->loc.line == loc.line && d->loc.col == loc.col &&
		    str_is(text, d->text))
			return false;
	}
	err_at(r->err, loc, hint, "%s", text.s);
	return false;
}

bool expected(struct reader *r, const struct node *n, const char *what)
{
	return mistake(r, n->loc, NULL, "expected %s, found %s", what, node_kind_name(n));
}

const char *hint_nearest(struct reader *r, struct str s, const struct str *names, size_t n)
{
	if (r->err->ndiags >= ERR_MAX_DIAGS)
		return NULL;
	struct str near = str_nearest(s, names, n);
	return near.s ? str_fmt(r->arena, "did you mean '" STR_FMT "'?", STR_ARG(near)).s : NULL;
}

/* ---- maps ---- */

static bool names_hold(const struct field *fields, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_is(name, fields[i].name))
			return true;
	}
	return false;
}

static const char *field_hint(struct reader *r, struct str key, const struct field *fields, size_t n)
{
	struct str names[64] = {0};
	const char *synonym = hint_synonym(key);
	for (size_t i = 0; i < n && i < countof(names); i++)
		names[i] = str_of(fields[i].name);
	if (synonym && names_hold(fields, n, str_of(synonym)))
		return str_fmt(r->arena, "did you mean '%s'?", synonym).s;
	const char *near = hint_nearest(r, key, names, n < countof(names) ? n : countof(names));
	if (near)
		return near;
	if (names_hold(command_fields, command_nfields, key))
		return "it is a field of commands";
	if (n > 8)
		return NULL;
	CLEANUP_BUF struct buf list = BUF_INIT(1024);
	for (size_t i = 0; i < n; i++)
		buf_fmt(&list, "%s%s", !i ? "there is " : i + 1 < n ? ", " : " and ", fields[i].name);
	return str_dup(r->arena, buf_view(&list)).s;
}

bool fields_read(struct reader *r, const struct node *map, enum place place, const char *what,
                 const struct field *fields, size_t n, void *into)
{
	if (map->kind != NODE_MAP)
		return mistake(r, map->loc, NULL, "%s must be a map, found %s", what, node_kind_name(map));
	for (size_t i = 0; i < map->n; i++) {
		const struct node_item *item = &map->items[i];
		size_t f = 0;
		while (f < n && !str_is(item->key, fields[f].name))
			f++;
		if (f < n)
			fields[f].read(r, item->value, (char *)into + fields[f].offset);
		else if (!refuse_unbuilt(r, item, place, what))
			mistake(r, item->key_loc, field_hint(r, item->key, fields, n),
			        "unknown field '" STR_FMT "' in %s", STR_ARG(item->key), what);
	}
	return true;
}

/* ---- scalars ---- */

void field_skip(struct reader *r, const struct node *n, void *at)
{
	(void)r, (void)n, (void)at;
}

static bool scalar_check(struct reader *r, const struct node *n, const char *what)
{
	if (n->kind != NODE_SCALAR || node_is_null(n))
		return expected(r, n, what);
	if (n->s.n && memchr(n->s.s, 0, n->s.n))
		return mistake(r, n->loc, NULL, "a text can't hold a NUL byte");
	return true;
}

bool text_read(struct reader *r, const struct node *n, const char *what, struct text *out)
{
	*out = (struct text){.s = S(""), .loc = n->loc, .node = n};
	if (!scalar_check(r, n, what))
		return false;
	out->s = n->s;
	if (!text_has_expr(n->s))
		return true;
	struct err own = ERR_INIT;
	text_check(out, &own);
	for (size_t i = 0; i < own.ndiags; i++)
		mistake(r, own.diags[i].loc, own.diags[i].hint, "%s", own.diags[i].text);
	bool good = !err_any(&own);
	err_release(&own);
	if (good) {
		struct text *kept = arena_new(r->arena, struct text);
		*kept = *out;
		vec_add(&r->exprs, kept);
	}
	return good;
}

void field_text(struct reader *r, const struct node *n, void *at)
{
	text_read(r, n, "a text", at);
}

/* The same, but not empty. */
void field_name(struct reader *r, const struct node *n, void *at)
{
	struct text *t = at;
	if (text_read(r, n, "a name", t) && !t->s.n)
		mistake(r, n->loc, NULL, "the name is empty");
}

/* A text that is never expanded. */
void field_str(struct reader *r, const struct node *n, void *at)
{
	struct str *out = at;
	*out = S("");
	if (!scalar_check(r, n, "a text"))
		return;
	if (text_has_expr(n->s))
		mistake(r, n->loc, NULL, "${{ }} has no meaning here");
	*out = n->s;
}

void field_bool(struct reader *r, const struct node *n, void *at)
{
	if (!node_bool(n, at))
		expected(r, n, "true or false");
}

void field_time(struct reader *r, const struct node *n, void *at)
{
	uint64_t *ms = at;
	if (n->kind != NODE_SCALAR || node_is_null(n))
		expected(r, n, "a duration");
	else if (!spec_duration(n->s, ms))
		mistake(r, n->loc, "write 500ms, 90 (seconds), 10m, 1h30m or 2d",
		        "'" STR_FMT "' is no duration", STR_ARG(n->s));
}

bool uint_read(struct reader *r, const struct node *n, uint64_t min, uint64_t max, uint64_t *out)
{
	if (n->kind != NODE_SCALAR || node_type(n) != TYPE_INT)
		return expected(r, n, "a whole number");
	if (!str_u64(n->s, out) || *out < min || *out > max)
		return mistake(r, n->loc, NULL, "expected a whole number from %llu to %llu, found " STR_FMT,
			       (unsigned long long)min, (unsigned long long)max, STR_ARG(n->s));
	return true;
}

/* ---- lists ---- */

size_t list_length(const struct node *n)
{
	return n->kind == NODE_LIST ? n->n : 1;
}

const struct node *list_item(const struct node *n, size_t i)
{
	return n->kind == NODE_LIST ? n->items[i].value : n;
}

void field_texts(struct reader *r, const struct node *n, void *at)
{
	struct spec_texts *out = at;
	*out = (struct spec_texts){.v = arena_array(r->arena, list_length(n) + 1, struct text)};
	for (size_t i = 0; i < list_length(n); i++) {
		if (text_read(r, list_item(n, i), n->kind == NODE_LIST ? "a text" : "a list of texts",
		              &out->v[out->n]))
			out->n++;
	}
}

/* A program and its operands: a list with at least one word. */
void field_words(struct reader *r, const struct node *n, void *at)
{
	if (n->kind != NODE_LIST) {
		expected(r, n, "a list of words, such as [./program, --option]");
		return;
	}
	if (!n->n)
		mistake(r, n->loc, NULL, "the list of words is empty");
	else if (list_item(n, 0)->kind == NODE_SCALAR && !list_item(n, 0)->s.n &&
	         !node_is_null(list_item(n, 0)))
		mistake(r, list_item(n, 0)->loc, NULL, "the program's name is empty");
	field_texts(r, n, at);
}

/* ---- names ---- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool name_is_variable(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is_letter(s.s[i]) && (i == 0 || s.s[i] < '0' || s.s[i] > '9'))
			return false;
	}
	return s.n > 0;
}

bool variable_name_check(struct reader *r, struct str name, struct loc loc, const char *what)
{
	if (name_is_variable(name))
		return true;
	return mistake(r, loc, "letters, digits and _ make one, and no digit comes first",
	               "'" STR_FMT "' can't name %s", STR_ARG(name), what);
}

const char *name_problem(struct str s)
{
	if (!s.n)
		return "a name can't be empty";
	if (s.s[0] == ' ' || s.s[s.n - 1] == ' ')
		return "a name neither begins nor ends with a space";
	if (s.s[0] == '-')
		return "a name can't begin with '-', options do";
	for (size_t i = 0; i < s.n; i++) {
		char c = s.s[i];
		if (c == ' ' && s.s[i + 1] == ' ')
			return "a name holds single spaces only";
		if (!is_letter(c) && !(c >= '0' && c <= '9') && (!c || !strchr(".-/: ", c)))
			return "a name is made of letters, digits, _ . - / : and single spaces";
	}
	return NULL;
}
