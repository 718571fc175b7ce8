/* listing.h: folders as they were when first asked for: entries by name and type, the ignore rules in
 * force there, and the identity taken before each was listed. A folder is read once a tree, so that
 * all answers of one planning speak of the same moment. */
#pragma once

#include "base/map.h"
#include "base/vec.h"
#include "resolve/ignore.h"
#include "resolve/tree.h"

#define LISTING_IGNORE_MAX (16u << 20)  /* bytes of one .gitignore */

enum item_type { ITEM_FILE, ITEM_LINK, ITEM_DIR, ITEM_OTHER };

struct item {
	const char *name;
	uint32_t n;
	uint8_t type;                   /* enum item_type */
	const char *path;               /* made when first asked for: item_path */
};

struct folder {
	struct str path;                /* workspace-relative, or absolute */
	struct folder *parent;          /* whose rules it inherits; NULL: nobody's */
	struct item *items;             /* sorted by name, without .cairn~* */
	size_t n;
	bool listed, absent;
	bool rules_known;
	const struct ignore *rules;
	struct str problem;             /* why it could not be read */
};

struct listing {
	struct arena *arena;
	int rootfd;
	struct str root;
	struct map folders;             /* path -> struct folder * */
	struct map seen;                /* paths that are in looked */
	VEC(struct tree_dir) looked;
	bool above_known;
	struct str prefix;              /* the workspace below the top of its git work tree, with a final "/"; "" */
	bool in_git;
	const struct ignore *above;     /* rules of the folders above the workspace */
};

/* The one for that path. A parent that is given later is taken. */
struct folder *listing_folder(struct listing *, struct folder *parent, struct str path);
/* Reads it unless that was done. follow: path may be a link to a folder. False: absent, or problem says why not. */
bool folder_list(struct listing *, struct folder *, bool follow);
const struct item *folder_item(const struct folder *, struct str name);
struct str item_path(struct listing *, const struct folder *, struct item *);
/* The rules of its own .gitignore and of all above it, for paths that begin with listing.prefix; NULL: none. -1: one can't
 * be read, the folder's problem says why. */
int folder_rules(struct listing *, struct folder *, const struct ignore **);
/* Remembers what path was, unless it has been looked at before. */
void listing_look(struct listing *, struct str path, const struct ident *, bool type);
/* Finds the git work tree around the workspace and the rules above it, once. */
int listing_above(struct listing *, struct str *problem);
void listing_release(struct listing *);
