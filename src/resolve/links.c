#include "resolve/links.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/path.h"

#define HOPS_MAX 40                     /* as the kernel */

static struct str below(struct arena *a, struct str dir, struct str name)
{
	return str_fmt(a, STR_FMT "%s" STR_FMT, STR_ARG(dir), str_is(dir, "/") ? "" : "/", STR_ARG(name));
}

int links_follow(struct arena *arena, struct str path, struct hops *hops, struct str *real, struct ident *ident, struct err *err)
{
	struct str rest = path, part;
	int followed = 0;

	*real = S("/");
	*ident = (struct ident){.mode = S_IFDIR};
	while (str_cut(&rest, '/', &part)) {
		char text[PATH_MAX];
		struct str next;
		ssize_t n;
		int got;

		if (!part.n || str_is(part, "."))
			continue;
		if (str_is(part, "..")) {
			*real = real->n > 1 ? str_dup(arena, path_dir(*real)) : *real;
			*ident = (struct ident){.mode = S_IFDIR};
			continue;
		}
		next = below(arena, *real, part);
		if (!S_ISDIR(ident->mode)) {            /* a file has nothing below it */
			*real = next;
			*ident = (struct ident){0};
			return 0;
		}
		got = file_ident(AT_FDCWD, next.s, ident, err);
		if (got <= 0 || !S_ISLNK(ident->mode)) {
			*real = next;
			if (got <= 0)
				return got;
			continue;
		}
		vec_add(hops, (struct hop){next, *ident});
		n = readlink(next.s, text, sizeof(text));
		if (n < 0)
			return err_errno(err, "unable to read the link " STR_FMT, STR_ARG(next));
		if (++followed > HOPS_MAX || n == sizeof(text)) {
			*real = next;
			*ident = (struct ident){0};
			return 0;
		}
		rest = str_fmt(arena, "%.*s/" STR_FMT, (int)n, text, STR_ARG(rest));
		if (text[0] == '/')
			*real = S("/");
		*ident = (struct ident){.mode = S_IFDIR};
	}
	if (!ident->ino)                        /* ended at "/", "." or ".." */
		return file_ident(AT_FDCWD, real->s, ident, err);
	return 1;
}
