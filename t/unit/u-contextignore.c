/* Ignore files of container builds. The first table holds what Docker documents and what its matcher (moby/patternmatcher) is
 * tested for; t/2040-context.t compares with the engines themselves. */
#include "resolve/contextignore.h"
#include "resolve/contextwild.h"
#include "tap.h"

static struct arena arena;

static const struct { const char *rules, *path; bool out; } cases[] = {
	{"", "a", false},
	{"*", "a", true},
	{"*.go", "a.go", true},
	{"!a.go\n*.go", "a.go", true},
	{"*.go\n!a.go", "a.go", false},
	{"docs\n!docs/README.md", "docs/README.md", false},
	{"docs/\n!docs/README.md", "docs/README.md", false},
	{"docs/*\n!docs/README.md", "docs/README.md", false},
	{"docs\n!docs/README.md", "docs/other.md", true},
	/* Docker's page: comments and blank lines, anchoring, * within a name, ? */
	{"# comment\n*/temp*", "somedir/temporary.txt", true},
	{"*/temp*", "somedir/temp/x", true},
	{"*/temp*", "temp", false},
	{"*/*/temp*", "somedir/subdir/temporary.txt", true},
	{"temp?", "tempa", true},
	{"temp?", "temp", false},
	{"**/*.go", "a.go", true},
	{"**/*.go", "x/y/a.go", true},
	{"*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true},
	{"*.md\n!README*.md\nREADME-secret.md", "README.md", false},
	{"*.md\nREADME-secret.md\n!README*.md", "README-secret.md", false},
	{"foo", "bar/foo", false},
	{"/foo", "foo", true},
	{"/foo", "bar/foo", false},
	{"foo/bar", "foo/bar/baz", true},
	{" # no comment", "# no comment", true},
	{"#a", "#a", false},
	{"  a\t\r\n", "a", true},
	{"! a\na", "a", true},
	{"a\n! a", "a", false},
	{"a\n  !  a  ", "a", false},
	{"\xef\xbb\xbf# a\nb", "# a", false},
	{"\xef\xbb\xbf""a", "a", true},
	{"./a//b/../c/", "a/c", true},
	{"a/../../b", "b", false},
	{"/../b", "b", true},
	{".", "a", false},
	{"/", "a", false},
	{"*\n./!a", "a", false},
	{"*\n/!a", "a", false},
	{"!!a\n*", "!a", true},
	{"*\n!!a", "!a", false},
	/* the matcher's own cases */
	{"**", "file", true},
	{"**/", "dir/file", true},
	{"**/**", "dir/file", true},
	{"dir/**", "dir/dir2/file", true},
	{"dir/**", "dir", false},
	{"**/dir", "dir/file", true},
	{"**/dir2/*", "dir/dir2/file", true},
	{"**/dir2/**", "dir/dir2/dir3/file", true},
	{"**file", "dir/dir/file", true},
	{"**/file*txt", "dir/dir/file.txt", true},
	{"**/file*.txt*", "dir/dir/file.txt", true},
	{"**/**/*.txt", "file.txt", true},
	{"**/**/*.txt2", "dir/dir/file.txt", false},
	{"a**/*.txt", "a/dir/dir/file.txt", true},
	{"a/*.txt", "a/dir/file.txt", false},
	{"a/*.txt**", "a/file.txt", true},
	{"a[b-d]e", "ace", true},
	{"a[b-d]e", "aae", false},
	{"a[^b-d]e", "aze", true},
	{".*", ".foo", true},
	{".*", "foo", false},
	{"abc.def", "abcZdef", false},
	{"**/foo/bar", "dir/dir2/foo/bar", true},
	{"**/.foo", "bar.foo", false},
	{"a(b)c/def", "a(b)c/def", true},
	{"a.|)$(}+{bc", "a.|)$(}+{bc", true},
	{"a.|)$(}+{b*", "a.|)$(}+{bc", true},
	{"**\n!util/docker/web", "util/docker/web/foo", false},
	{"**\n!util/docker/web\nutil/docker/web/foo", "util/docker/web/foo", true},
	{"**\n!dist/*.whl", "dist/proxy-2.4.0+g0.whl", false},
	{"a\\\\", "a\\", true},
	{"a\\*b", "a*b", true},
	{"a\\*b", "ab", false},
	{"a?b", "a\xe2\x98\xba""b", true},
	{"a[^a]b", "a\xe2\x98\xba""b", true},
	{"a??\?b", "a\xe2\x98\xba""b", false},
	{"[a-\xce\xb6]*", "\xce\xb1", true},
	{"*[a-\xce\xb6]", "A", false},
	{"a?b", "a/b", false},
	{"a*b*c*d*e*/f", "axbxcxdxexxx/f", true},
	{"a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false},
	{"[\\]a]", "]", true},
	{"[x\\-]", "-", true},
	{"[\\-x]", "a", false},
	{"a]*", "a]x", true},
	{"a^", "a^", true},
	{"a\\^*", "a^x", true},
	/* odd corners */
	{"a**b", "axb", false},
	{"a**b", "ab", true},
	{"a**b", "ax/b", true},
	{"**b", "xb", true},
	{"**b*", "xb", false},
	{"a**", "ab/c", true},
	{"a[^x]b", "a/b", true},
	{"**/*", "a\nb/c", true},
	{"x/**/c", "x/a\nb/c", false},
	{"a*", "a\xff", true},
	{"a?", "a\xff", true},
};

static const struct contextignore *rules_of(const char *text)
{
	struct source *src = arena_new(&arena, struct source);
	const struct contextignore *ig;
	struct err err = ERR_INIT;

	*src = (struct source){S(".dockerignore"), str_of(text)};
	if (contextignore_read(&arena, src, &ig, &err) < 0)
		ig = NULL;
	err_release(&err);
	return ig;
}

static void one_path(void)
{
	for (size_t i = 0; i < countof(cases); i++) {
		const struct contextignore *ig = rules_of(cases[i].rules);

		ok(ig && contextignore_match(ig, str_of(cases[i].path)) == cases[i].out, "case %zu: %s is %s", i, cases[i].path,
		   cases[i].out ? "left out" : "kept");
	}
}

static void malformed(void)
{
	static const char *const bad[] = {
		"!", "! ", "!/", "[", "[^", "[^bc", "a[", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[b-a]", "a\\", "[a\\",
		"\\d*", "[\\w]", "\\\xc3\xa9", "[*]", "[a?]", "[[:alpha:]]", "^a*", "[]",
	};
	struct source src = {S("x/.dockerignore"), S("a\n# [\n\n[b\n!\nc")};
	CLEANUP_BUF struct buf text = BUF_INIT(BUF_UNLIMITED);
	const struct contextignore *ig;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < countof(bad); i++)
		ok(!rules_of(bad[i]), "refused: %s", bad[i]);
	ok(contextignore_read(&arena, &src, &ig, &err) < 0 && err.ndiags == 2, "every bad line is named");
	err_print(&err, &text, false);
	ok(str_find(buf_view(&text), S("x/.dockerignore:4:1: error: unable to read the pattern [b: ")) >= 0 &&
	   str_find(buf_view(&text), S("x/.dockerignore:5:1: ")) >= 0, "with its place");
	err_release(&err);
}

static void entering(void)
{
	static const struct { const char *rules, *dir; bool enter; } dirs[] = {
		{"*", "a", false},
		{"*\n!a/b", "a", true},
		{"*\n!a/b", "b", false},
		{"*\n!a/b", "ab", false},
		{"*\n!a/b/c", "a/b", true},
		{"*\n!a", "a", false},
		{"*\n!a/*", "a", true},
		{"*\n!a/*/x", "a/b", true},
		{"*\n!a/*/x", "a/b/c", false},
		{"*\n!*.go", "a", false},
		{"*\n!**/*.go", "a/b/c", true},
		{"*\n!a/**", "a/b", true},
		{"*\n!a/**", "b", false},
		{"*\n!**x", "a", true},
		{"*\n!a/[b-c]/d", "a/b", true},
		{"*\n!a/[b-c]/d", "a/d", false},
	};

	for (size_t i = 0; i < countof(dirs); i++)
		ok(contextignore_may_enter(rules_of(dirs[i].rules), str_of(dirs[i].dir)) == dirs[i].enter, "entering, case %zu: %s", i,
		   dirs[i].dir);
}

static void choosing(void)
{
	struct source a = {S("a"), S("x")}, b = {S("b"), S("x")}, c = {S("c"), S("y")};
	struct str names[CONTEXTIGNORE_NAMES];
	const struct source *out;
	struct err err = ERR_INIT;

	contextignore_names(&arena, S("docker/Containerfile"), S("app"), names);
	is_str(names[0], "docker/Containerfile.dockerignore", "first the one beside the Containerfile");
	is_str(names[1], "docker/Containerfile.containerignore", "under both names");
	is_str(names[2], "app/.dockerignore", "then the one of the context");
	is_str(names[3], "app/.containerignore", "under both names");
	contextignore_names(&arena, S("Containerfile"), S(""), names);
	is_str(names[2], ".dockerignore", "the workspace itself may be the context");
	ok(contextignore_choose((const struct source *[]){NULL, NULL, NULL, NULL}, &out, &err) == 0 && !out, "there may be none");
	ok(contextignore_choose((const struct source *[]){NULL, &c, &a, NULL}, &out, &err) == 0 && out == &c,
	   "the one beside the Containerfile comes first");
	ok(contextignore_choose((const struct source *[]){NULL, NULL, &a, &b}, &out, &err) == 0 && out == &a, "two may be equal");
	ok(contextignore_choose((const struct source *[]){NULL, NULL, NULL, &b}, &out, &err) == 0 && out == &b, "either will do");
	ok(contextignore_choose((const struct source *[]){NULL, NULL, &a, &c}, &out, &err) < 0, "two that differ are refused");
	ok(str_find(str_of(err.text), S("a and c differ")) == 0, "by name");
	err_release(&err);
}

static void sources(void)
{
	static const struct { const char *pattern, *path; bool match; } copies[] = {
		{"a*b", "axb", true},
		{"a**b", "axb", true},          /* as Go's filepath.Match has it, and at least that */
		{"a**b", "a/x/b", true},
		{"*/x", "a/x", true},
		{"*", "a/x", false},
		{"[^a]", "b", true},
		{"**/x", "a/b/x", true},
		{"**/x", "x", true},
	};
	const char *problem;

	for (size_t i = 0; i < countof(copies); i++) {
		const struct contextwild *w = contextwild_new(&arena, str_of(copies[i].pattern), CONTEXTWILD_SOURCE, &problem);

		ok(w && contextwild_match(w, str_of(copies[i].path)) == copies[i].match, "source, case %zu", i);
	}
}

static void hostile(void)
{
	char path[4001];
	const struct contextignore *ig = rules_of("**/*a*/**/*a*/**/*a*/**/*a*/**/*a*a*a*a*b\n*a*a*a*a*a*a*a*a*a*a*b/x\n**a**a**a**a**b");

	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = i % 100 == 99 ? '/' : 'a';
	for (int i = 0; i < 5; i++)
		contextignore_match(ig, (struct str){path, sizeof(path)});
	ok(true, "hostile patterns are answered in time");
}

int main(void)
{
	one_path();
	malformed();
	entering();
	choosing();
	sources();
	hostile();
	arena_release(&arena);
	return done();
}
