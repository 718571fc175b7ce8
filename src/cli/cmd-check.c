/* Reads the spec and plans all of it: what is wrong is said before anybody runs anything. */
#include "cli/show.h"
#include "cli/view.h"
#include "registry.h"
#include "runtimes/runtime.h"

/* Fields that the runtime can't honour. */
static int runtimes_check(struct session *s, struct err *err)
{
	const struct runtime *runtime;

	if (config_read(&s->arena, &s->config, err) < 0)
		return -1;
	runtime = registry_runtime(s->config.runtime);
	for (uint32_t i = 0; runtime && i < s->plan->nsteps; i++)
		if (runtime->check(s->plan, &s->plan->steps[i], err) < 0)
			return err_wrap(err, "step " STR_FMT, STR_ARG(plan_step_name(s->plan, i)));
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
