/* links.h: where a path leads, and over which links: what a digest made through links rests on. */
#pragma once

#include "base/vec.h"
#include "sys/file.h"

struct hop { struct str path; struct ident ident; };
struct hops { struct hop *v; size_t n, cap; };

/* Follows path, which is absolute, one component after the other. Every link on the way is added to hops with its
 * identity. 1: *real is the path without links and *ident its identity; 0: it leads nowhere (or in circles), *real is what is not
 * there; -1. Texts live in the arena. */
int links_follow(struct arena *, struct str path, struct hops *, struct str *real, struct ident *ident, struct err *);
