#include "runtimes/identifyown.h"

#include <stdlib.h>
#include <sys/utsname.h>

/* One question. */
struct question {
	struct identifier *who;
	struct arena *arena;
	struct imageref ref;
	struct platform want;
	bool strict;                    /* the platform was named */
	struct image_found *out;
};

void image_platform(struct arena *a, struct platform *out)
{
	struct utsname u;

	if (uname(&u) < 0 || platform_parse(a, str_of(u.machine), out))
		*out = (struct platform){S("linux"), S("unknown"), S("")};
}

/* ---- the engine ---- */

static void config_is(struct image_found *out, const struct imageid *id)
{
	out->env = id->env;
	out->nenv = id->nenv;
	out->builder_told = id->builder_told;
	out->onbuild = id->onbuild;
	out->nonbuild = id->nonbuild;
	out->shell = id->shell;
	out->nshell = id->nshell;
}

static void found_here(struct question *q, const struct identify_local *local)
{
	struct image_found *out = q->out;

	out->identity = local->image.identity;
	out->description = local->image.description;
	out->platform = local->image.platform;
	out->source = IMAGE_FROM_ENGINE;
	out->create = local->id;
	out->pull = local->repo_digest;
	out->config = local->config;
	config_is(out, &local->image);
}

/* The name that Podman gives to what it builds as "x". */
static struct str localhost_name(struct question *q)
{
	struct str path = q->ref.path;

	if (str_starts(path, S("library/")))
		path = str_from(path, 8);
	return str_fmt(q->arena, "localhost/" STR_FMT ":" STR_FMT, STR_ARG(path), STR_ARG(q->ref.tag));
}

/* 1 and found, 0 it is not here or for another platform (then *other), -1. */
static int look_here(struct question *q, struct identify_local *other, struct err *err)
{
	struct identify_local local = {0};
	const struct identify_ops *ops = q->who->ops;
	int got;

	q->who->counts.engine++;
	got = ops->here(q->who, q->arena, imageref_text(q->arena, &q->ref), &local, err);
	if (got == 0 && q->ref.bare && q->ref.tag.n && !q->ref.digest.n && ops->localhost(q->who))
		got = ops->here(q->who, q->arena, localhost_name(q), &local, err);
	if (got <= 0)
		return got;
	if (!platform_fits(&q->want, &local.image.platform)) {
		*other = local;
		return 0;
	}
	found_here(q, &local);
	return 1;
}

/* ---- the registry ---- */

static int look_there(struct question *q, struct err *err)
{
	char text[DIGEST_TEXT_MAX];
	struct image_found *out = q->out;
	struct registry_image image;

	q->who->counts.registry++;
	if (q->who->ops->there(q->who, q->arena, &q->ref, &q->want, q->strict, &image, err) < 0)
		return -1;
	out->identity = image.id.identity;
	out->description = image.id.description;
	out->platform = image.id.platform;
	out->source = IMAGE_FROM_REGISTRY;
	out->index = image.index;
	out->manifest = image.manifest;
	out->config = image.config;
	out->create = str_fmt(q->arena, "%s", digest_text(&image.config, text));
	out->pull = str_fmt(q->arena, STR_FMT "@%s", STR_ARG(imageref_name(q->arena, &q->ref)), digest_text(&image.manifest, text));
	config_is(out, &image.id);
	return 0;
}

/* ---- the rules ---- */

static int not_for(struct question *q, const struct identify_local *other, struct err *err)
{
	return err_set(err, ERR_RUNTIME, "the engine has it for " STR_FMT ", not for " STR_FMT, STR_ARG(platform_text(q->arena, &other->image.platform)),
		       STR_ARG(platform_text(q->arena, &q->want)));
}

/* The engine alone is asked. */
static int only_here(struct question *q, const char *why, struct err *err)
{
	struct identify_local other = {0};
	int got = look_here(q, &other, err);

	if (got != 0)
		return got < 0 ? -1 : 0;
	if (!other.id.n)
		return err_set(err, ERR_RUNTIME, "the engine does not have it, and %s", why);
	if (q->strict)
		return not_for(q, &other, err);
	found_here(q, &other);
	return 0;
}

/* Neither is a failure as long as the other knows. */
static int here_or_there(struct question *q, struct err *err)
{
	struct identify_local other = {0};
	struct err here = ERR_INIT;
	int got = look_here(q, &other, &here), rc = 0;

	if (got <= 0)
		rc = look_there(q, err);
	if (rc < 0 && other.id.n && !q->strict) {       /* better than nothing, and it says what it is */
		err_release(err);
		found_here(q, &other);
		rc = 0;
	} else if (rc < 0 && got < 0) {
		err_wrap(err, "no engine could be asked (%s), and", here.text);
	}
	err_release(&here);
	return rc;
}

