/* contentparts.h: what content.c and readahead.c share. Private to them. */
#pragma once

#include "base/map.h"
#include "resolve/content.h"
#include "resolve/statcache.h"

enum known_state {
	KNOWN_NOT,
	KNOWN_TOLD,                     /* the digest of that identity, not looked at yet */
	KNOWN_LOOKED,
	KNOWN_FAILED,                   /* error says why; told once, then looked at again */
};

struct known {
	struct str path;
	struct entry entry;
	struct ident ident;
	enum known_state state;
	bool racy;
	struct str error;
	struct content_behind *behind;
	size_t nbehind;
};

struct content {
	struct arena *arena;
	int rootfd;
	uint64_t dev;                   /* of the workspace */
	struct str root;
	const char *cache_file;
	struct statcache *kept;
	struct map known;               /* path -> struct known * */
	int64_t opened, now;            /* the file system's clock: at the start, when last asked; 0: it has none */
	uint64_t asked;                 /* when it was asked, monotonic */
	bool learnt;
	uint64_t files, bytes;
};

void content_ask_clock(struct content *);
/* Is what was read under that identity, when the clock was asked last, not to be trusted? */
bool content_is_racy(const struct content *, const struct ident *, int64_t now);
struct known *content_known(struct content *, struct str path);
void known_set(struct known *, enum entry_type, const struct ident *);
void known_set_file(struct known *, const struct ident *, const struct digest *, bool racy);
static inline const char *os_path(struct str path) { return path.n ? path.s : "."; }
/* Looks at it, whatever is known. */
int content_look(struct content *, struct known *, struct err *);
