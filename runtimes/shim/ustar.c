/* ustar.c: the writing side, and what both sides share. */
#include "runtimes/shim/ustar.h"

#include <string.h>

static void octal(uint8_t *field, size_t width, uint64_t v)
{
	field[--width] = '\0';
	while (width)
		field[--width] = (uint8_t)('0' + (v & 7)), v >>= 3;
}

static bool fits_octal(uint64_t v) { return v >> 3 * 11 == 0; }

static void block(uint8_t out[USTAR_BLOCK], const char *path, const struct ustar_entry *e, char type, uint64_t size)
{
	uint32_t sum = 0;
	memset(out, 0, USTAR_BLOCK);
	memcpy(out + AT_NAME, path, strnlen(path, USTAR_NAME_SIZE));
	octal(out + AT_MODE, 8, e->mode & 07777);
	octal(out + AT_UID, 8, 0);
	octal(out + AT_GID, 8, 0);
	octal(out + AT_SIZE, 12, fits_octal(size) ? size : 0);
	octal(out + AT_MTIME, 12, fits_octal(e->mtime) ? e->mtime : 0);
	out[AT_TYPE] = (uint8_t)type;
	if (type == USTAR_LINK)
		memcpy(out + AT_LINK, e->link, strnlen(e->link, USTAR_NAME_SIZE));
	memcpy(out + AT_MAGIC, "ustar\00000", 8);
	memset(out + AT_SUM, ' ', 8);
	for (size_t i = 0; i < USTAR_BLOCK; i++)
		sum += out[i];
	octal(out + AT_SUM, 7, sum);
}

static size_t digits(size_t n)
{
	size_t d = 1;
	for (; n >= 10; n /= 10)
		d++;
	return d;
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
static uint8_t *record(uint8_t *at, const char *key, const char *value)
{
	size_t rest = 1 + strlen(key) + 1 + strlen(value) + 1, n = rest + digits(rest);
	if (digits(n) != digits(rest))
		n++;
	for (size_t i = digits(n), v = n; i--; v /= 10)
		at[i] = (uint8_t)('0' + v % 10);
	at += digits(n);
	*at++ = ' ';
	memcpy(at, key, strlen(key));
	at += strlen(key);
	*at++ = '=';
	memcpy(at, value, strlen(value));
	at += strlen(value);
	*at++ = '\n';
	return at;
}

static const char *decimal(uint64_t v, char out[21])
{
	char *p = out + 20;
	*p = '\0';
	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	return p;
}

size_t ustar_head(const struct ustar_entry *e, uint8_t out[USTAR_HEAD_MAX])
{
	char number[21];
	size_t path = strlen(e->path), link = e->type == USTAR_LINK ? strlen(e->link) : 0;
	uint64_t size = e->type == USTAR_FILE ? e->size : 0;
	uint8_t *records = out + USTAR_BLOCK, *at = records;
	if (path >= USTAR_PATH_MAX || link >= USTAR_PATH_MAX)
		return 0;
	if (path > USTAR_NAME_SIZE)
		at = record(at, "path", e->path);
	if (link > USTAR_NAME_SIZE)
		at = record(at, "linkpath", e->link);
	if (!fits_octal(size))
		at = record(at, "size", decimal(size, number));
	if (at == records) {
		block(out, e->path, e, (char)e->type, size);
		return USTAR_BLOCK;
	}
	size_t n = (size_t)(at - records), padding = ustar_padding(n);
	struct ustar_entry pax = {.type = USTAR_FILE, .mode = 0644};
	memset(at, 0, padding);
	block(out, "pax", &pax, 'x', n);
	block(at + padding, e->path, e, (char)e->type, size);
	return USTAR_BLOCK + n + padding + USTAR_BLOCK;
}

bool ustar_path_sane(const char *path)
{
	for (const char *at = path;; at++) {
		size_t n = strcspn(at, "/");
		if (n == 0 || (n <= 2 && strspn(at, ".") >= n))
			return false;
		at += n;
		if (!*at)
			return true;
	}
}
