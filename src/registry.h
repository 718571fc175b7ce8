/* registry.h: the one place that names plug-ins. */
#pragma once

#include "base/err.h"

struct runtime;
/* By RUNTIME_KIND_*; NULL with err set when there is none. */
const struct runtime *registry_runtime(uint32_t kind, struct err *err);
