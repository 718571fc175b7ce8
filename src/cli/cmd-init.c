/* Writes a cairn.yaml to start from, which runs as it is. Looks at a few names to guess what there is to build. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "cli/cmd.h"
#include "cli/show.h"
#include "sys/file.h"

#define SOURCE_MAX (4u << 20)           /* a C source longer than this is not searched for main */

static bool there(const char *path) { return access(path, F_OK) == 0; }

/* The folder's name, if it is plain enough to stand unquoted. */
static struct str project_name(struct arena *a)
{
	char *cwd = realpath(".", NULL);
	struct str name = path_name(str_dup(a, str_of(cwd ? cwd : "")));
	bool plain = name.n && name.n <= 64 && ((name.s[0] | 0x20) >= 'a' && (name.s[0] | 0x20) <= 'z');

	for (size_t i = 0; i < name.n; i++) {
		char c = name.s[i];

		plain &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
	}
	free(cwd);
	return plain ? name : S("project");
}

static void head(struct buf *b, struct str name)
{
	buf_fmt(b, "# What there is to build here, and how. `cairn run` runs the workflow \"default\", `cairn list` shows everything,\n"
		   "# cairn-spec(5) tells the language.\n"
		   "cairn: 1\n"
		   "name: " STR_FMT "\n\n", STR_ARG(name));
}

/* ---- C ---- */

struct c_sources { size_t files, mains; };

/* Good enough to tell a program from a library and from many programs. */
static bool has_main(struct str text)
{
	ptrdiff_t at;

	while ((at = str_find(text, S("main"))) >= 0) {
		struct str rest = str_trim(str_from(text, at + 4));
		char before = at ? text.s[at - 1] : ' ';
		bool word = (before | 0x20) < 'a' || (before | 0x20) > 'z';

		if (word && before != '_' && rest.n && rest.s[0] == '(')
			return true;
		text = str_from(text, at + 4);
	}
	return false;
}

static void count_sources(struct arena *a, const char *dir, struct c_sources *found)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		struct str name = str_of(e->d_name), text;

		if (!str_ends(name, S(".c")) || name.n < 3)
			continue;
		found->files++;
		if (file_read(a, dirfd(d), e->d_name, SOURCE_MAX, &text, NULL) == 1)
			found->mains += has_main(text);
	}
	if (d)
		closedir(d);
}

static void c_starter(struct buf *b, const char *pattern, const struct c_sources *found, struct str name)
{
	const char *objects;

	buf_z(b, "vars:\n"
		 "  cflags: -O2 -g               # `cairn run -V cflags=-O0` for another value\n\n"
		 "commands:\n"
		 "  compile:                     # one step for each source\n"
		 "    summary: Compile a source\n");
	buf_fmt(b, "    each: {src: \"%s\"}\n", pattern);
	buf_z(b, "    run: cc ${{ vars.cflags }} -MD -MF ${{ sh(out.depfile) }} -c ${{ sh(each.src) }} -o ${{ sh(out[0]) }}\n"
		 "    inputs: [\"${{ each.src }}\"]\n"
		 "    depfile: \"build/${{ each.src.noext }}.d\"      # the headers that the compiler read count as inputs\n"
		 "    outputs: [\"build/${{ each.src.noext }}.o\"]\n"
		 "    tools: [cc]                # another compiler is another result\n");
	if (found->mains <= 1) {
		buf_fmt(b, "\n  build:\n    summary: %s\n    needs: [compile]           # runs after all of them\n",
			found->mains ? "Link the program" : "Make the library");
		objects = str_is(str_of(pattern), "*.c") ? "build/*.o" : "build/src/*.o";
		buf_fmt(b, "    run: %s ${{ sh(out[0]) }} %s\n", found->mains ? "cc -o" : "ar rcs", objects);
		buf_fmt(b, "    inputs: [\"%s\"]\n", objects);
		buf_fmt(b, "    outputs: [\"%s" STR_FMT "%s\"]\n    tools: [%s]\n", found->mains ? "build/" : "build/lib", STR_ARG(name),
			found->mains ? "" : ".a", found->mains ? "cc" : "ar");
	}
	buf_fmt(b, "\nworkflows:\n  default: {steps: [%s]}\n", found->mains <= 1 ? "build" : "compile");
}

/* ---- others ---- */

static void make_starter(struct buf *b)
{
	buf_z(b, "commands:\n"
		 "  build:\n"
		 "    summary: Build with make\n"
		 "    run: make                  # without inputs and outputs it runs every time: make decides what is new\n"
		 "\n"
		 "workflows:\n"
		 "  default: {steps: [build]}\n");
}

