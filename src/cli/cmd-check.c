/* Reads the spec and plans all of it: what is wrong is said before anybody runs anything. */
#include "cli/show.h"
#include "cli/view.h"
#include "registry.h"
#include "runtimes/runtime.h"

/* Fields that the runtime can't honour. */
static int runtimes_check(struct session *s, struct err *err)
{
	for (uint32_t i = 0; i < s->plan->nsteps; i++) {
		const struct plan_step *step = &s->plan->steps[i];
		const struct runtime *runtime = registry_runtime(step->runtime, err);

		if (step->script_kind != SCRIPT_KIND_NONE && (!runtime || runtime->check(s->plan, step, err) < 0))
			return err_wrap(err, "step " STR_FMT, STR_ARG(plan_step_name(s->plan, i)));
	}
	return 0;
}

static int check(int argc, char **argv, struct err *err)
{
	struct view v;
	int rc = view_options(&v, &cmd_check, NULL, 0, argc, argv, VIEW_NONE, err);

	if (rc == 0 && !v.helped && (rc = view_plan(&v, err)) == 0 && (rc = runtimes_check(&v.s, err)) == 0) {
		buf_z(&v.out, "ok: ");
		show_count(&v.out, v.s.plan->ncommands, "command", "commands");
		buf_z(&v.out, ", ");
		show_count(&v.out, v.s.plan->nsteps, "step", "steps");
		buf_z(&v.out, ", ");
		show_count(&v.out, v.s.plan->nworkflows, "workflow", "workflows");
		buf_c(&v.out, '\n');
		rc = cmd_print(&v.out, err);
	}
	return view_close(&v, rc);
}

const struct command cmd_check = {"check", "check the spec, with all its mistakes in one go", "cairn check", check};
