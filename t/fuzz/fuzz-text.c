/* YAML (first byte even) and JSON: any text is read or refused with a place; places lie in the text; what was read and
 * is written as JSON is read the same again. */
#include "base/json.h"
#include "base/node.h"

#define DUMP_MAX (1u << 20)

static void place(struct loc loc)
{
	struct str text = loc.src ? loc.src->text : S(""), line;
	uint32_t n = 0;

	if (!loc.line)
		return;
	while (n < loc.line && str_cut(&text, '\n', &line))
		n++;
	/* one behind the end of the text is a place, too */
	if (n + 1 < loc.line || !loc.col || (n == loc.line && loc.col > line.n + 2))
		BUG("a place outside the text: %u:%u", loc.line, loc.col);
}

static void dump(const struct node *n, struct json *j, struct arena *again)
{
	if (j->out->full)
		return;
	if (n->kind == NODE_SCALAR) {
		json_str(j, again ? json_bytes(again, n->s) : n->s);
		return;
	}
	json_open(j, n->kind == NODE_LIST ? '[' : '{');
	for (size_t i = 0; i < n->n; i++) {
		if (n->kind == NODE_MAP)
			json_key_str(j, again ? json_bytes(again, n->items[i].key) : n->items[i].key);
		dump(n->items[i].value, j, again);
	}
	json_close(j, n->kind == NODE_LIST ? ']' : '}');
}

static void look(const struct node *n, size_t *left)
{
	bool truth;

	if (!*left)
		return;
	--*left;
	node_type(n);
	node_bool(n, &truth);
	node_kind_name(n);
	place(n->loc);
	if (n->kind == NODE_SCALAR) {
		place(node_loc_at(n, n->s.n / 2));
		place(node_loc_at(n, n->s.n));
	}
	for (size_t i = 0; i < n->n; i++) {
		if (n->kind == NODE_MAP)
			place(n->items[i].key_loc);
		look(n->items[i].value, left);
	}
}

static void round_trip(struct arena *a, const struct node *root)
{
	CLEANUP_BUF struct buf once = BUF_INIT(DUMP_MAX), twice = BUF_INIT(DUMP_MAX);
	struct source text = {S("again"), S("")};
	struct node *again;

	dump(root, &(struct json){&once, false}, NULL);
	if (once.full)
		return;
	text.text = buf_view(&once);
	if (json_read(a, &text, &again, NULL) < 0)
		BUG("what was written is refused");
	dump(again, &(struct json){&twice, false}, a);
	if (!str_eq(buf_view(&once), buf_view(&twice)))
		BUG("what was written is read as something else");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	CLEANUP_BUF struct buf text = BUF_INIT(DUMP_MAX);
	struct source src = {S("text"), S("")};
	struct node *root;
	size_t left = 200;

	if (!size)
		return 0;
	src.text = (struct str){(const char *)data + 1, size - 1};
	if ((data[0] & 1 ? json_read : yaml_read)(&arena, &src, &root, &err) == 0) {
		look(root, &left);
		round_trip(&arena, root);
	} else if (!err.ndiags) {
		BUG("refused without a place");
	}
	for (size_t i = 0; i < err.ndiags; i++)
		place(err.diags[i].loc);
	err_print(&err, &text, true);
	err_release(&err);
	arena_release(&arena);
	return 0;
}
