#include "registry.h"

#include "runtimes/runtime.h"

static const struct runtime *const runtimes[] = {[RUNTIME_KIND_NATIVE] = &runtime_native, [RUNTIME_KIND_CONTAINER] = NULL, [RUNTIME_KIND_POD] = NULL};

const struct runtime *registry_runtime(uint32_t kind, struct err *err)
{
	static const char *const names[] = {"native", "container", "pod"};

	if (kind >= countof(runtimes))
		BUG("runtime kind %u", kind);
	if (!runtimes[kind])
		err_set(err, ERR_RUNTIME, "steps of the runtime %s are not built yet", names[kind]);
	return runtimes[kind];
}
