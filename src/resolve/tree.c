#include "resolve/tree.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/path.h"
#include "resolve/gitinfo.h"
#include "resolve/globwalk.h"
#include "resolve/listing.h"

struct tree {
	struct listing listing;
	bool tracked_known;
	struct str *tracked;            /* sorted */
	size_t ntracked;
	struct str tracked_problem;
};

struct tree *tree_open(struct arena *arena, int rootfd, struct str root)
{
	struct tree *t = arena_new(arena, struct tree);

	t->listing = (struct listing){.arena = arena, .rootfd = rootfd, .root = root};
	return t;
}

void tree_close(struct tree *t) { listing_release(&t->listing); }

const struct tree_dir *tree_looked(const struct tree *t, size_t *n)
{
	*n = t->listing.looked.n;
	return t->listing.looked.v;
}

/* --- what git tracks --- */

static void load_tracked(struct tree *t)
{
	struct listing *l = &t->listing;
	struct err err = ERR_INIT;
	struct str *looked;
	size_t n;
	bool found;

	if (git_looked(l->arena, l->root, &looked, &n, &err) < 0 ||
	    git_tracked(l->arena, l->root, &t->tracked, &t->ntracked, &found, &err) < 0)
		t->tracked_problem = str_dup(l->arena, str_of(err.text ? err.text : "unable to read git's index"));
	else
		for (size_t i = 0; i < n; i++) {
			struct ident ident;

			if (str_is(path_name(looked[i]), "index") && file_ident(l->rootfd, looked[i].s, &ident, NULL) >= 0)
				listing_look(l, looked[i], &ident, false);
		}
	err_release(&err);
}

/* Asked for only once something that would be a source is ignored: most workspaces never get here. */
static bool is_tracked(void *ctx, struct str path, bool below, struct str *problem)
{
	struct tree *t = ctx;
	size_t low = 0, high;

	if (!t->listing.in_git)
		return false;
	if (!t->tracked_known)
		load_tracked(t);
	t->tracked_known = true;
	if (t->tracked_problem.n)
		*problem = t->tracked_problem;
	high = t->ntracked;
	while (low < high) {            /* the first that is not less than path, or than path and a slash */
		size_t mid = low + (high - low) / 2;
		struct str name = t->tracked[mid];
		int c = below ? str_cmp(str_head(name, name.n < path.n ? name.n : path.n), path) : str_cmp(name, path);

		if (c == 0 && below)
			c = name.n <= path.n || (unsigned char)name.s[path.n] < '/' ? -1 : 1;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == t->ntracked)
		return false;
	if (below)
		return path_within(t->tracked[low], path) && t->tracked[low].n > path.n;
	return str_eq(t->tracked[low], path);
}

/* --- single paths --- */

struct found { VEC(struct str) v; struct str problem; };

static bool names_git(struct str path)
{
	struct str part;

	while (str_cut(&path, '/', &part))
		if (str_is(part, ".git"))
			return true;
	return false;
}

/* Everything below a folder that was named: ignored or not, but for .git folders and what cairn staged. */
static void add_held(struct listing *l, struct folder *f, bool follow, bool git_too, struct found *out)
{
	size_t before = out->v.n;

	if (!folder_list(l, f, follow)) {
		if (!out->problem.n)
			out->problem = f->problem;
		return;
	}
	for (size_t i = 0; i < f->n; i++) {
		struct item *item = &f->items[i];

		if ((!git_too && !strcmp(item->name, ".git")) || item->type == ITEM_OTHER)
			continue;
		if (item->type == ITEM_DIR)
			add_held(l, listing_folder(l, f, item_path(l, f, item)), false, git_too, out);
		else
			vec_add(&out->v, item_path(l, f, item));
	}
	if (out->v.n == before)
		vec_add(&out->v, str_fmt(l->arena, STR_FMT "/", STR_ARG(f->path)));
}

static int by_text(const void *a, const void *b) { return str_cmp(*(const struct str *)a, *(const struct str *)b); }

static void answer_items(struct arena *arena, const struct str *first, struct str *v, size_t n, struct answer *answer)
{
	bool sorted = true;

	for (size_t i = 1; i < n && sorted; i++)
		sorted = str_cmp(v[i - 1], v[i]) <= 0;
	if (!sorted)
		qsort(v, n, sizeof(*v), by_text);
	answer->n = n + (first != NULL);
	answer->items = arena_array(arena, answer->n, struct str);
	if (first)
		answer->items[0] = *first;
	if (n)
		memcpy(answer->items + (first != NULL), v, n * sizeof(*v));
}

static void answer_path(struct listing *l, struct str path, struct answer *answer)
{
	struct str real = str_dup(l->arena, path.n ? path : S(".")), type = S("file");
	struct found found = {0};
	struct err err = ERR_INIT;
	struct ident ident;
	int got = file_ident(l->rootfd, real.s, &ident, &err);

	if (got < 0)
		answer->problem = str_dup(l->arena, str_of(err.text));
	err_release(&err);
	if (got >= 0 && !S_ISDIR(ident.mode))   /* a folder is listed below */
		listing_look(l, path, &ident, true);
	if (got <= 0)
		return;
	answer->found = true;
	if (S_ISDIR(ident.mode)) {
		type = S("dir");
		add_held(l, listing_folder(l, NULL, path), false, names_git(path), &found);
	} else if (S_ISLNK(ident.mode)) {
		type = S("link");
	} else if (!S_ISREG(ident.mode)) {
		answer->problem = str_fmt(l->arena, "unable to use " STR_FMT ": it is neither a file nor a link nor a folder",
					  STR_ARG(path));
	}
	if (found.problem.n)
		answer->problem = found.problem;
	answer_items(l->arena, &type, found.v.v, found.v.n, answer);
	vec_free(&found.v);
}

/* --- all questions --- */

static void answer_wanted(struct listing *l, struct wanted *wanted, const struct question *question, struct answer *answer)
{
	answer->found = wanted->hits.n > 0 || question->kind == Q_SOURCES;
	answer->problem = wanted->problem;
	answer_items(l->arena, NULL, wanted->hits.v, wanted->hits.n, answer);
}

int tree_answer(struct tree *t, const struct question *questions, size_t n, struct answer *answers, struct err *err)
{
	struct wanted *wanted = xcalloc(n + 1, sizeof(*wanted));
	struct globwalk *walk;
	struct str problem = {0};

	if (listing_above(&t->listing, &problem) < 0) {
		free(wanted);
		return err_set(err, ERR_SYSTEM, STR_FMT, STR_ARG(problem));
	}
	walk = globwalk_new(&t->listing, is_tracked, t);
	for (size_t i = 0; i < n; i++) {
		if (questions[i].kind == Q_GLOB)
			globwalk_pattern(walk, questions[i].text, &wanted[i]);
		else if (questions[i].kind == Q_SOURCES)
			globwalk_sources(walk, &wanted[i]);
		else if (questions[i].kind == Q_PATH)
			answer_path(&t->listing, questions[i].text, &answers[i]);
	}
	globwalk_run(walk);
	for (size_t i = 0; i < n; i++) {
		if (questions[i].kind == Q_GLOB || questions[i].kind == Q_SOURCES)
			answer_wanted(&t->listing, &wanted[i], &questions[i], &answers[i]);
		vec_free(&wanted[i].hits);
	}
	free(wanted);
	return 0;
}
