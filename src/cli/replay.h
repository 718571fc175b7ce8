/* replay.h: an exported plan in place of a spec. */
#pragma once

#include "cli/session.h"

/* The current folder is the workspace; no spec is looked for. */
int replay_open(struct session *, const struct plan_words *, struct err *);
/* Reads the plan and verifies that the workspace is the one it was made for: ERR_STALE names what is not. */
int replay_plan(struct session *, struct str file, struct err *);
