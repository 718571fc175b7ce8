#include "runtimes/identify.h"

#include "tap.h"

static struct arena arena;

/* The machine of the tests and another. */
static const char *mine, *foreign;

static const char *config(bool other, const char *layer)
{
	return str_fmt(&arena, "{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":{\"diff_ids\":[\"sha256:%063d%s\"]}}", other ? foreign : mine, 1, layer).s;
}

static struct image_found found;

/* "engine LAYER", "registry LAYER" or the error; LAYER is the last digit of the layer's digest. */
static struct str ask(struct identifier *who, const char *ref, const char *platform, enum image_policy policy)
{
	struct err err = ERR_INIT;
	struct image_ask question = {str_of(ref), str_of(platform), policy};
	struct str text;

	if (image_identify(who, &arena, &question, &found, &err) < 0)
		text = str_fmt(&arena, "%s", err.text);
	else
		text = str_fmt(&arena, "%s %c", found.source == IMAGE_FROM_ENGINE ? "engine" : "registry", found.description.s[found.description.n - 1]);
	err_release(&err);
	return text;
}

static bool fails(struct str said, const char *because) { return ok(str_find(said, str_of(because)) >= 0, "because: %s", because) || (tap_show("says", said), false); }

static bool counts(const struct identifier *who, unsigned engine, unsigned registry)
{
	struct identify_counts c = identifier_counts(who);

	return c.engine == engine && c.registry == registry;
}

static void policies(void)
{
	const struct identify_image images[] = {
		{"docker.io/library/both:1", true, false, config(false, "1")}, {"docker.io/library/both:1", false, true, config(false, "2")},
		{"docker.io/library/far:1", false, true, config(false, "3")}, {"docker.io/library/near:1", true, false, config(false, "4")},
		{"localhost/built:latest", true, false, config(false, "5")},
	};
	struct identifier *who = identifier_open_mem(images, countof(images), true);

	ok(counts(who, 0, 0), "opening asks nobody");
	is_str(ask(who, "both:1", "", IMAGE_MISSING), "engine 1", "missing: what is here");
	ok(counts(who, 1, 0), "without the registry");
	is_str(found.create.s ? str_head(found.create, 7) : S(""), "sha256:", "by its id");
	is_str(ask(who, "both:1", "", IMAGE_NEVER), "engine 1", "never: what is here");
	ok(counts(who, 2, 0), "without the registry");
	is_str(ask(who, "both:1", "", IMAGE_ALWAYS), "registry 2", "always: what the registry has");
	ok(counts(who, 2, 1), "without the engine");
	is_str(ask(who, "far:1", "", IMAGE_MISSING), "registry 3", "missing, and it is not here: the registry's");
	ok(str_starts(found.pull, S("docker.io/library/far@sha256:")), "to be pulled by its digest");
	fails(ask(who, "far:1", "", IMAGE_NEVER), "not to be pulled");
	fails(ask(who, "near:1", "", IMAGE_ALWAYS), "the registry docker.io has no docker.io/library/near:1");
	fails(ask(who, "none:1", "", IMAGE_MISSING), "unable to tell what the image none:1 is: the registry docker.io has no");
	is_str(ask(who, "built", "", IMAGE_MISSING), "engine 5", "what Podman built by a bare name");
	is_str(ask(who, "localhost/built", "", IMAGE_NEVER), "engine 5", "by its own");
	fails(ask(who, "docker.io/library/built", "", IMAGE_NEVER), "does not have it");
	fails(ask(who, "UPPER", "", IMAGE_MISSING), "no image reference");
	fails(ask(who, "near:1", "linux", IMAGE_MISSING), "is no platform");
	identifier_close(who);
}

static void digests(void)
{
	const struct identify_image images[] = {{"docker.io/library/a:1", false, true, config(false, "1")}, {"docker.io/library/b:1", true, true, config(false, "2")}};
	struct identifier *who = identifier_open_mem(images, countof(images), true);
	struct str pull;

	ask(who, "a:1", "", IMAGE_MISSING);
	pull = found.pull;
	is_str(ask(who, pull.s, "", IMAGE_ALWAYS), "registry 1", "a digest");
	ok(counts(who, 2, 2), "is looked for here first, whatever the policy");
	is_str(ask(who, found.pull.s, "", IMAGE_REGISTRY), "registry 1", "unless the registry itself is meant");
	ask(who, "b:1", "", IMAGE_NEVER);
	is_str(ask(who, found.create.s, "", IMAGE_ALWAYS), "engine 2", "an id is the engine's");
	fails(ask(who, "sha256:0000000000000000000000000000000000000000000000000000000000000000", "", IMAGE_ALWAYS), "known to no registry");
	identifier_close(who);
}

static void platforms(void)
{
	const struct identify_image images[] = {
		{"docker.io/library/a:1", true, false, config(true, "1")}, {"docker.io/library/a:1", false, true, config(false, "2")},
		{"docker.io/library/b:1", true, false, config(true, "3")},
	};
	struct identifier *who = identifier_open_mem(images, countof(images), true);

	is_str(ask(who, "a:1", "", IMAGE_MISSING), "registry 2", "what is here for another platform is not meant");
	is_str(ask(who, "a:1", foreign, IMAGE_MISSING), "engine 1", "unless that is asked for");
	is_str(ask(who, "b:1", "", IMAGE_MISSING), "engine 3", "if there is no other, it is what will run");
	is_str(ask(who, "b:1", "", IMAGE_NEVER), "engine 3", "under never, too");
	fails(ask(who, "b:1", mine, IMAGE_NEVER), "not for linux/");
	fails(ask(who, "b:1", mine, IMAGE_MISSING), "has no");
	identifier_close(who);
}

static void no_engine(void)
{
	const struct identify_image images[] = {{"docker.io/library/a:1", false, true, config(false, "1")}};
	struct identifier *who = identifier_open_mem(images, countof(images), false);
	struct err err = ERR_INIT;
	bool pulled;

	is_str(ask(who, "a:1", "", IMAGE_MISSING), "registry 1", "without an engine the registry tells");
	ok(image_pull(who, &arena, &found, NULL, NULL, &pulled, &err) < 0, "but nothing is pulled");
	err_release(&err);
	fails(ask(who, "b:1", "", IMAGE_MISSING), "no engine could be asked (there is no engine), and: the registry docker.io has no");
	fails(ask(who, "a:1", "", IMAGE_NEVER), "there is no engine");
	identifier_close(who);
}

static void count_line(void *ctx, struct str line)
{
	(void)line;
	++*(int *)ctx;
}

static void pulls(void)
{
	const struct identify_image images[] = {
		{"docker.io/library/a:1", false, true, config(false, "1")}, {"docker.io/library/b:1", false, true, config(true, "2")},
		{"docker.io/library/c:1", true, false, config(false, "3")},
	};
	struct identifier *who = identifier_open_mem(images, countof(images), true);
	bool pulled;
	int lines = 0;

	ask(who, "a:1", "", IMAGE_MISSING);
	ok(image_pull(who, &arena, &found, count_line, &lines, &pulled, NULL) == 0 && pulled && lines == 1, "an image is pulled");
	ok(image_pull(who, &arena, &found, count_line, &lines, &pulled, NULL) == 0 && !pulled && lines == 1, "once");
	is_str(ask(who, "a:1", "", IMAGE_MISSING), "engine 1", "missing finds it then");
	ask(who, "b:1", foreign, IMAGE_MISSING);
	ok(image_pull(who, &arena, &found, NULL, NULL, &pulled, NULL) == 0 && pulled, "one for another platform");
	fails(ask(who, "b:1", "", IMAGE_NEVER), "does not have it");
	ask(who, "c:1", "", IMAGE_NEVER);
	ok(image_pull(who, &arena, &found, NULL, NULL, &pulled, NULL) == 0 && !pulled, "what is here is not pulled");
	is_int(identifier_counts(who).pulls, 2, "and that is all");
	identifier_close(who);
}

static void moves(void)
{
	const struct identify_image images[] = {{"docker.io/library/a:1", true, true, config(false, "1")}};
	struct identifier *who = identifier_open_mem(images, countof(images), true);
	struct digest d;

	ask(who, "a:1", "", IMAGE_ALWAYS);
	ok(image_digest(who, S("a:1"), &d, NULL) == 0 && digest_eq(&d, &found.manifest), "to what a tag leads");
	ok(image_digest(who, S("b:1"), &d, NULL) < 0 && image_digest(who, S("B"), &d, NULL) < 0, "or not");
	identifier_close(who);
}

int main(void)
{
	struct platform own;

	image_platform(&arena, &own);
	mine = own.arch.s;
	foreign = str_is(own.arch, "arm64") ? "amd64" : "arm64";
	policies();
	digests();
	platforms();
	no_engine();
	pulls();
	moves();
	arena_release(&arena);
	return done();
}
