/* yaml.c: the door to libyaml: its events become a tree of nodes. Types are the asker's, so that YAML
 * 1.1's habits of libyaml never show. */
#include <yaml.h>

#include <stdlib.h>

#include "base/map.h"
#include "base/node.h"
#include "base/vec.h"
#include "base/yamltext.h"

/* What is kept of a libyaml event. */
struct event {
	yaml_event_type_t type;
	struct loc loc;                 /* of its first character */
	struct str value, anchor, tag;  /* {NULL} when there is none */
	enum node_style style;
};

/* What an anchor stands for. Its node is NULL while it is being read. */
struct anchored {
	struct node *node;
	size_t size;                    /* nodes, aliases counted at each use */
	unsigned height;
};

struct yaml {
	struct arena *arena;
	struct err *err;
	yaml_parser_t parser;
	struct textpos pos;
	struct map anchors;             /* name -> struct anchored * */
	VEC(struct node_item) stack;    /* items of the containers that are open */
	size_t visited;
	bool failed;                    /* a mistake was reported that does not stop the reading */
};

/* ---- events ---- */

static struct str keep(struct yaml *y, const yaml_char_t *s)
{
	return str_dup(y->arena, str_of((const char *)s));
}

static enum node_style style_of(yaml_scalar_style_t style)
{
	switch (style) {
	case YAML_SINGLE_QUOTED_SCALAR_STYLE:
		return STYLE_SINGLE;
	case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
		return STYLE_DOUBLE;
	case YAML_LITERAL_SCALAR_STYLE:
		return STYLE_LITERAL;
	case YAML_FOLDED_SCALAR_STYLE:
		return STYLE_FOLDED;
	default:
		return STYLE_PLAIN;
	}
}

static bool next_event(struct yaml *y, struct event *out)
{
	yaml_event_t e;
	if (!yaml_parser_parse(&y->parser, &e)) {
		struct yamlfault fault = {
			y->parser.problem ? y->parser.problem : "this is no YAML", y->parser.context,
			y->parser.problem_mark.index, y->parser.context_mark.index,
		};
		yamltext_fault(&y->pos, &fault, y->err);
		return false;
	}
	*out = (struct event){.type = e.type, .loc = textpos_loc(&y->pos, e.start_mark.index)};
	switch (e.type) {
	case YAML_SCALAR_EVENT:
		out->value = (struct str){arena_dup(y->arena, e.data.scalar.value, e.data.scalar.length),
					  e.data.scalar.length};
		out->anchor = keep(y, e.data.scalar.anchor);
		out->tag = keep(y, e.data.scalar.tag);
		out->style = style_of(e.data.scalar.style);
		break;
	case YAML_SEQUENCE_START_EVENT:
		out->anchor = keep(y, e.data.sequence_start.anchor);
		out->tag = keep(y, e.data.sequence_start.tag);
		break;
	case YAML_MAPPING_START_EVENT:
		out->anchor = keep(y, e.data.mapping_start.anchor);
		out->tag = keep(y, e.data.mapping_start.tag);
		break;
	case YAML_ALIAS_EVENT:
		out->anchor = keep(y, e.data.alias.anchor);
		break;
	default:
		break;
	}
	yaml_event_delete(&e);
	return true;
}

/* The first byte of the node whose event was just read: an event begins with anchor and tag. */
static struct loc content_loc(struct yaml *y, const struct event *e)
{
	struct str text = y->pos.src->text;
	size_t at = y->pos.at;

	if ((!e->anchor.s && !e->tag.s) ||
	    (e->type == YAML_SCALAR_EVENT && e->style == STYLE_PLAIN && !e->value.n))
		return e->loc;
	while (at < text.n && strchr("&! \t\r\n#", text.s[at])) {
		if (text.s[at] == '#') {
			while (at < text.n && text.s[at] != '\n')
				at++;
		} else if (text.s[at] == '&' || text.s[at] == '!') {
			while (at < text.n && !strchr(" \t\r\n", text.s[at]))
				at++;
		} else {
			at++;
		}
	}
	return at < text.n ? textpos_loc_of_byte(&y->pos, at) : e->loc;
}

