#include "registry.h"

#include "generators/generator.h"
#include "runtimes/runtime.h"

static const struct runtime *const runtimes[] = {[RUNTIME_KIND_NATIVE] = &runtime_native, [RUNTIME_KIND_CONTAINER] = &runtime_container, [RUNTIME_KIND_POD] = NULL};

const struct runtime *registry_runtime(uint32_t kind, struct err *err)
{
	static const char *const names[] = {"native", "container", "pod"};

	if (kind >= countof(runtimes))
		BUG("runtime kind %u", kind);
	if (!runtimes[kind])
		err_set(err, ERR_RUNTIME, "steps of the runtime %s are not built yet", names[kind]);
	return runtimes[kind];
}

static const struct generator *const generators[] = {&generator_make, &generator_ninja, &generator_sh, &generator_compile_commands, &generator_github};

const struct generator *registry_generator(struct str name)
{
	for (size_t i = 0; i < countof(generators); i++)
		if (str_is(name, generators[i]->name))
			return generators[i];
	return NULL;
}

const struct generator *const *registry_generators(size_t *n)
{
	*n = countof(generators);
	return generators;
}
