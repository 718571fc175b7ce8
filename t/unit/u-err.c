/* base/err.h, base/utf8.h */
#include "tap.h"

#include <errno.h>

#include "base/err.h"
#include "base/utf8.h"

static struct str printed(const struct err *e, bool color)
{
	static struct buf out = BUF_INIT(BUF_UNLIMITED);
	buf_clear(&out);
	err_print(e, &out, color);
	return buf_view(&out);
}

static void kinds(void)
{
	static const struct { enum err_kind kind; int status; } cases[] = {
		{ERR_NONE, 0}, {ERR_USAGE, 2}, {ERR_SPEC, 2}, {ERR_SYSTEM, 3}, {ERR_RUNTIME, 3}, {ERR_STALE, 4},
	};
	for (size_t i = 0; i < countof(cases); i++)
		is_int(err_exit_status(&(struct err){.kind = cases[i].kind}), cases[i].status, "status of kind %d", (int)cases[i].kind);
}

static void texts(void)
{
	struct err e = ERR_INIT;
	ok(!err_any(&e), "nothing is wrong at first");
	is_str(printed(&e, false), "", "and nothing is printed");
	errno = ENOENT;
	is_int(err_errno(&e, "unable to open %s", "x"), -1, "an error is -1");
	is_int(err_wrap(&e, "step %d", 5), -1, "also with context");
	is_str(printed(&e, true), "cairn: step 5: unable to open x: No such file or directory\n", "text, context first");
	ok(err_any(&e) && e.kind == ERR_SYSTEM, "errno's errors are the system's");
	err_set(&e, ERR_USAGE, "other\033[1m%s", "\n\tline");
	is_str(printed(&e, false), "cairn: other?[1m\n\tline\n", "the last text stays; controls are not printed");
	err_release(&e);
	ok(!err_any(&e) && !e.text, "a released err is as new");
	err_wrap(&e, "x");
	ok(!err_any(&e), "context alone is no error");
	is_int(err_set(NULL, ERR_USAGE, "x") + err_errno(NULL, "x") + err_wrap(NULL, "x") + err_at(NULL, (struct loc){0}, NULL, "x"), -4,
	       "nobody need listen");
}