/* ---- tags, anchors, limits ---- */

static int mistake_tag(struct yaml *y, struct loc loc, struct str tag)
{
	struct str core = S("tag:yaml.org,2002:");
	bool is_core = str_starts(tag, core);
	struct str name = is_core ? str_from(tag, core.n) : tag;
	y->failed = true;
	return err_at(y->err, loc,
		      is_core ? "there are !!str !!int !!float !!bool !!null !!seq !!map"
			      : "put a text that begins with '!' in quotes",
		      "the tag '%s%.*s' is unknown", is_core ? "!!" : "", (int)(name.n < 60 ? name.n : 60),
		      name.s);
}

/* A tag says how a node is to be read; one that contradicts what is written is a mistake. */
static void apply_tag(struct yaml *y, struct node *n, const struct event *e)
{
	static const struct { const char *name; enum scalar_type type; } scalars[] = {
		{"null", TYPE_NULL}, {"bool", TYPE_BOOL}, {"int", TYPE_INT}, {"float", TYPE_FLOAT},
	};
	struct str core = S("tag:yaml.org,2002:"), name = e->tag;
	struct loc loc = n->loc;

	if (!e->tag.s || (str_is(e->tag, "!") && n->kind != NODE_SCALAR))
		return;
	if (str_is(e->tag, "!") || (str_is(e->tag, "tag:yaml.org,2002:str") && n->kind == NODE_SCALAR)) {
		if (n->style == STYLE_PLAIN)
			n->style = STYLE_DOUBLE;
		return;
	}
	name = str_starts(name, core) ? str_from(name, core.n) : S("");
	if ((str_is(name, "seq") && n->kind == NODE_LIST) || (str_is(name, "map") && n->kind == NODE_MAP))
		return;
	for (size_t i = 0; i < countof(scalars) && n->kind == NODE_SCALAR; i++) {
		if (!str_is(name, scalars[i].name))
			continue;
		n->style = STYLE_PLAIN;
		enum scalar_type type = node_type(n);
		if (type == scalars[i].type || (type == TYPE_INT && scalars[i].type == TYPE_FLOAT))
			return;
		err_at(y->err, loc, NULL, "this is %s, not what its tag !!%s says", node_kind_name(n),
		       scalars[i].name);
		y->failed = true;
		return;
	}
	mistake_tag(y, e->loc, e->tag);
}

static bool count_nodes(struct yaml *y, struct loc loc, size_t n)
{
	y->visited += n;
	if (y->visited <= NODE_MAX_NODES)
		return true;
	err_at(y->err, loc, NULL, "more than %u values, those that aliases repeat included", NODE_MAX_NODES);
	return false;
}

static bool check_depth(struct yaml *y, struct loc loc, unsigned depth)
{
	if (depth <= NODE_MAX_DEPTH)
		return true;
	err_at(y->err, loc, NULL, "nested deeper than %d levels", NODE_MAX_DEPTH);
	return false;
}

static struct node *read_alias(struct yaml *y, const struct event *e, unsigned depth, unsigned *height)
{
	struct loc loc = e->loc;
	struct anchored *a = map_get(&y->anchors, e->anchor);
	int shown = (int)(e->anchor.n < 60 ? e->anchor.n : 60);

	if (!a) {
		err_at(y->err, loc, "put a text that begins with '*' in quotes",
		       "there is no anchor '&%.*s' before this alias", shown, e->anchor.s);
		return NULL;
	}
	if (!a->node) {
		err_at(y->err, loc, NULL, "the alias '*%.*s' stands within what it repeats", shown,
		       e->anchor.s);
		return NULL;
	}
	if (!count_nodes(y, loc, a->size) || !check_depth(y, loc, depth + a->height - 1))
		return NULL;
	*height = a->height;
	return a->node;
}

/* ---- nodes ---- */

static struct node *read_node(struct yaml *y, const struct event *e, unsigned depth, unsigned *height);

