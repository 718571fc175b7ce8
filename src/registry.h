/* registry.h: the one place that names plug-ins. */
#pragma once

#include "base/str.h"

struct runtime;
/* By kind ("native"); NULL when there is none of that name. */
const struct runtime *registry_runtime(struct str kind);
