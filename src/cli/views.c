#include "cli/views.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "sys/file.h"

static bool gitlab_here(void)
{
	const char *said = getenv("GITLAB_CI");

	return said && *said;
}

void views_open(struct views *v, struct events *events, struct progress *progress, struct str junit)
{
	v->junit = junit;
	v->github = github_here();
	v->gathers = junit.s || v->github;
	if (v->gathers)
		events_add(events, report_see, &v->report);
	if (gitlab_here())
		progress_sections(progress);
}

static bool place(void *ctx, struct str step, struct report_place *out)
{
	const struct plan *plan = ((struct session *)ctx)->plan;
	uint32_t i = plan ? plan_find_step(plan, step) : PLAN_NONE;

	if (i == PLAN_NONE || !plan->steps[i].file.n)
		return false;
	*out = (struct report_place){plan_str(plan, plan->steps[i].file), plan->steps[i].line, plan->steps[i].col};
	return true;
}

/* The spec's name, else that of the workspace's folder. */
static struct str title(const struct session *s)
{
	const struct plan *plan = s->plan ? s->plan : s->snapshot && snapshot_whole(s->snapshot) ? snapshot_plan(s->snapshot) : NULL;
	struct str name = plan ? plan_str(plan, plan->head->name) : S("");

	return name.n ? name : path_name(s->root);
}

static int write_all(struct views *v, struct session *s, struct err *err)
{
	CLEANUP_BUF struct buf lines = BUF_INIT(BUF_UNLIMITED);
	int rc = 0;

	if (v->junit.s && junit_write(&v->report, title(s), str_dup(&s->arena, v->junit).s, err) < 0)
		rc = -1;
	if (!v->github)
		return rc;
	github_annotate(&v->report, s->root, place, s, &lines);
	file_write_all(STDOUT_FILENO, lines.s, lines.n);
	return github_summary(&v->report, title(s), rc < 0 ? NULL : err) < 0 ? -1 : rc;
}

int views_close(struct views *v, struct session *s, struct err *err)
{
	int rc = v->report.over ? write_all(v, s, err) : 0;

	report_release(&v->report);
	return rc;
}
