/* spec.h: cairn.yaml as the user wrote it, validated and located, nothing expanded.
 *
 * spec_read reads the root file and what it includes, checks every field and every ${{ }} for form,
 * applies `defaults`, `platforms.<os>` and `runtimes.<kind>` (maps merge, lists replace), and collects
 * all mistakes in one err. It looks at no file but specs and env_files, and knows nothing of plans.
 * A field of the language that cairn does not have yet is refused by name. Everything lives in the
 * spec arena. Names of an included file's commands and workflows carry its folder as prefix. */
#pragma once

#include "base/map.h"
#include "base/node.h"
#include "spec/expr.h"

#define SPEC_MAX_COMMANDS (4u << 20)

struct spec_env {
	struct str name;
	struct loc loc;
	bool secret;                    /* value.s names an entry of `secrets` */
	struct text value;
};
struct spec_envs { struct spec_env *v; size_t n; };

struct spec_texts { struct text *v; size_t n; };

struct spec_path {                      /* an entry of inputs or outputs */
	struct text text;               /* the pattern or literal, without "!" */
	bool negated;
	bool literal;                   /* {path: ...} */
	bool optional;
};
struct spec_paths { struct spec_path *v; size_t n; bool given; };

struct spec_need { struct text step; bool order_only; };

struct spec_tool {
	struct text name;               /* a program; TEXT_NONE when run is given */
	struct spec_texts run;          /* {run: cc --version}: its words */
	struct text run_text;
	struct loc loc;
};

enum axis_kind { AXIS_LIST, AXIS_GLOB, AXIS_LINES };
struct spec_axis {                      /* one name of each or of matrix.axes */
	struct str name;
	struct loc loc;
	enum axis_kind kind;
	/* LIST: values, of which one that is exactly one ${{ }} may yield a list; GLOB (some item has a wild
	 * character or a leading "!"): patterns, "!" ones too; LINES: one path. */
	struct spec_texts items;
};

struct spec_point { struct str *names; struct text *values; size_t n; struct loc loc; };
struct spec_matrix {
	struct spec_axis *axes; size_t naxes;
	struct spec_point *exclude; size_t nexclude;
	struct spec_point *include; size_t ninclude;
};

struct spec_param {
	struct str name;
	struct loc loc;
	bool required;                  /* no default */
	struct value preset;            /* the default; its type reads what is given */
	struct str help;
};

struct spec_any { struct text *v; size_t n; struct loc loc; };  /* one of these */
struct spec_requires {
	struct spec_any *tools; size_t ntools;
	struct spec_any *files; size_t nfiles;
	struct spec_any *env; size_t nenv;
};

struct spec_retry { uint32_t times; uint64_t delay_ms; double factor; };

struct spec_pass { struct str name; bool key; struct loc loc; };

/* ---- what it runs in ---- */

enum pull_policy { PULL_MISSING, PULL_ALWAYS, PULL_NEVER };
struct spec_image {                     /* an entry of `images`, or what a command says itself */
	struct str name;                /* {NULL}: a command's own */
	struct loc loc;
	const struct spec_file *file;   /* whose vars and folder count */
	struct text ref;                /* TEXT_NONE: built from a Containerfile */
	struct text containerfile, context, target;     /* context TEXT_NONE: the folder of the file */
	struct spec_envs args;
	struct text platform;
	enum pull_policy pull;
};

enum mount_kind { MOUNT_BIND, MOUNT_VOLUME, MOUNT_TMPFS, MOUNT_CUSTOM };
struct spec_mount {
	enum mount_kind kind;
	struct loc loc;
	struct str driver;              /* CUSTOM */
	struct text brief;              /* the short form, SOURCE:TARGET[:ro]; TEXT_NONE when written as a map */
	struct text source, target;     /* TEXT_NONE when absent */
	bool readonly, key_none;
	uint64_t size;
	struct spec_envs options;
};

enum docker_wish { DOCKER_NONE, DOCKER_CONFIGURED, DOCKER_ROOTLESS, DOCKER_PRIVILEGED, DOCKER_KATA_QEMU, DOCKER_KATA_FC };

struct spec_limits { uint64_t cpus_milli, memory, pids, files, fsize, gpus; };  /* 0: none; gpus UINT32_MAX: all */

struct spec_security {
	struct text user, group;
	struct spec_texts groups, writable, capabilities, denied_syscalls;
	bool nonroot, no_new_privs, private_tmp, readonly_fs, capabilities_given, best_effort, umask_given;
	uint32_t umask;
};

struct spec_place {
	const struct spec_image *image; /* NULL: none given */
	struct spec_mount *mounts; size_t nmounts;
	struct spec_texts ports, networks;
	bool network_none, reuse, host_ssh;
	enum docker_wish docker;
	struct spec_limits limits;
	struct spec_security security;
	struct loc loc;                 /* of the first of its fields */
};

