#include "exec/jobsetup.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/imageref.h"
#include "base/json.h"
#include "exec/environ.h"
#include "sys/file.h"

struct setup {
	struct job *job;
	const struct place *at;
	const struct plan *plan;
	const struct plan_step *step;
	const struct secret_values *secrets;
	struct arena *arena;
	bool native;
	struct images *images;
};

static int write_private(int at, const char *path, struct str bytes, mode_t mode, struct err *err)
{
	CLEANUP_FD int fd = openat(at, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 || file_write_all(fd, bytes.s, bytes.n) < 0)
		return err_errno(err, "unable to write %s", path);
	return 0;
}

/* A depfile of an earlier run must not be taken for this one's. */
static void drop_depfile(const struct setup *u, uint32_t id)
{
	struct str depfile = plan_str(u->plan, u->step->depfile);
	int rootfd = u->at->rootfd;

	if (depfile.n && !plan_step_covers(u->plan, id, depfile))
		unlinkat(rootfd, depfile.s, 0);
	if (depfile.n)
		file_mkparents(rootfd, depfile.s, NULL);
}

/* ---- secrets ---- */

static int no_secret(const struct plan *plan, const struct plan_secret *secret, struct err *err)
{
	struct str name = plan_str(plan, secret->name), source = plan_str(plan, secret->source);

	if (secret->kind == SECRET_KIND_ENV)
		return err_set(err, ERR_RUNTIME, "secret " STR_FMT " is not set: the variable " STR_FMT " is empty or missing", STR_ARG(name), STR_ARG(source));
	return err_set(err, ERR_RUNTIME, "secret " STR_FMT " is not there: no file " STR_FMT, STR_ARG(name), STR_ARG(source));
}

static int secrets_there(const struct setup *u, struct plan_span uses, struct err *err)
{
	for (uint32_t i = 0; i < uses.n; i++) {
		uint32_t id = u->plan->uses[uses.at + i].secret;

		if (!u->secrets->v[id].s)
			return no_secret(u->plan, &u->plan->secrets[id], err);
	}
	return 0;
}

/* A name may hold what a path may not. */
static int secret_file_name(struct str name, struct err *err)
{
	if (str_chr(name, '/') < 0 && !str_is(name, ".") && !str_is(name, ".."))
		return 0;
	return err_set(err, ERR_RUNTIME, "secret " STR_FMT " can't be a file: its name is no file name", STR_ARG(name));
}

static int secret_files(const struct setup *u, struct err *err)
{
	struct plan_span uses = u->step->secret_files;
	struct job_secret *files = arena_array(u->arena, uses.n + 1, struct job_secret);
	const char *dir = str_fmt(u->arena, "%s/secrets", u->job->tmp).s;

	if (secrets_there(u, uses, err) < 0)
		return -1;
	for (uint32_t i = 0; i < uses.n; i++) {
		const struct plan_secret_use *use = &u->plan->uses[uses.at + i];

		files[i] = (struct job_secret){plan_str(u->plan, use->name), u->secrets->v[use->secret]};
		if (secret_file_name(files[i].name, err) < 0)
			return -1;
	}
	if (!u->native) {
		u->job->secrets = files;
		u->job->nsecrets = uses.n;
		return 0;
	}
	if (uses.n && file_mkdirs(AT_FDCWD, dir, 0700, err) < 0)
		return -1;
	for (uint32_t i = 0; i < uses.n; i++)
		if (write_private(AT_FDCWD, str_fmt(u->arena, "%s/" STR_FMT, dir, STR_ARG(files[i].name)).s, files[i].value, 0600, err) < 0)
			return -1;
	return 0;
}

/* ---- all of it ---- */

static int command(struct setup *u, struct err *err)
{
	const char *script = u->native ? str_fmt(u->arena, "%s/script", u->job->tmp).s : INSIDE_SCRIPT;
	bool needs_file;

	u->job->argv = command_make(u->arena, u->plan, u->step, script, &needs_file);
	if (!needs_file)
		return 0;
	if (u->native)
		return write_private(AT_FDCWD, script, plan_str(u->plan, u->step->script), 0700, err);
	u->job->script = plan_str(u->plan, u->step->script);
	return 0;
}

static int requires_met(const struct setup *u, struct err *err)
{
	struct str missing;

	if (!u->native)                         /* looked for where it runs, by its runtime */
		return 0;
	missing = requires_missing(u->arena, u->plan, u->step, u->job->root, u->job->env);
	return missing.n ? err_set(err, ERR_RUNTIME, "it requires what is not here: " STR_FMT, STR_ARG(missing)) : 0;
}

struct packing { struct images *images; uint32_t image; };

static int pack(void *ctx, int fd, struct err *err)
{
	struct packing *p = ctx;

	return image_context(p->images, p->image, fd, err);
}