/* Ends a container that began with the stack at `base`. */
static void take_items(struct yaml *y, struct node *n, size_t base)
{
	n->n = y->stack.n - base;
	n->items = arena_array(y->arena, n->n, struct node_item);
	if (n->n)
		memcpy(n->items, y->stack.v + base, n->n * sizeof(*n->items));
	y->stack.n = base;
}

static bool read_list(struct yaml *y, struct node *n, unsigned depth, unsigned *height)
{
	size_t base = y->stack.n;
	struct event e;
	for (;;) {
		unsigned below = 0;
		if (!next_event(y, &e))
			return false;
		if (e.type == YAML_SEQUENCE_END_EVENT)
			break;
		struct node *value = read_node(y, &e, depth + 1, &below);
		if (!value)
			return false;
		vec_add(&y->stack, (struct node_item){.value = value});
		*height = below + 1 > *height ? below + 1 : *height;
	}
	take_items(y, n, base);
	return true;
}

static void mistake_twice(struct yaml *y, const struct node_item *second, struct loc first)
{
	y->failed = true;
	err_at(y->err, second->key_loc, NULL,
	       "the key '%.*s' stands here a second time; the first is at line %u, column %u",
	       (int)(second->key.n < 60 ? second->key.n : 60), second->key.s, first.line, first.col);
}

/* Keys that stand there: each once. */
static void note_keys(struct yaml *y, struct map *seen, struct node_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool fresh;
		void **first = map_put(seen, items[i].key, &fresh);
		if (fresh)
			*first = &items[i];
		else
			mistake_twice(y, &items[i], ((struct node_item *)*first)->key_loc);
	}
}

static void merge_map(struct yaml *y, struct map *seen, const struct node *from)
{
	for (size_t i = 0; i < from->n; i++) {
		bool fresh;
		map_put(seen, from->items[i].key, &fresh);
		if (fresh)
			vec_add(&y->stack, from->items[i]);
	}
}

static bool is_map_list(const struct node *n)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->items[i].value->kind != NODE_MAP)
			return false;
	return n->kind == NODE_LIST;
}

/* Puts what `<<` brings behind the items that stood before it. Explicit keys win, then earlier maps. */
static void merge(struct yaml *y, struct map *seen, const struct node_item *from, size_t base, size_t place)
{
	size_t own = y->stack.n - base, behind = own - place;
	struct node *value = from->value;

	if (value->kind == NODE_MAP) {
		merge_map(y, seen, value);
	} else if (is_map_list(value)) {
		for (size_t i = 0; i < value->n; i++)
			merge_map(y, seen, value->items[i].value);
	} else {
		y->failed = true;
		err_at(y->err, from->key_loc, "put the key in quotes when it is meant as a text",
		       "'<<' merges a map or a list of maps, this is %s", node_kind_name(value));
	}
	/* The items behind move past the new ones. */
	size_t fresh = y->stack.n - base - own;
	struct node_item *kept = xmalloc(behind * sizeof(*kept));
	if (fresh && behind) {
		struct node_item *at = y->stack.v + base + place;
		memcpy(kept, at, behind * sizeof(*kept));
		memmove(at, at + behind, fresh * sizeof(*kept));
		memcpy(at + fresh, kept, behind * sizeof(*kept));
	}
	free(kept);
}

static bool read_key(struct yaml *y, const struct event *e, unsigned depth, struct node_item *item,
		     bool *merges)
{
	unsigned ignored = 0;
	struct node *key = read_node(y, e, depth + 1, &ignored);
	if (!key)
		return false;
	item->key_loc = e->type == YAML_ALIAS_EVENT ? e->loc : key->loc;
	if (key->kind != NODE_SCALAR) {
		y->failed = true;
		err_at(y->err, item->key_loc, "put ${{ }} and other texts with brackets in quotes",
		       "a key is a text, this is %s", node_kind_name(key));
	}
	item->key = key->s;
	*merges = key->kind == NODE_SCALAR && key->style == STYLE_PLAIN && str_is(key->s, "<<");
	return true;
}

