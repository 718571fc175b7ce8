/* Asks registries what the images of the spec are, and writes it into cairn.lock; or says what has moved since. */
#include <stdlib.h>

#include "cli/show.h"
#include "cli/view.h"
#include "resolve/imagelock.h"
#include "runtimes/identify.h"

struct update {
	struct view *view;
	const struct plan *plan;
	struct arena *arena;
	struct identifier *who;
	struct imagelock lock;
	bool check;
	struct buf *out;
	struct err *err;                /* the first that could not be asked about */
	size_t nmoved, nfailed;
	VEC(struct str) seen;           /* whole names that the plan uses */
};

static bool seen(const struct update *u, struct str ref)
{
	for (size_t i = 0; i < u->seen.n; i++)
		if (str_eq(u->seen.v[i], ref))
			return true;
	return false;
}

static void say(struct update *u, struct str ref, const char *fmt, ...) PRINTF(3, 4);
static void say(struct update *u, struct str ref, const char *fmt, ...)
{
	va_list ap;

	show_text(u->out, ref);
	buf_z(u->out, ": ");
	va_start(ap, fmt);
	buf_vfmt(u->out, fmt, ap);
	va_end(ap);
	buf_c(u->out, '\n');
}

static void failed(struct update *u, struct str ref, struct err *why)
{
	say(u, ref, "%s", u->check ? "unable to ask" : "left as it was");
	if (!u->nfailed++)
		err_move(u->err, why);
	err_release(why);
}

static struct str short_digest(struct arena *a, const struct digest *d)
{
	char hex[65];

	digest_hex(d, hex);
	return str_fmt(a, "sha256:%.12s", hex);
}

/* To what a name leads: the index, or the manifest of one without. */
static struct digest target_of(const struct imagelock_image *image)
{
	return image->index.algo || !image->pins.n ? image->index : image->pins.v[0].manifest;
}

static void check_one(struct update *u, struct str ref, const struct platform *want)
{
	const struct imagelock_image *image = imagelock_find(&u->lock, ref);
	struct err why = ERR_INIT;
	struct digest now, then;

	if (!image || !imagelock_pin(image, want)) {
		u->nmoved++;
		say(u, ref, "not pinned%s" STR_FMT, image ? " for " : "", STR_ARG(image ? platform_text(u->arena, want) : S("")));
		return;
	}
	then = target_of(image);
	if (image_digest(u->who, ref, &now, &why) < 0) {
		failed(u, ref, &why);
	} else if (!digest_eq(&now, &then)) {
		u->nmoved++;
		say(u, ref, "has moved: " STR_FMT " -> " STR_FMT, STR_ARG(short_digest(u->arena, &then)), STR_ARG(short_digest(u->arena, &now)));
	} else {
		say(u, ref, "is what it was");
	}
}

static int ask_one(struct update *u, struct str ref, struct str platform, struct image_found *found, struct err *err)
{
	return image_identify(u->who, u->arena, &(struct image_ask){ref, platform, IMAGE_REGISTRY}, found, err);
}

static void pin(struct update *u, struct str ref, struct str platform, const struct image_found *found)
{
	struct imagelock_pin pin = {platform, found->manifest, found->config, found->identity};

	imagelock_set(u->arena, &u->lock, ref, &found->index, &pin);
}

/* Those that others have pinned for their platforms go with the index. */
static void pin_others(struct update *u, struct str ref, const struct imagelock_image *before, const struct image_found *first)
{
	if (!first->index.algo)
		return;
	for (size_t i = 0; i < before->pins.n; i++) {
		struct str platform = before->pins.v[i].platform;
		struct image_found found;
		struct err why = ERR_INIT;
		struct platform p;

		platform_parse(u->arena, platform, &p);
		if (imagelock_pin(imagelock_find(&u->lock, ref), &p))
			continue;
		if (ask_one(u, ref, platform, &found, &why) < 0)
			say(u, ref, "is not there for " STR_FMT " any more", STR_ARG(platform));
		else if (digest_eq(&found.index, &first->index))
			pin(u, ref, platform, &found);
		err_release(&why);
	}
}

static void update_one(struct update *u, struct str ref, const struct platform *want)
{
	struct imagelock_image before = {0}, *image = imagelock_find(&u->lock, ref);
	const struct imagelock_pin *had = image ? imagelock_pin(image, want) : NULL;
	struct str platform = had ? had->platform : platform_text(u->arena, want);
	struct digest identity = had ? had->identity : (struct digest){0}, manifest = had ? had->manifest : (struct digest){0};
	struct image_found found;
	struct err why = ERR_INIT;

	if (ask_one(u, ref, platform, &found, &why) < 0) {
		failed(u, ref, &why);
		return;
	}
	if (image)
		for (size_t i = 0; i < image->pins.n; i++)
			vec_add(&before.pins, image->pins.v[i]);
	pin(u, ref, platform, &found);
	pin_others(u, ref, &before, &found);
	if (!had)
		say(u, ref, "pinned to " STR_FMT " for " STR_FMT, STR_ARG(short_digest(u->arena, &found.manifest)), STR_ARG(platform));
	else if (digest_eq(&manifest, &found.manifest))
		say(u, ref, "is what it was");
	else
		say(u, ref, STR_FMT " -> " STR_FMT "%s", STR_ARG(short_digest(u->arena, &manifest)), STR_ARG(short_digest(u->arena, &found.manifest)),
		    digest_eq(&identity, &found.identity) ? ", the same to steps" : "");
	vec_free(&before.pins);
}

