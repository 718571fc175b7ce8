#include "generators/refusals.h"

#define SHOWN 20

void refusals_vadd(struct refusals *r, struct str name, const char *field, const char *fmt, va_list ap)
{
	if (r->n++ >= SHOWN)
		return;
	buf_fmt(&r->text, "\n  " STR_FMT ": %s: ", STR_ARG(name), field);
	buf_vfmt(&r->text, fmt, ap);
}

void refusals_add(struct refusals *r, struct str name, const char *field, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refusals_vadd(r, name, field, fmt, ap);
	va_end(ap);
}

int refusals_end(struct refusals *r, const char *tool, struct err *err)
{
	int rc = 0;

	if (r->n > SHOWN)
		buf_fmt(&r->text, "\n  and %zu more", r->n - SHOWN);
	if (r->n)
		rc = err_set(err, ERR_RUNTIME, "unable to write this plan for %s, which can't express" STR_FMT, tool, STR_ARG(buf_view(&r->text)));
	buf_release(&r->text);
	return rc;
}
