#include "planned.h"

#include <stdlib.h>

#include "plan/planjson.h"
#include "sys/sha.h"

static const char text[] =
	"cairn: 1\n"
	"name: \"sh\\xf6p\"\n"
	"secrets: {tok: {env: TOKEN}}\n"
	"commands:\n"
	"  lone: {run: x}\n"
	"  gen: {run: g, inputs: [], outputs: [src/lex.c, {path: log, optional: true}, \"dist/**\", \"!dist/tmp\", doc/]}\n"
	"  cc:\n"
	"    summary: Compile\n"
	"    each: {src: \"src/*.c\"}\n"
	"    concurrency: 2\n"
	"    needs: [{step: gen, order_only: true}]\n"
	"    run: cc\n"
	"    env: {T: {secret: tok}, A: b}\n"
	"    pass_env: [X, {name: CC, key: true}]\n"
	"    tools: [cc, {run: cc --version}]\n"
	"    requires: {tools: [{any: [cc, gcc]}], env: [HOME]}\n"
	"    inputs: [\"${{ each.src }}\", dist/x, \"**/*.h\", {path: none, optional: true}]\n"
	"    outputs: [\"obj/${{ each.src.stem }}.o\"]\n"
	"    depfile: \"obj/${{ each.src.stem }}.d\"\n"
	"    tags: [gpu]\n"
	"    timeout: 90s\n"
	"    retry: {times: 2, delay: 1s, factor: 1.5}\n"
	"  ld: {needs: [cc], run: ld, outputs: [app], params: {mode: fast}}\n"
	"  prep: {exec: [prep, a b]}\n"
	"workflows:\n"
	"  default: {steps: [prep, cc, {ld: {mode: slow}}], finally: [gen], sequential: true}\n";
static const char *const files[] = {"inc/a.h", "src/a.c", "src/b.c", "src/\xff.c", NULL};
static struct entry contents[] = {
	{.path = {"inc/a.h", 7}, .type = ENTRY_FILE, .mode = 0644, .digest = {DIGEST_SHA256, {1}}},
	{.path = {"src/a.c", 7}, .type = ENTRY_FILE, .mode = 0755, .digest = {DIGEST_SHA256, {2}}},
	{.path = {"src/b.c", 7}, .type = ENTRY_LINK, .mode = 0777, .link = {"a.c", 3}, .digest = {DIGEST_SHA256, {2}}},
	{.path = {"src/\xff.c", 7}, .type = ENTRY_ABSENT},
};
static const struct plan_content content = {.files = {contents, 4}};

static bool export(struct arena *a, const struct plan *plan, const struct plan_content *c, struct buf *out)
{
	struct selection sel;
	struct err err = ERR_INIT;
	bool good = select_goals(a, plan, NULL, 0, &sel, &err) == 0;

	buf_clear(out);
	if (good)
		plan_to_json(plan, &sel, c, NULL, NULL, out);
	else
		tap_show("error", str_of(err.text));
	err_release(&err);
	return good;
}

static void round_trip(struct arena *a, struct str json, struct buf *image)
{
	CLEANUP_BUF struct buf again = BUF_INIT(BUF_UNLIMITED);
	struct plan_content got;
	struct err err = ERR_INIT;
	struct plan plan;

	if (!ok(plan_from_json(a, json, image, &got, &err) == 0, "it is read back"))
		tap_show("said", str_of(err.text));
	else if (!ok(plan_open(image->s, image->n, true, &plan, &err) == 0, "the image is sound"))
		tap_show("said", str_of(err.text));
	else if (ok(export(a, &plan, &got, &again), "it is exported again"))
		is_str(buf_view(&again), str_dup(a, json).s, "byte for byte the same");
	err_release(&err);
}

static void differences(struct planned *p, const struct plan *plan)
{
	static const char changed[] = "cairn: 1\ncommands: {a: {run: x, inputs: []}}\nworkflows: {default: {steps: [a]}}\n";
	static const char other[] = "cairn: 1\ncommands: {a: {run: y, inputs: []}}\nworkflows: {default: {steps: [a]}}\n";
	CLEANUP_BUF struct buf out = BUF_INIT(1 << 20);
	struct world w = {0};
	struct planned x, y;
	size_t n;

	plan_diff(&p->plan, &content, &p->plan, &content, &out, &n);
	is_int(n, 0, "a plan does not differ from itself");
	plan_text_of(&x, changed, &w);
	plan_text_of(&y, other, &w);
	buf_clear(&out);
	plan_diff(&x.plan, &content, &y.plan, &content, &out, &n);
	is_int(n, 1, "a script that differs");
	ok(str_find(buf_view(&out), S("script: x -> y")) >= 0, "is named with both texts");
	planned_release(&x);
	planned_release(&y);
	(void)plan;
}

/* Every member left out or of another kind: an error or another plan, never a crash or an unsound image. */
static void hostile(struct arena *a, struct str json)
{
	size_t sound = 0, tried = 0;

	for (size_t i = 0; i < json.n; i += 3) {
		CLEANUP_BUF struct buf bad = BUF_INIT(BUF_UNLIMITED), image = BUF_INIT(BUF_UNLIMITED);
		struct plan_content got;
		struct plan plan;

		buf_str(&bad, json);
		bad.s[i] = json.s[i] == '"' ? '1' : json.s[i] == '[' ? '{' : '7';
		tried++;
		if (plan_from_json(a, buf_view(&bad), &image, &got, NULL) == 0)
			sound += plan_open(image.s, image.n, true, &plan, NULL) == 0;
	}
	ok(sound < tried, "%zu of %zu damaged plans are still plans", sound, tried);
}

int main(void)
{
	CLEANUP_BUF struct buf json = BUF_INIT(BUF_UNLIMITED), image = BUF_INIT(BUF_UNLIMITED);
	struct world w = {.files = files};
	struct planned p;

	sha256_init(NULL);
	plan_text_of(&p, text, &w);
	is_str(planned_mistakes(&p), "", "a plan");
	if (p.rc == 0 && ok(export(&p.arena, &p.plan, &content, &json), "is exported")) {
		round_trip(&p.arena, buf_view(&json), &image);
		hostile(&p.arena, buf_view(&json));
		differences(&p, &p.plan);
	}
	planned_release(&p);
	return done();
}
