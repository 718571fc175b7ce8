#include "cli/view.h"

#include "cli/show.h"
#include "cli/since.h"
#include "sys/file.h"

int view_options(struct view *v, const struct command *command, const struct opt *own, size_t n, int argc, char **argv,
		 enum view_words words, struct err *err)
{
	const struct opt shared[] = {PLAN_WORD_OPTS(&v->words)};
	struct opt_rest rest;
	struct opt *all;

	*v = (struct view){.out = BUF_INIT(BUF_UNLIMITED), .s.rootfd = -1};
	all = arena_array(&v->arena, n + countof(shared), struct opt);
	if (n)
		memcpy(all, own, n * sizeof(*own));
	memcpy(all + n, shared, sizeof(shared));
	if (cmd_options(&v->arena, command, all, n + countof(shared), argc, argv, words == VIEW_GOALS, &v->common, &rest, &v->helped,
			err) < 0)
		return -1;
	if (words == VIEW_NONE)
		return v->helped ? 0 : cmd_no_words(command, &rest, err);
	if (words == VIEW_NAMES) {
		struct opt_list *names = &v->words.goals;

		names->v = arena_array(&v->arena, rest.words.n + rest.after.n, struct str);
		for (size_t i = 0; i < rest.words.n; i++)
			names->v[names->n++] = rest.words.v[i];
		for (size_t i = 0; i < rest.after.n; i++)
			names->v[names->n++] = rest.after.v[i];
		return 0;
	}
	v->words.goals = rest.words;
	v->words.unknown = rest.unknown;
	v->words.args = rest.after;
	v->words.has_args = rest.dashdash;
	return 0;
}

int view_open(struct view *v, struct err *err)
{
	v->opened = true;
	return session_open(&v->s, &v->common, &v->words, err);
}

int view_plan(struct view *v, struct err *err)
{
	return view_open(v, err) < 0 || session_plan(&v->s, err) < 0 ? -1 : 0;
}

static bool has_default(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->nworkflows; i++)
		if (str_is(plan_str(plan, plan->workflows[i].name), "default"))
			return true;
	return false;
}

static void remark(void *view, struct str text)
{
	CLEANUP_BUF struct buf out = BUF_INIT(1u << 16);

	(void)view;
	buf_z(&out, "cairn: ");
	show_text(&out, text);
	buf_c(&out, '\n');
	file_write_all(2, out.s, out.n);
}

int view_select(struct view *v, struct err *err)
{
	const struct plan *plan = v->s.plan;
	struct opt_list *goals = &v->s.words.goals;

	if (!goals->n && !has_default(plan)) {
		goals->v = arena_array(&v->arena, plan->ncommands, struct str);
		for (uint32_t i = 0; i < plan->ncommands; i++)
			if (plan->commands[i].steps.n)          /* without a param's value it has none */
				goals->v[goals->n++] = plan_str(plan, plan->commands[i].name);
		if (!goals->n)
			return err_set(err, ERR_USAGE, "there is nothing to look at: no command has a step without params of its own");
	}
	return session_select(&v->s, err) < 0 || since_narrow(&v->s, remark, v, err) < 0 ? -1 : 0;
}

void view_warn(void *view, struct str text)
{
	CLEANUP_BUF struct buf out = BUF_INIT(1u << 16);

	(void)view;
	buf_z(&out, "cairn: warning: ");
	show_text(&out, text);
	buf_c(&out, '\n');
	file_write_all(2, out.s, out.n);
}

int view_close(struct view *v, int rc)
{
	if (v->opened)
		session_close(&v->s);
	buf_release(&v->out);
	arena_release(&v->arena);
	return rc;
}
