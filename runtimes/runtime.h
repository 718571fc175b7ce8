/* runtime.h: start, watch and stop one step. What a plug-in in runtimes/ implements.
 *
 * Contract
 *  - Mandatory: name, check, start, cancel, release. Nothing here blocks but check, open and close.
 *  - A runtime reports through the callbacks of the job and never includes exec/. output may be called
 *    any number of times before done; done exactly once after a start that returned 0, and never from within start.
 *  - Leaves no process, container or network behind: whatever the step started is gone, or is sure to go, before done. */
#pragma once

#include "base/err.h"
#include "plan/plan.h"
#include "sys/loop.h"

/* Where a step of a container or pod finds things. */
#define INSIDE_WORKSPACE PLAN_INSIDE
#define INSIDE_RUN "/cairn/run"
#define INSIDE_SCRIPT INSIDE_RUN "/script"
#define INSIDE_SECRETS INSIDE_RUN "/secrets"
#define INSIDE_SSH INSIDE_RUN "/ssh"

enum job_end {
	JOB_EXITED,                     /* status: 0-255 */
	JOB_SIGNALLED,                  /* status: signal number */
	JOB_OOM,                        /* it took more memory than it may; problem says how much that is */
	JOB_UNKNOWN,                    /* the engine can no longer say; problem says why */
	JOB_NOT_RUN,                    /* it could not be run at all; problem says why */
};

struct job_usage { uint64_t user_us, system_us, max_rss_kb; };

struct job_secret { struct str name, value; };          /* a file of secret_files */

/* What an image was found to be when the step was keyed; the step runs in this one and no other. */
struct job_image {
	struct str create;              /* the engine's id of it, "sha256:..."; "": not known, ref says which it is */
	struct str ref;                 /* what it is pulled by: "name@sha256:...", or as the user wrote it */
	uint32_t pull;                  /* PULL_KIND_*; ALWAYS pulls only what is not known by its id */
	struct str platform;            /* "linux/arm64"; "": the engine's own */
	const struct job_build *build;  /* NULL: it is no image that is built; create and ref are then "" */
	struct str tag;                 /* "name:tag" to put on it once it was pulled by its digest, so that the next run finds it here; {NULL} */
};

struct job_base { struct job_image image; struct str name; };   /* name: as the Containerfile has it */

/* An image that is built where the engine has none of this key. */
struct job_build {
	struct str key;                 /* hexadecimal */
	struct str name;                /* of the Containerfile, for texts */
	struct str file;                /* of the Containerfile in the tar */
	struct str target;              /* "": the last stage */
	struct str args;                /* a JSON object */
	const struct job_base *bases; size_t nbases;    /* what the engine must have first, by these names */
	int (*context)(void *ctx, int fd, struct err *);        /* writes the tar */
	void *ctx;
};

struct job {
	/* set by the caller before start; stays valid until release */
	const struct plan *plan;
	const struct plan_step *step;
	struct arena *arena;            /* released after the job */
	void *session;                  /* of this runtime; NULL when it has no open */
	const char *root;               /* absolute workspace root, as this machine sees it */
	const char *dir;                /* absolute folder it starts in, as the step sees it */
	const char *tmp;                /* absolute private folder of this machine, exists, removed by the caller; natively TMPDIR */
	const char *const *argv;        /* what to run; for SCRIPT_KIND_IMAGE only what goes behind the entrypoint */
	const char *const *env;         /* natively all of it, elsewhere what is added to the image's; holds secrets */
	struct str script;              /* not natively: the script to put at INSIDE_SCRIPT; {NULL}: none */
	const struct job_secret *secrets; size_t nsecrets;      /* not natively: files to put into INSIDE_SECRETS */
	const struct job_image *image;  /* not natively */
	struct loop *loop;
	bool terminal;                  /* console step: inherits the terminal instead of pipes */
	void (*output)(void *ctx, int stream /* 1 or 2 */, struct str bytes);
	void (*note)(void *ctx, bool warning, struct str text);         /* something the user should hear of */
	void (*secret)(void *ctx, struct str value);    /* copied: is masked in what output is told from now on */
	void (*done)(void *ctx, enum job_end, int status, const struct job_usage *);
	void *ctx;
	/* the runtime's own */
	struct str problem;             /* with JOB_OOM, JOB_UNKNOWN and JOB_NOT_RUN; in the arena */
	void *priv;
};

/* What a runtime may know for all steps of a run. */
struct runtime_context {
	struct loop *loop;
	const char *root, *state_dir;   /* absolute; state_dir exists */
	const struct str *insecure; size_t ninsecure;   /* registries that may speak http: "HOST[:PORT]" */
	struct str engine, engine_where;        /* which is asked for ("auto": what is found), and who says so */
	struct str run;                 /* this run's name, unique on this machine */
	void (*note)(void *ctx, bool warning, struct str text);
	void *ctx;
};

struct runtime {
	const char *name;               /* kind: "native" */
	/* Can this step be honoured here, field by field? Called before anything runs. */
	int (*check)(const struct plan *, const struct plan_step *, struct err *);
	/* Called before the first step of this kind starts. NULL: nothing is shared between steps. close ends what is left. */
	int (*open)(const struct runtime_context *, void **session, struct err *);
	void (*close)(void *session);
	int (*start)(struct job *, struct err *);
	/* Asks it to end with sig, all its processes; may be called again with SIGKILL. */
	void (*cancel)(struct job *, int sig);
	void (*release)(struct job *);
};

extern const struct runtime runtime_native;
extern const struct runtime runtime_container;
