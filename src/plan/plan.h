/* plan.h: a finished plan: every step of the spec, in topological order, as an immutable,
 * position-independent image that lives in memory or in an mmap'ed file alike.
 *
 * Invariants
 *  - Same spec, facts and options in, same bytes out. Nothing of an earlier run, no key, no digest
 *    and no absolute path but those written in the spec.
 *  - A step's needs stand before it. Step ids are indices into steps.
 *  - Paths are workspace-relative, or absolute when the spec says so; `paths` is sorted and unique.
 *  - Secrets appear by name and source only.
 * Format: struct plan_head, then the sections, 8-aligned, native byte order; guarded by an XXH3-128
 * over everything behind `sum` and by PLAN_FORMAT. A file of another format is discarded. */
#pragma once

#include "base/digest.h"
#include "base/err.h"

#define PLAN_FORMAT 2
#define PLAN_NONE UINT32_MAX
#define PLAN_INSIDE "/workspace"        /* where containers and pods have the workspace */

struct plan_text { uint32_t at, n; };   /* into the text section; followed by a NUL */
struct plan_span { uint32_t at, n; };   /* n entries of a section from at */

enum {                                  /* plan_step.flags */
	STEP_CACHED = 1 << 0,           /* has a key; without it the step runs every time */
	STEP_ALL_SOURCES = 1 << 1,      /* has outputs but declares no inputs: plan.sources are its inputs */
	STEP_SKIP = 1 << 2,             /* its condition is false */
	STEP_KEEP = 1 << 3,             /* outputs stay in place while it runs */
	STEP_TRACKED = 1 << 4,          /* outputs may be tracked by git */
	STEP_CONSOLE = 1 << 5,
	STEP_CONTINUE = 1 << 6,         /* those that need it run even if it fails */
	STEP_SHEBANG = 1 << 7,          /* the script's first line names its interpreter */
	STEP_DYNAMIC = 1 << 8,          /* has folder or glob outputs: what it wrote is known from its record.
					   Set for every output that is not surely one file: a literal may turn out a folder */
	STEP_VARIANT = 1 << 9,          /* of variant_of, with other params or env */
	STEP_SCRIPT_FILE = 1 << 10,     /* argv is an interpreter: the script is its next argument, as a file */
	STEP_ASKED = 1 << 11,           /* made for the params or arguments of this run: the command named as goal means this one */
};

/* NONE: a group, which gathers its needs and is never run: it has no key, no `uncached` clause, no inputs
 * and no outputs; its state is ok once all its needs are. */
enum { SCRIPT_KIND_RUN, SCRIPT_KIND_EXEC, SCRIPT_KIND_NONE, SCRIPT_KIND_IMAGE /* the image's own entrypoint, with `args` */ };
enum { RUNTIME_KIND_NATIVE, RUNTIME_KIND_CONTAINER, RUNTIME_KIND_POD };
enum { WORKSPACE_KIND_RW, WORKSPACE_KIND_RO, WORKSPACE_KIND_COPY };

struct plan_step {
	struct plan_text name;          /* "compile[src=src/a.c]" */
	struct plan_text command;       /* "compile" */
	struct plan_text summary;
	struct plan_text file;          /* spec file, and where in it the command stands */
	uint32_t line, col;
	uint32_t variant_of;            /* step id or PLAN_NONE */
	uint32_t flags;
	uint32_t script_kind;
	uint32_t workspace;             /* WORKSPACE_KIND_*, as enum workspace_mode */
	uint32_t runtime;               /* RUNTIME_KIND_* */
	uint32_t place;                 /* into places: what it runs in and under which restrictions; PLAN_NONE: as it comes */
	struct plan_text uncached;      /* why STEP_CACHED is not set, a clause; "" */
	struct plan_text script;        /* RUN: expanded, otherwise untouched */
	struct plan_span argv;          /* words. EXEC: program and arguments. RUN: shell ("sh -c") or interpreter; empty with a shebang */
	struct plan_span args;          /* words: what becomes "$@" */
	struct plan_text workdir;       /* workspace-relative folder it starts in */
	struct plan_span env;           /* envs, sorted by name */
	struct plan_span pass;          /* passes, sorted by name */
	struct plan_span secrets;       /* uses: env name -> secret */
	struct plan_span secret_files;  /* uses: file name in $CAIRN_SECRETS -> secret; sorted by name */
	struct plan_span inputs;        /* inputs */
	struct plan_span globs;         /* words: patterns over what `producers` wrote; "!" in front takes away */
	struct plan_span producers;     /* refs: transitive needs (order-only too) that are STEP_DYNAMIC; only when globs is not empty */
	struct plan_span outputs;       /* outputs */
	struct plan_span needs;         /* needs, sorted by step */
	struct plan_text depfile;       /* path; "" */
	struct plan_span tools;         /* tools */
	struct plan_span requires;      /* requires */
	struct plan_span tags;          /* words, sorted */
	struct plan_span axes;          /* envs: each, matrix and variant values by name, for listing */
	uint32_t pool;                  /* steps of one pool run at most pool_size at once; PLAN_NONE */
	uint32_t pool_size;
	uint32_t retries;
	uint32_t tools_given;           /* `tools` was written (even empty): the package database is not keyed */
	uint64_t timeout_ms;
	uint64_t retry_delay_ms;
	double retry_factor;
};

