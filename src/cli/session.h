/* session.h: one workspace, opened: where it is, its state, its plan. What every command that looks at a plan
 * shares. Members are filled by the functions in their order; session_close releases all. */
#pragma once

#include "cli/cmd.h"
#include "cli/config.h"
#include "plan/select.h"
#include "resolve/compile.h"
#include "resolve/snapshot.h"
#include "resolve/walk.h"

/* What a person may say about planning, the same for run, plan, explain, status, list. */
struct plan_words {
	struct opt_list vars;           /* -V name=value */
	struct opt_list env;            /* --env NAME=VALUE */
	struct str runtime;             /* --runtime */
	struct str engine;              /* --engine */
	struct opt_list unknown;        /* --param=value of the one goal that has it */
	struct opt_list goals;
	struct opt_list args; bool has_args;    /* after -- */
	struct str since; bool affected;        /* --since, --affected: only steps that may be affected, see since.h */
};
#define SINCE_OPTS(w) \
	{0, "since", OPT_STR, &(w)->since, "REV", "only what files that changed since this revision may affect"}, \
	{0, "affected", OPT_FLAG, &(w)->affected, NULL, "the same, since what CI names as its base or the branch's upstream"}
#define PLAN_WORD_OPTS(w) \
	{'V', "var", OPT_LIST, &(w)->vars, "NAME=VALUE", "set a variable of the spec"}, \
	{0, "env", OPT_LIST, &(w)->env, "NAME=VALUE", "set a variable in every step's environment"}, \
	{0, "runtime", OPT_STR, &(w)->runtime, "KIND", "run steps by this runtime"}, \
	{0, "engine", OPT_STR, &(w)->engine, "ENGINE", "run containers by this engine: auto, podman, docker or a URL"}

struct session {
	struct arena arena;
	uint64_t opened_ns;             /* monotonic: what took how long is counted from here */
	struct str root;                /* absolute, real */
	int rootfd;
	struct str file;                /* workspace-relative spec */
	struct str state;               /* absolute folder of this workspace's state; exists */
	struct config config;
	struct plan_words words;
	struct compile_options compile;
	struct compiled compiled;
	struct watches facts;           /* what the plan rests on */
	struct snapshot *snapshot;      /* the kept plan and state for these words; NULL */
	struct str snapshot_path;
	bool checked; enum snapshot_check check;        /* what session_check found */
	bool plan_kept;                 /* plan is the snapshot's */
	struct str *gone; size_t ngone; /* steps of the ledger that the spec no longer has; none for a run with options */
	struct map leftovers;           /* what earlier runs wrote and this plan does not declare: no sources */
	struct map kept;                /* ... of these, what this run does not remove: written under other options, or declared before the spec was edited */
	bool replayed;                  /* plan came from a file: there is no spec */
	bool loose;                     /* the selection is not what the words say: nothing is kept as the plan of these words, and left-overs
					   stay */
	struct str preferred;           /* the workflow that is meant where no goal is said, if there is one; {NULL} */
	struct str *changed; size_t nchanged;   /* NULL: not asked for; what since_narrow goes by, workspace-relative or absolute outside */
	bool moved;                     /* inputs changed while the steps of the run that was made were running */
	const struct plan *plan;
	struct selection selection;
	struct content *content;
	struct tools *tools;
	struct identify_options identify;
	struct images *images;          /* NULL: the plan has none */
	const struct image_fact *pins;  /* by image, what a replayed plan says they are; NULL */
	struct store *store;
	struct walk walk;
};

/* Finds the workspace (nearest cairn.yaml upwards, then the outermost that includes it; -f overrides). */
int session_open(struct session *, const struct common *, const struct plan_words *, struct err *);
/* The current folder is the workspace, whatever it holds: for a plan that comes without its spec. */
int session_open_here(struct session *, const struct plan_words *, struct err *);
/* Compares the kept plan and state with the world, once. */
enum snapshot_check session_check(struct session *);
/* Forgets what was found and opens the kept plan again: another run may have changed all. */
void session_refresh(struct session *);
/* The plan of the whole spec, from the snapshot when that still holds. */
int session_plan(struct session *, struct err *);
/* Goals -> selection. */
int session_select(struct session *, struct err *);
/* The stat cache; session_walk does it, too. */
int session_content(struct session *, struct err *);
/* What the plan's images are; NULL when it has none. After session_content; session_walk does it, too. */
struct images *session_images(struct session *, void (*warn)(void *ctx, struct str text), void *ctx);
/* Content, tools, store and walk, for keys. A cache that can't be opened is a warning, store stays NULL. */
int session_walk(struct session *, void (*warn)(void *ctx, struct str text), void *ctx, struct err *);
void session_close(struct session *);

/* Has this run options that shape the plan and that others have not? What they lead to never removes anything. */
bool session_has_options(const struct session *);
/* Path of a file in the workspace's state folder. */
const char *session_path(struct session *, const char *name);
/* Each spec of a folder (-f) has a ledger of its own: what another one made is never a left-over of this. */
const char *session_ledger(struct session *);
