#include "sys/xdg.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

/* HOME, or what the user database says where HOME is unset or no absolute path. */
static int home(struct str *out, struct err *err)
{
	const char *dir = getenv("HOME");
	if (!dir || *dir != '/') {
		struct passwd *user = getpwuid(getuid());
		dir = user ? user->pw_dir : NULL;
	}
	if (!dir || *dir != '/')
		return err_set(err, ERR_SYSTEM, "unable to find a home folder: HOME is not an absolute path and user %u "
			       "has no entry; set HOME", (unsigned)getuid());
	*out = str_of(dir);
	return 0;
}

static int xdg(struct arena *arena, const char *variable, const char *preset, struct str *out, struct err *err)
{
	const char *dir = getenv(variable);
	if (dir && *dir == '/') {
		*out = str_fmt(arena, "%s/cairn", dir);
		return 0;
	}
	struct str base = {0};
	if (home(&base, err) < 0)
		return -1;
	*out = str_fmt(arena, STR_FMT "/%s/cairn", STR_ARG(base), preset);
	return 0;
}

int xdg_state(struct arena *arena, struct str *out, struct err *err)
{
	return xdg(arena, "XDG_STATE_HOME", ".local/state", out, err);
}

int xdg_cache(struct arena *arena, struct str *out, struct err *err)
{
	return xdg(arena, "XDG_CACHE_HOME", ".cache", out, err);
}

int xdg_config(struct arena *arena, struct str *out, struct err *err)
{
	return xdg(arena, "XDG_CONFIG_HOME", ".config", out, err);
}
