#include "sys/gitrun.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/vec.h"
#include "sys/child.h"

#define OUTPUT_MAX (1u << 20)           /* where nobody wants it */

extern char **environ;

struct words { VEC(const char *) v; };

/* What `git rev-parse --local-env-vars` lists, and what hooks get beside. */
static bool points_to_repository(const char *variable)
{
	static const char *const names[] = {
		"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT", "GIT_OBJECT_DIRECTORY",
		"GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE", "GIT_INDEX_FILE", "GIT_NO_REPLACE_OBJECTS",
		"GIT_REPLACE_REF_BASE", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_QUARANTINE_PATH",
	};

	for (size_t i = 0; i < countof(names); i++) {
		size_t n = strlen(names[i]);

		if (!strncmp(variable, names[i], n) && variable[n] == '=')
			return true;
	}
	return false;
}

int git_run(const char *dir, enum git_run_env which, const char *const *args, struct buf *out, int *status, struct err *err)
{
	CLEANUP_BUF struct buf nowhere = BUF_INIT(OUTPUT_MAX);
	struct words argv = {0}, env = {0};
	struct child child;
	int rc;

	vec_add(&argv.v, "git");
	if (which == GIT_ENV_CLEAN) {
		vec_add(&argv.v, "-c");
		vec_add(&argv.v, "core.hooksPath=/dev/null");
	}
	while (*args)
		vec_add(&argv.v, *args++);
	vec_add(&argv.v, NULL);
	for (char **e = environ; *e; e++)
		if (which == GIT_ENV_OWN || !points_to_repository(*e))
			vec_add(&env.v, *e);
	vec_add(&env.v, NULL);
	child = (struct child){.argv = argv.v.v, .env = env.v.v, .dir = dir, .out = -1, .err = 2, .in = -1};
	rc = child_output(&child, false, 0, out ? out : &nowhere, status, err);
	vec_free(&argv.v);
	vec_free(&env.v);
	*status = WIFSIGNALED(*status) ? 128 + WTERMSIG(*status) : WEXITSTATUS(*status);
	return rc;
}

int git_must(const char *dir, enum git_run_env env, const char *const *args, struct buf *out, struct err *err)
{
	int status = 0;

	if (git_run(dir, env, args, out, &status, err) < 0)
		return -1;
	if (status || (out && out->full))
		return err_set(err, ERR_SYSTEM, "unable to go on in %s: git %s ended with status %d", dir, args[0], status);
	return 0;
}