struct plan_path { struct plan_text path; uint32_t producer; };        /* step whose literal output it is, or PLAN_NONE */
struct plan_env { struct plan_text name, value; };
struct plan_pass { struct plan_text name; uint32_t key; };
struct plan_secret_use { struct plan_text name; uint32_t secret; };

enum { INPUT_OPTIONAL = 1 << 0, INPUT_EMPTY_DIR = 1 << 1, INPUT_EXPLICIT = 1 << 2 /* named literally */ };
/* Sorted by path. One that its producer made as a folder stands for all that it wrote in it. */
struct plan_input { uint32_t path; uint32_t flags; };

enum { OUTPUT_GLOB = 1 << 0, OUTPUT_DIR = 1 << 1 /* written with a trailing slash */, OUTPUT_OPTIONAL = 1 << 2, OUTPUT_NEGATED = 1 << 3 };
struct plan_output { struct plan_text path; uint32_t flags; };          /* literal path, or pattern with GLOB */

enum { NEED_ORDER_ONLY = 1 << 0 };
struct plan_need { uint32_t step; uint32_t flags; };

enum { TOOL_NAME, TOOL_RUN };
struct plan_tool { uint32_t kind; struct plan_span words; };            /* NAME: one word; RUN: a command line, first word a program */

enum { REQUIRE_TOOL, REQUIRE_FILE, REQUIRE_ENV };
struct plan_require { uint32_t kind; struct plan_span any; };           /* words: one of these */

/* ---- what steps run in; entries are shared by all steps that say the same ---- */

enum { IMAGE_KIND_REF, IMAGE_KIND_BUILD };
enum { PULL_KIND_MISSING, PULL_KIND_ALWAYS, PULL_KIND_NEVER };
struct plan_image {
	uint32_t kind;                  /* IMAGE_KIND_* */
	uint32_t pull;                  /* PULL_KIND_* */
	struct plan_text name;          /* its entry in `images`; "" when a command gives it itself */
	struct plan_text ref;           /* REF: as written */
	struct plan_text platform;      /* "linux/arm64"; "": linux and this machine's architecture */
	struct plan_text file;          /* BUILD: workspace-relative Containerfile */
	struct plan_text context;       /* BUILD: workspace-relative folder, "" for the workspace */
	struct plan_text target;        /* BUILD: stage; "": the last */
	struct plan_span args;          /* BUILD: envs, sorted by name */
};

enum { MOUNT_KIND_BIND, MOUNT_KIND_VOLUME, MOUNT_KIND_TMPFS, MOUNT_KIND_CUSTOM };
enum {
	MOUNT_READONLY = 1 << 0,
	MOUNT_INSIDE = 1 << 1,          /* BIND: source is a path of the workspace, workspace-relative */
	MOUNT_KEY_NONE = 1 << 2,        /* BIND from outside: the user says that its content does not matter */
};
struct plan_mount {
	uint32_t kind, flags;
	struct plan_text driver;        /* CUSTOM: of the program cairn-mount-DRIVER */
	struct plan_text source;        /* BIND: path, outside ones with ${NAME} unexpanded; VOLUME: name, "": ends with the step; CUSTOM */
	struct plan_text target;        /* absolute, normalised */
	uint64_t size;                  /* TMPFS: bytes; 0: the engine's default */
	struct plan_span options;       /* CUSTOM: envs */
};

struct plan_port { struct plan_text ip; uint32_t host, inside, udp; };    /* host 0: any free one */

enum { DOCKER_KIND_NONE, DOCKER_KIND_CONFIGURED, DOCKER_KIND_ROOTLESS, DOCKER_KIND_PRIVILEGED, DOCKER_KIND_KATA_QEMU, DOCKER_KIND_KATA_FC };

enum {                                  /* plan_place.flags */
	PLACE_NETWORK_NONE = 1 << 0,
	PLACE_REUSE = 1 << 1,
	PLACE_HOST_SSH = 1 << 2,
	PLACE_NONROOT = 1 << 3,
	PLACE_NO_NEW_PRIVS = 1 << 4,
	PLACE_PRIVATE_TMP = 1 << 5,
	PLACE_READONLY_FS = 1 << 6,
	PLACE_CAPABILITIES = 1 << 7,    /* `capabilities` was given: these and no others, even if it is empty */
	PLACE_BEST_EFFORT = 1 << 8,
	PLACE_UMASK = 1 << 9,
};
struct plan_place {
	uint32_t image;                 /* into images, or PLAN_NONE: native */
	uint32_t flags;
	uint32_t docker;                /* DOCKER_KIND_* */
	uint32_t umask;                 /* with PLACE_UMASK */
	struct plan_span mounts;        /* mounts, in the order written */
	struct plan_span ports;         /* ports, in the order written */
	struct plan_span networks;      /* words */
	struct plan_text user, group;   /* "" the image's, or the caller's */
	struct plan_span groups;        /* words, sorted */
	struct plan_span writable;      /* words: absolute paths that stay writable under READONLY_FS */
	struct plan_span capabilities;  /* words, without CAP_, sorted */
	struct plan_span denied_syscalls;       /* words, sorted */
	uint64_t cpus_milli, memory, pids, files, fsize, gpus;  /* limits; 0: none. memory and fsize in bytes; gpus UINT32_MAX: all */
};

