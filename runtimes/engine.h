/* engine.h: a container engine, Docker or Podman, through its HTTP API. Facts and their sources: the Engine API's documents,
 * and what both engines were seen to do.
 *
 * Every call is asynchronous: it is started, and its function is called once from the loop with what came of it. What the
 * reply holds lives during that call. engine_cancel forgets one. Nothing is retried here.
 * For those that may wait: start the call with engine_keep and a struct engine_answer, then engine_await it.
 *
 * Paths of this machine and names of containers are given as they are; they are escaped here. */
#pragma once

#include "base/node.h"
#include "sys/http.h"

enum engine_kind { ENGINE_PODMAN, ENGINE_DOCKER };

struct engine;
struct engine_call;

/* --- opening one (engineopen.c, enginefind.c) --- */

struct engine_choice {
	struct str said;                /* --engine or container_engine: "podman", "docker", "auto", a URL, or {NULL} */
	struct str where;               /* who said so, for texts: "--engine" */
};

/* The engine that is meant, after a search in the order of enginefind.h, by the first that answers. err says what was
 * looked at. A `podman system service` started for it ends with engine_close. The client must outlive the engine. */
typedef void engine_opened(void *ctx, struct engine *, struct err *);
struct engine_opening *engine_open(struct http *, const struct engine_choice *, engine_opened *, void *ctx);
void engine_open_cancel(struct engine_opening *);
struct engine *engine_open_wait(struct http *, const struct engine_choice *, struct err *);     /* turns the loop; NULL with err */
/* Cancels what is under way; a service of ours is ended. NULL is fine. */
void engine_close(struct engine *);

enum engine_kind engine_kind(const struct engine *);
const char *engine_kind_name(enum engine_kind);         /* "Podman", "Docker" */
struct str engine_url(const struct engine *);           /* "unix:///run/podman/podman.sock" */
struct str engine_why(const struct engine *);           /* "DOCKER_HOST", "it is there", "started for this run" */
unsigned engine_api(const struct engine *);             /* the minor number of the API's version that is spoken: 41 for 1.41 */
struct loop *engine_loop(const struct engine *);

/* --- what comes of a call --- */

enum engine_fault {
	ENGINE_OK,
	ENGINE_ABSENT,                  /* 404: no such container, image, network ... */
	ENGINE_CONFLICT,                /* 409: the name is taken, it is not running, it is in use */
	ENGINE_NO_PROGRAM,              /* start: the command was not found in the image (127 of a shell) */
	ENGINE_NOT_EXECUTABLE,          /* start: it was, but can't be executed (126) */
	ENGINE_REFUSED,                 /* the engine answered with another error */
	ENGINE_LOST,                    /* no whole answer: whether it was done is not known */
};

struct engine_reply {
	enum engine_fault fault;
	int status;                     /* of HTTP; 0: none */
	const struct node *json;        /* the body, when it is JSON; NULL */
	struct str id;                  /* of create, exec_create, build, pull (where the engine says it), network and volume; {NULL} */
	struct err *err;                /* NULL for ENGINE_OK; what was tried, on what, what the engine said, what to do */
};
typedef void engine_fn(void *ctx, const struct engine_reply *);

void engine_cancel(struct engine_call *);               /* NULL is fine */

/* What a call of one's own needs. path goes behind the API's version ("/info"), with a query that is escaped already. */
struct engine_ask {
	const char *method;
	struct str path;
	struct str what;                /* for the error: "create the container x"; copied */
	struct str body;                /* copied; with a type: application/json */
	const char *type;               /* of another body */
	struct str auth;                /* X-Registry-Auth; {NULL} */
	bool libpod;                    /* Podman's own API: path goes behind /vX/libpod */
	bool not_modified;              /* 304 is ENGINE_OK */
	bool gone_is_fine;              /* so is 404, and a removal that is under way */
	uint64_t timeout_ms;            /* 0: two minutes */
};
#define ENGINE_NO_TIMEOUT UINT64_MAX
struct engine_call *engine_ask(struct engine *, const struct engine_ask *, engine_fn *, void *ctx);

struct engine_answer {
	struct arena *arena;            /* the caller's: json and id live there */
	enum engine_fault fault;
	int status;
	struct node *json;
	struct str id;
	struct err err;
	bool over;
};
void engine_keep(void *answer, const struct engine_reply *);    /* an engine_fn */
/* Turns the loop until the answer is there. 0, or -1 with err for any fault. */
int engine_await(struct engine *, struct engine_answer *, struct err *);

