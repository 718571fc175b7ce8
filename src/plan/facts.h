/* facts.h: what planning asks of the world, and the answers. plan_make never looks: it asks, and a
 * driver in resolve/ answers and plans again. The questions asked are also the list of what makes a
 * kept plan stale. */
#pragma once

#include "base/map.h"
#include "base/err.h"

enum question_kind {
	Q_GLOB,         /* text: workspace-relative pattern -> source paths it matches (files and links), sorted.
			   Ignored folders and .git are entered only if the pattern's literal prefix names them */
	Q_PATH,         /* text: literal path -> one item "file", "link", "dir" or absent. For "dir" the further
			   items are all it holds (files, links; a folder that is empty ends with "/"), sorted */
	Q_SOURCES,      /* text: "" -> every file git does not ignore (in-tree rules only), sorted */
	Q_LINES,        /* text: path -> the file's lines, without empty ones */
	Q_ENV,          /* text: variable's name -> its value, or absent */
	Q_GIT,          /* text: "branch", "commit", "short", "tag", "dirty" -> value; absent outside git */
};

struct question {
	enum question_kind kind;
	struct str text;
	struct loc loc;                 /* where the spec gave rise to it, for messages */
};

struct answer {
	bool found;
	struct str *items;
	size_t n;
	struct str problem;             /* the world could not be read: planning fails with this text */
};

/* Append-only. Owns nothing: texts live in the facts arena that the driver gives. */
struct facts {
	struct arena *arena;
	struct map known;               /* "kind text" -> struct answer * */
	struct question *asked;         /* all that were ever asked, in order; those from `nanswered` on are open */
	size_t nasked, capasked, nanswered;
};

void facts_init(struct facts *, struct arena *);
void facts_release(struct facts *);
/* NULL when not known yet: then it is asked (once). */
const struct answer *facts_ask(struct facts *, enum question_kind, struct str text, struct loc);
/* For the driver, which also moves nanswered; answer is copied by reference. */
void facts_tell(struct facts *, const struct question *, const struct answer *);
