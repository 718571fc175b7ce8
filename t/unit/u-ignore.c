/* t/2010-ignore.t compares many more rules with git. */
#include "resolve/ignore.h"
#include "tap.h"

static struct arena arena;

static const struct { const char *rules, *path; bool dir, ignored; } cases[] = {
	{"", "a", false, false},
	{"a", "a", false, true},
	{"a", "b/a", false, true},
	{"a", "ab", false, false},
	{"/a", "b/a", false, false},
	{"/a", "a", true, true},
	{"a/", "a", false, false},
	{"a/", "a", true, true},
	{"a/", "b/a", true, true},
	{"b/a", "b/a", false, true},
	{"b/a", "c/b/a", false, false},
	{"*.o", "x/y.o", false, true},
	{"*.o\n!y.o", "x/y.o", false, false},
	{"!y.o\n*.o", "x/y.o", false, true},
	{"# a\n", "# a", false, false},
	{"\\#a", "#a", false, true},
	{"\\!a", "!a", false, true},
	{"a  ", "a", false, true},
	{"a\\ ", "a ", false, true},
	{"a\t", "a", false, false},
	{"a\r\nb", "a", false, true},
	{"\xef\xbb\xbf""a", "a", false, true},
	{"**/a", "a", false, true},
	{"**/a", "x/y/a", false, true},
	{"a/**", "a", true, false},
	{"a/**", "a/b/c", false, true},
	{"a/**/b", "a/b", false, true},
	{"a/**/b", "a/x/y/b", false, true},
	{"a/**/b", "ab", false, false},
	{"a/*/b", "a/x/b", false, true},
	{"a/*/b", "a/x/y/b", false, false},
	{"a**b/c", "axxb/c", false, true},
	{"a**b/c", "ax/xb/c", false, false},
	{"f[a-c]x", "fbx", false, true},
	{"f[!a-c]x", "fbx", false, false},
	{"f[^a-c]x", "fdx", false, true},
	{"f[]]x", "f]x", false, true},
	{"f[\\]]x", "f]x", false, true},
	{"[[:digit:]]", "7", false, true},
	{"[[:digit:]]", "x", false, false},
	{"[[:nothing:]]", ":", false, false},
	{"[a", "[a", false, false},
	{"a\\", "a\\", false, false},
	{"a\\\\", "a\\", false, true},
	{"a?c", "a/c", false, false},
	{"*", ".hidden", false, true},
	{"{a,b}", "a", false, false},
	{"!", "!", false, false},
	{"/", "a", true, false},
};

static void one_file(void)
{
	for (size_t i = 0; i < countof(cases); i++) {
		struct ignore *ig = ignore_new(&arena, NULL, S(""), str_of(cases[i].rules));

		ok(ignore_match(ig, str_of(cases[i].path), cases[i].dir) == cases[i].ignored, "case %zu: %s is %signored", i,
		   cases[i].path, cases[i].ignored ? "" : "not ");
	}
}

static void several_files(void)
{
	struct ignore *top = ignore_new(&arena, NULL, S(""), S("*.o\n/gen/x"));
	struct ignore *sub = ignore_new(&arena, top, S("sub"), S("!keep.o\n/gen/x\n"));
	struct ignore *deep = ignore_new(&arena, sub, S("sub/deep"), S(""));

	ok(ignore_match(sub, S("sub/a.o"), false), "rules of the folder above hold");
	ok(!ignore_match(sub, S("sub/keep.o"), false), "unless its own say otherwise");
	ok(!ignore_match(deep, S("sub/deep/keep.o"), false), "also further below");
	ok(ignore_match(sub, S("sub/gen/x"), false), "a rule with a slash belongs to its folder");
	ok(ignore_match(deep, S("sub/gen/x"), false), "and holds from below too");
	ok(!ignore_match(deep, S("sub/deep/gen/x"), false), "and not to another");
}

static void hostile(void)
{
	char path[4001];
	struct ignore *ig;

	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = i % 2 ? '/' : 'a';
	ig = ignore_new(&arena, NULL, S(""), S("**/*a*/**/*a*/**/*a*/**/*a*/**/*a*a*a*a*b\n*a*a*a*a*a*a*a*a*a*a*b/x"));
	for (int i = 0; i < 200; i++)
		ignore_match(ig, (struct str){path, sizeof(path)}, false);
	ok(true, "hostile patterns are answered in time");
}

int main(void)
{
	one_file();
	several_files();
	hostile();
	arena_release(&arena);
	return done();
}