/* "key=value" behind a path, escaped: the first with '?', further ones with '&'. */
void engine_query(struct buf *path, const char *key, struct str value);
void engine_segment(struct buf *path, struct str name); /* "/" and the name, escaped but for '/' and ':' */

/* --- containers (enginecalls.c) --- */

/* body: what POST /containers/create takes, JSON. platform: "linux/arm64" or {NULL}. id: the container's; json has "Warnings",
 * which must be shown: what the kernel can't limit is told only there. ENGINE_ABSENT: no such image. */
struct engine_call *engine_create(struct engine *, struct str name, struct str platform, struct str body, engine_fn *, void *ctx);
/* Started already is ENGINE_OK. */
struct engine_call *engine_start(struct engine *, struct str id, engine_fn *, void *ctx);
/* ENGINE_CONFLICT: it does not run. */
struct engine_call *engine_kill(struct engine *, struct str id, int sig, engine_fn *, void *ctx);
/* Asks it to end, and kills it after so many seconds. Stopped already is ENGINE_OK. */
struct engine_call *engine_stop(struct engine *, struct str id, unsigned seconds, engine_fn *, void *ctx);
/* Its anonymous volumes too. Gone already, or being removed, is ENGINE_OK. */
struct engine_call *engine_remove(struct engine *, struct str id, engine_fn *, void *ctx);
struct engine_call *engine_inspect(struct engine *, struct str id, engine_fn *, void *ctx);
/* Ends when the container has (at once when it does not run): json has "StatusCode". To be used only where reading to the end of attach and inspect do not
 * tell: Podman asks itself every 250 ms. */
struct engine_call *engine_wait(struct engine *, struct str id, engine_fn *, void *ctx);
/* All, stopped ones too, that have the label "key" or "key=value": json is a list with Id, Names, Labels, State. */
struct engine_call *engine_list(struct engine *, struct str label, engine_fn *, void *ctx);

/* What inspect says of a container. */
struct engine_state {
	bool running;                   /* also while it starts, stops or is paused */
	bool ended;                     /* it ran, and exit_code is final */
	bool settled;                   /* ended, and Podman has cleaned up behind it, within the second: before that, engine_get may fail */
	bool oom;
	int exit_code;                  /* 128+n when it was killed by signal n: engines don't tell the two apart */
	int64_t pid;
	struct str status, error, started, finished;    /* as the engine writes them */
};
bool engine_state_of(const struct node *inspect, struct engine_state *);        /* false: that is no container's inspect */

/* --- streams (enginestream.c) --- */

struct engine_output {
	void (*ready)(void *ctx);       /* attached: what the container writes from now on is heard; start it */
	void (*output)(void *ctx, int stream /* 1 or 2 */, struct str bytes);
	void (*drained)(void *ctx);     /* what was written has gone out */
	/* Once, last. ENGINE_OK: the stream ended as a stream does. That says nothing of the container: inspect it; if the
	 * engine can't be reached or says it still runs, the stream was lost. */
	engine_fn *end;
	void *ctx;
};

/* To be attached before the container is started. With in, the container's standard input is written with
 * engine_write (created with OpenStdin, and StdinOnce for engine_shut to be its end). tty: as it was created, then all
 * output is stream 1. */
struct engine_call *engine_attach(struct engine *, struct str id, bool in, bool tty, const struct engine_output *);
/* What it has written so far, from `since` on ("seconds.nanoseconds", {NULL}: all), then on to its end with follow. */
struct engine_call *engine_logs(struct engine *, struct str id, struct str since, bool follow, bool tty, const struct engine_output *);
void engine_write(struct engine_call *, struct str bytes);      /* copied */
size_t engine_unsent(const struct engine_call *);
bool engine_shut(struct engine_call *);         /* end of input; false over TLS, where it can't be told */
void engine_pause(struct engine_call *, bool);  /* output is held back */

/* body: as POST /containers/ID/exec takes it; id: the exec's. */
struct engine_call *engine_exec_create(struct engine *, struct str id, struct str body, engine_fn *, void *ctx);
struct engine_call *engine_exec_start(struct engine *, struct str exec, bool in, bool tty, const struct engine_output *);
struct engine_call *engine_exec_inspect(struct engine *, struct str exec, engine_fn *, void *ctx);      /* Running, ExitCode, Pid */

/* --- files (enginecalls.c) --- */

