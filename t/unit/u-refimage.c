#include "resolve/refimage.h"

#include "scratch.h"

static struct arena arena;
static const char *mine;

static const char *config(const char *layer)
{
	return str_fmt(&arena, "{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":{\"diff_ids\":[\"sha256:%063d%s\"]}}", mine, 1, layer).s;
}

static struct image_found identify(struct identifier *who, const char *ref)
{
	struct image_found found = {0};

	image_identify(who, &arena, &(struct image_ask){str_of(ref), S(""), IMAGE_ALWAYS}, &found, NULL);
	return found;
}

static void lock_write(const struct image_found *found, const char *identity)
{
	struct imagelock lock = {0};
	struct imagelock_pin pin = {platform_text(&arena, &found->platform), found->manifest, found->config, found->identity};

	if (identity)
		digest_parse(str_of(identity), &pin.identity);
	imagelock_set(&arena, &lock, found->ref, &found->index, &pin);
	imagelock_write(scratch_fd, &lock, NULL);
	imagelock_release(&lock);
}

static const struct refimage *ask(struct refimages *r, const char *ref, const char *platform, enum image_policy policy, bool whole)
{
	const struct refimage *out;

	return refimages_ask(r, &(struct image_ask){str_of(ref), str_of(platform), policy}, whole, &out, NULL) < 0 ? NULL : out;
}

static bool untouched(const struct identifier *who)
{
	struct identify_counts c = identifier_counts(who);

	return !c.engine && !c.registry;
}

/* The tag was locked, and has moved since. */
static void pins(void)
{
	const struct identify_image before[] = {{"docker.io/library/a:1", false, true, config("1")}}, after[] = {
		{"docker.io/library/a:1", true, true, config("2")}, {"docker.io/library/old:1", false, true, config("1")}};
	struct identifier *who = identifier_open_mem(before, countof(before), true);
	struct image_found old = identify(who, "a:1");
	const struct refimage *is;
	struct refimages *r;

	identifier_close(who);
	lock_write(&old, NULL);
	who = identifier_open_mem(after, countof(after), true);
	r = refimages_open(scratch_fd, who, NULL);
	is = ask(r, "a:1", "", IMAGE_MISSING, false);
	ok(is && is->pinned && digest_eq(&is->found.identity, &old.identity), "what is pinned is what it was");
	is_str(is->found.pull, str_dup(&arena, old.pull).s, "to be pulled by the digest");
	is_str(is->found.create, old.create.s, "and made from that image");
	ok(ask(r, "docker.io/library/a:1", "", IMAGE_ALWAYS, false)->pinned, "by its whole name, under always");
	is = ask(r, "a:1", "", IMAGE_NEVER, false);
	is_str(is->found.pull, "", "under never it is not to be pulled");
	ok(untouched(who), "and nobody was asked");
	is = ask(r, "b:1", "", IMAGE_MISSING, false);
	ok(!is, "what is not pinned is asked about");
	ok(!ask(r, "b:1", "", IMAGE_MISSING, false) && identifier_counts(who).registry == 1, "once");
	is = ask(r, "a:1", str_is(str_of(mine), "arm64") ? "amd64" : "arm64", IMAGE_ALWAYS, false);
	ok(!is, "for another platform it is asked about, too");
	refimages_close(r);
	identifier_close(who);
}

static void wholes(void)
{
	const struct identify_image images[] = {{"docker.io/library/a:1", false, true, config("1")}};
	struct identifier *who = identifier_open_mem(images, countof(images), true);
	struct image_found now = identify(who, "a:1");
	struct refimages *r;
	const struct refimage *is;
	struct err err = ERR_INIT;

	lock_write(&now, NULL);
	r = refimages_open(scratch_fd, who, NULL);
	is = ask(r, "a:1", "", IMAGE_MISSING, true);
	ok(is && is->pinned && is->found.description.n, "all of a pinned one");
	is_str(is->found.pull, now.pull.s, "by its digest");
	refimages_close(r);
	lock_write(&now, "sha256:0000000000000000000000000000000000000000000000000000000000000000");
	r = refimages_open(scratch_fd, who, NULL);
	ok(refimages_ask(r, &(struct image_ask){S("a:1"), S(""), IMAGE_MISSING}, true, &is, &err) < 0 && strstr(err.text, "run cairn update a:1"),
	   "an identity that someone wrote is seen");
	err_release(&err);
	refimages_close(r);
	identifier_close(who);
}

static void damage(void)
{
	struct err err = ERR_INIT;

	sh("echo '<<<<<<< HEAD' >cairn.lock");
	ok(!refimages_open(scratch_fd, NULL, &err) && err.kind == ERR_SPEC, "a lock that can't be read is an error");
	err_release(&err);
}

int main(void)
{
	struct platform own;

	scratch_make();
	image_platform(&arena, &own);
	mine = own.arch.s;
	pins();
	wholes();
	damage();
	scratch_remove();
	arena_release(&arena);
	return done();
}
