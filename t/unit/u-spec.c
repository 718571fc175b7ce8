/* The reader: all of t/spec, and what the good ones come to. Run at the top of the source tree. */
#include "tap.h"

#include <dirent.h>
#include <glob.h>

#include "base/err.h"
#include "spec/spec.h"

#define ROOT "t/spec"

/* ---- the world of the tests ---- */

static int file_load(void *ctx, struct arena *a, struct str path, struct str *out, struct err *err)
{
	(void)ctx;
	FILE *f = fopen(path.s, "r");
	if (!f)
		return 0;
	struct buf text = BUF_INIT(1 << 20);
	char chunk[4096];
	size_t n;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&text, chunk, n);
	fclose(f);
	*out = str_dup(a, buf_view(&text));
	bool full = text.full;
	buf_release(&text);
	return full ? err_set(err, ERR_SYSTEM, "%s is too large", path.s) : 1;
}

static int include_glob(void *ctx, struct arena *a, struct str pattern, struct str **out, size_t *n,
                        struct err *err)
{
	const char *root = ctx;
	(void)err;
	glob_t found;
	*n = 0;
	if (glob(str_fmt(a, "%s/" STR_FMT, root, STR_ARG(pattern)).s, 0, NULL, &found))
		return 0;
	*out = arena_array(a, found.gl_pathc, struct str);
	for (; *n < found.gl_pathc; (*n)++)
		(*out)[*n] = str_dup(a, str_of(found.gl_pathv[*n] + strlen(root) + 1));
	globfree(&found);
	return 0;
}

static const char *env_get(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "HOME") ? NULL : "/home/me";
}

static int spec_load(struct arena *a, const char *root, const char *file, struct spec **out, struct err *err)
{
	struct spec_options opt = {
		.root = str_of(root),
		.file = str_of(file),
		.os = S("linux"),
		.arch = S("x86_64"),
		.runtime = S("native"),
		.load = file_load,
		.include = include_glob,
		.getenv = env_get,
		.ctx = (void *)root,
	};
	return spec_read(a, &opt, out, err);
}

/* ---- broken ones ---- */

/* The file's lines "# expect: LINE:COL TEXT" are each met by a mistake at that place. */
static void expectations_check(const char *name, FILE *f, const struct err *err)
{
	char line[500];
	while (fgets(line, sizeof(line), f)) {
		unsigned at_line, at_col;
		int skip = 0;
		if (strncmp(line, "# expect: ", 10))
			continue;
		line[strcspn(line, "\n")] = 0;
		if (!ok(sscanf(line + 10, "%u:%u %n", &at_line, &at_col, &skip) == 2 && skip,
		        "%s tells where", name))
			continue;
		bool met = false;
		for (size_t i = 0; i < err->ndiags; i++) {
			const struct diag *d = &err->diags[i];
			met |= d->loc.line == at_line && d->loc.col == at_col &&
			       strstr(d->text, line + 10 + skip);
		}
		ok(met, "%s: %s", name, line + 10);
	}
}

static void broken_check(const char *name)
{
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct spec *spec = NULL;
	char kind[100];
	FILE *f = fopen(str_fmt(&arena, ROOT "/broken/%s", name).s, "r");
	if (!ok(f && fgets(kind, sizeof(kind), f), "%s opens", name))
		return;
	int got = spec_load(&arena, ROOT "/broken", name, &spec, &err);
	if (!strcmp(kind, "# planned\n")) {
		is_int(got, 0, "%s is for planning to refuse", name);
	} else {
		is_int(got, -1, "%s is refused", name);
		is_int(err_exit_status(&err), 2, "%s: the status is that of a wrong spec", name);
		expectations_check(name, f, &err);
	}
	struct buf text = BUF_INIT(1 << 20);
	err_print(&err, &text, false);
	if (tap_failed)
		printf("# %s:\n", name), tap_show("", buf_view(&text));
	if (getenv("SHOW"))
		fprintf(stderr, "== %s\n%.*s", name, STR_ARG(buf_view(&text)));
	buf_release(&text);
	fclose(f);
	if (spec)
		spec_release(spec);
	err_release(&err);
	arena_release(&arena);
}

