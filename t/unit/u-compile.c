/* resolve/compile.h: what a plan rests on, and whether it still holds. */
#include "resolve/compile.h"
#include "scratch.h"

static struct arena arena;
static struct compiled compiled;
static struct compile_options options;
static struct watches watches;

static bool plans(void)
{
	struct err err = ERR_INIT;
	bool good;

	compiled_release(&compiled);
	compiled = (struct compiled){0};
	watches.n = 0;
	good = compile_plan(&arena, &options, &compiled, &watches, &err) == 0;
	if (!good)
		printf("# %s\n", err.text ? err.text : err.ndiags ? err.diags[0].text : "no reason");
	err_release(&err);
	return good;
}

static int still(void)
{
	struct watches looked = {0};
	struct err err = ERR_INIT;
	int rc = compile_still(&arena, &options, compiled.asked, compiled.nasked, &looked, &err);

	vec_free(&looked);
	err_release(&err);
	return rc;
}

static bool watched(const char *path)
{
	for (size_t i = 0; i < watches.n; i++)
		if (str_is(watches.v[i].path, path) && watches.v[i].fact == FACT_SPEC)
			return true;
	return false;
}

static void texts(void)
{
	static const char *const files[] = {"cairn.yaml", "sub/cairn.yaml", "e.env"};

	for (size_t i = 0; i < countof(files); i++) {
		ok(plans() && watched(files[i]), "%s is watched", files[i]);
		ok(compile_texts_same(&compiled), "%s is as it was read", files[i]);
		sh("sed -i s/here/HERE/ %s", files[i]);
		ok(!compile_texts_same(&compiled), "%s is not: also where its identity does not tell", files[i]);
		sh("sed -i s/HERE/here/ %s", files[i]);
		ok(compile_texts_same(&compiled), "%s is again", files[i]);
		sh("mv %s gone", files[i]);
		ok(!compile_texts_same(&compiled), "%s is gone", files[i]);
		sh("mv gone %s", files[i]);
	}
}

static void answers(void)
{
	ok(plans() && compiled.plan.nsteps == 4, "a step for each source and line");
	is_int(still(), 1, "the answers hold");
	sh("touch src/c.c");
	is_int(still(), 0, "a new source");
	sh("rm src/c.c && echo three >>lines");
	is_int(still(), 0, "a new line");
	ok(plans() && compiled.plan.nsteps == 5, "planned again");
	is_int(still(), 1, "they hold again");
}

int main(void)
{
	scratch_make();
	sh("mkdir src sub && touch src/a.c && printf 'one\\ntwo\\n' >lines && echo X=here >e.env");
	sh("cat >cairn.yaml <<'END'\n"
	   "cairn: 1  # here\n"
	   "env_files: [e.env]\n"
	   "include: [sub/cairn.yaml]\n"
	   "commands:\n"
	   "  cc: {run: 'true', each: {src: 'src/*.c'}, inputs: ['${{ each.src }}'], outputs: ['${{ each.src.stem }}.o']}\n"
	   "  l: {run: 'true', each: {x: {lines: lines}}, inputs: [], outputs: ['${{ each.x }}.out']}\n"
	   "END\n"
	   "printf 'cairn: 1\\ncommands: {s: {run: echo here}}\\n' >sub/cairn.yaml");
	options = (struct compile_options){
		.root = str_of(scratch_path), .rootfd = scratch_fd, .file = S("cairn.yaml"), .os = S("linux"), .arch = S("x86_64"),
	};
	texts();
	answers();
	compiled_release(&compiled);
	vec_free(&watches);
	arena_release(&arena);
	scratch_remove();
	return done();
}
