/* untar.c: the reading side of ustar.h. */
#include <string.h>

#include "runtimes/shim/ustar.h"

static int wrong(struct untar *u, const char *what)
{
	u->wrong = what;
	return -1;
}

/* Digits with blanks or NULs around them. */
static bool octal(const uint8_t *field, size_t width, uint64_t *out)
{
	size_t i = 0;
	*out = 0;
	while (i < width && field[i] == ' ')
		i++;
	for (; i < width && field[i] >= '0' && field[i] <= '7'; i++) {
		if (*out >> 61)
			return false;
		*out = *out << 3 | (uint64_t)(field[i] - '0');
	}
	return i == width || field[i] == ' ' || field[i] == '\0';
}

static bool sum_matches(const uint8_t *b)
{
	uint64_t told, sum = 8 * ' ';
	for (size_t i = 0; i < USTAR_BLOCK; i++)
		sum += i >= AT_SUM && i < AT_SUM + 8 ? 0 : b[i];
	return octal(b + AT_SUM, 8, &told) && told == sum;
}

/* A name of the block, which ends with a NUL only if it is shorter than its field. */
static size_t name(char *out, const uint8_t *field, size_t width)
{
	size_t n = strnlen((const char *)field, width);
	memcpy(out, field, n);
	out[n] = '\0';
	return n;
}

static void path_of(struct untar *u)
{
	size_t n = 0;
	if (u->has_path)
		return;
	if (u->block[AT_PREFIX]) {
		n = name(u->path, u->block + AT_PREFIX, USTAR_PREFIX_SIZE);
		u->path[n++] = '/';
	}
	n += name(u->path + n, u->block + AT_NAME, USTAR_NAME_SIZE);
	while (n > 1 && u->path[n - 1] == '/')          /* as some write folders */
		u->path[--n] = '\0';
}

static int begin_entry(struct untar *u, struct ustar_entry *e)
{
	if (!u->has_link)
		name(u->link, u->block + AT_LINK, USTAR_NAME_SIZE);
	path_of(u);
	if (u->has_size)
		e->size = u->size;
	if (e->type != USTAR_FILE)
		e->size = 0;
	e->path = u->path;
	e->link = u->link;
	if (!ustar_path_sane(u->path) && !(e->type == USTAR_FOLDER && strcmp(u->path, ".") == 0))
		return wrong(u, "it has a path that leads out of its folder");
	if (e->type == USTAR_LINK && !*u->link)
		return wrong(u, "it has a symbolic link to nothing");
	u->has_path = u->has_link = u->has_size = false;
	u->left = e->size;
	u->padding = ustar_padding(e->size);
	u->state = e->type == USTAR_FILE ? UNTAR_DATA : UNTAR_PADDING;
	return u->entry(u->ctx, e);
}

static int head(struct untar *u)
{
	uint64_t mode, size, mtime;
	const uint8_t *b = u->block;
	static const uint8_t zeros[USTAR_BLOCK];
	if (memcmp(b, zeros, USTAR_BLOCK) == 0) {
		u->state = UNTAR_ENDED;
		return 0;
	}
	if (memcmp(b + AT_MAGIC, "ustar", 5) != 0 || !sum_matches(b) || !octal(b + AT_MODE, 8, &mode) ||
	    !octal(b + AT_SIZE, 12, &size) || !octal(b + AT_MTIME, 12, &mtime))
		return wrong(u, "a head of it is damaged");
	struct ustar_entry e = {.mode = mode & 07777, .size = size, .mtime = mtime};
	switch (b[AT_TYPE]) {
	case 'x':
		if (!size || size > sizeof(u->pax))
			return wrong(u, "its pax records are too long");
		u->left = size;
		u->padding = ustar_padding(size);
		u->state = UNTAR_PAX;
		return 0;
	case '\0':
	case USTAR_FILE:
		e.type = USTAR_FILE;
		break;
	case USTAR_LINK:
	case USTAR_FOLDER:
		e.type = b[AT_TYPE];
		break;
	default:
		return wrong(u, "it holds something other than files, folders and symbolic links");
	}
	return begin_entry(u, &e);
}

/* --- pax records --- */

