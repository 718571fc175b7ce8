/* registry.h: the one place that names plug-ins. */
#pragma once

#include "base/err.h"

struct runtime;
/* By RUNTIME_KIND_*; NULL with err set when there is none. */
const struct runtime *registry_runtime(uint32_t kind, struct err *err);

struct generator;
/* By name ("make"); NULL when there is none of that name. */
const struct generator *registry_generator(struct str name);
/* All of them in the order of their list; *n is their count. */
const struct generator *const *registry_generators(size_t *n);