static struct str build_args(const struct setup *u, const struct plan_image *of)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);
	struct json j = {.out = &b};

	json_open(&j, '{');
	for (uint32_t i = 0; i < of->args.n; i++) {
		json_key_str(&j, plan_str(u->plan, u->plan->envs[of->args.at + i].name));
		json_str(&j, plan_str(u->plan, u->plan->envs[of->args.at + i].value));
	}
	json_close(&j, '}');
	return str_dup(u->arena, buf_view(&b));
}

static const struct job_build *build_of(const struct setup *u, uint32_t id, const struct plan_image *of, const struct image_fact *fact)
{
	struct job_build *build = arena_calloc(u->arena, 1, sizeof(*build));
	struct job_base *bases = arena_array(u->arena, fact->nbases + 1, struct job_base);
	struct packing *packing = arena_new(u->arena, struct packing);
	char key[DIGEST_TEXT_MAX];

	for (size_t i = 0; i < fact->nbases; i++) {
		const struct image_base *base = &fact->bases[i];

		bases[i] = (struct job_base){{base->create, base->pull, base->pull.n ? PULL_KIND_MISSING : PULL_KIND_NEVER, base->platform, NULL, {0}}, base->name};
	}
	*packing = (struct packing){u->images, id};
	*build = (struct job_build){
		.key = str_dup(u->arena, str_from(str_of(digest_text(&fact->identity, key)), 7)), .name = plan_str(u->plan, of->file), .file = fact->file,
		.target = plan_str(u->plan, of->target), .args = build_args(u, of), .bases = bases, .nbases = fact->nbases,
		.context = pack, .ctx = packing,
	};
	return build;
}

/* A tag that was followed just now is put on what it led to, as a pull by it would do; one for another platform is not. */
static struct str tag_of(struct setup *u, const struct plan_image *of, const struct image_fact *fact)
{
	struct imageref ref;

	if (fact->pinned || !fact->manifest.algo || of->platform.n || imageref_parse(u->arena, plan_str(u->plan, of->ref), &ref) || ref.id.n || ref.digest.n)
		return (struct str){0};
	return imageref_text(u->arena, &ref);
}

/* What it was keyed by. Where nobody could tell what that is the step is not cached, and the engine finds it by its name. */
static int image_of(struct setup *u, struct err *err)
{
	uint32_t id = u->plan->places[u->step->place].image;
	const struct plan_image *of = &u->plan->images[id];
	const struct image_fact *fact = images_fact(u->images, id);
	struct job_image *image = arena_calloc(u->arena, 1, sizeof(*image));

	*image = (struct job_image){fact->create, fact->pull.n ? fact->pull : plan_str(u->plan, of->ref), of->pull, plan_str(u->plan, of->platform), NULL, {0}};
	if (!image->create.s)
		image->create = S("");
	if (of->kind == IMAGE_KIND_BUILD && !fact->identity.algo)
		return err_set(err, ERR_RUNTIME, "unable to build " STR_FMT ": " STR_FMT, STR_ARG(plan_str(u->plan, of->file)), STR_ARG(fact->problem));
	if (of->kind == IMAGE_KIND_BUILD)
		image->build = build_of(u, id, of, fact);
	else
		image->tag = tag_of(u, of, fact);
	u->job->image = image;
	return 0;
}

int job_setup(struct job *job, struct run *run, uint32_t id, size_t place, const struct place *at, const struct secret_values *secrets,
	      struct err *err)
{
	struct setup u = {job, at, run->plan, &run->plan->steps[id], secrets, job->arena, run->plan->steps[id].runtime == RUNTIME_KIND_NATIVE, run->walk->images};
	struct str workdir = plan_str(u.plan, u.step->workdir);
	const char *top = u.native ? at->root : INSIDE_WORKSPACE;

	job->plan = u.plan;
	job->step = u.step;
	job->root = at->root;
	job->terminal = u.step->flags & STEP_CONSOLE;
	job->tmp = str_fmt(u.arena, "%s/tmp/%zu", run->state_dir, place).s;
	job->dir = workdir.n ? str_fmt(u.arena, "%s/" STR_FMT, top, STR_ARG(workdir)).s : top;
	if (file_mkdirs(AT_FDCWD, job->tmp, 0700, err) < 0 || secrets_there(&u, u.step->secrets, err) < 0 || secret_files(&u, err) < 0)
		return -1;
	if (!u.native && image_of(&u, err) < 0)
		return -1;
	job->env = u.native ? environ_make(u.arena, u.plan, u.step, job->root, job->tmp, run->options.environ, secrets)
			    : environ_inside(u.arena, u.plan, u.step, run->options.environ, secrets);
	if (requires_met(&u, err) < 0 || command(&u, err) < 0)
		return -1;
	drop_depfile(&u, id);
	return 0;
}
