/* A plan as text for another tool, which then needs cairn no more. */
#include <fcntl.h>

#include "cli/view.h"
#include "generators/generator.h"
#include "registry.h"
#include "sys/file.h"

#define FILE_MAX (1u << 30)

static int unknown(struct str name, struct err *err)
{
	CLEANUP_BUF struct buf list = BUF_INIT(1u << 16);
	struct str names[16], near;
	size_t n;
	const struct generator *const *all = registry_generators(&n);

	for (size_t i = 0; i < n && i < countof(names); i++) {
		names[i] = str_of(all[i]->name);
		buf_fmt(&list, "%s%s", i ? ", " : "", all[i]->name);
	}
	near = str_nearest(name, names, n < countof(names) ? n : countof(names));
	if (!name.n)
		return err_set(err, ERR_USAGE, "what should be generated? There is: " STR_FMT, STR_ARG(buf_view(&list)));
	if (near.s)
		return err_set(err, ERR_USAGE, "there is no generator \"" STR_FMT "\"; did you mean \"" STR_FMT "\"?", STR_ARG(name), STR_ARG(near));
	return err_set(err, ERR_USAGE, "there is no generator \"" STR_FMT "\"; there is: " STR_FMT, STR_ARG(name), STR_ARG(buf_view(&list)));
}

/* All commands and workflows as goals. */
static void take_all(struct view *v)
{
	const struct plan *plan = v->s.plan;
	struct opt_list *goals = &v->s.words.goals;

	goals->v = arena_array(&v->arena, plan->ncommands + plan->nworkflows, struct str);
	for (uint32_t i = 0; i < plan->ncommands; i++)
		if (plan->commands[i].steps.n)          /* without a param's value it has none */
			goals->v[goals->n++] = plan_str(plan, plan->commands[i].name);
	for (uint32_t i = 0; i < plan->nworkflows; i++)
		goals->v[goals->n++] = plan_str(plan, plan->workflows[i].name);
}

/* A file that says the same already is left alone: what depends on its time need not look. */
static int put(struct view *v, struct str file, unsigned mode, struct err *err)
{
	const char *path = str_dup(&v->arena, file).s;
	struct str old;

	if (!file.s || str_is(file, "-"))
		return cmd_print(&v->out, err);
	if (file_read(&v->arena, AT_FDCWD, path, FILE_MAX, &old, NULL) > 0 && str_eq(old, buf_view(&v->out)))
		return 0;
	return file_write(AT_FDCWD, path, buf_view(&v->out), mode, err);
}

static int write_it(struct view *v, const struct generator *generator, struct str file, struct err *err)
{
	CLEANUP_BUF struct buf notes = BUF_INIT(1u << 20);
	struct generation g = {.root = v->s.root.s, .arena = &v->arena, .notes = &notes, .whole = generator->whole && !v->s.words.goals.n};

	if (g.whole)
		take_all(v);
	if (view_select(v, err) < 0)
		return -1;
	g.plan = v->s.plan;
	g.selection = &v->s.selection;
	g.goals = &v->s.words.goals;
	if (generator->check(&g, err) < 0 || generator->write(&g, &v->out, err) < 0 || put(v, file, generator->mode, err) < 0)
		return -1;
	file_write_all(2, notes.s, notes.n);
	return 0;
}

/* The first word is the generator's, the others are goals. */
static const struct generator *chosen(struct view *v, struct err *err)
{
	struct opt_list *goals = &v->words.goals;
	const struct generator *generator = goals->n ? registry_generator(goals->v[0]) : NULL;

	if (!generator) {
		unknown(goals->n ? goals->v[0] : S(""), err);
		return NULL;
	}
	goals->v++;
	goals->n--;
	return generator;
}

static int generate(int argc, char **argv, struct err *err)
{
	const struct generator *generator;
	struct str file = {0};
	struct view v;
	const struct opt opts[] = {{'o', "output", OPT_STR, &file, "FILE", "write into FILE, which is left alone if it says the same"}};
	int rc = view_options(&v, &cmd_generate, opts, countof(opts), argc, argv, VIEW_GOALS, err);

	if (rc == 0 && !v.helped) {
		generator = chosen(&v, err);
		rc = generator && view_plan(&v, err) == 0 ? write_it(&v, generator, file, err) : -1;
	}
	return view_close(&v, rc);
}

const struct command cmd_generate = {"generate", "write the plan for another tool: make, ninja, sh, compile_commands, github",
				     "cairn generate make|ninja|sh|compile_commands|github [-o FILE] [GOAL...]", generate};
