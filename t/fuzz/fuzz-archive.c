/* An archive from outside: whatever stands in it, only clean names come out, within the limits. */
#include <stdlib.h>

#include "sys/archive.h"

static const struct tar_limits limits = {.entries = 64, .file = 1 << 16, .total = 1 << 18};

struct seen { uint64_t entries, total; };

static ptrdiff_t source(void *ctx, void *into, size_t max, struct err *err)
{
	struct str *s = ctx;
	size_t n = s->n < max ? s->n : max;

	(void)err;
	if (n)
		memcpy(into, s->s, n);
	*s = str_from(*s, n);
	return (ptrdiff_t)n;
}

static int entry(void *ctx, const struct tar_entry *e, struct tar_data *data, struct err *err)
{
	struct seen *seen = ctx;
	char bytes[4096];
	uint64_t sum = 0;
	ptrdiff_t got = 0;

	if (!tar_name_clean(e->name) || e->size > limits.file || ++seen->entries > limits.entries)
		abort();
	if (e->type == TAR_HARDLINK && !tar_name_clean(e->link))
		abort();
	if (e->type == TAR_FILE && seen->entries % 3)
		while ((got = tar_read(data, bytes, sizeof(bytes), err)) > 0)
			sum += (uint64_t)got;
	if (sum > e->size || (seen->total += sum) > limits.total)
		abort();
	return got < 0 ? -1 : 0;
}

static int unclean(void *ctx, struct str raw, const char *why, struct err *err)
{
	(void)ctx;
	(void)err;
	if (!why || raw.n > 1 << 21)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = {(const char *)data, size};
	struct seen seen = {0};
	struct err err = ERR_INIT;
	int rc = tar_walk(source, &bytes, &limits, &(struct tar_visitor){entry, size % 2 ? unclean : NULL, &seen}, &err);

	if ((rc < 0) != err_any(&err))
		abort();
	err_release(&err);
	return 0;
}
