#include "runtimes/containerwords.h"

/* The image's entrypoint, then what was given for it, or else what the image has for that. */
const char *const *container_argv(const struct job *job, const struct container_image *image)
{
	bool given = job->argv[0];
	size_t n = 0, most = image->nentrypoint + image->ncmd + 1;
	const char **argv;

	for (size_t i = 0; job->argv[i]; i++)
		most++;
	argv = arena_array(job->arena, most, const char *);
	for (size_t i = 0; i < image->nentrypoint; i++)
		argv[n++] = image->entrypoint[i].s;
	for (size_t i = 0; given && job->argv[i]; i++)
		argv[n++] = job->argv[i];
	for (size_t i = 0; !given && i < image->ncmd; i++)
		argv[n++] = image->cmd[i].s;
	return argv;
}

/* Does the step or its image say what the variable is? */
static bool is_declared(const struct job *job, const struct container_image *image, struct str name)
{
	struct str start = str_fmt(job->arena, STR_FMT "=", STR_ARG(name));

	for (const char *const *e = job->env; *e; e++)
		if (str_starts(str_of(*e), start))
			return true;
	for (size_t i = 0; i < image->nenv; i++)
		if (str_starts(image->env[i], start))
			return true;
	return false;
}

/* Podman adds variables of its own, and what a step finds must not depend on the engine. A name alone is taken away. */
const char *const *container_env(const struct job *job, const struct container_image *image)
{
	static const char *const engines[] = {"TERM", "container"};
	const char **env;
	size_t n = 0;

	while (job->env[n])
		n++;
	env = arena_array(job->arena, n + countof(engines) + 1, const char *);
	memcpy(env, job->env, n * sizeof(*env));
	for (size_t i = 0; i < countof(engines); i++)
		if (!is_declared(job, image, str_of(engines[i])))
			env[n++] = engines[i];
	return env;
}