static bool pax_size(struct untar *u, struct bytes value)
{
	u->size = 0;
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9' || u->size > UINT64_MAX / 20)
			return false;
		u->size = u->size * 10 + (value.p[i] - '0');
	}
	return u->has_size = value.n > 0;
}

static bool pax_text(char out[USTAR_PATH_MAX], struct bytes value)
{
	if (!value.n || value.n >= USTAR_PATH_MAX || memchr(value.p, '\0', value.n))
		return false;
	memcpy(out, value.p, value.n);
	out[value.n] = '\0';
	return true;
}

static bool pax_record(struct untar *u, struct bytes r)
{
	const uint8_t *equals = memchr(r.p, '=', r.n);
	if (!equals)
		return false;
	size_t key = (size_t)(equals - r.p);
	struct bytes value = {equals + 1, r.n - key - 1};
	if (key == 4 && memcmp(r.p, "path", 4) == 0)
		return u->has_path = pax_text(u->path, value);
	if (key == 8 && memcmp(r.p, "linkpath", 8) == 0)
		return u->has_link = pax_text(u->link, value);
	if (key == 4 && memcmp(r.p, "size", 4) == 0)
		return pax_size(u, value);
	return true;                    /* times in fractions, comments */
}

static bool pax_records(struct untar *u, struct bytes b)
{
	while (b.n) {
		size_t n = 0, i = 0;
		for (; i < b.n && i < 6 && b.p[i] >= '0' && b.p[i] <= '9'; i++)
			n = n * 10 + (size_t)(b.p[i] - '0');
		if (i == b.n || b.p[i] != ' ' || n < i + 2 || n > b.n || b.p[n - 1] != '\n')
			return false;
		if (!pax_record(u, (struct bytes){b.p + i + 1, n - i - 2}))
			return false;
		wire_take(&b, n);
	}
	return true;
}

/* --- the archive --- */

static int feed_head(struct untar *u, struct bytes *b)
{
	size_t n = USTAR_BLOCK - u->n < b->n ? USTAR_BLOCK - u->n : b->n;
	memcpy(u->block + u->n, wire_take(b, n), n);
	u->n += n;
	if (u->n < USTAR_BLOCK)
		return 0;
	u->n = 0;
	return head(u);
}

static int feed_pax(struct untar *u, struct bytes *b)
{
	size_t n = u->left < b->n ? (size_t)u->left : b->n;
	memcpy(u->pax + u->n, wire_take(b, n), n);
	u->n += n;
	u->left -= n;
	if (u->left)
		return 0;
	bool good = pax_records(u, (struct bytes){u->pax, u->n});
	u->n = 0;
	u->state = UNTAR_PADDING;
	return good ? 0 : wrong(u, "its pax records are damaged");
}

static int feed_data(struct untar *u, struct bytes *b)
{
	size_t n = u->left < b->n ? (size_t)u->left : b->n;
	if (n && u->data(u->ctx, (struct bytes){wire_take(b, n), n}) < 0)
		return -1;
	u->left -= n;
	if (u->left)
		return 0;
	u->state = UNTAR_PADDING;
	return u->end(u->ctx);
}

static int feed_padding(struct untar *u, struct bytes *b)
{
	size_t n = u->padding < b->n ? u->padding : b->n;
	wire_take(b, n);
	u->padding -= n;
	if (!u->padding)
		u->state = UNTAR_HEAD;
	return 0;
}

int untar_feed(struct untar *u, struct bytes b)
{
	if (u->wrong)
		return -1;
	/* What takes no bytes is done at once: the end of an empty file, no padding. */
	while (b.n || (u->state == UNTAR_DATA && !u->left) || (u->state == UNTAR_PADDING && !u->padding)) {
		int got = u->state == UNTAR_HEAD ? feed_head(u, &b) : u->state == UNTAR_PAX ? feed_pax(u, &b) :
			  u->state == UNTAR_DATA ? feed_data(u, &b) : u->state == UNTAR_PADDING ? feed_padding(u, &b) : 1;
		if (got < 0)
			return -1;
		if (got)                /* behind the end */
			return 0;
	}
	return 0;
}

bool untar_whole(const struct untar *u)
{
	return u->state == UNTAR_ENDED && !u->wrong;
}