static void go_starter(struct buf *b)
{
	buf_z(b, "commands:\n"
		 "  build:\n"
		 "    summary: Build all packages\n"
		 "    run: go build ./...\n"
		 "    inputs: [\"**/*.go\", \"go.*\"]   # it runs again when one of these changes\n"
		 "    tools: [go]\n"
		 "\n"
		 "  test:\n"
		 "    summary: Run the tests\n"
		 "    run: go test ./...\n"
		 "    needs: [build]\n"
		 "    inputs: [\"**/*.go\", \"go.*\", {path: testdata, optional: true}]\n"
		 "    tools: [go]\n"
		 "\n"
		 "workflows:\n"
		 "  default: {steps: [build]}\n"
		 "  ci:\n"
		 "    summary: Build and test\n"
		 "    steps: [build, test]\n");
}

static void node_starter(struct buf *b, struct str package)
{
	static const char *const scripts[] = {"build", "test", "lint"};
	const char *lock = there("package-lock.json") ? "package-lock.json" : NULL;
	struct arena a = ARENA_INIT;
	CLEANUP_BUF struct buf steps = BUF_INIT(256);

	buf_z(b, "commands:\n"
		 "  install:\n"
		 "    summary: Install the packages\n");
	buf_fmt(b, "    run: npm %s\n    inputs: [package.json%s%s]\n", lock ? "ci" : "install --no-package-lock", lock ? ", " : "", lock ? lock : "");
	buf_z(b, "    tools: [node, npm]\n");
	for (size_t i = 0; i < countof(scripts); i++) {
		if (str_find(package, str_fmt(&a, "\"%s\":", scripts[i])) < 0)
			continue;
		buf_fmt(b, "\n  %s:\n    run: npm run %s             # add `inputs` and `outputs`, and it runs only when it has to\n    needs: [install]\n",
			scripts[i], scripts[i]);
		buf_fmt(&steps, "%s%s", steps.n ? ", " : "", scripts[i]);
	}
	buf_fmt(b, "\nworkflows:\n  default: {steps: [%s]}\n", steps.n ? steps.s : "install");
	arena_release(&a);
}

static void plain_starter(struct buf *b)
{
	buf_z(b, "vars:\n"
		 "  who: world                   # `cairn run -V who=you` for another value\n"
		 "\n"
		 "commands:\n"
		 "  hello:\n"
		 "    summary: Write a greeting\n"
		 "    run: echo \"Hello, ${{ vars.who }}\" >${{ out[0] }}\n"
		 "    inputs: []                 # files it reads: paths, globs like \"src/**/*.c\", \"!src/old/**\"\n"
		 "    outputs: [build/hello.txt] # files it makes; they come back from the cache when they were made before\n"
		 "\n"
		 "  show:\n"
		 "    summary: Show the greeting\n"
		 "    run: cat build/hello.txt\n"
		 "    needs: [hello]             # runs after it; without inputs and outputs it runs every time\n"
		 "\n"
		 "workflows:\n"
		 "  default: {steps: [show]}     # what a bare `cairn run` does\n");
}

static void starter(struct arena *a, struct buf *b)
{
	struct c_sources here = {0}, below = {0};
	struct str name = project_name(a), package;

	head(b, name);
	if (there("Makefile") || there("makefile") || there("GNUmakefile")) {
		make_starter(b);
		return;
	}
	if (there("go.mod")) {
		go_starter(b);
		return;
	}
	if (file_read(a, AT_FDCWD, "package.json", SOURCE_MAX, &package, NULL) == 1) {
		node_starter(b, package);
		return;
	}
	count_sources(a, "src", &below);
	count_sources(a, ".", &here);
	if (below.files || here.files)
		c_starter(b, below.files ? "src/*.c" : "*.c", below.files ? &below : &here, name);
	else
		plain_starter(b);
}

static int write_new(const char *path, struct str text, struct err *err)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0 && errno == EEXIST)
		return err_set(err, ERR_USAGE, "%s is already there and stays as it is; `cairn list` shows what it holds", path);
	if (fd < 0)
		return err_errno(err, "unable to make %s", path);
	if (file_write_all(fd, text.s, text.n) == 0)
		return 0;
	err_errno(err, "unable to write %s", path);
	unlink(path);
	return -1;
}

static int init(int argc, char **argv, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1u << 16), said = BUF_INIT(8192);
	struct arena arena = ARENA_INIT;
	struct common common;
	struct opt_rest rest;
	bool helped;
	int rc = cmd_options(&arena, &cmd_init, NULL, 0, argc, argv, false, &common, &rest, &helped, err);

	if (rc == 0 && !helped && (rc = cmd_no_words(&cmd_init, &rest, err)) == 0) {
		const char *path = common.file.s ? str_dup(&arena, common.file).s : "cairn.yaml";

		starter(&arena, &text);
		rc = write_new(path, buf_view(&text), err);
		if (rc == 0) {
			buf_z(&said, "wrote ");
			show_text(&said, str_of(path));
			buf_z(&said, "; `cairn list` shows what it holds, `cairn run` runs it\n");
			rc = cmd_print(&said, err);
		}
	}
	arena_release(&arena);
	return rc;
}

const struct command cmd_init = {"init", "write a cairn.yaml to start from", "cairn init [-f FILE]", init};
