/* The plan of some goals: readable, as JSON, with what a run would do; and what differs between two exported ones. */
#include <fcntl.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/vec.h"
#include "cli/show.h"
#include "cli/survey.h"
#include "cli/view.h"
#include "plan/planjson.h"
#include "sys/file.h"
#include "sys/sha.h"

#define PLAN_FILE_MAX (1u << 30)
#define LIST_SHOWN 6                    /* entries of a long list in the readable plan */
#define LINE_SHOWN 100                  /* bytes of a command line in it */

/* ---- readable ---- */

static void label(struct buf *out, const char *name) { buf_fmt(out, "    %-8s", name); }

static void more(struct buf *out, size_t n)
{
	if (n > LIST_SHOWN)
		buf_fmt(out, " and %zu more", n - LIST_SHOWN);
	buf_c(out, '\n');
}

static void needs_text(struct buf *out, const struct plan *plan, const struct plan_step *s)
{
	if (!s->needs.n)
		return;
	label(out, "needs");
	for (uint32_t i = 0; i < s->needs.n && i < LIST_SHOWN; i++) {
		const struct plan_need *need = &plan->needs[s->needs.at + i];

		buf_z(out, i ? ", " : "");
		show_text(out, plan_step_name(plan, need->step));
		buf_z(out, need->flags & NEED_ORDER_ONLY ? " (order only)" : "");
	}
	more(out, s->needs.n);
}

static void inputs_text(struct buf *out, const struct plan *plan, const struct plan_step *s)
{
	uint32_t n = s->inputs.n, all = n + s->globs.n;

	if (s->flags & STEP_ALL_SOURCES) {
		label(out, "inputs");
		buf_fmt(out, "all %u source files\n", plan->nsources);
	} else if (all) {
		label(out, "inputs");
		for (uint32_t i = 0; i < all && i < LIST_SHOWN; i++) {
			buf_z(out, i ? ", " : "");
			show_text(out, i < n ? plan_path_str(plan, plan->inputs[s->inputs.at + i].path) : plan_word(plan, s->globs, i - n));
		}
		more(out, all);
	}
	if (!s->depfile.n)
		return;
	label(out, "depfile");
	show_text(out, plan_str(plan, s->depfile));
	buf_c(out, '\n');
}

static void outputs_text(struct buf *out, const struct plan *plan, const struct plan_step *s)
{
	if (!s->outputs.n)
		return;
	label(out, "outputs");
	for (uint32_t i = 0; i < s->outputs.n && i < LIST_SHOWN; i++) {
		const struct plan_output *o = &plan->outputs[s->outputs.at + i];

		buf_fmt(out, "%s%s", i ? ", " : "", o->flags & OUTPUT_NEGATED ? "!" : "");
		show_text(out, plan_str(plan, o->path));
	}
	more(out, s->outputs.n);
}

static void script_text(struct buf *out, const struct plan *plan, const struct plan_step *s)
{
	CLEANUP_BUF struct buf line = BUF_INIT(BUF_UNLIMITED);
	struct str script = plan_str(plan, s->script), first = script;
	bool cut;

	if (s->script_kind == SCRIPT_KIND_NONE)
		return;
	if (s->script_kind == SCRIPT_KIND_EXEC) {
		for (uint32_t i = 0; i < s->argv.n; i++)
			buf_fmt(&line, "%s" STR_FMT, i ? " " : "", STR_ARG(plan_word(plan, s->argv, i)));
		first = script = buf_view(&line);
	} else {
		str_cut(&script, '\n', &first);
		cut = str_trim(script).n;
		buf_str(&line, first);
		buf_z(&line, cut ? " ..." : "");
		first = buf_view(&line);
	}
	label(out, s->script_kind == SCRIPT_KIND_EXEC ? "exec" : "run");
	show_text(out, first.n > LINE_SHOWN ? str_head(first, LINE_SHOWN) : first);
	buf_z(out, first.n > LINE_SHOWN ? "...\n" : "\n");
}

