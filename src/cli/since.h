/* since.h: a selection limited to what may be affected by changed files: --since and --affected, and what a push changes. */
#pragma once

#include "cli/session.h"

/* What to compare with, when only --affected was said: what the CI system names as its base (GITHUB_BASE_REF,
 * CI_MERGE_REQUEST_DIFF_BASE_SHA, CI_COMMIT_BEFORE_SHA), outside of CI the branch's upstream. */
int since_default(struct session *, struct str *rev, struct err *);

/* What changed, for since_narrow: names from the top of the repository (absolute, with a final slash), NUL-terminated. */
void since_take(struct session *, struct str top, struct str names);

/* After session_select. Nothing to do unless words.since, words.affected or s->changed say so. remark: told what came of it. */
int since_narrow(struct session *, void (*remark)(void *ctx, struct str text), void *ctx, struct err *);
