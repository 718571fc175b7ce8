#include "runtimes/containerask.h"

#include "runtimes/containerwords.h"
#include "sys/archive.h"

#define SLACK_MS 30000                  /* the shim's own timeout comes into force only when nobody here is left */

static int to_buf(void *ctx, const void *bytes, size_t n, struct err *err)
{
	(void)err;
	buf_add(ctx, bytes, n);
	return 0;
}

/* Files, in a folder of their own, for the user that the step runs as. */
static int put_files(struct shimlink *shim, const char *root, const struct job_secret *files, size_t n, uint32_t *id, struct err *err)
{
	struct shim_put put = {.root = root, .flags = PUT_CLEAN};
	CLEANUP_BUF struct buf tar = BUF_INIT(BUF_UNLIMITED);
	struct tar_options options = {0};
	struct tar_writer *w CLEANUP_TAR = NULL;

	if (tar_create(&options, to_buf, &tar, &w, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct tar_entry e = {.name = files[i].name, .type = TAR_FILE, .mode = 0600, .size = files[i].value.n};

		if (tar_add_bytes(w, &e, files[i].value.s, err) < 0)
			return -1;
	}
	if (tar_finish(w, err) < 0)
		return -1;
	w = NULL;
	if (!(*id = shimlink_put(shim, &put, err)))
		return -1;
	shimlink_put_data(shim, buf_view(&tar));
	shimlink_put_end(shim);
	return 0;
}

static int put_known(struct shimlink *shim, const struct containerhost *host, uint32_t *id, struct err *err)
{
	struct job_secret file = {S("known_hosts"), containerhost_known(host)};

	return file.value.n ? put_files(shim, INSIDE_SSH, &file, 1, id, err) : 0;
}

int container_take_secrets(struct shimlink *shim, struct err *err)
{
	struct shim_put put = {.root = INSIDE_SECRETS, .flags = PUT_CLEAN};
	static const char empty[1024];

	if (!shimlink_put(shim, &put, err))
		return -1;
	shimlink_put_data(shim, (struct str){empty, sizeof(empty)});
	shimlink_put_end(shim);
	return 0;
}

int container_ask(struct shimlink *shim, const struct job *job, const struct container_image *image, const struct containerhost *host,
		  struct container_asked *asked, struct err *err)
{
	const struct plan_place *place = plan_place_of(job->plan, job->step);
	struct shim_step step = {
		.argv = job->argv, .env = container_env(job, image), .flags = STEP_ENV_ADD, .cwd = job->dir, .umask = place->flags & PLACE_UMASK ? place->umask : 022,
		.limits = {[SHIM_LIMIT_FILES] = place->files, [SHIM_LIMIT_FSIZE] = place->fsize},
		.timeout_ms = job->step->timeout_ms ? job->step->timeout_ms + SLACK_MS : 0, .grace_ms = 5000,
	};

	if (job->step->script_kind == SCRIPT_KIND_IMAGE)
		step.argv = container_argv(job, image);
	if (!step.argv[0])
		return err_set(err, ERR_RUNTIME, "the image has no entrypoint and no command");
	if (job->script.s) {
		step.script_path = INSIDE_SCRIPT;
		step.script = job->script;
	}
	if (host) {
		step.flags |= STEP_HOST;
		step.env = containerhost_env(host, step.env, image->path);
		if (put_known(shim, host, &asked->known, err) < 0)
			return -1;
	}
	if (job->nsecrets && put_files(shim, INSIDE_SECRETS, job->secrets, job->nsecrets, &asked->put, err) < 0)
		return -1;
	asked->step = shimlink_step(shim, &step, err);
	return asked->step ? 0 : -1;
}