static void plan_text(struct buf *out, const struct session *s)
{
	const struct plan *plan = s->plan;

	show_count(out, s->selection.n, "step", "steps");
	buf_z(out, ", in this order as far as needs ask for it:\n");
	for (uint32_t i = 0; i < plan->nsteps; i++) {
		const struct plan_step *step = &plan->steps[i];

		if (!s->selection.wanted[i])
			continue;
		buf_c(out, '\n');
		show_text(out, plan_step_name(plan, i));
		if (step->flags & STEP_SKIP || s->selection.wanted[i] & SELECT_SKIP)
			buf_z(out, "  (skipped: its condition is false)");
		else if (!(step->flags & STEP_CACHED) && step->script_kind != SCRIPT_KIND_NONE)
			buf_fmt(out, "  (runs every time: " STR_FMT ")", STR_ARG(plan_str(plan, step->uncached)));
		buf_c(out, '\n');
		script_text(out, plan, step);
		needs_text(out, plan, step);
		inputs_text(out, plan, step);
		outputs_text(out, plan, step);
	}
}

static void status_text(struct buf *out, const struct survey *v)
{
	const struct plan *plan = v->s->plan;

	for (uint32_t i = 0; i < plan->nsteps; i++) {
		const struct survey_step *step = &v->steps[i];

		if (step->state == SURVEY_NONE)
			continue;
		buf_fmt(out, "%-9s  ", survey_state_name(step->state));
		show_text(out, plan_step_name(plan, i));
		if (step->reason.n)
			buf_z(out, "  # ");
		show_text(out, step->reason);
		buf_c(out, '\n');
	}
}

/* ---- JSON ---- */

static int by_path(const void *a, const void *b) { return entry_cmp(a, b); }

/* The content of every source that a wanted step names. What lies outside of the workspace is this machine's affair. */
static int content_gather(struct session *s, struct plan_content *out, struct err *err)
{
	const struct plan *plan = s->plan;
	struct plan_index *index = plan_index_new(&s->arena, plan);
	bool *wanted = arena_array(&s->arena, plan->npaths + 1, bool), sources = false;

	for (uint32_t i = 0; i < plan->nsteps; i++) {
		const struct plan_step *step = &plan->steps[i];

		if (!s->selection.wanted[i])
			continue;
		for (uint32_t k = 0; k < step->inputs.n; k++)
			wanted[plan->inputs[step->inputs.at + k].path] = true;
		sources |= step->flags & STEP_ALL_SOURCES;
	}
	for (uint32_t i = 0; sources && i < plan->nsources; i++)
		wanted[plan->sources[i]] = true;
	out->files.v = arena_array(&s->arena, plan->npaths + 1, struct entry);
	for (uint32_t i = 0; i < plan->npaths; i++) {
		struct str path = plan_path_str(plan, i);

		if (!wanted[i] || (path.n && path.s[0] == '/') || plan_index_producer(index, path) != PLAN_NONE)
			continue;
		if (content_entry(s->content, path, &out->files.v[out->files.n], NULL, NULL, err) < 0)
			return -1;
		out->files.v[out->files.n++].path = path;
	}
	if (out->files.n)
		qsort(out->files.v, out->files.n, sizeof(*out->files.v), by_path);
	return 0;
}

/* What the images of wanted steps are now: by that they are replayed. */
static void pins_gather(struct view *v, struct plan_content *out)
{
	struct session *s = &v->s;
	const struct plan *plan = s->plan;
	struct images *images = session_images(s, view_warn, v);
	bool *wanted = arena_array(&s->arena, plan->nimages + 1, bool);

	out->pins = arena_array(&s->arena, plan->nimages + 1, struct plan_pin);
	for (uint32_t i = 0; i < plan->nsteps; i++)
		if (s->selection.wanted[i] && plan_image_of(plan, &plan->steps[i]))
			wanted[plan->places[plan->steps[i].place].image] = true;
	for (uint32_t i = 0; i < plan->nimages; i++) {
		const struct image_fact *fact = wanted[i] ? images_fact(images, i) : NULL;

		if (fact && fact->identity.algo)
			out->pins[out->npins++] = (struct plan_pin){i, fact->identity, fact->create, fact->pull};
	}
}

static void status_json(void *ctx, uint32_t step, struct json *j)
{
	const struct survey *v = ctx;
	char text[DIGEST_TEXT_MAX];

	json_kstr(j, "status", str_of(survey_state_name(v->steps[step].state)));
	if (v->steps[step].key.algo != DIGEST_NONE)
		json_kstr(j, "key", str_of(digest_text(&v->steps[step].key, text)));
	if (v->steps[step].reason.n)
		json_kstr(j, "reason", v->steps[step].reason);
}