static void diags(void)
{
	struct source src = {S("dir/c.yaml"), S("one: 1\r\n\ttwo:\t\xc3\xa4 \x01\xff x\n\nlast")};
	static const struct { uint32_t line, col; const char *hint, *want; } cases[] = {
		{1, 1, NULL, "dir/c.yaml:1:1: error: bad\n  one: 1\n  ^\n"},
		{1, 6, "do it", "dir/c.yaml:1:6: error: bad\n  one: 1\n       ^\n  hint: do it\n"},
		{2, 10, NULL, "dir/c.yaml:2:10: error: bad\n  \ttwo:\t\xc3\xa4 ?? x\n  \t    \t  ^\n"},
		{3, 1, NULL, "dir/c.yaml:3:1: error: bad\n"},
		{4, 99, NULL, "dir/c.yaml:4:99: error: bad\n  last\n      ^\n"},
		{5, 1, NULL, "dir/c.yaml:5:1: error: bad\n"},
		{1, 0, NULL, "dir/c.yaml:1: error: bad\n  one: 1\n"},
		{0, 0, "h", "dir/c.yaml: error: bad\n  hint: h\n"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct err e = ERR_INIT;
		err_at(&e, (struct loc){&src, cases[i].line, cases[i].col}, cases[i].hint, "bad");
		is_str(printed(&e, false), cases[i].want, "at %u:%u", cases[i].line, cases[i].col);
		is_int(e.kind, ERR_SPEC, "a located mistake is the spec's");
		err_release(&e);
	}
	struct err e = ERR_INIT;
	err_at(&e, (struct loc){0}, NULL, "nowhere");
	is_str(printed(&e, false), "cairn: error: nowhere\n", "without a place");
	err_at(&e, (struct loc){&src, 1, 6}, NULL, "bad");
	err_wrap(&e, "unseen");
	is_str(printed(&e, true),
	       "cairn: \033[1;31merror\033[0m: nowhere\n"
	       "dir/c.yaml:1:6: \033[1;31merror\033[0m: bad\n  one: 1\n       \033[1;32m^\033[0m\n", "in color");
	err_release(&e);
}

/* The caret stands under its character however long the line is. */
static void long_lines(void)
{
	struct arena a = ARENA_INIT;
	CLEANUP_BUF struct buf line = BUF_INIT(BUF_UNLIMITED);
	bool aligned = true, bounded = true;
	for (int i = 0; i < 300; i++)
		buf_fmt(&line, "%c", 'a' + i % 26);
	buf_z(&line, "\nx");
	struct source src = {S("f"), buf_view(&line)};
	for (uint32_t col = 1; col <= 300; col++) {
		struct err e = ERR_INIT;
		err_at(&e, (struct loc){&src, 1, col}, NULL, "bad");
		struct str head, shown, caret, rest = printed(&e, false);
		str_cut(&rest, '\n', &head);
		str_cut(&rest, '\n', &shown);
		str_cut(&rest, '\n', &caret);
		aligned &= str_ends(caret, S(" ^")) && shown.s[caret.n - 1] == 'a' + (int)(col - 1) % 26;
		bounded &= shown.n <= 110;
		err_release(&e);
	}
	ok(aligned, "the caret points at the column");
	ok(bounded, "a long line is cut");
	arena_release(&a);
}

static void many(void)
{
	struct source src = {S("f"), S("a")};
	struct err e = ERR_INIT, from = ERR_INIT;
	for (int i = 0; i < ERR_MAX_DIAGS - 1; i++)
		err_at(&e, (struct loc){&src, 1, 1}, "hint", "bad %d", i);
	for (int i = 0; i < 3; i++)
		err_at(&from, (struct loc){&src, 1, 1}, "hint", "moved %d", i);
	err_set(&from, ERR_SYSTEM, "text");
	err_move(&e, &from);
	ok(!err_any(&from) && !from.ndiags && !from.text, "nothing is left of what was moved");
	is_int(e.ndiags, ERR_MAX_DIAGS, "so many are kept");
	is_int(e.nmore, 2, "others are counted");
	is_str(str_of(e.text), "text", "the text moved");
	ok(str_ends(printed(&e, false), S("cairn: 2 more mistakes\n")), "and the count is printed");
	err_move(NULL, &e);
	ok(!err_any(&e), "moved to nowhere");
	err_move(&from, &e);
	ok(!err_any(&from), "nothing moved");
}

static void utf8(void)
{
	static const struct { const char *s; size_t len; } cases[] = {
		{"a", 1}, {"\xc3\xa4", 2}, {"\xe2\x82\xac", 3}, {"\xf0\x9f\x98\x80", 4}, {"\xc3", 0}, {"\x80", 0}, {"\xc0\x80", 0},
		{"\xc1\xbf", 0}, {"\xe0\x80\x80", 0}, {"\xed\xa0\x80", 0}, {"\xed\x9f\xbf", 3}, {"\xee\x80\x80", 3}, {"\xf4\x8f\xbf\xbf", 4},
		{"\xf4\x90\x80\x80", 0}, {"\xf0\x80\x80\x80", 0}, {"\xf8\x88\x80\x80", 0}, {"\xff", 0}, {"\xe2\x82", 0}, {"\xe2\x82x", 0},
	};
	for (size_t i = 0; i < countof(cases); i++)
		is_int(utf8_len(cases[i].s, strlen(cases[i].s)), cases[i].len, "length of case %zu", i);
	bool same = true;
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		char bytes[4];
		size_t len = utf8_put(code, bytes);
		if (code < 0xd800 || code > 0xdfff)
			same &= utf8_len(bytes, len) == len && utf8_value(bytes, len) == code;
		else
			same &= utf8_len(bytes, len) == 0;
	}
	ok(same, "every code point is written and read; surrogates are none");
}

int main(void)
{
	kinds();
	texts();
	diags();
	long_lines();
	many();
	utf8();
	return done();
}