/* A tar archive unpacked in the folder `path` of a container, which exists; before its start, too. read as http_request's.
 * Nothing may follow the archive's end, its 1024 zeros: Podman reads no further, and then may fail with "broken pipe". */
typedef ssize_t engine_read(void *ctx, char *to, size_t n, struct err *);
struct engine_call *engine_put(struct engine *, struct str id, struct str path, engine_read *, engine_fn *, void *ctx);
/* The file or folder as a tar archive, to data; then fn. An archive that is cut is ENGINE_LOST: Podman says nothing else of it,
 * and does so for a container that has ended but is not settled. */
typedef void engine_data(void *ctx, struct str bytes);
struct engine_call *engine_get(struct engine *, struct str id, struct str path, engine_data *, engine_fn *, void *ctx);

/* --- images (engineimages.c) --- */

/* ref: anything the engine takes for a name. ENGINE_ABSENT: not here. */
struct engine_call *engine_image(struct engine *, struct str ref, engine_fn *, void *ctx);
/* Each line of what the engine tells while it works; line lives during the call. */
typedef void engine_progress(void *ctx, const struct node *line);
struct engine_pull {
	struct str name;                /* "docker.io/library/busybox" */
	struct str tag;                 /* "1" or "sha256:..." */
	struct str platform;            /* "linux/arm64"; {NULL}: the engine's own */
	struct str auth;                /* X-Registry-Auth; {NULL} */
	bool insecure;                  /* the registry may speak http or show any certificate. Podman is told; Docker has that in its own
					   configuration, for registries on its machine by itself */
};
struct engine_call *engine_pull(struct engine *, const struct engine_pull *, engine_progress *, engine_fn *, void *ctx);
struct engine_build {
	struct str file;                /* the Containerfile's path in the context */
	struct str tag, target, platform, network;      /* {NULL}: not given */
	struct str args, labels;        /* JSON objects; {NULL} */
	struct str auth;                /* X-Registry-Config; {NULL} */
	bool no_cache, pull;
	engine_read *read;              /* the context as a tar archive */
};
/* id: the image's. A failed build is ENGINE_REFUSED with the engine's last words. */
struct engine_call *engine_build(struct engine *, const struct engine_build *, engine_progress *, engine_fn *, void *ctx);
struct engine_call *engine_tag(struct engine *, struct str id, struct str name, struct str tag, engine_fn *, void *ctx);
/* An image, or a name of one that has others. Gone already is ENGINE_OK; ENGINE_CONFLICT: a container uses it. */
struct engine_call *engine_untag(struct engine *, struct str ref, engine_fn *, void *ctx);
/* Those that have the label: json is a list with Id, RepoTags, RepoDigests, Created, Size, Labels. Podman gives the label to the
 * steps of a build, too, and not always to an image whose build was in its own cache: a built image is to be found again by its tag. */
struct engine_call *engine_images(struct engine *, struct str label, engine_fn *, void *ctx);
/* What the image's registry has under its name, without a pull; Docker, and the newest Podman. */
struct engine_call *engine_distribution(struct engine *, struct str ref, struct str auth, engine_fn *, void *ctx);

/* --- networks and volumes (enginecalls.c) --- */

struct engine_call *engine_network_create(struct engine *, struct str body, engine_fn *, void *ctx);
struct engine_call *engine_network_remove(struct engine *, struct str id, engine_fn *, void *ctx);      /* gone is ENGINE_OK */
/* container: its id. */
struct engine_call *engine_network_connect(struct engine *, struct str network, struct str container, engine_fn *, void *ctx);
struct engine_call *engine_networks(struct engine *, struct str label, engine_fn *, void *ctx);         /* json: a list */
struct engine_call *engine_volume_create(struct engine *, struct str body, engine_fn *, void *ctx);
struct engine_call *engine_volume_remove(struct engine *, struct str name, engine_fn *, void *ctx);     /* gone is ENGINE_OK */
struct engine_call *engine_volumes(struct engine *, struct str label, engine_fn *, void *ctx);          /* json: {Volumes: [...]} */

/* --- what it is --- */

struct engine_about {
	struct str version, os, arch, storage, cgroup_driver, runtime;
	unsigned cgroup_version;        /* 0: not told */
	bool rootless, userns, seccomp, selinux, apparmor;
	struct str *warnings; size_t nwarnings;
};
struct engine_call *engine_info(struct engine *, engine_fn *, void *ctx);
void engine_about_of(struct arena *, const struct node *info, struct engine_about *);
