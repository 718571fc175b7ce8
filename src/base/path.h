/* path.h: workspace-relative paths as text: "a/b", no leading or trailing "/", no "." or "..",
 * "" is the workspace itself. */
#pragma once

#include "str.h"

/* Joins and normalises lexically: base is such a path, rel may hold "./", "../", "//" and a trailing
 * "/". False when it leaves the workspace. An absolute rel is returned as it is, normalised, with
 * its leading "/". Works for patterns too, whose components are left as they are. */
bool path_join(struct arena *, struct str base, struct str rel, struct str *out);
struct str path_dir(struct str);        /* "" when there is none */
struct str path_name(struct str);
struct str path_ext(struct str);        /* ".c"; "" when none; a leading dot of a name is no extension */
struct str path_stem(struct str);       /* name without ext */
struct str path_noext(struct str);      /* path without ext */
/* Is path equal to or below dir? "" holds everything. */
bool path_within(struct str path, struct str dir);
