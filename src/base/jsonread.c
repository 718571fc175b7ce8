/* jsonread.c: the door to cJSON's parser: JSON becomes the node tree that YAML becomes. */
#include "base/node.h"

#include <cjson/cJSON.h>

#include "base/jsonscan.h"
#include "base/map.h"

#define LIMIT 9007199254740992.0        /* 2^53: cJSON's numbers are doubles, which are whole and inexact beyond */

struct jsonread {
	struct arena *arena;
	const struct source *src;
	struct err *err;
	bool loose;
};

static struct loc loc_of(const struct source *src, size_t at)
{
	struct loc loc = {src, 1, 1};
	for (size_t i = 0; i < at && i < src->text.n; i++) {
		loc.col++;
		if (src->text.s[i] == '\n') {
			loc.line++;
			loc.col = 1;
		}
	}
	return loc;
}

/* A string of cJSON's, with its NULs back. */
static struct str take_text(struct jsonread *r, const char *z)
{
	struct str s = str_dup(r->arena, str_of(z)), mark = S(JSONSCAN_NUL);
	char *out = (char *)s.s;        /* ours, and it only gets shorter */
	size_t n = 0;
	if (str_find(s, mark) < 0)
		return s;
	for (size_t i = 0; i < s.n; n++) {
		bool nul = str_starts(str_from(s, i), mark);
		out[n] = nul ? '\0' : s.s[i];
		i += nul ? mark.n : 1;
	}
	out[n] = '\0';
	return (struct str){out, n};
}

static bool take_number(struct jsonread *r, double value, struct node *n)
{
	if (r->loose && !(value > -LIMIT && value < LIMIT)) {
		n->s = str_fmt(r->arena, "%.17g", value);
		return true;
	}
	if (!(value > -LIMIT && value < LIMIT)) {
		err_at(r->err, (struct loc){.src = r->src}, NULL, "the number %.17g is too large", value);
		return false;
	}
	n->s = str_fmt(r->arena, value == (double)(int64_t)value ? "%.0f" : "%.17g", value);
	return true;
}

static struct node *take(struct jsonread *r, const cJSON *from);

static bool take_items(struct jsonread *r, const cJSON *from, struct node *n)
{
	struct map seen = MAP_INIT;
	bool good = true, fresh = true;
	n->items = arena_array(r->arena, (size_t)cJSON_GetArraySize(from), struct node_item);
	for (const cJSON *child = from->child; child && good; child = child->next) {
		struct node_item *item = &n->items[n->n++];
		if (n->kind == NODE_MAP) {
			item->key = take_text(r, child->string);
			item->key_loc = n->loc;
			map_put(&seen, item->key, &fresh);
		}
		if (!fresh)
			err_at(r->err, n->loc, NULL, "an object has the key '%.60s' twice", child->string);
		good = fresh && (item->value = take(r, child));
	}
	map_release(&seen);
	return good;
}

static struct node *take(struct jsonread *r, const cJSON *from)
{
	struct node *n = arena_new(r->arena, struct node);
	bool good = true;
	n->loc.src = r->src;
	if (cJSON_IsString(from)) {
		n->style = STYLE_DOUBLE;
		n->s = take_text(r, from->valuestring);
	} else if (cJSON_IsNumber(from)) {
		good = take_number(r, from->valuedouble, n);
	} else if (cJSON_IsBool(from)) {
		n->s = cJSON_IsTrue(from) ? S("true") : S("false");
	} else if (cJSON_IsNull(from)) {
		n->s = S("null");
	} else {
		n->kind = cJSON_IsArray(from) ? NODE_LIST : NODE_MAP;
		good = take_items(r, from, n);
	}
	return good ? n : NULL;
}

static bool is_blank(struct str s) { return str_trim(s).n == 0; }

static int read_prepared(struct jsonread *r, struct str prepared, struct node **out)
{
	const char *end = NULL;
	cJSON *root = cJSON_ParseWithLengthOpts(prepared.s, prepared.n, &end, false);
	size_t at = end ? (size_t)(end - prepared.s) : 0;

	while (root && at < prepared.n && is_blank(str_from(str_head(prepared, at + 1), at)))
		at++;
	if (!root || at < prepared.n) {
		CLEANUP_BUF struct buf again = BUF_INIT(BUF_UNLIMITED);
		size_t place = 0;
		jsonscan(r->src->text, &again, at, &place);
		err_at(r->err, loc_of(r->src, place), NULL,
		       root ? "the JSON value ends before this" : "this is no JSON");
		cJSON_Delete(root);
		return -1;
	}
	*out = take(r, root);
	cJSON_Delete(root);
	return *out ? 0 : -1;
}

static int read_text(struct arena *arena, const struct source *src, bool loose, struct node **out, struct err *err)
{
	struct jsonread r = {arena, src, err, loose};
	CLEANUP_BUF struct buf prepared = BUF_INIT(BUF_UNLIMITED);
	size_t at;

	if (src->text.n > NODE_MAX_BYTES)
		return err_at(err, (struct loc){.src = src}, NULL, "the text is larger than %u MiB",
			      NODE_MAX_BYTES >> 20);
	const char *problem = jsonscan(src->text, &prepared, SIZE_MAX, &at);
	if (problem)
		return err_at(err, loc_of(src, at), NULL, "this is no JSON: %s", problem);
	return read_prepared(&r, buf_view(&prepared), out);
}

int json_read(struct arena *arena, const struct source *src, struct node **out, struct err *err)
{
	return read_text(arena, src, false, out, err);
}

int json_read_loose(struct arena *arena, const struct source *src, struct node **out, struct err *err)
{
	return read_text(arena, src, true, out, err);
}