/* Is it named on the command line: by its entry in `images`, as it is written, or by its whole name? */
static bool is_named(const struct update *u, const struct plan_image *image, struct str ref, bool *used)
{
	const struct opt_list *names = &u->view->words.goals;
	bool found = !names->n;

	for (size_t i = 0; i < names->n; i++)
		if (str_eq(names->v[i], plan_str(u->plan, image->name)) || str_eq(names->v[i], plan_str(u->plan, image->ref)) || str_eq(names->v[i], ref))
			found = used[i] = true;
	return found;
}

static int each_image(struct update *u, bool *used)
{
	for (uint32_t i = 0; i < u->plan->nimages; i++) {
		const struct plan_image *image = &u->plan->images[i];
		struct str written = plan_str(u->plan, image->ref), platform = plan_str(u->plan, image->platform), ref;
		struct imageref parsed;
		struct platform want;
		const char *why = image->kind == IMAGE_KIND_REF ? imageref_parse(u->arena, written, &parsed) : NULL;

		if (image->kind != IMAGE_KIND_REF)
			continue;
		if (!why && platform.n)
			why = platform_parse(u->arena, platform, &want);
		if (why)
			return err_set(u->err, ERR_SPEC, "unable to pin the image " STR_FMT ": %s", STR_ARG(written), why);
		ref = imageref_text(u->arena, &parsed);
		if (!platform.n)
			image_platform(u->arena, &want);
		if (parsed.id.n || !is_named(u, image, ref, used))
			continue;               /* an id can't become another image */
		if (image->pull == PULL_KIND_NEVER) {
			say(u, ref, "only what is here counts (pull: never), not pinned");
			continue;
		}
		vec_add(&u->seen, ref);
		if (u->check)
			check_one(u, ref, &want);
		else
			update_one(u, ref, &want);
	}
	return 0;
}

static int names_known(const struct update *u, const bool *used)
{
	const struct opt_list *names = &u->view->words.goals;
	struct str have[64], near;
	size_t n = 0;

	for (size_t i = 0; i < names->n; i++) {
		if (used[i])
			continue;
		for (uint32_t k = 0; k < u->plan->nimages && n < countof(have); k++)
			have[n++] = plan_str(u->plan, u->plan->images[k].name.n ? u->plan->images[k].name : u->plan->images[k].ref);
		near = str_nearest(names->v[i], have, n);
		return err_set(u->err, ERR_USAGE, "no step runs in an image '" STR_FMT "'%s" STR_FMT "%s", STR_ARG(names->v[i]),
			       near.s ? "; did you mean '" : "", STR_ARG(near), near.s ? "'?" : "");
	}
	return 0;
}

/* What the spec no longer names. */
static void drop_unused(struct update *u)
{
	if (u->view->words.goals.n)
		return;
	for (size_t i = u->lock.images.n; i > 0; i--) {
		struct str ref = u->lock.images.v[i - 1].ref;

		if (seen(u, ref))
			continue;
		say(u, ref, "%s", u->check ? "is pinned, but not in the spec" : "no longer pinned: it is not in the spec");
		u->nmoved += u->check;
		if (!u->check)
			imagelock_remove(&u->lock, ref);
	}
}

static int update_all(struct update *u, bool *used)
{
	CLEANUP_BUF struct buf before = BUF_INIT(BUF_UNLIMITED), after = BUF_INIT(BUF_UNLIMITED);

	imagelock_text(&u->lock, &before);
	if (each_image(u, used) < 0 || names_known(u, used) < 0)
		return -1;
	drop_unused(u);
	if (!u->plan->nimages && !u->lock.images.n)
		buf_z(u->out, "no step runs in an image\n");
	imagelock_text(&u->lock, &after);
	return u->check || str_eq(buf_view(&before), buf_view(&after)) ? 0 : imagelock_write(u->view->s.rootfd, &u->lock, u->err);
}

static int update_plan(struct view *v, bool check, struct err *err)
{
	struct config *config = &v->s.config;
	struct identify_options options = {
		config->container_engine, config->container_engine_where, config->insecure_registries, config->ninsecure_registries,
	};
	struct err first = ERR_INIT;
	struct update u = {.view = v, .plan = v->s.plan, .arena = &v->arena, .check = check, .out = &v->out, .err = &first};
	int rc;

	if (imagelock_read(&v->arena, v->s.rootfd, &u.lock, err) < 0)
		return -1;
	u.who = identifier_open(&options);
	rc = update_all(&u, arena_array(&v->arena, v->words.goals.n + 1, bool));
	identifier_close(u.who);
	imagelock_release(&u.lock);
	vec_free(&u.seen);
	if (cmd_print(&v->out, err) < 0)
		rc = -1;
	if (err_any(&first)) {
		err_move(err, &first);
		rc = -1;
	}
	err_release(&first);
	return rc < 0 ? -1 : check && u.nmoved ? 1 : 0;
}

static int update(int argc, char **argv, struct err *err)
{
	bool check = false;
	struct view v;
	const struct opt opts[] = {{0, "check", OPT_FLAG, &check, NULL, "write nothing; exit 1 when an image has moved or is not pinned"}};
	int rc = view_options(&v, &cmd_update, opts, countof(opts), argc, argv, VIEW_NAMES, err);

	if (rc == 0 && !v.helped && (rc = view_plan(&v, err)) == 0)
		rc = update_plan(&v, check, err);
	return view_close(&v, rc);
}

const struct command cmd_update = {"update", "pin the images of the spec in cairn.lock", "cairn update [--check] [IMAGE...]", update};
