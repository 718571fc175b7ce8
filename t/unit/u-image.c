#include "planned.h"

#include "plan/facts.h"

static const char text[] =
	"cairn: 1\n"
	"name: shop\n"
	"secrets: {tok: {env: TOKEN}}\n"
	"commands:\n"
	"  gen: {run: g, inputs: [], outputs: [src/lex.c, \"dist/**\", \"!dist/tmp/**\", doc/]}\n"
	"  cc:\n"
	"    each: {src: \"src/*.c\"}\n"
	"    needs: [{step: gen, order_only: true}]\n"
	"    run: cc\n"
	"    env: {T: {secret: tok}}\n"
	"    tools: [cc, {run: cc --version}]\n"
	"    requires: {tools: [cc]}\n"
	"    inputs: [\"${{ each.src }}\", dist/x, \"**/*.h\"]\n"
	"    outputs: [\"obj/${{ each.src.stem }}.o\"]\n"
	"    depfile: \"obj/${{ each.src.stem }}.d\"\n"
	"  ld: {needs: [cc], run: ld, outputs: [app], params: {mode: fast}}\n"
	"workflows:\n"
	"  default: {steps: [cc, {ld: {mode: slow}}], finally: [gen], sequential: true}\n";
static const char *const files[] = {"inc/a.h", "src/a.c", "src/b.c", NULL};

static void searches(struct planned *p)
{
	const struct plan *plan = &p->plan;
	struct plan_index *ix = plan_index_new(&p->arena, plan);
	uint32_t gen = plan_find_step(plan, S("gen")), ld = plan_find_step(plan, S("ld"));

	is_int(gen, 0, "a step by name");
	is_int(plan_find_step(plan, S("nope")), PLAN_NONE, "one that is not");
	is_str(plan_path_str(plan, plan_find_path(plan, S("src/b.c"))), "src/b.c", "a path");
	is_int(plan_find_path(plan, S("src")), PLAN_NONE, "one that is not");

	ok(plan_step_covers(plan, gen, S("src/lex.c")), "a literal output");
	ok(plan_step_covers(plan, gen, S("doc/a/b")), "what lies below one");
	ok(plan_step_covers(plan, gen, S("dist/a/b")), "what a pattern matches");
	ok(!plan_step_covers(plan, gen, S("dist/tmp/x")), "not what is taken away");
	ok(!plan_step_covers(plan, gen, S("document")), "not what only begins like it");

	is_int(plan_index_producer(ix, S("src/lex.c")), gen, "who makes a literal");
	is_int(plan_index_producer(ix, S("doc/x/y")), gen, "who makes what lies in a folder");
	is_int(plan_index_producer(ix, S("dist/x/y")), gen, "who makes what a pattern matches");
	is_int(plan_index_producer(ix, S("dist/tmp/y")), PLAN_NONE, "nobody makes what is taken away");
	is_int(plan_index_producer(ix, S("src/a.c")), PLAN_NONE, "nobody makes a source");
	is_int(plan_index_producer(ix, S("app")), ld, "of variants the step itself is named");

	ok(plan_index_reaches(ix, ld, gen), "a need of a need");
	ok(plan_index_reaches(ix, plan_find_step(plan, S("cc[src=src/a.c]")), gen), "one for order only");
	ok(!plan_index_reaches(ix, gen, ld), "not the other way");
	ok(!plan_index_reaches(ix, ld, ld), "not itself");
}

static int open_with(struct planned *p, char *copy, size_t n, bool deep, struct plan *plan)
{
	struct err err = ERR_INIT;
	int rc = plan_open(copy, n, deep, plan, &err);

	(void)p;
	if (rc < 0 && err.kind != ERR_STALE)
		rc = -2;
	err_release(&err);
	return rc;
}

static void reseal(char *copy, size_t n)
{
	struct plan_head *h = (struct plan_head *)copy;

	h->sum = xxh_bytes(&h->size, n - offsetof(struct plan_head, size));
}

/* Any byte may be anything: with the sum made right again the checks themselves must hold. */
static void damage(struct planned *p)
{
	size_t n = p->image.n, refused = 0, tried = 0, wild = 0;
	char *copy = malloc(n);
	struct plan plan;

	memcpy(copy, p->image.s, n);
	for (size_t i = 0; i < n; i++) {
		copy[i] ^= 1;
		tried++;
		refused += open_with(p, copy, n, true, &plan) == -1;
		copy[i] ^= 1;
	}
	is_int(refused, tried, "a flipped bit anywhere is found");
	for (size_t i = sizeof(struct plan_head); i < n; i++) {
		char old = copy[i];

		copy[i] = (char)(i * 37 + 129);
		reseal(copy, n);
		if (open_with(p, copy, n, true, &plan) == 0) {
			struct arena a = ARENA_INIT;
			struct plan_index *ix = plan_index_new(&a, &plan);

			plan_index_producer(ix, S("a/b"));
			if (plan.nsteps)
				plan_index_reaches(ix, plan.nsteps - 1, 0);
			arena_release(&a);
			wild++;
		}
		copy[i] = old;
	}
	ok(wild < n, "what passes the checks can be used");
	refused = 0;
	for (size_t k = 0; k < n; k += 8)
		refused += open_with(p, copy, k, true, &plan) == -1;
	is_int(refused, (n + 7) / 8, "so is an end cut off");
	free(copy);
}

static void asking(void)
{
	struct arena arena = ARENA_INIT;
	struct facts f;
	struct answer yes = {.found = true};

	facts_init(&f, &arena);
	ok(!facts_ask(&f, Q_ENV, S("A"), (struct loc){0}), "what is not known is asked");
	ok(!facts_ask(&f, Q_ENV, S("A"), (struct loc){0}), "it is still not known");
	is_int(f.nasked, 1, "but asked only once");
	ok(!facts_ask(&f, Q_PATH, S("A"), (struct loc){0}), "of another kind it is another question");
	facts_tell(&f, &f.asked[0], &yes);
	ok(facts_ask(&f, Q_ENV, S("A"), (struct loc){0}), "once told it is known");
	facts_release(&f);
	arena_release(&arena);
}

int main(void)
{
	struct world w = {.files = files};
	struct planned p;

	asking();
	plan_text_of(&p, text, &w);
	is_str(planned_mistakes(&p), "", "a plan");
	if (p.rc == 0) {
		searches(&p);
		damage(&p);
	}
	planned_release(&p);
	return done();
}
