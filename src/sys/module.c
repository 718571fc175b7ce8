#include "sys/module.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* There are only ever a few, loaded on the main thread and never unloaded. */
static struct { char name[32]; const void *table; } loaded[8];
static size_t nloaded;

/* The folder of the running program, without a trailing slash. */
static int program_dir(char out[PATH_MAX], struct err *err)
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
	if (n < 0)
		return err_errno(err, "unable to find the program's own folder through /proc/self/exe");
	out[n] = '\0';
	char *slash = strrchr(out, '/');
	if (slash)
		*slash = '\0';
	return 0;
}

int module_file(const char *name, char out[PATH_MAX], struct err *err)
{
	static const char *const places[] = {"lib", "../lib/cairn"};
	char dir[PATH_MAX];
	if (program_dir(dir, err) < 0)
		return -1;
	for (size_t i = 0; i < countof(places); i++) {
		int n = snprintf(out, PATH_MAX, "%s/%s/%s", dir, places[i], name);
		if (n < PATH_MAX && access(out, F_OK) == 0)
			return 0;
	}
	return err_set(err, ERR_SYSTEM, "unable to find %s: there is neither %s/lib/%s nor %s/../lib/cairn/%s; "
		       "install cairn together with its modules", name, dir, name, dir, name);
}

static const void *module_open(const char *name, struct err *err)
{
	char file[64], path[PATH_MAX];
	snprintf(file, sizeof(file), "%s.so", name);
	if (module_file(file, path, err) < 0)
		return NULL;
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const void *table = handle ? dlsym(handle, "cairn_module") : NULL;
	if (!table)
		err_set(err, ERR_SYSTEM, "unable to load the module %s: %s", name, dlerror());
	return table;
}

const void *module_load(const char *name, struct err *err)
{
	for (size_t i = 0; i < nloaded; i++)
		if (strcmp(loaded[i].name, name) == 0)
			return loaded[i].table;
	if (nloaded == countof(loaded) || strlen(name) >= sizeof(loaded->name))
		BUG("no room for the module %s", name);
	const void *table = module_open(name, err);
	if (!table)
		return NULL;
	strcpy(loaded[nloaded].name, name);
	loaded[nloaded++].table = table;
	return table;
}
