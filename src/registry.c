#include "registry.h"

#include "base/base.h"
#include "runtimes/runtime.h"

static const struct runtime *const runtimes[] = {&runtime_native, &runtime_fake};

const struct runtime *registry_runtime(struct str kind)
{
	for (size_t i = 0; i < countof(runtimes); i++)
		if (str_is(kind, runtimes[i]->name))
			return runtimes[i];
	return NULL;
}
