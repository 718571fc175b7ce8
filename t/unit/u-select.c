#include "planned.h"

#include "plan/select.h"

static const char text[] =
	"cairn: 1\n"
	"commands:\n"
	"  gen: {run: g, inputs: [], outputs: [g]}\n"
	"  build: {run: b, needs: [gen], inputs: [], outputs: [b]}\n"
	"  test: {run: t, needs: [build], matrix: {axes: {go: [\"1.20\", \"1.21\"]}}}\n"
	"  unit: {run: u, params: {pattern: {default: \".*\"}}, inputs: [], outputs: [u]}\n"
	"  deploy: {run: d, params: {to: }}\n"
	"  clean: {run: c}\n"
	"  mail: {run: m, needs: [gen]}\n"
	"workflows:\n"
	"  ci: {steps: [test, {command: clean, when: '${{ os == \"mac\" }}'}], finally: [mail]}\n"
	"  seq: {sequential: true, steps: [clean, test]}\n"
	"  back: {sequential: true, steps: [test, clean]}\n"
	"  done: {sequential: true, steps: [test, gen]}\n"
	"  both: {steps: [unit, {unit: {pattern: x}}]}\n";

static struct planned p;
static struct selection sel;

static struct str chosen(const char *const *goals, size_t n)
{
	struct str names[4], out;
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT(1 << 16);

	for (size_t i = 0; i < n; i++)
		names[i] = str_of(goals[i]);
	if (select_goals(&p.arena, &p.plan, names, n, &sel, &err) < 0) {
		buf_fmt(&b, "error %d: %s", err.kind, err.text ? err.text : "");
	} else {
		for (uint32_t i = 0; i < p.plan.nsteps; i++) {
			if (!sel.wanted[i])
				continue;
			buf_fmt(&b, "%s" STR_FMT "%s%s%s", b.n ? " " : "", STR_ARG(plan_step_name(&p.plan, i)),
				sel.wanted[i] & SELECT_GOAL ? "*" : "", sel.wanted[i] & SELECT_SKIP ? "-" : "",
				sel.wanted[i] & SELECT_FINALLY ? "!" : "");
		}
	}
	err_release(&err);
	out = str_dup(&p.arena, buf_view(&b));
	buf_release(&b);
	return out;
}

#define chosen(...) chosen((const char *const[]){__VA_ARGS__}, countof(((const char *const[]){__VA_ARGS__})))

static struct str edges(void)
{
	struct buf b = BUF_INIT(1 << 16);
	struct str out;

	for (size_t i = 0; i < sel.norder; i++)
		buf_fmt(&b, "%s" STR_FMT "<" STR_FMT, i ? " " : "", STR_ARG(plan_step_name(&p.plan, sel.order[i].before)),
			STR_ARG(plan_step_name(&p.plan, sel.order[i].after)));
	out = str_dup(&p.arena, buf_view(&b));
	buf_release(&b);
	return out;
}

static void names(void)
{
	is_str(chosen("build"), "gen build*", "a command and what it needs");
	is_str(chosen("test"), "gen build test[go=1.20]* test[go=1.21]*", "all its steps");
	is_str(chosen("test[go=1.21]"), "gen build test[go=1.21]*", "one step");
	is_str(chosen("t*1.20?"), "gen build test[go=1.20]*", "a pattern");
	is_str(chosen("clean", "gen"), "gen* clean*", "several goals");
	is_str(chosen("unit"), "unit*", "a command, not the variant that a workflow asks for");
	ok(str_starts(chosen("biuld"), S("error 1: there is no step, command or workflow \"biuld\"; did you mean \"build\"?")), "a suggestion");
	ok(str_find(chosen("deploy"), S("--to=VALUE")) > 0, "a param that is missing is named");
	ok(str_starts((chosen)(NULL, 0), S("error 1: ")), "without goals and default there is nothing to do");
}

static void workflows(void)
{
	is_str(chosen("ci"), "gen build test[go=1.20]* test[go=1.21]* clean*- mail*!", "goals, one without its condition, and finally");
	is_int(sel.nfinally, 1, "what runs finally");
	is_str(chosen("ci", "clean"), "gen build test[go=1.20]* test[go=1.21]* clean* mail*!", "wanted by itself, it is not skipped");
	is_str(chosen("seq"), "gen build test[go=1.20]* test[go=1.21]* clean*", "a sequential workflow");
	is_str(edges(), "clean<gen", "what test needs waits for clean, and so does all else");
	chosen("back");
	is_str(edges(), "test[go=1.20]<clean test[go=1.21]<clean", "the other way round");
	chosen("done");
	is_str(edges(), "", "what an earlier goal needs is done by then");
	ok(str_find(chosen("seq", "back"), S("both before and after")) > 0, "two orders that contradict each other");
	ok(str_find(chosen("both"), S("two variants of one step")) > 0, "two variants with one output");
}

int main(void)
{
	struct world w = {0};

	plan_text_of(&p, text, &w);
	is_str(planned_mistakes(&p), "", "a plan");
	if (p.rc == 0) {
		names();
		workflows();
	}
	planned_release(&p);
	return done();
}
