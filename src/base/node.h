/* node.h: a document tree with locations, read from YAML or JSON. YAML 1.2 core schema is applied
 * by the asker, not here: scalars stay text with a note on how they were written.
 * Limits: NODE_MAX_BYTES of text, NODE_MAX_DEPTH levels, NODE_MAX_NODES nodes with aliases counted
 * at each use. Duplicate keys are located errors. */
#pragma once

#include "err.h"

#define NODE_MAX_BYTES (256u << 20)
#define NODE_MAX_DEPTH 64
#define NODE_MAX_NODES (20u << 20)

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };
enum node_style { STYLE_PLAIN, STYLE_SINGLE, STYLE_DOUBLE, STYLE_LITERAL, STYLE_FOLDED };

struct node {
	enum node_kind kind;
	enum node_style style;          /* scalars */
	struct loc loc;                 /* first byte; for a block scalar its "|" or ">" */
	struct str s;                   /* scalar's value */
	struct node_item *items;        /* list and map */
	size_t n;
};

struct node_item {
	struct str key;                 /* maps only */
	struct loc key_loc;
	struct node *value;
};

/* The core schema's reading of a plain scalar; quoted ones are always TYPE_STR. */
enum scalar_type { TYPE_STR, TYPE_NULL, TYPE_BOOL, TYPE_INT, TYPE_FLOAT };
enum scalar_type node_type(const struct node *);
static inline bool node_is_null(const struct node *n) { return n->kind == NODE_SCALAR && node_type(n) == TYPE_NULL; }
bool node_bool(const struct node *, bool *out);         /* false when it is not a boolean */
struct node *node_get(const struct node *map, struct str key);  /* NULL when absent */
const char *node_kind_name(const struct node *);        /* "a list", "a map", "a number", ... */

/* src and its text must live in (or longer than) arena. *out is a null scalar for an empty text. */
int yaml_read(struct arena *, const struct source *src, struct node **out, struct err *);
/* JSON through cJSON: strict, no locations (line 0) but that of a syntax error. Whole numbers from 2^53 on
 * are refused. Lone surrogates U+DC80..DCFF in texts and keys: see json_bytes. */
int json_read(struct arena *, const struct source *src, struct node **out, struct err *);
/* The same for what another program wrote: whole numbers from 2^53 on are taken as they were rounded. */
int json_read_loose(struct arena *, const struct source *src, struct node **out, struct err *);
/* Where byte `at` of a scalar's value stands in the source. */
struct loc node_loc_at(const struct node *, size_t at);
