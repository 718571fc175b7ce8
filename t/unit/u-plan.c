#include "planned.h"

#include "plan/select.h"

static const char *const no_files[] = {NULL};

static struct str plan_mistakes_of(struct planned *p, const char *text, struct world *w)
{
	plan_text_of(p, text, w);
	return planned_mistakes(p);
}

static const char c_project[] =
	"cairn: 1\n"
	"name: shop\n"
	"vars: {opt: 2}\n"
	"commands:\n"
	"  generate:\n"
	"    run: ./gen.sh > src/lex.c\n"
	"    inputs: [gen.sh]\n"
	"    outputs: [src/lex.c]\n"
	"  compile:\n"
	"    each: {src: \"src/**/*.c\"}\n"
	"    needs: [{step: generate, order_only: true}]\n"
	"    run: cc -O${{ vars.opt }} -MF ${{ out.depfile }} -c ${{ sh(each.src) }} -o ${{ out[0] }}\n"
	"    inputs: [\"${{ each.src }}\"]\n"
	"    depfile: \"build/${{ each.src.noext }}.d\"\n"
	"    outputs: [\"build/${{ each.src.noext }}.o\"]\n"
	"  link:\n"
	"    needs: [compile]\n"
	"    run: cc build/**/*.o -o app\n"
	"    inputs: []\n"
	"    outputs: [app]\n";

static void whole(void)
{
	/* what an earlier run left (build, src/lex.c) changes nothing */
	static const char *const clean[] = {"gen.sh", "src/a.c", "src/b [1].c", NULL};
	static const char *const built[] = {"app", "build/src/a.d", "build/src/a.o", "gen.sh", "src/a.c", "src/b [1].c", "src/lex.c", NULL};
	struct world w = {.files = clean}, w2 = {.files = built};
	struct planned p, q;

	plan_text_of(&p, c_project, &w);
	is_int(p.rc, 0, "a project is planned");
	is_str(planned_mistakes(&p), "", "without mistakes");
	is_str(planned_steps(&p), "generate compile[src=src/a.c] compile[src=src/b [1].c] compile[src=src/lex.c] link", "its steps");
	is_str(planned_inputs(&p, 0), "gen.sh", "a literal");
	is_str(planned_inputs(&p, 2), "src/b [1].c", "what ${{ }} yields is no pattern");
	is_str(planned_inputs(&p, 3), "src/lex.c", "a generated file");
	is_str(plan_str(&p.plan, p.plan.steps[1].script), "cc -O2 -MF build/src/a.d -c src/a.c -o build/src/a.o", "a script");
	is_str(plan_str(&p.plan, p.plan.steps[1].depfile), "build/src/a.d", "a depfile");
	is_str(planned_env(&p, 1), "src=src/a.c", "what each goes through is a variable");
	ok(p.plan.steps[1].flags & STEP_CACHED, "it is cached");
	is_int(p.plan.steps[4].needs.n, 3, "link needs each of them");
	is_int(p.plan.needs[p.plan.steps[1].needs.at].flags, NEED_ORDER_ONLY, "order only");
	is_int(p.plan.paths[plan_find_path(&p.plan, S("src/lex.c"))].producer, 0, "who makes src/lex.c");
	plan_text_of(&q, c_project, &w2);
	is_int(q.rc, 0, "planned again after a run");
	ok(str_eq(buf_view(&p.image), buf_view(&q.image)), "the plan is the same");
	planned_release(&p);
	planned_release(&q);
}