enum runtime_kind { RUNTIME_NATIVE, RUNTIME_CONTAINER, RUNTIME_POD };
enum script_kind { SCRIPT_RUN, SCRIPT_EXEC, SCRIPT_NONE /* only needs: a group */, SCRIPT_IMAGE /* the image's entrypoint */ };
enum workspace_mode { WORKSPACE_RW, WORKSPACE_RO, WORKSPACE_COPY };
enum cache_wish { CACHE_DEFAULT, CACHE_YES, CACHE_NO };

struct spec_file;

struct spec_command {
	struct str name;                /* with its file's prefix */
	struct loc loc;                 /* of the name */
	const struct spec_file *file;
	struct str summary;
	enum script_kind kind;
	struct text script;             /* RUN */
	struct spec_texts exec;         /* EXEC */
	struct spec_texts interpreter;  /* empty: shebang or shell */
	struct spec_texts shell;        /* resolved: command, defaults, file, ["sh", "-c"] */
	struct spec_axis *each; size_t neach;
	uint32_t concurrency;           /* 0: no bound */
	struct spec_matrix matrix;
	struct spec_param *params; size_t nparams;
	struct spec_need *needs; size_t nneeds;
	struct spec_paths inputs, outputs;
	bool outputs_keep, outputs_tracked;
	struct text depfile;            /* TEXT_NONE when absent */
	struct spec_tool *tools; size_t ntools; bool tools_given;
	struct spec_envs env;           /* files, global, defaults, command, platforms, runtimes; one a name */
	struct spec_pass *pass; size_t npass;
	struct text workdir;
	enum workspace_mode workspace;
	enum cache_wish cache; struct loc cache_loc;
	uint64_t timeout_ms;            /* 0: none */
	struct spec_retry retry;
	struct spec_requires requires;
	struct spec_texts tags;
	struct text when;               /* TEXT_NONE: always */
	enum runtime_kind runtime;      /* picked among those allowed */
	unsigned runtimes;              /* allowed kinds, a bit each */
	struct spec_texts args;         /* IMAGE: arguments of the entrypoint */
	struct spec_place place;
	struct spec_texts secret_files; /* names of secrets */
	bool console, continue_on_failure;
};

struct spec_entry {                     /* a goal of a workflow */
	struct loc loc;
	bool workflow;                  /* name is a workflow's */
	struct text name;
	struct text when;
	struct str *params; struct text *values; size_t nparams;
	struct spec_envs env;
};

struct spec_workflow {
	struct str name;
	struct loc loc;
	const struct spec_file *file;
	struct str summary;
	struct spec_entry *steps; size_t nsteps;
	struct spec_entry *finally; size_t nfinally;
	bool sequential;
};

struct spec_secret {
	struct str name;
	struct loc loc;
	enum { SECRET_ENV, SECRET_FILE } kind;
	struct text source;             /* variable's name, or path with ${NAME} */
};

struct spec_file {                      /* one cairn.yaml */
	const struct source *src;
	struct str path;                /* workspace-relative */
	struct str dir;                 /* workspace-relative folder that its paths are relative to */
	struct str prefix;              /* "services/api:" or "" */
	/* What it sees, inherited ones first; may use env, git, os, arch and earlier vars. */
	struct str *vars; struct text *values; size_t nvars;
	struct value *presets;          /* a var's value when it holds no ${{ }} */
};

struct spec {
	struct str name;
	struct spec_file *files; size_t nfiles;         /* the root first */
	struct spec_command *commands; size_t ncommands; /* in order of definition */
	struct spec_workflow *workflows; size_t nworkflows;
	struct spec_secret *secrets; size_t nsecrets;
	struct map command_by_name, workflow_by_name;   /* struct spec_command *, struct spec_workflow * */
	struct str *env_files; size_t nenv_files;       /* every path that was read or looked for, absolute */
};

struct spec_options {
	struct str root;                /* absolute path of the workspace */
	struct str file;                /* workspace-relative path of the root spec */
	struct str os, arch;            /* "linux", "x86_64" */
	struct str runtime;             /* kind that is picked where a command allows it; {NULL}: its first */
	/* Opens a file for spec_read: absolute path; the text in *out lives in the arena. 1, 0 absent, -1. */
	int (*load)(void *ctx, struct arena *, struct str path, struct str *out, struct err *);
	/* Files that a workspace-relative include pattern matches, workspace-relative, sorted. */
	int (*include)(void *ctx, struct arena *, struct str pattern, struct str **out, size_t *n,
		       struct err *);
	const char *(*getenv)(void *ctx, const char *name);     /* ${NAME} in env_files */
	void *ctx;
};

/* A name as a file writes it: with the file's own prefix, else as it is. NULL when there is none. */
struct spec_command *spec_command_find(const struct spec *, const struct spec_file *, struct str name);
struct spec_workflow *spec_workflow_find(const struct spec *, const struct spec_file *, struct str name);
/* Frees what lies outside of the arena, the two maps. */
void spec_release(struct spec *);
int spec_read(struct arena *, const struct spec_options *, struct spec **out, struct err *);
/* "10m", "1h30m", "500ms", "90" (seconds) to milliseconds. */
bool spec_duration(struct str, uint64_t *ms);
/* "1024", "64k", "1.5g", "512MiB" to bytes. */
bool spec_size(struct str, uint64_t *bytes);
