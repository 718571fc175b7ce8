/* yaml_read and the rest of base/node.h */
#include "tap.h"

#include "base/json.h"
#include "base/node.h"

static struct node *read_text(struct arena *a, struct str text, struct err *err)
{
	struct source *src = arena_new(a, struct source);
	struct node *n = NULL;
	*src = (struct source){S("x.yaml"), text};
	return yaml_read(a, src, &n, err) < 0 ? NULL : n;
}

/* JSON, in which scalars of a type say so: int:1. */
static void dump(const struct node *n, struct json *j, struct arena *a)
{
	static const char *const types[] = {"", "null:", "bool:", "int:", "float:"};
	if (n->kind == NODE_SCALAR) {
		json_str(j, str_fmt(a, "%s" STR_FMT, types[node_type(n)], STR_ARG(n->s)));
		return;
	}
	json_open(j, n->kind == NODE_LIST ? '[' : '{');
	for (size_t i = 0; i < n->n; i++) {
		if (n->kind == NODE_MAP)
			json_key_str(j, n->items[i].key);
		dump(n->items[i].value, j, a);
	}
	json_close(j, n->kind == NODE_LIST ? ']' : '}');
}

static void trees(void)
{
	static const struct { const char *yaml, *want; } cases[] = {
		{"", "\"null:\""}, {"# only a comment\n", "\"null:\""}, {"---\n...\n", "\"null:\""}, {"\xef\xbb\xbf" "a: b\r\n", "{\"a\":\"b\"}"},
		{"a: 1\nb: [x, 'y', \"z\", ~]\n", "{\"a\":\"int:1\",\"b\":[\"x\",\"y\",\"z\",\"null:~\"]}"},
		{"{\"a\": [1, true], \"b\":{}}", "{\"a\":[\"int:1\",\"bool:true\"],\"b\":{}}"},
		{"a:\n- b\n- c: d\n  e:\n", "{\"a\":[\"b\",{\"c\":\"d\",\"e\":\"null:\"}]}"},
		{"a: |\n  x\n   y\n\n", "{\"a\":\"x\\n y\\n\"}"}, {"a: >-\n  x\n  y\n", "{\"a\":\"x y\"}"},
		{"a: !!str 1\nb: ! 2\nc: !!int \"3\"\nd: !!seq []\ne: !!float 4", "{\"a\":\"1\",\"b\":\"2\",\"c\":\"int:3\",\"d\":[],\"e\":\"int:4\"}"},
		{"a: &x [1]\nb: *x\nc: [*x, *x]\n", "{\"a\":[\"int:1\"],\"b\":[\"int:1\"],\"c\":[[\"int:1\"],[\"int:1\"]]}"},
		{"a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":\"int:1\",\"b\":\"int:2\",\"c\":\"int:2\"}"},
		{"&k a: 1\nb: *k\n*k : 3\n", NULL}, {"&k a: 1\nb: {*k : 3}\n", "{\"a\":\"int:1\",\"b\":{\"a\":\"int:3\"}}"},
		{"x: &x {a: 1, b: 2}\ny:\n  b: 3\n  <<: *x\n  c: 4\n",
		 "{\"x\":{\"a\":\"int:1\",\"b\":\"int:2\"},\"y\":{\"b\":\"int:3\",\"a\":\"int:1\",\"c\":\"int:4\"}}"},
		{"- &x {a: 1}\n- &y {a: 2, b: 2}\n- {<<: [*x, *y], c: 3}\n- {'<<': 5}",
		 "[{\"a\":\"int:1\"},{\"a\":\"int:2\",\"b\":\"int:2\"},{\"a\":\"int:1\",\"b\":\"int:2\",\"c\":\"int:3\"},{\"<<\":\"int:5\"}]"},
		{"- {<<: {a: 1, b: 2}, b: 0, c: 0}\n- {<<: []}", "[{\"a\":\"int:1\",\"b\":\"int:0\",\"c\":\"int:0\"},{}]"},
		{"%YAML 1.2\n---\na: 1\n", "{\"a\":\"int:1\"}"}, {"? a\n? b\n", "{\"a\":\"null:\",\"b\":\"null:\"}"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		CLEANUP_BUF struct buf out = BUF_INIT(BUF_UNLIMITED);
		struct node *n = read_text(&a, str_of(cases[i].yaml), &e);
		if (n)
			dump(n, &(struct json){&out, false}, &a);
		is_str(n ? buf_view(&out) : (struct str){0}, cases[i].want, "tree of %zu: %.20s", i, cases[i].yaml);
		if (!n && cases[i].want)
			err_print(&e, &out, false), printf("# %s\n", out.s);
		err_release(&e);
		arena_release(&a);
	}
}

static void types(void)
{
	static const struct { const char *words; enum scalar_type type; } cases[] = {
		{"null Null NULL ~", TYPE_NULL}, {"true True TRUE false False FALSE", TYPE_BOOL},
		{"0 1 -1 +1 007 12345678901234567890 0x1f 0xAF 0o17", TYPE_INT},
		{"1.0 1. .5 -.5 +1.5e3 1e3 1E-3 .inf -.INF +.Inf .nan .NaN", TYPE_FLOAT},
		{"yes no on off y n nUll tRue 1_000 0x 0o8 0xg -0x1 1e 1e+ . -. + - e1 1.2.3 1:30 +.nan inf nan .e1 0b1", TYPE_STR},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct str word, rest = str_of(cases[i].words);
		while (str_cut(&rest, ' ', &word)) {
			struct node n = {.kind = NODE_SCALAR, .style = STYLE_PLAIN, .s = word};
			is_int(node_type(&n), cases[i].type, "type of " STR_FMT, STR_ARG(word));
			n.style = STYLE_DOUBLE;
			ok(node_type(&n) == TYPE_STR, "in quotes it is a text");
		}
	}
	struct node n = {.s = S("")};
	bool b = true;
	ok(node_is_null(&n) && !node_bool(&n, &b), "nothing is null");
	n.s = S("FALSE");
	ok(node_bool(&n, &b) && !b, "false");
	is_str(str_of(node_kind_name(&n)), "a boolean", "its name");
	is_str(str_of(node_kind_name(&(struct node){.kind = NODE_LIST})), "a list", "a list's name");
}

static void refusals(void)
{
	static const struct { const char *yaml; uint32_t line, col; const char *text; } cases[] = {
		{"a: 1\n\tb: 2\n", 2, 1, "a tab is not allowed as indentation"}, {"a:\n  b: 1\n \tc: 1\n", 3, 2, "a tab is not allowed as indentation"},
		{"a: |\n\tx\n", 2, 1, "a tab is not allowed as indentation"},
		{"a: b: c\n", 1, 5, "':' is not allowed here"}, {"\xc3\xa4\xc3\xa4: b: c\n", 1, 8, "':' is not allowed here"},
		{"a: 1\nfoo\nb: 2\n", 2, 1, "this line has no ':'"}, {"a: \"x\n", 1, 4, "the quote that opens here is never closed"},
		{"a: [1, 2\n", 2, 1, NULL}, {"a: {b: 1\n", 2, 1, NULL}, {"a: [*.c]\n", 1, 5, NULL}, {"a: @x\n", 1, 4, "a text can't begin with '@'"},
		{"a: \"\\q\"\n", 1, 5, NULL}, {"a: 1\n---\nb: 2\n", 2, 1, "a second document begins here"}, {"a: ]\n", 1, 4, NULL},
		{"a: !x/** b\n", 1, 4, "the tag '!x/**' is unknown"}, {"a: !!set {}\n", 1, 4, "the tag '!!set' is unknown"},
		{"a: !!int x\n", 1, 10, "this is a text, not what its tag !!int says"}, {"a: !!str []\n", 1, 4, NULL}, {"a: !!map x\n", 1, 4, NULL},
		{"a: *none\n", 1, 4, "there is no anchor '&none' before this alias"}, {"a: &x [*x]\n", 1, 8, NULL},
		{"a: 1\nb: 2\na: 3\n", 3, 1, "the key 'a' stands here a second time; the first is at line 1, column 1"},
		{"{a: 1, 'a': 2}\n", 1, 8, NULL}, {"<<: {a: 1}\n<<: {b: 1}\n", 2, 1, NULL}, {"<<: 5\n", 1, 1, NULL}, {"<<: [{a: 1}, 5]\n", 1, 1, NULL},
		{"? [a]\n: 1\n", 1, 3, "a key is a text, this is a list"}, {"{a: b}: c\n", 1, 1, NULL}, {"${{ x }}: 1\nb: [${{ x }}]", 2, 6, NULL},
		{"a: \xff\n", 1, 4, "byte 0xff is no UTF-8 here"}, {"a: \xed\xa0\x80\n", 1, 4, NULL}, {"a: 1\nb: \x01\n", 2, 4, NULL},
		{"a: \xef\xbb\xbf\n", 1, 4, NULL}, {"- a\nb: 1\n", 2, 1, NULL}, {"a: 'x' y\n", 1, 8, NULL}, {"a: - b\n", 1, 4, NULL},
		{"%FOO\n---\na", 1, 5, NULL}, {"a: %x\n", 1, 4, "a text can't begin with '%'"}, {"%YAML 3.0\n---\na", 1, 1, NULL},
		{"\xef\xbb\xbf" "a: b: c\n", 1, 8, NULL},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		if (ok(!read_text(&a, str_of(cases[i].yaml), &e) && e.ndiags == 1, "refused: %.30s", cases[i].yaml)) {
			is_int(e.diags[0].loc.line, cases[i].line, "line: %s", e.diags[0].text);
			is_int(e.diags[0].loc.col, cases[i].col, "column");
			if (cases[i].text)
				is_str(str_of(e.diags[0].text), cases[i].text, "text");
		}
		err_release(&e);
		arena_release(&a);
	}
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	ok(!read_text(&a, S("a: x\0y\n"), &e) && e.ndiags == 1 && e.diags[0].loc.col == 5, "a NUL");
	err_release(&e);
	ok(!read_text(&a, S("a: 1\na: 2\nb: 1\nb: 2\nc: !x y\n"), &e) && e.ndiags == 3, "several mistakes in one run");
	err_release(&e);
	arena_release(&a);
}

static void limits(void)
{
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	CLEANUP_BUF struct buf bomb = BUF_INIT(BUF_UNLIMITED), deep = BUF_INIT(BUF_UNLIMITED), chain = BUF_INIT(BUF_UNLIMITED);
	buf_z(&bomb, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 12; i++) {
		buf_fmt(&bomb, "a%d: &a%d [", i, i);
		for (int k = 0; k < 10; k++)
			buf_fmt(&bomb, "*a%d%s", i - 1, k < 9 ? ", " : "]\n");
	}
	ok(!read_text(&a, buf_view(&bomb), &e) && e.ndiags == 1, "aliases that multiply are refused");
	ok(e.ndiags && e.diags[0].loc.line == 8, "where they pass the limit");
	err_release(&e);

	buf_z(&chain, "- &a0 [x]\n");
	for (int i = 1; i < 100; i++)
		buf_fmt(&chain, "- &a%d [*a%d]\n", i, i - 1);
	ok(!read_text(&a, buf_view(&chain), &e) && e.ndiags == 1, "aliases that nest too deep are refused");
	err_release(&e);

	for (int i = 0; i < 100000; i++)
		buf_c(&deep, '[');
	ok(!read_text(&a, buf_view(&deep), &e) && e.ndiags == 1, "endless brackets");
	err_release(&e);
	buf_clear(&deep);
	for (int i = 1; i < NODE_MAX_DEPTH; i++)
		buf_c(&deep, '[');
	buf_c(&deep, 'x');
	for (int i = 1; i < NODE_MAX_DEPTH; i++)
		buf_c(&deep, ']');
	ok(read_text(&a, buf_view(&deep), &e), "the deepest");
	err_release(&e);
	arena_release(&a);
}

static void locations(void)
{
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	struct node *n = read_text(&a, S("\xc3\xa4: x\nb: &x !!str\n  y\nc:\n  - {d: 'e'}\nf: &y\n  g: 1\nh:\n"), &e);
	static const struct { const char *key; uint32_t key_col, line, col; } want[] = {
		{"\xc3\xa4", 1, 1, 5}, {"b", 1, 3, 3}, {"c", 1, 5, 3}, {"f", 1, 7, 3}, {"h", 1, 8, 3},
	};
	for (size_t i = 0; n && i < n->n; i++) {
		is_str(n->items[i].key, want[i].key, "key");
		is_int(n->items[i].key_loc.col, want[i].key_col, "its column");
		is_int(n->items[i].value->loc.line, want[i].line, "line of its value");
		is_int(n->items[i].value->loc.col, want[i].col, "column of its value");
	}
	ok(n && n->n == 5, "all were there");
	struct node *d = n ? n->items[2].value->items[0].value : NULL;
	ok(d && d->loc.col == 5 && d->items[0].key_loc.col == 6 && d->items[0].value->loc.col == 9, "places in a flow map");
	ok(n && !node_get(n, S("zz")) && node_get(n, S("b")) == n->items[1].value, "get");
	err_release(&e);
	arena_release(&a);
}

/* Every "$" of a value stands at a "$" of the source: the k-th at the k-th. */
static void places_within(void)
{
	static const char *const cases[] = {
		"a: $x $y\n", "a: '$x it''s $y'\n", "a: \"$x\\\"$y\\\\$z\"\n", "a: |\n  $x\n   $y z $q\n\n  $r\n", "a: |2-\n    $x\n  $y",
		"a: $x\n  $y\n\n  $z $q\n", "a: '$x\n  $y\n\n\n  $z'\n", "a: |\r\n  $x\r\n  $y\r\n", "a: \xc3\xa4 $x \xc3\xa4$y\n", "a: [$x, b]\n",
		"a: |+\n  $a\n\n\n  $b\n\n", "k: &a !!str '$x'\n", "a: |\n\n  $x\n", "- |\n $x\n - $y\n",
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		struct str text = str_of(cases[i]);
		struct node *n = read_text(&a, text, &e);
		ok(n && !e.ndiags, "read: %s", cases[i]);
		n = n ? n->items[0].value : NULL;
		if (n && n->kind == NODE_LIST)
			n = n->items[0].value;
		size_t from = 0;
		for (size_t at = 0; n && at < n->s.n; at++) {
			if (n->s.s[at] != '$')
				continue;
			from += (size_t)str_chr(str_from(text, from), '$');
			struct loc got = node_loc_at(n, at), want = {n->loc.src, 1, 1};
			for (size_t k = 0; k < from; k++) {
				want.col++;
				if (text.s[k] == '\n') {
					want.line++;
					want.col = 1;
				}
			}
			ok(got.line == want.line && got.col == want.col, "offset %zu is at %u:%u (%u:%u)", at, want.line, want.col,
			   got.line, got.col);
			from++;
		}
		err_release(&e);
		arena_release(&a);
	}
}

/* Whatever was written, an offset of it is somewhere in the file. */
static void places_stay_inside(void)
{
	static const char *const cases[] = {
		"a: \"x\\u00e4\\x41\\\n  y\"\n", "a: >\n  x\n  y\n", "a: >-\n\n  x\n", "a: ''\n", "a:", "a: |\n", "a: \"\"", "a: !!int '5'\n", "a: !!str x",
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		struct node *n = read_text(&a, str_of(cases[i]), &e), *value = n ? n->items[0].value : NULL;
		bool inside = value;
		for (size_t at = 0; value && at < value->s.n + 3; at++) {
			struct loc loc = node_loc_at(value, at);
			struct str line, rest = str_of(cases[i]);
			for (uint32_t k = 0; k < loc.line; k++)
				if (!str_cut(&rest, '\n', &line))
					line = S("");
			inside &= loc.line >= 1 && loc.col >= 1 && loc.col <= line.n + 1;
		}
		ok(inside, "%s", cases[i]);
		err_release(&e);
		arena_release(&a);
	}
	struct node synthetic = {.s = S("abc")};
	ok(!node_loc_at(&synthetic, 2).src, "a node from nowhere stays there");
}

int main(void)
{
	trees();
	types();
	refusals();
	limits();
	locations();
	places_within();
	places_stay_inside();
	return done();
}
