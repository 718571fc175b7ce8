/* The plan as a graph: as text for other tools, or a picture. */
#include <fcntl.h>

#include "cli/graph.h"
#include "cli/view.h"
#include "sys/file.h"

#define DEPTH_MAX 1000000

static const struct form {
	const char *name;
	void (*write)(const struct graph *, struct buf *);
} forms[] = {{"dot", graph_dot}, {"mermaid", graph_mermaid}, {"json", graph_json}, {"svg", graph_svg}, {"html", graph_html}};

static const struct form *form_named(struct str name)
{
	for (size_t i = 0; i < countof(forms); i++)
		if (str_is(name, forms[i].name))
			return &forms[i];
	return NULL;
}

/* --format, else what FILE's name ends in, else dot. */
static const struct form *form_of(struct str format, struct str file, struct err *err)
{
	const struct form *form = form_named(format.s ? format : S("dot"));
	ptrdiff_t dot = file.s ? str_rchr(file, '.') : -1;
	struct str end = dot >= 0 ? str_from(file, dot + 1) : S("");

	if (!form) {
		err_set(err, ERR_USAGE, "there is no form \"" STR_FMT "\" of a graph; there is: dot, mermaid, json, svg, html", STR_ARG(format));
		return NULL;
	}
	if (format.s)
		return form;
	return str_is(end, "mmd") ? form_named(S("mermaid")) : form_named(end) ? form_named(end) : form;
}

struct wishes { struct str format, file, focus; int64_t depth; bool status; };

static int focus_of(const struct session *s, struct str name, uint32_t *out, struct err *err)
{
	*out = PLAN_NONE;
	if (!name.s)
		return 0;
	*out = plan_find_step(s->plan, name);
	if (*out == PLAN_NONE || !s->selection.wanted[*out])
		return err_set(err, ERR_USAGE, "there is no step \"" STR_FMT "\" among those of the goals; `cairn list --steps` shows what there is", STR_ARG(name));
	return 0;
}

static int draw(struct view *v, const struct wishes *w, struct err *err)
{
	const struct form *form = form_of(w->format, w->file, err);
	struct survey survey = {0};
	struct graph g;
	uint32_t focus;
	int rc = -1;

	if (!form)
		return -1;
	if (w->depth < 0 || w->depth > DEPTH_MAX)
		return err_set(err, ERR_USAGE, "--depth is a number from 0 on");
	if (view_plan(v, err) == 0 && view_select(v, err) == 0 && focus_of(&v->s, w->focus, &focus, err) == 0 &&
	    (!w->status || survey_make(&survey, &v->s, NULL, view_warn, v, err) == 0)) {
		graph_make(&g, &v->arena, &v->s, w->status ? &survey : NULL, focus, (uint32_t)w->depth);
		form->write(&g, &v->out);
		rc = 0;
	}
	survey_release(&survey);
	if (rc == 0 && w->file.s && !str_is(w->file, "-"))
		return file_write(AT_FDCWD, str_dup(&v->arena, w->file).s, buf_view(&v->out), 0666, err);
	return rc == 0 ? cmd_print(&v->out, err) : -1;
}

static int graph(int argc, char **argv, struct err *err)
{
	struct wishes w = {.depth = DEPTH_MAX};
	struct view v;
	const struct opt opts[] = {
		{0, "format", OPT_STR, &w.format, "FORM", "dot, mermaid, json, svg or html; by default what FILE ends in, else dot"},
		{'o', "output", OPT_STR, &w.file, "FILE", "write into FILE"},
		{0, "status", OPT_FLAG, &w.status, NULL, "show of each step what a run would do now"},
		{0, "focus", OPT_STR, &w.focus, "STEP", "only this step, what it needs and what needs it"},
		{0, "depth", OPT_INT, &w.depth, "N", "with --focus: at most so many steps away"},
	};
	int rc = view_options(&v, &cmd_graph, opts, countof(opts), argc, argv, VIEW_GOALS, err);

	if (rc == 0 && !v.helped)
		rc = draw(&v, &w, err);
	return view_close(&v, rc);
}

const struct command cmd_graph = {"graph", "draw the plan, or write it as a graph for other tools",
				  "cairn graph [--format FORM] [--status] [--focus STEP [--depth N]] [-o FILE] [GOAL...]", graph};
