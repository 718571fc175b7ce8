/* leftovers.h: what an earlier run left of steps that the spec no longer has: no source, and removed by the next run. */
#pragma once

#include "cli/session.h"

/* Fills the session's gone and leftovers from the ledger, against its plan. Only reads. */
int leftovers_find(struct session *, struct err *);
