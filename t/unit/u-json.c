/* base/json.h and json_read of base/node.h */
#include "tap.h"

#include "base/json.h"
#include "base/node.h"

static void writes(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);
	struct json j = {&b, false};
	json_open(&j, '{');
	json_kstr(&j, "s", S("a\"\\/\n\t\x01\x7f\xc3\xa4\xff\0z"));
	json_kint(&j, "n", INT64_MIN);
	json_kbool(&j, "b", true);
	json_key(&j, "l");
	json_open(&j, '[');
	json_null(&j);
	json_open(&j, '[');
	json_close(&j, ']');
	json_open(&j, '{');
	json_close(&j, '}');
	json_int(&j, 0);
	json_bool(&j, false);
	json_str(&j, S(""));
	json_close(&j, ']');
	json_key_str(&j, S("k\xff"));
	json_null(&j);
	json_close(&j, '}');
	is_str(buf_view(&b),
	       "{\"s\":\"a\\\"\\\\/\\n\\t\\u0001\x7f\xc3\xa4\\udcff\\u0000z\",\"n\":-9223372036854775808,\"b\":true,"
	       "\"l\":[null,[],{},0,false,\"\"],\"k\\udcff\":null}", "canonical text");
}

static struct node *read_text(struct arena *a, struct str text, struct err *err)
{
	struct source *src = arena_new(a, struct source);
	struct node *n = NULL;
	*src = (struct source){S("x.json"), text};
	return json_read(a, src, &n, err) < 0 ? NULL : n;
}

static void reads(void)
{
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	struct node *n = read_text(&a, S(" {\"a\": [1, -2.5, 1e3, 9007199254740991, true, false, null, \"true\"],\n \"\": {}} "), &e);
	if (!ok(n && n->kind == NODE_MAP && n->n == 2, "a map"))
		return;
	static const struct { const char *text; enum scalar_type type; } want[] = {
		{"1", TYPE_INT}, {"-2.5", TYPE_FLOAT}, {"1000", TYPE_INT}, {"9007199254740991", TYPE_INT},
		{"true", TYPE_BOOL}, {"false", TYPE_BOOL}, {"null", TYPE_NULL}, {"true", TYPE_STR},
	};
	struct node *list = node_get(n, S("a"));
	for (size_t i = 0; i < countof(want); i++) {
		is_str(list->items[i].value->s, want[i].text, "text of value %zu", i);
		is_int(node_type(list->items[i].value), want[i].type, "type of value %zu", i);
	}
	ok(node_get(n, S(""))->kind == NODE_MAP, "an empty key");
	n = read_text(&a, S("\"\\u00e4\\ud83d\\ude00\\u0041\\b\\/\\u0000\\udcff\""), &e);
	ok(n && str_eq(json_bytes(&a, n->s), S("\xc3\xa4\xf0\x9f\x98\x80" "A\b/\0\xff")), "escapes");
	ok(!err_any(&e), "without an error");
	arena_release(&a);
}

static void refusals(void)
{
	static const struct { const char *text; uint32_t line, col; } cases[] = {
		{"", 1, 1}, {" ", 1, 0}, {"{", 1, 0}, {"[1,]", 1, 4}, {"{\"a\":1,}", 1, 8}, {"[1] x", 1, 5}, {"[1]\n[2]", 2, 1}, {"nul", 1, 1},
		{"01", 1, 1}, {"1.", 1, 1}, {".5", 1, 1}, {"-", 1, 1}, {"+1", 1, 1}, {"1e", 1, 1}, {"NaN", 1, 1}, {"1-1", 1, 2}, {"'a'", 1, 1},
		{"\"a", 1, 3}, {"\"\\x\"", 1, 2}, {"\"\n\"", 1, 2}, {"\"\xff\"", 1, 2}, {"\"\\ud800\"", 1, 0}, {"\"\\ud800\\u0041\"", 1, 0},
		{"\"\\udc00\"", 1, 0}, {"\"\\u12g4\"", 1, 2}, {"9007199254740992", 0, 0}, {"1e999", 0, 0}, {"{\"a\":1,\"a\":2}", 0, 0},
		{"{\"\\u0061\":1,\"a\":2}", 0, 0}, {"{1:2}", 1, 0}, {"[1 2]", 1, 4}, {"{\"a\" 1}", 1, 6}, {"/* x */ 1", 1, 1}, {"\xef\xbb\xbf" "1", 1, 1},
		{"1111111111111111111111111111111111111111111111111111111111111111111", 1, 1},
		{"[\"\\udc80\\udc80\",\n \"\\udc80\" x]", 2, 11}, {"[\"\\udc80\\udc80\", \"\\udc80\" 1]", 1, 27},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		ok(!read_text(&a, str_of(cases[i].text), &e) && e.ndiags == 1, "no JSON: '%s'", cases[i].text);
		if (e.ndiags && cases[i].line)
			is_int(e.diags[0].loc.line, cases[i].line, "line");
		if (e.ndiags && cases[i].col)
			is_int(e.diags[0].loc.col, cases[i].col, "column in '%s'", cases[i].text);
		err_release(&e);
		arena_release(&a);
	}
}

static void depth(void)
{
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	static char text[200000];
	memset(text, '[', sizeof(text));
	ok(!read_text(&a, (struct str){text, sizeof(text)}, &e) && e.ndiags == 1, "endless brackets");
	memset(text + NODE_MAX_DEPTH, ']', NODE_MAX_DEPTH);
	ok(read_text(&a, (struct str){text, 2 * NODE_MAX_DEPTH}, &e), "the deepest");
	err_release(&e);
	arena_release(&a);
}

/* Whatever bytes a path has, they come back. */
static void round_trips(void)
{
	static const char *const pieces[] = {
		"a", "\xc3\xa4", "\xed\xb2\x80", "\xed\xb0\x80", "\xed", "\xb2", "\x80", "\xff", "\"", "\\", "\\udc80", "\xf4\x8f\xbf\xbf",
		"\xf0\x9f", "\x01", "\n", "\xef\xbf\xbd", "\xed\xa0\x80\xed\xb0\x80", "\xc3",
	};
	unsigned seed = 1;
	int wrong = 0, unread = 0;
	for (int i = 0; i < 20000; i++) {
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		CLEANUP_BUF struct buf bytes = BUF_INIT(BUF_UNLIMITED), text = BUF_INIT(BUF_UNLIMITED);
		for (unsigned n = (unsigned)i % 8; n > 0; n--) {
			seed = seed * 1103515245 + 12345;
			unsigned r = seed >> 16;
			if (r % 3)
				buf_z(&bytes, pieces[r / 3 % countof(pieces)]);
			else
				buf_c(&bytes, (char)(r / 3));
		}
		struct json j = {&text, false};
		json_open(&j, '{');
		json_key_str(&j, buf_view(&bytes));
		json_str(&j, buf_view(&bytes));
		json_close(&j, '}');
		struct node *n = read_text(&a, buf_view(&text), &e);
		if (!n)
			unread++;
		else
			wrong += !str_eq(json_bytes(&a, n->items[0].key), buf_view(&bytes)) ||
				 !str_eq(json_bytes(&a, n->items[0].value->s), buf_view(&bytes));
		err_release(&e);
		arena_release(&a);
	}
	is_int(unread, 0, "what is written can be read");
	is_int(wrong, 0, "and is what it was");
}

int main(void)
{
	writes();
	reads();
	refusals();
	depth();
	round_trips();
	return done();
}
