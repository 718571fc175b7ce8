/* base/path.h */
#include "tap.h"

#include "base/path.h"

static void join(void)
{
	static const struct { const char *base, *rel, *want; } cases[] = {
		{"", "a", "a"}, {"a", "b", "a/b"}, {"a", "", "a"}, {"", "", ""}, {"a", ".", "a"}, {"a/b", "..", "a"},
		{"a", "..", ""}, {"a", "../..", NULL}, {"", "..", NULL}, {"a/b", "../../c", "c"}, {"a", "./b//c/./", "a/b/c"},
		{"a", "b/../../c", "c"}, {"a", "..b", "a/..b"}, {"a", "...", "a/..."}, {"a", "/x//y/../z/", "/x/z"},
		{"a", "/", "/"}, {"a", "/../x", "/x"}, {"a", "**/*.c", "a/**/*.c"}, {"src", "../*.{c,h}", "*.{c,h}"},
		{"", "a/..", ""}, {"abc/def", "../../../x", NULL},
	};
	struct arena a = ARENA_INIT;
	for (size_t i = 0; i < countof(cases); i++) {
		struct str out = {0};
		bool inside = path_join(&a, str_of(cases[i].base), str_of(cases[i].rel), &out);
		ok(inside == (cases[i].want != NULL), "'%s' and '%s' stay within", cases[i].base, cases[i].rel);
		is_str(out, cases[i].want, "join of '%s' and '%s'", cases[i].base, cases[i].rel);
		ok(!out.s || out.s[out.n] == '\0', "ends with a NUL");
	}
	arena_release(&a);
}

static void parts(void)
{
	static const struct { const char *path, *dir, *name, *ext, *stem, *noext; } cases[] = {
		{"a/b.c", "a", "b.c", ".c", "b", "a/b"}, {"b.c", "", "b.c", ".c", "b", "b"},
		{"x/a.tar.gz", "x", "a.tar.gz", ".gz", "a.tar", "x/a.tar"}, {"a/.profile", "a", ".profile", "", ".profile", "a/.profile"},
		{".a.c", "", ".a.c", ".c", ".a", ".a"}, {"a.d/b", "a.d", "b", "", "b", "a.d/b"}, {"a/..x", "a", "..x", "", "..x", "a/..x"},
		{"a.", "", "a.", "", "a.", "a."}, {"", "", "", "", "", ""}, {"/a", "/", "a", "", "a", "/a"}, {"/", "", "", "", "", "/"},
		{"/a/b", "/a", "b", "", "b", "/a/b"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct str path = str_of(cases[i].path);
		is_str(path_dir(path), cases[i].dir, "dir of '%s'", cases[i].path);
		is_str(path_name(path), cases[i].name, "name of '%s'", cases[i].path);
		is_str(path_ext(path), cases[i].ext, "ext of '%s'", cases[i].path);
		is_str(path_stem(path), cases[i].stem, "stem of '%s'", cases[i].path);
		is_str(path_noext(path), cases[i].noext, "'%s' without ext", cases[i].path);
	}
}

int main(void)
{
	join();
	parts();
	ok(path_within(S("a/b"), S("a")) && path_within(S("a"), S("a")) && path_within(S("a"), S("")), "within");
	ok(!path_within(S("ab"), S("a")) && !path_within(S("a"), S("a/b")) && !path_within(S(""), S("a")), "not within");
	ok(path_within(S("/a"), S("/")) && !path_within(S("a"), S("/")), "below the root");
	return done();
}