static int question_read(struct question *q, const struct image_ask *ask, struct err *err)
{
	const char *why = imageref_parse(q->arena, ask->ref, &q->ref);

	if (why)
		return err_set(err, ERR_RUNTIME, "it is no image reference: %s", why);
	q->strict = ask->platform.n > 0;
	if (!q->strict)
		image_platform(q->arena, &q->want);
	else if ((why = platform_parse(q->arena, ask->platform, &q->want)))
		return err_set(err, ERR_RUNTIME, "'" STR_FMT "' is no platform: %s", STR_ARG(ask->platform), why);
	q->out->ref = imageref_text(q->arena, &q->ref);
	return 0;
}

static int answer(struct question *q, enum image_policy policy, struct err *err)
{
	if (q->ref.id.n)
		return only_here(q, "an id is known to no registry", err);
	if (policy == IMAGE_NEVER)
		return only_here(q, "it is not to be pulled (pull: never)", err);
	if (policy == IMAGE_REGISTRY || (policy == IMAGE_ALWAYS && !q->ref.digest.n))
		return look_there(q, err);
	return here_or_there(q, err);
}

int image_identify(struct identifier *who, struct arena *a, const struct image_ask *ask, struct image_found *out, struct err *err)
{
	struct question q = {.who = who, .arena = a, .out = out};
	struct err why = ERR_INIT;

	*out = (struct image_found){0};
	if (question_read(&q, ask, &why) == 0 && answer(&q, ask->policy, &why) == 0)
		return 0;
	err_set(err, ERR_RUNTIME, "unable to tell what the image " STR_FMT " is: %s", STR_ARG(ask->ref), why.text ? why.text : "for no known reason");
	err_release(&why);
	return -1;
}

int image_digest(struct identifier *who, struct str text, struct digest *out, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct imageref ref;
	const char *why = imageref_parse(&a, text, &ref);
	int rc;

	who->counts.registry++;
	rc = why ? err_set(err, ERR_RUNTIME, "'" STR_FMT "' is no image reference: %s", STR_ARG(text), why) : who->ops->digest(who, &ref, out, err);
	arena_release(&a);
	return rc;
}

/* ---- pulling ---- */

/* 1 the engine has exactly this under the name, 0 not, -1. */
static int is_under(struct identifier *who, struct arena *a, const struct image_found *found, struct str name, struct err *err)
{
	struct identify_local local;
	int got = name.n ? who->ops->here(who, a, name, &local, err) : 0;

	return got > 0 ? digest_eq(&local.image.identity, &found->identity) : got;
}

/* The name under which it is here, or {NULL}. */
static int have(struct identifier *who, struct arena *a, const struct image_found *found, struct str *name, struct err *err)
{
	int got = is_under(who, a, found, *name = found->create, err);

	if (got == 0)
		got = is_under(who, a, found, *name = found->pull, err);
	if (got == 0)
		*name = (struct str){0};
	return got < 0 ? -1 : 0;
}

/* A tag that was asked for by itself is put on what it was found to mean, as a pull by it would do. */
static int put_tag(struct identifier *who, struct arena *a, const struct image_found *found, struct str here, struct err *err)
{
	struct platform own;
	struct imageref ref;
	int got;

	image_platform(a, &own);
	if (imageref_parse(a, found->ref, &ref) || !ref.tag.n || ref.digest.n || found->source == IMAGE_FROM_ENGINE ||
	    !platform_fits(&own, &found->platform))
		return 0;
	got = is_under(who, a, found, found->ref, err);
	return got ? (got < 0 ? -1 : 0) : who->ops->tag(who, a, here, found->ref, err);
}

int image_pull(struct identifier *who, struct arena *a, const struct image_found *found, void (*progress)(void *ctx, struct str line), void *ctx,
	       bool *pulled, struct err *err)
{
	struct imageref pull;
	struct str here;

	*pulled = false;
	if (have(who, a, found, &here, err) < 0)
		return -1;
	if (here.n)
		return put_tag(who, a, found, here, err);
	if (!found->pull.n || imageref_parse(a, found->pull, &pull))
		return err_set(err, ERR_RUNTIME, "unable to pull the image " STR_FMT ": it was only here and is not any more, or is not to be pulled",
			       STR_ARG(found->ref));
	who->counts.pulls++;
	if (who->ops->pull(who, a, &pull, &found->platform, progress, ctx, err) < 0 || have(who, a, found, &here, err) < 0)
		return -1;
	*pulled = true;
	if (!here.n)
		return err_set(err, ERR_RUNTIME, "unable to pull the image " STR_FMT ": what the engine has got is not what the registry said it is",
			       STR_ARG(found->ref));
	return put_tag(who, a, found, here, err);
}

struct identify_counts identifier_counts(const struct identifier *who) { return who->counts; }

void identifier_close(struct identifier *who)
{
	if (!who)
		return;
	who->ops->close(who);
	free(who);
}
