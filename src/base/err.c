#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static char *format(const char *fmt, va_list args)
{
	char *text;
	if (vasprintf(&text, fmt, args) < 0)
		xmalloc(SIZE_MAX);      /* says that memory is out */
	return text;
}

/* Puts "front: back" (or front alone) in place of the text; takes both. */
static void set_text(struct err *e, char *front, const char *back)
{
	char *text = front;
	if (back) {
		size_t n = strlen(front), m = strlen(back);
		text = xmalloc(n + m + 3);
		memcpy(text, front, n);
		memcpy(text + n, ": ", 2);
		memcpy(text + n + 2, back, m + 1);
		free(front);
	}
	free(e->text);
	e->text = text;
}

int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	if (!e)
		return -1;
	va_list args;
	va_start(args, fmt);
	e->kind = kind;
	set_text(e, format(fmt, args), NULL);
	va_end(args);
	return -1;
}

int err_errno(struct err *e, const char *fmt, ...)
{
	int number = errno;
	if (!e)
		return -1;
	va_list args;
	va_start(args, fmt);
	e->kind = ERR_SYSTEM;
	set_text(e, format(fmt, args), strerror(number));
	va_end(args);
	return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	if (!e || !e->text)
		return -1;
	va_list args;
	va_start(args, fmt);
	set_text(e, format(fmt, args), e->text);
	va_end(args);
	return -1;
}

#define LINE_SHOWN_MAX (1u << 20)             /* of a longer line nothing is shown */

static struct str line_of(const struct source *src, uint32_t line)
{
	struct str rest = src->text, none = {"", 0};
	if (!line)
		return none;
	for (; line > 1; line--) {
		ptrdiff_t at = str_chr(rest, '\n');
		if (at < 0)
			return none;
		rest = str_from(rest, (size_t)at + 1);
	}
	ptrdiff_t end = str_chr(rest, '\n');
	if (end >= 0)
		rest = str_head(rest, (size_t)end);
	if (rest.n && rest.s[rest.n - 1] == '\r')
		rest.n--;
	return rest.n > LINE_SHOWN_MAX ? none : rest;
}

/* One block: the struct, the path, the line. */
static struct source *shown_copy(struct loc loc)
{
	struct str path = loc.src->path, line = line_of(loc.src, loc.line);
	struct source *copy = xmalloc(sizeof(*copy) + path.n + line.n);
	char *bytes = (char *)(copy + 1);
	if (path.n)
		memcpy(bytes, path.s, path.n);
	if (line.n)
		memcpy(bytes + path.n, line.s, line.n);
	*copy = (struct source){{bytes, path.n}, {bytes + path.n, line.n}};
	return copy;
}

static void diag_free(struct diag *d)
{
	free(d->shown);
	free(d->text);
	free(d->hint);
}

static void add_diag(struct err *e, struct diag d)
{
	if (e->kind == ERR_NONE)
		e->kind = ERR_SPEC;
	if (e->ndiags == ERR_MAX_DIAGS) {
		e->nmore++;
		diag_free(&d);
		return;
	}
	if (e->ndiags == e->capdiags) {
		e->capdiags = e->capdiags ? e->capdiags * 2 : 4;
		e->diags = xrealloc(e->diags, e->capdiags * sizeof(*e->diags));
	}
	e->diags[e->ndiags++] = d;
}

int err_at(struct err *e, struct loc loc, const char *hint, const char *fmt, ...)
{
	if (!e)
		return -1;
	va_list args;
	va_start(args, fmt);
	struct diag d = {.loc = loc, .text = format(fmt, args)};
	va_end(args);
	if (loc.src)
		d.shown = shown_copy(loc);
	if (hint) {
		size_t n = strlen(hint) + 1;
		d.hint = memcpy(xmalloc(n), hint, n);
	}
	add_diag(e, d);
	return -1;
}

void err_release(struct err *e)
{
	free(e->text);
	for (size_t i = 0; i < e->ndiags; i++)
		diag_free(&e->diags[i]);
	free(e->diags);
	*e = (struct err)ERR_INIT;
}

void err_move(struct err *to, struct err *from)
{
	if (!to) {
		err_release(from);
		return;
	}
	if (from->kind != ERR_NONE)
		to->kind = from->kind;
	if (from->text) {
		free(to->text);
		to->text = from->text;
	}
	for (size_t i = 0; i < from->ndiags; i++)
		add_diag(to, from->diags[i]);
	to->nmore += from->nmore;
	free(from->diags);
	*from = (struct err)ERR_INIT;
}

int err_exit_status(const struct err *e)
{
	switch (e->kind) {
	case ERR_NONE:
		return 0;
	case ERR_USAGE:
	case ERR_SPEC:
		return 2;
	case ERR_SYSTEM:
	case ERR_RUNTIME:
		return 3;
	case ERR_STALE:
		return 4;
	}
	BUG("error kind %d", (int)e->kind);
}
