/* store.c: what all stores share. */
#include "cache/store.h"

void store_warn(struct store *s, const char *fmt, ...)
{
	if (!s->warn)
		return;
	struct buf text = BUF_INIT(BUF_UNLIMITED);
	va_list args;
	va_start(args, fmt);
	buf_vfmt(&text, fmt, args);
	va_end(args);
	s->warn(s->warn_ctx, buf_view(&text));
	buf_release(&text);
}
