/* Gets the images ahead that steps will run in. */
#include <unistd.h>

#include "cli/show.h"
#include "cli/view.h"
#include "resolve/images.h"
#include "sys/file.h"

struct pull {
	struct view *view;
	const struct plan *plan;
	struct identifier *who;
	struct images *images;
	bool live;                      /* standard error is a terminal: one line is written over and over */
	bool quiet;
	struct str now;                 /* the reference being pulled */
	struct err first;               /* the first that failed */
	size_t n, nfailed;
};

/* What the engine is doing: at a terminal in place, elsewhere not at all. */
static void progress(void *ctx, struct str line)
{
	CLEANUP_BUF struct buf b = BUF_INIT(4096);
	struct pull *p = ctx;

	if (!p->live || p->quiet)
		return;
	buf_z(&b, "\r\033[K");
	show_text(&b, p->now);
	buf_z(&b, ": ");
	show_text(&b, line.n > 60 ? str_head(line, 60) : line);
	file_write_all(2, b.s, b.n);
}

static void progress_end(struct pull *p)
{
	if (p->live && !p->quiet)
		file_write_all(2, "\r\033[K", 4);
}

static int say(struct pull *p, struct str ref, const char *what, struct err *err)
{
	struct buf *out = &p->view->out;
	int rc;

	buf_clear(out);
	show_text(out, ref);
	buf_fmt(out, ": %s\n", what);
	rc = cmd_print(out, err);
	buf_clear(out);
	return rc;
}

/* What was found, as image_pull wants it. A pinned one is pulled without its tag, which then stays with what it was given to. */
static int found_of(struct pull *p, const struct plan_image *image, const struct image_fact *fact, struct image_found *out, struct err *err)
{
	struct arena *a = &p->view->arena;
	struct str written = plan_str(p->plan, image->ref), platform = plan_str(p->plan, image->platform);
	struct imageref ref, pull;
	const char *why = imageref_parse(a, written, &ref);

	*out = (struct image_found){
		.identity = fact->identity, .create = fact->create, .pull = image->pull == PULL_KIND_NEVER ? S("") : fact->pull,
		.source = fact->manifest.algo ? IMAGE_FROM_REGISTRY : IMAGE_FROM_ENGINE,
	};
	if (!platform.n)
		image_platform(a, &out->platform);
	else if (!why)
		why = platform_parse(a, platform, &out->platform);
	if (why)
		return err_set(err, ERR_RUNTIME, "unable to pull the image " STR_FMT ": %s", STR_ARG(written), why);
	if (fact->pinned && !imageref_parse(a, fact->pull, &pull))
		ref.digest = pull.digest;
	out->ref = imageref_text(a, &ref);
	return 0;
}

static int pull_ref(struct pull *p, const struct plan_image *image, struct err *err)
{
	const struct image_fact *fact = images_fact(p->images, (uint32_t)(image - p->plan->images));
	struct str written = plan_str(p->plan, image->ref);
	struct image_found found;
	struct err why = ERR_INIT;
	bool pulled = false;
	int rc;

	p->now = written;
	rc = fact->identity.algo ? found_of(p, image, fact, &found, &why) : err_set(&why, ERR_RUNTIME, STR_FMT, STR_ARG(fact->problem));
	if (rc == 0)
		rc = image_pull(p->who, &p->view->arena, &found, progress, p, &pulled, &why);
	progress_end(p);
	if (rc < 0 && !p->nfailed++)
		err_move(&p->first, &why);
	err_release(&why);
	return say(p, written, rc < 0 ? "not got" : pulled ? "pulled" : "here already", err);
}

static int each_image(struct pull *p, struct err *err)
{
	const struct selection *selected = &p->view->s.selection;
	bool *done = arena_array(&p->view->arena, p->plan->nimages + 1, bool);

	for (uint32_t i = 0; i < p->plan->nsteps; i++) {
		const struct plan_step *step = &p->plan->steps[i];
		const struct plan_image *image = selected->wanted[i] ? plan_image_of(p->plan, step) : NULL;

		if (!image || done[image - p->plan->images])
			continue;
		done[image - p->plan->images] = true;
		p->n++;
		if (image->kind == IMAGE_KIND_BUILD) {
			if (say(p, plan_str(p->plan, image->file), "is built when a step needs it", err) < 0)
				return -1;
		} else if (pull_ref(p, image, err) < 0) {
			return -1;
		}
	}
	return p->n ? 0 : say(p, S("nothing to pull"), "no step runs in an image", err);
}

static int pull_plan(struct view *v, bool quiet, struct err *err)
{
	struct config *config = &v->s.config;
	struct identify_options identify = {
		config->container_engine, config->container_engine_where, config->insecure_registries, config->ninsecure_registries,
	};
	struct pull p = {.view = v, .plan = v->s.plan, .live = isatty(2), .quiet = quiet};
	int rc;

	p.who = identifier_open(&identify);
	p.images = session_images(&v->s, NULL, NULL);
	rc = each_image(&p, err);
	identifier_close(p.who);
	if (rc == 0 && p.nfailed) {
		err_move(err, &p.first);
		rc = -1;
	}
	err_release(&p.first);
	return rc;
}

static int pull(int argc, char **argv, struct err *err)
{
	bool quiet = false;
	struct view v;
	const struct opt opts[] = {{'q', "quiet", OPT_FLAG, &quiet, NULL, "show no progress"}};
	int rc = view_options(&v, &cmd_pull, opts, countof(opts), argc, argv, VIEW_GOALS, err);

	if (rc == 0 && !v.helped && (rc = view_plan(&v, err)) == 0 && (rc = view_select(&v, err)) == 0 &&
	    (rc = session_content(&v.s, err)) == 0)
		rc = pull_plan(&v, quiet, err);
	return view_close(&v, rc);
}

const struct command cmd_pull = {"pull", "get the images ahead that steps run in", "cairn pull [OPTIONS] [GOAL...]", pull};
