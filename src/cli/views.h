/* views.h: what is told of a run beside progress and event file: JUnit XML when it is asked for, and what the CI system that this runs
 * in is known to show, found by its variables (GITHUB_ACTIONS, GITHUB_STEP_SUMMARY, GITLAB_CI). All are views of the events. */
#pragma once

#include "cli/session.h"
#include "exec/progress.h"
#include "exec/report.h"

struct views {
	struct report report;
	struct str junit;
	bool gathers, github;
};

void views_open(struct views *, struct events *, struct progress *, struct str junit);
/* Writes them. A run that did not come to its end (an error) is told by nothing but that error. */
int views_close(struct views *, struct session *, struct err *);