enum { SECRET_KIND_ENV, SECRET_KIND_FILE };
struct plan_secret { struct plan_text name; uint32_t kind; struct plan_text source; };

struct plan_param { struct plan_text name, preset, help; uint32_t required; };
struct plan_command {                   /* what `list` shows, and what explains a command without steps */
	struct plan_text name, summary;
	struct plan_span steps;         /* refs: what its name may stand for as a goal: its steps and, if there are any, those
					   that are STEP_ASKED (then these alone). `needs` never names a variant */
	struct plan_span params;        /* params */
	uint32_t line, col;
	struct plan_text file;
};
struct plan_goal {
	struct plan_span steps;         /* refs: steps */
	struct plan_span after;         /* refs: goals that come first, as places in the same list, all before this one */
	uint32_t skip;                  /* the entry's own condition is false */
};
struct plan_workflow {
	struct plan_text name, summary;
	struct plan_span steps, finally;        /* goals; workflows used as steps are resolved */
	uint32_t sequential;            /* as written, for listing; the order is in goals' `after` */
};

#define PLAN_SECTIONS(X) \
	X(steps, struct plan_step) X(paths, struct plan_path) X(inputs, struct plan_input) X(outputs, struct plan_output) \
	X(needs, struct plan_need) X(envs, struct plan_env) X(passes, struct plan_pass) X(uses, struct plan_secret_use) \
	X(tools, struct plan_tool) X(requires, struct plan_require) X(secrets, struct plan_secret) X(words, struct plan_text) \
	X(refs, uint32_t) X(commands, struct plan_command) X(params, struct plan_param) X(goals, struct plan_goal) \
	X(workflows, struct plan_workflow) X(images, struct plan_image) X(mounts, struct plan_mount) X(ports, struct plan_port) \
	X(places, struct plan_place) X(sources, uint32_t) /* path ids: Q_SOURCES less outputs and specs; only if some step uses it or has a depfile */ \
	X(specs, struct plan_text) /* spec files, workspace-relative */ \
	X(texts, char)

struct plan_head {
	char magic[8];                  /* "cairnpl" */
	uint32_t format, pad;
	struct xxh sum;                 /* of everything behind it */
	uint64_t size;                  /* of the image, head included */
	struct plan_text name;          /* the spec's name */
#define X(section, type) struct { uint64_t at, n; } section;
	PLAN_SECTIONS(X)
#undef X
};

struct plan {
	const struct plan_head *head;
#define X(section, type) const type *section; uint32_t n##section;
	PLAN_SECTIONS(X)
#undef X
};

/* A view on an image, whose bytes must be 8-aligned and stay. Checks magic, format, size and section
 * bounds; with `deep` also the sum and every reference, for images that come from outside this run.
 * ERR_STALE when it is none of ours. */
int plan_open(const void *image, size_t size, bool deep, struct plan *, struct err *);

static inline struct str plan_str(const struct plan *p, struct plan_text t) { return (struct str){p->texts + t.at, t.n}; }
static inline struct str plan_word(const struct plan *p, struct plan_span span, uint32_t i) { return plan_str(p, p->words[span.at + i]); }
static inline struct str plan_path_str(const struct plan *p, uint32_t path) { return plan_str(p, p->paths[path].path); }
static inline struct str plan_step_name(const struct plan *p, uint32_t step) { return plan_str(p, p->steps[step].name); }
/* NULL: native and nothing asked for. */
static inline const struct plan_place *plan_place_of(const struct plan *p, const struct plan_step *s) { return s->place == PLAN_NONE ? NULL : &p->places[s->place]; }
/* Of a step that runs in one, else NULL. */
static inline const struct plan_image *plan_image_of(const struct plan *p, const struct plan_step *s)
{
	return s->place == PLAN_NONE || p->places[s->place].image == PLAN_NONE ? NULL : &p->images[p->places[s->place].image];
}
/* Binary search; PLAN_NONE when absent. */
uint32_t plan_find_path(const struct plan *, struct str path);
/* Linear search. */
uint32_t plan_find_step(const struct plan *, struct str name);
/* Is path an output, or below one, that `step` declares? (globs and negations honoured) */
bool plan_step_covers(const struct plan *, uint32_t step, struct str path);
/* The step that declares path as output or holds it under a folder or glob output; PLAN_NONE. Where several
 * variants of one step do, the step itself, else the first. Indexed. */
struct plan_index;
struct plan_index *plan_index_new(struct arena *, const struct plan *);
uint32_t plan_index_producer(const struct plan_index *, struct str path);
/* Does `step` need `other`, directly or through others, order-only ones included? Scratch is the index's. */
bool plan_index_reaches(struct plan_index *, uint32_t step, uint32_t other);
