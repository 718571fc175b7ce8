#include "runtimes/containerplace.h"

#include <stdlib.h>
#include <unistd.h>

#include "runtimes/containerbody.h"

/* ${NAME} of the caller in front of a path. */
static int expand(struct arena *a, struct str text, struct str *out, struct err *err)
{
	ptrdiff_t end = str_starts(text, S("${")) ? str_chr(text, '}') : -1;
	const char *value;
	struct str name;

	*out = text;
	if (end < 0)
		return 0;
	name = str_dup(a, str_head(str_from(text, 2), (size_t)end - 2));
	value = getenv(name.s);
	if (!value || !*value)
		return err_set(err, ERR_RUNTIME, "unable to mount " STR_FMT ": " STR_FMT " is not set", STR_ARG(text), STR_ARG(name));
	*out = str_fmt(a, "%s" STR_FMT, value, STR_ARG(str_from(text, (size_t)end + 1)));
	return 0;
}

static int bind_source(const struct job *job, const struct plan_mount *m, struct str *out, struct err *err)
{
	struct arena *a = job->arena;
	struct str source = plan_str(job->plan, m->source);

	if (m->flags & MOUNT_INSIDE)
		*out = source.n ? str_fmt(a, "%s/" STR_FMT, job->root, STR_ARG(source)) : str_of(job->root);
	else if (expand(a, source, out, err) < 0)
		return -1;
	if (!out->n || out->s[0] != '/')
		return err_set(err, ERR_RUNTIME, "unable to mount " STR_FMT ": it is no absolute path", STR_ARG(*out));
	if (access(out->s, F_OK) < 0)
		return err_errno(err, "unable to mount " STR_FMT, STR_ARG(*out));
	return 0;
}

int container_sources(const struct job *job, struct str **out, struct err *err)
{
	const struct plan_place *place = plan_place_of(job->plan, job->step);

	struct str *sources = *out = arena_array(job->arena, place->mounts.n + 1, struct str);

	for (uint32_t i = 0; i < place->mounts.n; i++) {
		const struct plan_mount *m = &job->plan->mounts[place->mounts.at + i];

		sources[i] = plan_str(job->plan, m->source);
		if (m->kind == MOUNT_KIND_BIND && bind_source(job, m, &sources[i], err) < 0)
			return err_wrap(err, STR_FMT, STR_ARG(plan_str(job->plan, m->target)));
	}
	return 0;
}

static bool is_root(struct str user)
{
	struct str name = str_head(user, str_chr(user, ':') >= 0 ? (size_t)str_chr(user, ':') : user.n);

	return !name.n || str_is(name, "root") || str_is(name, "0");
}

struct str container_user(const struct job *job, const struct container_image *image)
{
	const struct plan_place *place = plan_place_of(job->plan, job->step);
	struct str user = plan_str(job->plan, place->user), group = plan_str(job->plan, place->group);

	if (place->flags & PLACE_NONROOT && is_root(user.n ? user : image->user))
		return S("1000:1000");
	if (!group.n)
		return user;
	return str_fmt(job->arena, STR_FMT ":" STR_FMT, STR_ARG(user.n ? user : image->user.n ? image->user : S("0")), STR_ARG(group));
}

int container_body(const struct job *job, const struct container_image *image, const struct str *sources, enum engine_kind kind, struct buf *json,
		   struct err *err)
{
	const char *shim = container_shim(job->session, err);

	if (!shim)
		return -1;
	containerbody_write(&(struct containerbody){
		.plan = job->plan, .step = job->step, .image = image->id, .shim = str_of(shim), .root = str_of(job->root),
		.owner = container_owner(job->session), .run = container_context(job->session)->run, .silence = S("--silence=60"),
		.user = container_user(job, image), .sources = sources, .selinux = container_selinux(), .podman = kind == ENGINE_PODMAN,
	}, json);
	return 0;
}

void container_warn(const struct job *job, const struct node *created)
{
	const struct node *warnings = created && created->kind == NODE_MAP ? node_get(created, S("Warnings")) : NULL;

	for (size_t i = 0; warnings && warnings->kind == NODE_LIST && i < warnings->n; i++)
		if (warnings->items[i].value->kind == NODE_SCALAR && warnings->items[i].value->s.n)
			job->note(job->ctx, true, warnings->items[i].value->s);
}