static int plan_json(struct view *v, struct survey *survey, struct err *err)
{
	struct plan_content content = {0};

	if (sha256_init(err) < 0 || session_content(&v->s, err) < 0 || content_gather(&v->s, &content, err) < 0)
		return -1;
	pins_gather(v, &content);
	plan_to_json(v->s.plan, &v->s.selection, &content, survey ? status_json : NULL, survey, &v->out);
	return 0;
}

/* ---- two plans ---- */

struct exported { struct buf image; struct plan plan; struct plan_content content; };

static int exported_read(struct arena *a, struct str file, struct exported *out, struct err *err)
{
	struct str text, path = str_dup(a, file);
	int got = file_read(a, AT_FDCWD, path.s, PLAN_FILE_MAX, &text, err);

	out->image = (struct buf)BUF_INIT(BUF_UNLIMITED);
	if (got < 0)
		return -1;
	if (!got)
		return err_set(err, ERR_USAGE, "unable to open the plan %s: no such file", path.s);
	if (plan_from_json(a, text, &out->image, &out->content, err) < 0 ||
	    plan_open(out->image.s, out->image.n, true, &out->plan, err) < 0) {
		if (!err->text)                 /* a place in the text is all it says */
			return err_set(err, err->kind, "unable to read the plan %s", path.s);
		return err_wrap(err, "unable to read the plan %s", path.s);
	}
	return 0;
}

/* As diff(1) ends: 0 they are the same, 1 they differ. */
static int plans_compare(struct view *v, struct str one, struct str other, struct err *err)
{
	struct exported a = {0}, b = {0};
	size_t n = 0;
	int rc = -1;

	if (exported_read(&v->arena, one, &a, err) == 0 && exported_read(&v->arena, other, &b, err) == 0 &&
	    plan_diff(&a.plan, &a.content, &b.plan, &b.content, &v->out, &n) == 0 && cmd_print(&v->out, err) == 0)
		rc = n ? 1 : 0;
	buf_release(&a.image);
	buf_release(&b.image);
	return rc;
}

/* ---- the command ---- */

static int show(struct view *v, bool json, bool status, struct str file, struct err *err)
{
	struct survey survey = {0};
	int rc = -1;

	if (view_plan(v, err) == 0 && view_select(v, err) == 0 && (!status || survey_make(&survey, &v->s, NULL, view_warn, v, err) == 0)) {
		rc = 0;
		if (json)
			rc = plan_json(v, status ? &survey : NULL, err);
		else if (status)
			status_text(&v->out, &survey);
		else
			plan_text(&v->out, &v->s);
	}
	survey_release(&survey);
	if (rc == 0 && file.s && !str_is(file, "-"))
		return file_write(AT_FDCWD, str_dup(&v->arena, file).s, buf_view(&v->out), 0666, err);
	return rc == 0 ? cmd_print(&v->out, err) : -1;
}

static int plan(int argc, char **argv, struct err *err)
{
	bool json = false, status = false;
	struct str file = {0};
	struct view v;
	const struct opt opts[] = {
		{0, "json", OPT_FLAG, &json, NULL, "print canonical JSON, which `cairn run --plan` replays"},
		{0, "status", OPT_FLAG, &status, NULL, "say of each step what a run would do now"},
		{'o', "output", OPT_STR, &file, "FILE", "write into FILE"},
		SINCE_OPTS(&v.words),
	};
	int rc = view_options(&v, &cmd_plan, opts, countof(opts), argc, argv, VIEW_GOALS, err);

	if (rc == 0 && !v.helped) {
		const struct opt_list *words = &v.words.goals;

		if (words->n && str_is(words->v[0], "diff") && words->n == 3)
			rc = plans_compare(&v, words->v[1], words->v[2], err);
		else
			rc = show(&v, json, status, file, err);
	}
	return view_close(&v, rc);
}

const struct command cmd_plan = {"plan", "show what goals come to, without running anything",
				 "cairn plan [--status] [--json] [-o FILE] [GOAL...] | cairn plan diff A B", plan};