static void matrices(void)
{
	static const char text[] =
		"cairn: 1\n"
		"commands:\n"
		"  t:\n"
		"    matrix:\n"
		"      axes: {go: [\"1.20\", \"1.21\"], os: [linux, mac]}\n"
		"      exclude: [{go: \"1.20\", os: mac}]\n"
		"      include: [{go: \"1.21\", race: \"1\"}, {go: \"1.22\", os: linux}]\n"
		"    run: echo ${{ matrix.go }} ${{ default(matrix.race, 'no') }}\n"
		"  u:\n"
		"    each: {x: [1, 2], y: [a, b]}\n"
		"    run: 'true'\n"
		"  v:\n"
		"    each: {x: \"${{ vars.list }}\"}\n"
		"    needs: ['t[go=1.21,os=linux,race=1]', 'u[x=1*]']\n"
		"    run: 'true'\n"
		"vars: {list: [p, q]}\n";
	struct world w = {.files = no_files};
	struct planned p;

	plan_text_of(&p, text, &w);
	is_str(planned_mistakes(&p), "", "a matrix");
	is_str(planned_steps(&p), "t[go=1.20,os=linux] t[go=1.21,os=linux,race=1] t[go=1.21,os=mac,race=1] t[go=1.22,os=linux] "
				  "u[x=1,y=a] u[x=1,y=b] u[x=2,y=a] u[x=2,y=b] v[x=p] v[x=q]", "its points, and a product");
	if (p.rc == 0) {
		is_str(plan_str(&p.plan, p.plan.steps[0].script), "echo 1.20 no", "what a point lacks");
		is_str(planned_env(&p, 1), "go=1.21 os=linux race=1", "variables of a point");
		is_int(p.plan.steps[8].needs.n, 3, "needs by instance and by pattern");
	}
	planned_release(&p);
}

static void inputs(void)
{
	static const char *const files[] = {"a/x.h", "a/y.h", "b/deep/z.h", "b/empty/", "gen/out.h", "main.c", "old.h", NULL};
	static const char text[] =
		"cairn: 1\n"
		"commands:\n"
		"  gen: {run: g, inputs: [], outputs: [gen/out.h, \"dist/**\"]}\n"
		"  all: {run: g, needs: [{step: gen, order_only: true}], inputs: [\"**/*.h\", \"!old.h\"], outputs: [o1]}\n"
		"  dir: {run: g, inputs: [b, {path: none, optional: true}], outputs: [o2]}\n"
		"  below: {run: g, needs: [{step: gen, order_only: true}], inputs: [dist/a.js], outputs: [o3]}\n"
		"  whole: {run: g, needs: [gen], inputs: [\"dist/*.js\"], outputs: [o4]}\n"
		"  rest: {run: g, outputs: [o5]}\n";
	struct world w = {.files = files};
	struct planned p;

	plan_text_of(&p, text, &w);
	is_str(planned_mistakes(&p), "", "inputs");
	if (p.rc == 0) {
		is_str(planned_inputs(&p, 1), "a/x.h a/y.h b/deep/z.h gen/out.h", "a pattern sees sources and outputs of order-only needs");
		is_str(planned_words(&p, p.plan.steps[1].globs), "**/*.h !old.h !old.h/**", "and what they will hold");
		is_int(p.plan.steps[1].producers.n, 1, "of one step");
		is_str(planned_inputs(&p, 2), "b/deep/z.h b/empty/ none?", "a folder stands for all it holds");
		is_str(planned_inputs(&p, 3), "", "what a folder output will hold is known later");
		is_str(planned_words(&p, p.plan.steps[3].globs), "dist/a.js dist/a.js/**", "by name");
		is_int(p.plan.steps[4].producers.n, 0, "a direct need counts whole anyway");
		is_str(planned_inputs(&p, 5), "", "without inputs");
		ok(p.plan.steps[5].flags & STEP_ALL_SOURCES, "all sources are");
		is_int(p.plan.nsources, 5, "but for outputs and the spec");
	}
	planned_release(&p);
}