static bool read_map(struct yaml *y, struct node *n, unsigned depth, unsigned *height)
{
	size_t base = y->stack.n, place = 0;
	struct node_item merged = {0};
	struct event e;
	for (;;) {
		struct node_item item = {0};
		unsigned below = 0;
		bool merges;
		if (!next_event(y, &e))
			return false;
		if (e.type == YAML_MAPPING_END_EVENT)
			break;
		if (!read_key(y, &e, depth, &item, &merges) || !next_event(y, &e))
			return false;
		item.value = read_node(y, &e, depth + 1, &below);
		if (!item.value)
			return false;
		*height = below + 1 > *height ? below + 1 : *height;
		if (!merges) {
			vec_add(&y->stack, item);
		} else if (merged.value) {
			mistake_twice(y, &item, merged.key_loc);
		} else {
			merged = item;
			place = y->stack.n - base;
		}
	}
	struct map seen = MAP_INIT;
	if (y->stack.n > base)
		note_keys(y, &seen, y->stack.v + base, y->stack.n - base);
	if (merged.value)
		merge(y, &seen, &merged, base, place);
	map_release(&seen);
	take_items(y, n, base);
	return true;
}

static bool read_content(struct yaml *y, const struct event *e, struct node *n, unsigned depth,
			 unsigned *height)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		n->kind = NODE_SCALAR;
		n->s = e->value;
		n->style = e->style;
		return true;
	case YAML_SEQUENCE_START_EVENT:
		n->kind = NODE_LIST;
		return read_list(y, n, depth, height);
	case YAML_MAPPING_START_EVENT:
		n->kind = NODE_MAP;
		return read_map(y, n, depth, height);
	default:
		BUG("libyaml event %d in place of a node", (int)e->type);
	}
}

/* The node that begins with e; NULL when reading can't go on. *height: its levels, 1 for a scalar. */
static struct node *read_node(struct yaml *y, const struct event *e, unsigned depth, unsigned *height)
{
	if (e->type == YAML_ALIAS_EVENT)
		return read_alias(y, e, depth, height);
	struct node *n = arena_new(y->arena, struct node);
	size_t before = y->visited;
	struct anchored *anchor = NULL;

	n->loc = content_loc(y, e);
	if (!count_nodes(y, n->loc, 1) || !check_depth(y, n->loc, depth))
		return NULL;
	if (e->anchor.s) {
		anchor = arena_new(y->arena, struct anchored);
		*map_put(&y->anchors, e->anchor, NULL) = anchor;
	}
	*height = 1;
	if (!read_content(y, e, n, depth, height))
		return NULL;
	apply_tag(y, n, e);
	if (anchor)
		*anchor = (struct anchored){n, y->visited - before, *height};
	return n;
}

/* ---- the document ---- */

static struct node *read_document(struct yaml *y)
{
	struct event e;
	struct node *root;
	unsigned height;

	if (!next_event(y, &e) || !next_event(y, &e))           /* the stream, then its document */
		return NULL;
	if (e.type == YAML_STREAM_END_EVENT) {
		root = arena_new(y->arena, struct node);
		root->loc = (struct loc){y->pos.src, 1, 1};
		root->s = S("");
		return root;
	}
	if (!next_event(y, &e) || !(root = read_node(y, &e, 1, &height)) || !next_event(y, &e) ||
	    !next_event(y, &e))
		return NULL;
	if (e.type != YAML_STREAM_END_EVENT) {
		err_at(y->err, e.loc, "a file holds one document: remove this line",
		       "a second document begins here");
		return NULL;
	}
	return y->failed ? NULL : root;
}

int yaml_read(struct arena *arena, const struct source *src, struct node **out, struct err *err)
{
	if (yamltext_check(src, err) < 0)
		return -1;
	struct yaml y = {.arena = arena, .err = err};
	textpos_init(&y.pos, src);
	if (!yaml_parser_initialize(&y.parser))
		xmalloc(SIZE_MAX);      /* says that memory is out */
	yaml_parser_set_encoding(&y.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&y.parser, (const unsigned char *)src->text.s + y.pos.begin,
				     src->text.n - y.pos.begin);
	*out = read_document(&y);
	yaml_parser_delete(&y.parser);
	map_release(&y.anchors);
	vec_free(&y.stack);
	return *out ? 0 : -1;
}
