/* leftovers.h: what earlier runs left that this plan does not declare. It is no source. The next run without options of its
 * own removes what steps left that the spec no longer has. */
#pragma once

#include "cli/session.h"

/* Fills the session's gone, leftovers and kept from the ledger, against its plan. Only reads. */
int leftovers_find(struct session *, struct err *);