static void mistakes(void)
{
	static const char *const files[] = {"a.c", "b.c", NULL};
	static const struct { const char *text, *says, *name; } cases[] = {
		{"  a: {run: x, inputs: [\"*.h\"]}\n", "2:24 no input of step a matches *.h", "a pattern without match"},
		{"  a: {run: x, inputs: [none]}\n", "2:24 step a reads none, which is not there", "a literal that is not there"},
		{"  a: {run: x, inputs: [], outputs: [o]}\n  b: {run: x, inputs: [o]}\n",
		 "3:24 step b reads o, which step a makes and this one does not need (add `needs: [a]`)", "a literal of another step"},
		{"  a: {run: x, inputs: [], outputs: [o.c]}\n  b: {run: x, inputs: [\"*.c\"]}\n",
		 "3:24 this pattern matches o.c, which step a makes and step b does not need (add `needs: [a]`, or the input \"!o.c\" to leave it out)",
		 "a pattern that matches another step's output"},
		{"  a: {run: x, outputs: [o]}\n  b: {run: x, outputs: [o]}\n", "3:25 steps a and b both make o", "one output twice"},
		{"  a: {run: x, outputs: [d]}\n  b: {run: x, outputs: [d/o]}\n", "3:25 step b makes d/o, which meets d of step a", "an output below another"},
		{"  a: {run: x, outputs: [\"d/**\"]}\n  b: {run: x, outputs: [\"d/e/*.o\"]}\n", "3:25 step b makes d/e/*.o, which meets d/** of step a",
		 "patterns that overlap"},
		{"  a: {run: x, outputs: [\"d/**\"]}\n  b: {run: x, outputs: [d/o]}\n", "3:25 step b makes d/o, which meets d/** of step a",
		 "an output that a pattern holds"},
		{"  a: {run: x, outputs: [../o]}\n", "", "an output outside"},
		{"  a: {run: x, needs: [b]}\n  b: {run: x, needs: [c]}\n  c: {run: x, needs: [a]}\n", "4:23 steps need each other in a circle: a -> b -> c -> a",
		 "a circle"},
		{"  a: {run: x, needs: [a]}\n", "2:23 steps need each other in a circle: a -> a", "a step that needs itself"},
		{"  a: {run: x, needs: ['b[x=2]']}\n  b: {run: x, each: {x: [1]}}\n", "2:23 'b[x=2]' names no step (there is 'b[x=1]')", "an instance that is not"},
		{"  a: {run: x, needs: [b]}\n  b: {run: x, params: {p: }}\n", "2:23 'b' has a param without default, so no step can need it", "a need with a param"},
		{"  a: {run: x, inputs: [a.c], outputs: [a.c], cache: true}\n", "step a can't be cached: a.c is both an input and an output of it", "input and output"},
		{"  a: {run: 'echo ${{ env.NOPE }}'}\n", "unknown name 'env.NOPE'", "a variable that is not set"},
		{"  a: {run: 'echo ${{ git.commit }}'}\n", "'git.commit' has no value here", "a commit where there is none"},
		{"  a: {run: 'echo ${{ git.nope }}'}\n", "unknown name 'git.nope'", "a fact that git does not have"},
		{"  a: {run: x, each: {f: \"*.h\"}}\n", "the patterns of 'f' match no file", "each without match"},
		{"  a: {run: x, each: {f: \"*.c\"}, outputs: [o]}\n", "steps a[f=a.c] and a[f=b.c] both make o", "instances with one output"},
		{"  a: {run: x, outputs: [cairn.yaml]}\n", "an output can't be the spec itself", "the spec as output"},
		{"  a: {run: x, workdir: /tmp}\n", "a step starts in a folder of the workspace", "a workdir outside"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct world w = {.files = files};
		char text[2048];
		struct planned p;

		snprintf(text, sizeof(text), "commands:\n%scairn: 1\n", cases[i].text);
		struct str said = plan_mistakes_of(&p, text, &w);

		if (!ok(p.rc < 0 && str_find(said, str_of(cases[i].says)) >= 0, "%s", cases[i].name))
			tap_show("said", said);
		planned_release(&p);
	}
}

static void several(void)
{
	static const char text[] =
		"cairn: 1\n"
		"commands:\n"
		"  a: {run: x, inputs: [none]}\n"
		"  b: {run: x, inputs: [\"*.nope\"]}\n"
		"  c: {run: 'echo ${{ git.brunch }}'}\n";
	struct world w = {.files = no_files};
	struct planned p;

	plan_text_of(&p, text, &w);
	is_int(p.err.ndiags, 3, "several mistakes are said at once");
	planned_release(&p);
}

static void sound(void)
{
	static const char *const files[] = {"a.c", "b.c", NULL};
	static const struct { const char *text, *steps, *name; } cases[] = {
		{"  a: {run: x, outputs: [\"d/*.o\"]}\n  b: {run: x, outputs: [\"d/*.d\"]}\n", "a b", "patterns that differ at their ends"},
		{"  a: {run: x, outputs: [\"d/a*\"]}\n  b: {run: x, outputs: [\"d/b*\"]}\n", "a b", "patterns that differ where they begin"},
		{"  a: {run: x, outputs: [\"d/**\", \"!d/o\"]}\n  b: {run: x, outputs: [d/o]}\n", "a b", "a part that is taken away"},
		{"  a: {run: x, outputs: [d]}\n  b: {run: x, outputs: [d2]}\n", "a b", "names that begin alike"},
		{"  a: {run: x, needs: [b]}\n  b: {run: x}\n", "b a", "needs come first"},
		{"  a: {run: x, needs: [\"*\"]}\n  b: {run: x}\n  c: {needs: [a]}\n", "", "all others, one of which needs it"},
		{"  a: {run: x, needs: [\"b*\"]}\n  b: {run: x}\n  b2: {run: x}\n", "b b2 a", "needs by pattern"},
		{"  a: {run: x, needs: ['a[i=1]'], each: {i: [1]}}\n", "", "an instance that needs itself"},
		{"  a: {run: x, each: {i: [1, 2]}, needs: [\"${{ default(vars.none, 'b') }}\"]}\n  b: {run: x}\n", "b a[i=1] a[i=2]", "a need that is computed"},
		{"  a: {run: x, inputs: [nothing/here], when: '${{ os == \"plan9\" }}'}\n", "a", "a skipped step may lack its inputs"},
		{"  a: {run: x, params: {p: }}\n  b: {run: x}\n", "b", "a command with a param has no steps by itself"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct world w = {.files = files};
		char text[2048];
		struct planned p;

		snprintf(text, sizeof(text), "commands:\n%scairn: 1\n", cases[i].text);
		plan_text_of(&p, text, &w);
		if (!*cases[i].steps)
			ok(p.rc < 0, "%s", cases[i].name);
		else if (!ok(p.rc == 0, "%s", cases[i].name))
			tap_show("said", planned_mistakes(&p));
		else
			is_str(planned_steps(&p), cases[i].steps, "%s: steps", cases[i].name);
		planned_release(&p);
	}
}

/* Generated files that match the pattern they are generated from. */
static void leftovers(void)
{
	static const char text[] =
		"cairn: 1\n"
		"commands:\n"
		"  gen: {each: {f: \"**/*.c\"}, run: x, inputs: [\"${{ each.f }}\"], outputs: [\"${{ each.f.noext }}.gen.c\"]}\n";
	static const char *const files[] = {"a.c", "a.gen.c", "a.gen.gen.c", "b.c", NULL};
	struct world w = {.files = files};
	struct planned p;

	plan_text_of(&p, text, &w);
	is_str(planned_steps(&p), "gen[f=a.c] gen[f=a.gen.gen.c] gen[f=b.c]", "each does not go through what it makes");
	planned_release(&p);
}

static void facts(void)
{
	static const char text[] =
		"cairn: 1\n"
		"vars: {v: \"${{ default(env.V, 'none') }}\", w: \"${{ vars.v }}!\"}\n"
		"commands:\n"
		"  a:\n"
		"    each: {l: {lines: list.txt}}\n"
		"    run: echo ${{ vars.w }} ${{ git.branch }} ${{ each.l }}\n"
		"    env: {X: \"${{ env.HOME }}\"}\n";
	static const char *const env[] = {"V", "set", "HOME", "/home/me", NULL}, *const git[] = {"branch", "main", NULL},
				*const lines[] = {"list.txt", "one", "two", "one", NULL};
	struct world w = {.files = no_files, .env = env, .git = git, .lines = lines};
	struct planned p;

	plan_text_of(&p, text, &w);
	is_str(planned_mistakes(&p), "", "facts");
	is_str(planned_steps(&p), "a[l=one] a[l=two]", "lines, each once");
	if (p.rc == 0) {
		is_str(plan_str(&p.plan, p.plan.steps[0].script), "echo set! main one", "vars and git");
		is_str(planned_env(&p, 1), "X=/home/me l=two", "env");
	}
	planned_release(&p);
}

static const char flows[] =
	"cairn: 1\n"
	"commands:\n"
	"  test: {run: go test, params: {pattern: {default: \".*\"}, n: {default: 1}}, inputs: [], outputs: [report]}\n"
	"  deploy: {run: x, params: {to: }}\n"
	"  after: {run: x, needs: [test]}\n"
	"  clean: {run: x, inputs: []}\n"
	"workflows:\n"
	"  ci:\n"
	"    steps: [after, {test: {pattern: Unit}}, {deploy: {to: prod}}, {command: clean, when: '${{ os == \"mac\" }}'}]\n"
	"    finally: [clean]\n"
	"  seq: {sequential: true, steps: [clean, {workflow: ci}, after]}\n";

static void variants(void)
{
	struct world w = {.files = no_files};
	struct planned p;

	plan_text_of(&p, flows, &w);
	is_str(planned_mistakes(&p), "", "workflows");
	is_str(planned_steps(&p), "test test[pattern=Unit] deploy[to=prod] after clean", "variants of their entries");
	if (p.rc == 0) {
		is_int(p.plan.steps[1].variant_of, 0, "what it is a variant of");
		is_int(p.plan.steps[2].variant_of, PLAN_NONE, "there may be no such step");
		is_str(planned_env(&p, 1), "n=1 pattern=Unit", "params are variables");
		is_int(p.plan.commands[0].steps.n, 1, "its command does not stand for it");
		is_str(plan_str(&p.plan, p.plan.steps[4].uncached), "it is a finally step of a workflow", "finally is never cached");
		is_int(p.plan.goals[p.plan.workflows[0].steps.at + 3].skip, 1, "an entry with a false condition");
		const struct plan_goal *last = &p.plan.goals[p.plan.workflows[1].steps.at + 5];
		is_int(p.plan.workflows[1].steps.n, 6, "an inner workflow is laid out flat");
		is_int(last->after.n, 4, "the last waits for all of it");
	}
	planned_release(&p);
}

static void asked(void)
{
	struct plan_set params[] = {{S("n"), S("7")}};
	struct str args[] = {S("-v"), S("a b")};
	struct plan_options options = {.goal = S("test"), .params = params, .nparams = 1, .args = args, .nargs = 2, .has_args = true};
	struct world w = {.files = no_files, .options = &options};
	struct planned p;

	plan_text_of(&p, flows, &w);
	is_str(planned_mistakes(&p), "", "params of a run");
	if (p.rc == 0) {
		uint32_t step = plan_find_step(&p.plan, S("test[n=7,-- -v a b]"));

		ok(step != PLAN_NONE && p.plan.steps[step].flags & STEP_ASKED, "a variant for this run");
		is_str(planned_words(&p, p.plan.steps[step].args), "-v a b", "with its arguments");
		is_int(p.plan.commands[0].steps.n, 2, "its command stands for it");
	}
	planned_release(&p);

	params[0].value = S("x");
	plan_text_of(&p, flows, &w);
	is_str(planned_mistakes(&p), "unable to run test with n=x: it takes a number\n", "a param of another type");
	is_int(p.err.kind, ERR_USAGE, "is a mistake of usage");
	planned_release(&p);

	params[0] = (struct plan_set){S("patern"), S("x")};
	plan_text_of(&p, flows, &w);
	is_str(planned_mistakes(&p), "test has no param patern; did you mean pattern?\n", "a param that is not");
	planned_release(&p);

	options = (struct plan_options){.goal = S("deploy")};
	plan_text_of(&p, flows, &w);
	is_str(planned_mistakes(&p), "deploy needs --to=VALUE\n", "a param that is missing");
	planned_release(&p);
}

static void settings(void)
{
	static const char text[] =
		"cairn: 1\n"
		"vars: {go: 1.20}\n"
		"env: {A: global, B: global}\n"
		"secrets: {tok: {env: TOKEN}}\n"
		"commands:\n"
		"  a:\n"
		"    run: \"#!/usr/bin/env python3\\nprint(1)\\n\"\n"
		"    env: {B: own, T: {secret: tok}, V: \"${{ vars.go }}\"}\n"
		"    timeout: 10m\n"
		"    retry: {times: 2, delay: 1s, factor: 2}\n"
		"    tags: [z, b]\n"
		"    tools: [cc, {run: cc --version}]\n"
		"  b: {exec: [prog, \"${{ vars.go }}\"], cache: false, inputs: []}\n"
		"  c: {run: print(2), interpreter: python3, each: {i: [1, 2]}, concurrency: 1}\n"
		"  d: {needs: [a, b]}\n";
	struct plan_set vars[] = {{S("go"), S("1.30")}}, env[] = {{S("A"), S("given")}};
	struct plan_options options = {.vars = vars, .nvars = 1, .env = env, .nenv = 1};
	struct world w = {.files = no_files, .options = &options};
	struct planned p;

	plan_text_of(&p, text, &w);
	is_str(planned_mistakes(&p), "", "settings");
	if (p.rc < 0)
		return;
	const struct plan_step *s = p.plan.steps;
	is_str(planned_env(&p, 0), "A=given B=own V=1.30", "the environment: options win, vars as they are spelled");
	is_int(s[0].secrets.n, 1, "a secret is used by name");
	ok(s[0].flags & STEP_SHEBANG && !s[0].argv.n, "a shebang");
	is_str(plan_str(&p.plan, s[0].uncached), "it declares neither inputs nor outputs", "why it is not cached");
	is_int(s[0].timeout_ms, 600000, "a timeout");
	is_int(s[0].retries, 2, "retries");
	is_str(planned_words(&p, s[0].tags), "b z", "tags are sorted");
	is_str(planned_words(&p, p.plan.tools[s[0].tools.at + 1].words), "cc --version", "a tool that is run");
	is_str(planned_words(&p, s[1].argv), "prog 1.30", "a program");
	is_str(plan_str(&p.plan, s[1].uncached), "its cache is switched off", "no cache");
	is_str(planned_words(&p, s[2].argv), "python3", "an interpreter");
	is_str(planned_env(&p, 2), "A=given B=global i=1", "another environment");
	is_int(s[3].pool, 2, "a pool is named by its first step");
	is_int(s[3].pool_size, 1, "its size");
	is_int(s[4].script_kind, SCRIPT_KIND_NONE, "a group");
	is_str(plan_str(&p.plan, s[4].uncached), "", "which is neither cached nor not");
	planned_release(&p);

	vars[0].name = S("og");
	plan_text_of(&p, text, &w);
	is_str(planned_mistakes(&p), "unable to set the var og: there is none; did you mean go?\n", "a var that is not");
	planned_release(&p);
}

int main(void)
{
	whole();
	matrices();
	inputs();
	mistakes();
	several();
	sound();
	leftovers();
	facts();
	variants();
	asked();
	settings();
	return done();
}
