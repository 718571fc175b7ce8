#include "resolve/globwalk.h"

#include <stdlib.h>

#include "base/glob.h"
#include "base/path.h"

struct pattern {
	struct str text;
	struct str tail;                /* literal end, which a match must have: spares most of the matching */
	size_t plain;                   /* components in front that are no `**`: there a link is followed */
	struct wanted *wanted;
};

/* A folder that literal prefixes go through. */
struct prefix {
	VEC(uint32_t) patterns;         /* whose prefix ends here */
	struct map below;               /* name -> struct prefix * */
};

struct globwalk {
	struct listing *listing;
	bool (*tracked)(void *ctx, struct str path, bool below, struct str *problem);
	void *ctx;
	VEC(struct pattern) patterns;
	struct prefix root;
	struct wanted *sources;
	struct buf path;                /* of what is looked at, as the ignore rules know it */
};

/* A folder on the way down. */
struct frame {
	struct frame *up;
	struct folder *folder;
	struct prefix *prefix;          /* NULL: none goes through it */
	uint32_t *patterns;             /* those that may match in it */
	size_t n;
	bool sources;
	bool follow;                    /* it may be a link */
	enum { HIDDEN_UNKNOWN, HIDDEN, SEEN } hidden;   /* is it ignored, itself or through one above it? */
};

struct globwalk *globwalk_new(struct listing *l, bool (*tracked)(void *, struct str, bool, struct str *), void *ctx)
{
	struct globwalk *w = xcalloc(1, sizeof(*w));

	w->listing = l;
	w->tracked = tracked;
	w->ctx = ctx;
	w->path = (struct buf)BUF_INIT(BUF_UNLIMITED);
	return w;
}

void globwalk_sources(struct globwalk *w, struct wanted *wanted) { w->sources = wanted; }

/* --- patterns --- */

static struct str literal_tail(struct str pattern)
{
	size_t from = pattern.n;

	while (from && !strchr("*?[]{}\\,", pattern.s[from - 1]))
		from--;
	/* an escaped byte, or one of alternatives, is not surely there as it is written */
	return from && strchr("\\,", pattern.s[from - 1]) ? S("") : str_from(pattern, from);
}

/* Leading components that are surely one component each, and no `**`. */
static size_t plain_components(struct str pattern)
{
	size_t n = 0;
	struct str part;

	while (str_cut(&pattern, '/', &part)) {
		if (str_find(part, S("**")) >= 0)
			break;
		n++;
		if (str_chr(part, '{') >= 0)
			return n - 1;
	}
	return n;
}

void globwalk_pattern(struct globwalk *w, struct str text, struct wanted *wanted)
{
	struct str prefix = glob_prefix(w->listing->arena, text), part;
	struct prefix *at = &w->root;

	while (str_cut(&prefix, '/', &part)) {
		bool fresh;
		void **place;

		if (!part.n)            /* an absolute pattern: nothing in a workspace matches */
			return;
		place = map_put(&at->below, part, &fresh);
		if (fresh)
			*place = xcalloc(1, sizeof(struct prefix));
		at = *place;
	}
	vec_add(&at->patterns, w->patterns.n);
	vec_add(&w->patterns, (struct pattern){text, literal_tail(text), plain_components(text), wanted});
}

static void prefix_release(struct prefix *p)
{
	for (size_t i = 0; i < p->below.n; i++) {
		prefix_release(p->below.entries[i].value);
		free(p->below.entries[i].value);
	}
	map_release(&p->below);
	vec_free(&p->patterns);
}

/* --- the walk --- */

static struct str here(const struct globwalk *w) { return str_from(buf_view(&w->path), w->listing->prefix.n); }

static void concern(struct globwalk *w, const struct frame *f, struct str problem)
{
	for (size_t i = 0; i < f->n; i++) {
		struct wanted *wanted = w->patterns.v[f->patterns[i]].wanted;

		if (!wanted->problem.n)
			wanted->problem = problem;
	}
	if (f->sources && !w->sources->problem.n)
		w->sources->problem = problem;
}

static const struct ignore *rules_in(struct globwalk *w, struct frame *f)
{
	const struct ignore *rules = NULL;

	if (folder_rules(w->listing, f->folder, &rules) < 0)
		concern(w, f, f->folder->problem);
	return rules;
}

/* Only asked when something depends on it, since it means to read ignore files all the way up. */
static bool hidden(struct globwalk *w, struct frame *f)
{
	if (f->hidden == HIDDEN_UNKNOWN && hidden(w, f->up)) {
		f->hidden = HIDDEN;
	} else if (f->hidden == HIDDEN_UNKNOWN) {
		CLEANUP_BUF struct buf path = BUF_INIT(BUF_UNLIMITED);

		buf_str(&path, w->listing->prefix);
		buf_str(&path, f->folder->path);
		f->hidden = ignore_match(rules_in(w, f->up), buf_view(&path), !f->follow) ? HIDDEN : SEEN;
	}
	return f->hidden == HIDDEN;
}

static bool git_tracks(struct globwalk *w, struct str path, bool below)
{
	struct str problem = {0};
	bool yes = w->tracked && w->tracked(w->ctx, path, below, &problem);

	if (problem.n && !w->sources->problem.n)
		w->sources->problem = problem;
	return yes;
}