static void all_in(const char *folder, void (*check)(const char *))
{
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort);
	ok(n > 2, "there is %s", folder);
	for (int i = 0; i < n; i++) {
		if (str_ends(str_of(names[i]->d_name), S(".yaml")))
			check(names[i]->d_name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* ---- good ones ---- */

static struct arena arena;

static struct spec *good(const char *name)
{
	struct err err = ERR_INIT;
	struct spec *spec = NULL;
	int got = spec_load(&arena, ROOT "/good", name, &spec, &err);
	struct buf text = BUF_INIT(1 << 20);
	if (!ok(got == 0, "%s is read", name)) {
		err_print(&err, &text, false);
		tap_show("", buf_view(&text));
	}
	buf_release(&text);
	err_release(&err);
	return spec;
}

static void good_check(const char *name)
{
	struct spec *spec = good(name);
	if (spec)
		spec_release(spec);
}

static const struct spec_env *env_find(const struct spec_command *c, const char *name)
{
	for (size_t i = 0; i < c->env.n; i++) {
		if (str_is(c->env.v[i].name, name))
			return &c->env.v[i];
	}
	return NULL;
}

static struct str env_text(const struct spec_command *c, const char *name)
{
	const struct spec_env *e = env_find(c, name);
	return e ? e->value.s : S("(absent)");
}

static void full_commands_check(const struct spec *s)
{
	struct spec_command *c = map_get(&s->command_by_name, S("build"));
	is_int(c->runtimes, 1u << RUNTIME_NATIVE, "the runtime");
	is_int(c->timeout_ms, 5400000, "platforms win over the command");
	is_int(c->retry.times, 2, "maps merge");
	is_int(c->retry.delay_ms, 500, "runtimes win over the command");
	is_int(c->outputs.n, 2, "the long form of outputs");
	ok(c->outputs_keep && c->outputs_tracked && c->inputs.v[1].literal && c->inputs.v[2].optional,
	   "flags of paths");
	is_str(env_text(c, "CGO_ENABLED"), "1", "an overlay's variable");
	ok(env_find(c, "TOKEN") && env_find(c, "TOKEN")->secret, "a secret");
	is_str(env_text(c, "LANG"), "C.UTF-8", "a global variable");
	is_str(env_text(c, "A"), "1", "a variable from a file");
	is_int(c->npass, 1, "lists replace");
	is_int(c->requires.ntools, 2, "requirements");
	is_int(c->requires.tools[1].n, 2, "one of two");
	is_str(c->tags.v[0].s, "gpu", "a list replaces that of the defaults");
	c = map_get(&s->command_by_name, S("compile"));
	is_int(c->ntools, 3, "tools");
	is_int(c->tools[1].run.n, 2, "a tool's command has words");
	is_int(c->each[0].kind, AXIS_GLOB, "each over a pattern");
	is_int(c->timeout_ms, 1800000, "a default");
	ok(c->needs[0].order_only, "an order-only need");
	is_str(c->shell.v[0].s, "bash", "the file's shell");
	c = map_get(&s->command_by_name, S("over"));
	ok(c->each[0].kind == AXIS_LINES && c->each[1].kind == AXIS_LIST, "lines and lists");
	c = map_get(&s->command_by_name, S("test"));
	ok(c->nparams == 3 && c->params[2].required && c->params[1].preset.kind == VALUE_BOOL, "params");
	ok(c->matrix.naxes == 2 && c->matrix.nexclude == 1 && c->matrix.ninclude == 1, "a matrix");
	c = map_get(&s->command_by_name, S("all"));
	is_int(c->kind, SCRIPT_NONE, "a group");
	c = map_get(&s->command_by_name, S("agent"));
	ok(c->kind == SCRIPT_EXEC && c->exec.n == 3 && c->timeout_ms == 0, "a program without a timeout");
}

static void test_full(void)
{
	struct spec *s = good("full.yaml");
	if (!s)
		return;
	is_str(s->name, "shop", "its name");
	full_commands_check(s);
	struct spec_workflow *w = map_get(&s->workflow_by_name, S("ci"));
	ok(w->nsteps == 5 && w->nfinally == 1 && w->sequential, "a workflow");
	ok(w->steps[1].nparams == 2 && w->steps[3].workflow && !w->steps[4].nparams, "its goals");
	is_int(s->nenv_files, 2, "env_files that were looked for");
	struct spec_command *c = s->commands;
	is_str(env_text(c, "B"), "two words", "single quotes");
	is_str(env_text(c, "C"), "x\ty", "double quotes");
	is_str(env_text(c, "D"), "plain", "a plain value");
	is_str(env_text(c, "E"), "", "an empty value");
	spec_release(s);
}

static void test_includes(void)
{
	struct spec *s = good("includes.yaml");
	if (!s)
		return;
	is_int(s->nfiles, 4, "files, without the one taken away");
	struct spec_command *c = map_get(&s->command_by_name, S("services/api:build"));
	if (ok(c != NULL, "an included command has its folder as prefix")) {
		is_str(env_text(c, "GLOBAL"), "g", "env is inherited");
		is_int(c->timeout_ms, 300000, "defaults are inherited");
		is_int(c->workdir.s.n, 0, "but no paths");
		is_int(c->file->nvars, 2, "vars are inherited");
		is_str(c->file->vars[1], "v", "an overridden var comes last");
		is_str(c->file->presets[1].s, "3", "with its own value");
		is_str(spec_command_find(s, c->file, S("test"))->name, "services/api:test",
		       "its own names come first");
		is_str(spec_command_find(s, c->file, S("shared"))->name, "shared", "then those of all");
	}
	c = map_get(&s->command_by_name, S("services/web:extra"));
	is_str(c ? env_text(c, "LOCAL") : S(""), "l", "a file included by an included one");
	is_str(c ? c->file->dir : S(""), "services/web", "its folder");
	spec_release(s);
}

static void test_expressions(void)
{
	struct spec *s = good("expressions.yaml");
	if (!s)
		return;
	is_int(s->commands[0].each[0].kind, AXIS_LIST, "an item that is one ${{ }} makes no pattern");
	spec_release(s);
}

int main(void)
{
	all_in(ROOT "/broken", broken_check);
	all_in(ROOT "/good", good_check);
	test_full();
	test_includes();
	test_expressions();
	arena_release(&arena);
	return done();
}