static bool is_source(struct globwalk *w, struct frame *f)
{
	if (!hidden(w, f) && !ignore_match(rules_in(w, f), buf_view(&w->path), false))
		return true;
	return git_tracks(w, here(w), false);
}

static void take(struct globwalk *w, struct frame *f, struct item *item)
{
	struct str path = here(w);

	for (size_t i = 0; i < f->n; i++) {
		struct pattern *p = &w->patterns.v[f->patterns[i]];

		if (str_ends(path, p->tail) && glob_match(p->text, path))
			vec_add(&p->wanted->hits, item_path(w->listing, f->folder, item));
	}
	if (f->sources && is_source(w, f))
		vec_add(&w->sources->hits, item_path(w->listing, f->folder, item));
}

static void visit(struct globwalk *w, struct frame *f);

static size_t depth_of(struct str path)
{
	size_t n = 1;

	for (size_t i = 0; i < path.n; i++)
		n += path.s[i] == '/';
	return n;
}

/* Goes into a folder, or a link that may be one, in a folder that was listed. */
static void enter(struct globwalk *w, struct frame *f, struct prefix *prefix, bool link, bool git)
{
	struct frame next = {.up = f, .prefix = prefix, .follow = link, .hidden = git ? HIDDEN : HIDDEN_UNKNOWN};
	struct str path = here(w);
	size_t depth = link ? depth_of(path) : 0, most = f->n + (prefix ? prefix->patterns.n : 0);

	next.patterns = xcalloc(most + 1, sizeof(*next.patterns));
	for (size_t i = 0; i < f->n && !git; i++) {
		struct pattern *p = &w->patterns.v[f->patterns[i]];

		if ((!link || depth <= p->plain) && glob_may_enter(p->text, path))
			next.patterns[next.n++] = f->patterns[i];
	}
	next.sources = f->sources && !link && !git;
	if (next.n || next.sources || prefix) {
		next.folder = listing_folder(w->listing, f->folder, path);
		if ((next.n || next.sources) && hidden(w, &next)) {
			if (!hidden(w, f))
				next.n = 0;
			next.sources = next.sources && git_tracks(w, path, true);
		}
		if (next.n || next.sources || prefix)
			visit(w, &next);
	}
	free(next.patterns);
}

static void set_path(struct globwalk *w, struct str folder, const char *name, size_t n)
{
	buf_clear(&w->path);
	buf_str(&w->path, w->listing->prefix);
	buf_str(&w->path, folder);
	if (folder.n)
		buf_c(&w->path, '/');
	buf_add(&w->path, name, n);
}

static void visit_items(struct globwalk *w, struct frame *f)
{
	for (size_t i = 0; i < f->folder->n; i++) {
		struct item *item = &f->folder->items[i];
		bool git = !strcmp(item->name, ".git");
		struct prefix *prefix = f->prefix ? map_get(&f->prefix->below, (struct str){item->name, item->n}) : NULL;

		if (item->type == ITEM_OTHER || (git && !prefix))
			continue;
		set_path(w, f->folder->path, item->name, item->n);
		if (item->type != ITEM_DIR && !git)
			take(w, f, item);
		if (item->type != ITEM_FILE)
			enter(w, f, prefix, item->type == ITEM_LINK, git);
	}
}

/* Nothing but prefixes: what they name is opened without listing what lies beside it, so that the plan does not rest on
 * that. */
static void visit_prefixes(struct globwalk *w, struct frame *f)
{
	for (size_t i = 0; i < f->prefix->below.n; i++) {
		struct map_entry *e = &f->prefix->below.entries[i];
		struct frame next = {.up = f, .prefix = e->value, .follow = true};

		if (str_starts(e->key, S(".cairn~")))
			continue;
		if (str_is(e->key, ".git"))
			next.hidden = HIDDEN;
		set_path(w, f->folder->path, e->key.s, e->key.n);
		next.folder = listing_folder(w->listing, f->folder, here(w));
		visit(w, &next);
	}
}

/* f->patterns are those from above; it gets its own. */
static void visit(struct globwalk *w, struct frame *f)
{
	uint32_t *inherited = f->patterns, *all = NULL;
	size_t own = f->prefix ? f->prefix->patterns.n : 0;

	if (own) {
		all = xcalloc(f->n + own, sizeof(*all));
		if (f->n)
			memcpy(all, inherited, f->n * sizeof(*all));
		memcpy(all + f->n, f->prefix->patterns.v, own * sizeof(*all));
		f->patterns = all;
		f->n += own;
	}
	if (!f->n && !f->sources)
		visit_prefixes(w, f);
	else if (folder_list(w->listing, f->folder, f->follow))
		visit_items(w, f);
	else if (f->folder->problem.n)
		concern(w, f, f->folder->problem);
	if (f->folder->problem.n && f->prefix && f->n)
		visit_prefixes(w, f);   /* what can't be listed may still be gone through */
	f->patterns = inherited;
	free(all);
}

void globwalk_run(struct globwalk *w)
{
	struct frame root = {
		.folder = listing_folder(w->listing, NULL, S("")), .prefix = &w->root, .sources = w->sources, .hidden = SEEN,
	};

	visit(w, &root);
	prefix_release(&w->root);
	vec_free(&w->patterns);
	buf_release(&w->path);
	free(w);
}
