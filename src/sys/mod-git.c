/* module: pkg libgit2 */
#include "sys/git.h"

#include <git2.h>
#include <stdlib.h>

#include "base/vec.h"

#define SHORT_MIN 7
#define SUBMODULE_DEPTH 32              /* a submodule's index may name it again */

__attribute__((constructor)) static void git_start(void)
{
	/* Those that change nothing of what is read here. Sparse and split indices, reftables and SHA-256 are refused by
	 * libgit2 itself or below, rather than misread. */
	static const char *extensions[] = {
		"noop", "objectformat", "partialclone", "preciousobjects", "relativeworktrees", "worktreeconfig",
	};

	git_libgit2_init();
	git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions, countof(extensions));
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 1);
}

static int git_failed(struct err *err, const char *what, const char *on)
{
	const git_error *e = git_error_last();

	return err_set(err, ERR_SYSTEM, "unable to %s %s: %s", what, on, e && e->message ? e->message : "libgit2 gives no reason");
}

static void cleanup_repository(git_repository **r) { git_repository_free(*r); }
static void cleanup_reference(git_reference **r) { git_reference_free(*r); }
static void cleanup_index(git_index **i) { git_index_free(*i); }
static void cleanup_object(git_object **o) { git_object_free(*o); }
static void cleanup_tree(git_tree **t) { git_tree_free(*t); }
static void cleanup_diff(git_diff **d) { git_diff_free(*d); }
#define CLEANUP(what) __attribute__((cleanup(cleanup_##what)))

static int check_format(git_repository *repo, const char *root, struct err *err)
{
	git_config *config;
	git_buf format = {0};
	int rc = 0;

	if (git_repository_config_snapshot(&config, repo) < 0)
		return git_failed(err, "read the configuration of the git repository at", root);
	if (git_config_get_string_buf(&format, config, "extensions.objectformat") == 0 && strcmp(format.ptr, "sha1") != 0)
		rc = err_set(err, ERR_SYSTEM, "unable to read the git repository at %s: its object format %s is not supported",
			     root, format.ptr);
	git_buf_dispose(&format);
	git_config_free(config);
	return rc;
}

/* 1, 0 there is none, -1. */
static int repo_open(git_repository **repo, const char *root, unsigned flags, struct err *err)
{
	int rc = git_repository_open_ext(repo, root, flags, NULL);

	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc == GIT_EOWNER)
		return err_set(err, ERR_SYSTEM, "unable to read the git repository at %s: it belongs to another user; allow it with: "
			       "git config --global --add safe.directory %s", root, root);
	if (rc < 0)
		return git_failed(err, "open the git repository at", root);
	return check_format(*repo, root, err) < 0 ? -1 : 1;
}

/* --- facts --- */

/* 1, 0 there is no commit yet, -1. */
static int head_commit(git_repository *repo, git_oid *oid, const char *root, struct err *err)
{
	int rc = git_reference_name_to_id(oid, repo, "HEAD");

	if (rc == GIT_ENOTFOUND)
		return 0;
	return rc < 0 ? git_failed(err, "find the current commit of", root) : 1;
}

static int fact_branch(git_repository *repo, struct buf *out, bool *found, const char *root, struct err *err)
{
	git_reference *head CLEANUP(reference) = NULL;
	const char *target;

	if (git_reference_lookup(&head, repo, "HEAD") < 0)
		return git_failed(err, "read HEAD of", root);
	target = git_reference_symbolic_target(head);
	if (!target || strncmp(target, "refs/heads/", 11) != 0)
		return 0;
	buf_z(out, target + 11);
	*found = true;
	return 0;
}

static int fact_commit(git_repository *repo, struct buf *out, bool *found, const char *root, struct err *err)
{
	char hex[GIT_OID_HEXSZ + 1];
	git_oid oid;
	int got = head_commit(repo, &oid, root, err);

	if (got <= 0)
		return got;
	buf_z(out, git_oid_tostr(hex, sizeof(hex), &oid));
	*found = true;
	return 0;
}

static int fact_short(git_repository *repo, struct buf *out, bool *found, const char *root, struct err *err)
{
	char hex[GIT_OID_HEXSZ + 1];
	git_oid oid, whole;
	git_odb *odb;
	size_t n = SHORT_MIN;
	int got = head_commit(repo, &oid, root, err), rc;

	if (got <= 0)
		return got;
	if (git_repository_odb(&odb, repo) < 0)
		return git_failed(err, "open the objects of", root);
	/* The user's core.abbrev is no part of the tree and has no say. */
	while ((rc = git_odb_exists_prefix(&whole, odb, &oid, n)) == GIT_EAMBIGUOUS && n < GIT_OID_HEXSZ)
		n++;
	git_odb_free(odb);
	if (rc < 0)
		return git_failed(err, "shorten the current commit of", root);
	git_oid_tostr(hex, sizeof(hex), &oid);
	buf_add(out, hex, n);
	*found = true;
	return 0;
}

struct tag_search {
	git_repository *repo;
	git_oid commit;
	char *name;                     /* the best so far */
	bool annotated;
	git_time_t when;
};

static bool tag_better(const struct tag_search *s, bool annotated, git_time_t when, const char *name)
{
	if (!s->name || annotated != s->annotated)
		return !s->name || annotated;
	return when != s->when ? when > s->when : strcmp(name, s->name) > 0;
}

static int tag_look(const char *name, git_oid *oid, void *ctx)
{
	struct tag_search *s = ctx;
	git_time_t when = 0;
	git_object *object, *commit = NULL;
	bool annotated, same;

	if (strncmp(name, "refs/tags/", 10) != 0 || git_object_lookup(&object, s->repo, oid, GIT_OBJECT_ANY) < 0)
		return 0;
	annotated = git_object_type(object) == GIT_OBJECT_TAG;
	if (annotated && git_tag_tagger((git_tag *)object))
		when = git_tag_tagger((git_tag *)object)->when.time;
	same = git_object_peel(&commit, object, GIT_OBJECT_COMMIT) == 0 && git_oid_equal(git_object_id(commit), &s->commit);
	git_object_free(commit);
	git_object_free(object);
	if (same && tag_better(s, annotated, when, name + 10)) {
		free(s->name);
		s->name = strdup(name + 10);
		s->annotated = annotated;
		s->when = when;
	}
	return 0;
}

static int fact_tag(git_repository *repo, struct buf *out, bool *found, const char *root, struct err *err)
{
	struct tag_search search = {.repo = repo};
	int got = head_commit(repo, &search.commit, root, err);

	if (got <= 0)
		return got;
	if (git_tag_foreach(repo, tag_look, &search) < 0) {
		free(search.name);
		return git_failed(err, "list the tags of", root);
	}
	*found = search.name;
	if (search.name)
		buf_z(out, search.name);
	free(search.name);
	return 0;
}

static int fact_dirty(git_repository *repo, struct buf *out, bool *found, const char *root, struct err *err)
{
	git_status_options options = {.version = GIT_STATUS_OPTIONS_VERSION};
	git_status_list *list;

	options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
	options.flags = 0;              /* what git does not track is no change */
	if (git_repository_is_bare(repo))
		return 0;
	if (git_status_list_new(&list, repo, &options) < 0)
		return git_failed(err, "compare the tracked files of", root);
	buf_z(out, git_status_list_entrycount(list) ? "true" : "false");
	git_status_list_free(list);
	*found = true;
	return 0;
}

static int fact(const char *root, const char *name, struct buf *out, bool *found, struct err *err)
{
	static const struct {
		const char *name;
		int (*get)(git_repository *, struct buf *, bool *, const char *, struct err *);
	} facts[] = {
		{"branch", fact_branch}, {"commit", fact_commit}, {"short", fact_short}, {"tag", fact_tag}, {"dirty", fact_dirty},
	};
	git_repository *repo CLEANUP(repository) = NULL;
	int got = repo_open(&repo, root, 0, err);

	*found = false;
	if (got <= 0)
		return got;
	for (size_t i = 0; i < countof(facts); i++)
		if (!strcmp(name, facts[i].name))
			return facts[i].get(repo, out, found, root, err);
	return err_set(err, ERR_SPEC, "there is no git fact %s", name);
}

/* --- the index --- */

struct names { VEC(char *) v; };

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->v.n; i++)
		free(names->v.v[i]);
	vec_free(&names->v);
}

static char *join(const char *dir, const char *name)
{
	size_t n = strlen(dir), m = strlen(name);
	char *out = xmalloc(n + m + 1);

	memcpy(out, dir, n);
	memcpy(out + n, name, m + 1);
	return out;
}

/* prefix: where the repository lies in the outermost one, with a final slash. indices: their files, or NULL. */
static int add_index(git_repository *repo, const char *prefix, int depth, struct names *names, struct names *indices, struct err *err)
{
	git_index *index CLEANUP(index) = NULL;
	const char *top = git_repository_workdir(repo), *path;

	if (!top)
		return 0;
	if (git_repository_index(&index, repo) < 0)
		return git_failed(err, "read git's index of", top);
	if (indices && (path = git_index_path(index)))
		vec_add(&indices->v, join(path, ""));
	for (size_t i = 0; i < git_index_entrycount(index); i++) {
		const git_index_entry *entry = git_index_get_byindex(index, i);
		git_repository *sub CLEANUP(repository) = NULL;
		char *below CLEANUP_FREE = NULL, *dir CLEANUP_FREE = NULL;

		if (entry->mode != GIT_FILEMODE_COMMIT) {
			if (names)
				vec_add(&names->v, join(prefix, entry->path));
			continue;
		}
		dir = join(top, entry->path);
		below = join(prefix, entry->path);
		below = xrealloc(below, strlen(below) + 2);
		strcat(below, "/");
		if (depth >= SUBMODULE_DEPTH)
			return err_set(err, ERR_SYSTEM, "unable to read git's index of %s: submodules lie more than %d deep in each other",
				       dir, SUBMODULE_DEPTH);
		if (repo_open(&sub, dir, GIT_REPOSITORY_OPEN_NO_SEARCH, err) < 0)
			return -1;
		if (sub && add_index(sub, below, depth + 1, names, indices, err) < 0)
			return -1;
	}
	return 0;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* root as seen from the top of the work tree, with a final slash; "" when it is the top; NULL when it lies elsewhere. */
static const char *root_below(git_repository *repo, const char *root, char **hold)
{
	const char *top = git_repository_workdir(repo);
	char *real = top ? realpath(top, NULL) : NULL;
	const char *below = NULL;
	size_t n = real ? strlen(real) : 0;

	if (n == 1)
		n = 0;                  /* "/" */
	if (real && !strncmp(root, real, n) && !root[n])
		below = "";
	else if (real && !strncmp(root, real, n) && root[n] == '/')
		below = *hold = join(root + n + 1, "/");
	free(real);
	return below;
}

static int tracked(const char *root, struct buf *out, bool *found, struct err *err)
{
	git_repository *repo CLEANUP(repository) = NULL;
	char *hold CLEANUP_FREE = NULL;
	struct names names = {0};
	const char *below;
	size_t n;
	int got = repo_open(&repo, root, 0, err);

	*found = false;
	if (got <= 0 || !(below = root_below(repo, root, &hold)))
		return got < 0 ? -1 : 0;
	if (add_index(repo, "", 0, &names, NULL, err) < 0) {
		names_free(&names);
		return -1;
	}
	n = strlen(below);
	if (names.v.n)
		qsort(names.v.v, names.v.n, sizeof(*names.v.v), by_name);
	for (size_t i = 0; i < names.v.n; i++) {
		const char *name = names.v.v[i];

		/* a file in conflict has up to three entries */
		if (!strncmp(name, below, n) && (!i || strcmp(name, names.v.v[i - 1]) != 0))
			buf_add(out, name + n, strlen(name + n) + 1);
	}
	names_free(&names);
	*found = true;
	return 0;
}

/* --- files the facts rest on --- */

static void add_file(struct buf *out, const char *dir, const char *name)
{
	buf_z(out, dir);
	buf_add(out, name, strlen(name) + 1);
}

static int looked(const char *root, struct buf *out, struct err *err)
{
	git_repository *repo CLEANUP(repository) = NULL;
	git_reference *head CLEANUP(reference) = NULL;
	struct names indices = {0};
	const char *common, *own, *target;
	int got = repo_open(&repo, root, 0, err);

	if (got <= 0)
		return got;
	own = git_repository_path(repo);
	common = git_repository_commondir(repo);
	add_file(out, own, "HEAD");
	if (git_reference_lookup(&head, repo, "HEAD") == 0 && (target = git_reference_symbolic_target(head)))
		add_file(out, common, target);
	add_file(out, common, "packed-refs");
	add_file(out, common, "refs/tags");
	got = add_index(repo, "", 0, NULL, &indices, err);
	for (size_t i = 0; i < indices.v.n; i++)
		add_file(out, "", indices.v.v[i]);
	names_free(&indices);
	return got;
}

/* --- trees --- */

static void add_hex(struct buf *out, const git_oid *oid)
{
	char hex[GIT_OID_HEXSZ + 1];

	if (out)
		buf_z(out, git_oid_tostr(hex, sizeof(hex), oid));
}

static int must_open(git_repository **repo, const char *root, struct err *err)
{
	int got = repo_open(repo, root, 0, err);

	return got ? got : err_set(err, ERR_USAGE, "there is no git repository at %s or above it", root);
}

static int tree_of(const char *root, const char *rev, struct buf *commit, struct buf *tree, struct err *err)
{
	git_repository *repo CLEANUP(repository) = NULL;
	git_object *object CLEANUP(object) = NULL, *at CLEANUP(object) = NULL, *peeled CLEANUP(object) = NULL;
	int rc;

	if (must_open(&repo, root, err) < 0)
		return -1;
	rc = git_revparse_single(&object, repo, rev);
	if (rc == GIT_ENOTFOUND || rc == GIT_EINVALIDSPEC)
		return 0;
	if (rc < 0)
		return git_failed(err, "find the object", rev);
	if (git_object_peel(&at, object, GIT_OBJECT_COMMIT) == 0)
		add_hex(commit, git_object_id(at));
	if (git_object_peel(&peeled, object, GIT_OBJECT_TREE) < 0)
		return 0;
	add_hex(tree, git_object_id(peeled));
	return 1;
}

static int tree_open(git_tree **tree, git_repository *repo, const char *hex, struct err *err)
{
	git_oid oid;
	int rc = git_oid_fromstr(&oid, hex);

	if (rc == 0)
		rc = git_tree_lookup(tree, repo, &oid);
	if (rc == GIT_ENOTFOUND)
		return 0;
	return rc < 0 ? git_failed(err, "open the tree", hex) : 1;
}

static bool in_doubt(git_index *index)
{
	for (size_t i = 0; i < git_index_entrycount(index); i++) {
		const git_index_entry *e = git_index_get_byindex(index, i);

		if (e->flags & GIT_INDEX_ENTRY_VALID || e->flags_extended & GIT_INDEX_ENTRY_SKIP_WORKTREE || git_index_entry_is_conflict(e))
			return true;
	}
	return false;
}

struct held { bool differs; struct buf *untracked; };

/* Stops at the first difference of what is tracked. */
static int at_once(const git_diff *diff, const git_diff_delta *delta, const char *spec, void *payload)
{
	struct held *held = payload;

	(void)diff;
	(void)spec;
	if (delta->status == GIT_DELTA_UNTRACKED) {
		buf_add(held->untracked, delta->new_file.path, strlen(delta->new_file.path) + 1);
		return 1;
	}
	held->differs = true;
	return -1;
}

static int holds(const char *root, const char *hex, bool *same, struct buf *untracked, struct err *err)
{
	git_diff_options options = {.version = GIT_DIFF_OPTIONS_VERSION, .context_lines = 0};
	git_repository *repo CLEANUP(repository) = NULL;
	git_index *index CLEANUP(index) = NULL;
	git_tree *tree CLEANUP(tree) = NULL;
	git_diff *staged CLEANUP(diff) = NULL, *loose CLEANUP(diff) = NULL;
	struct held held = {.untracked = untracked};
	int got = must_open(&repo, root, err), rc;

	*same = false;
	if (got < 0)
		return -1;
	if (git_repository_is_bare(repo) || (got = tree_open(&tree, repo, hex, err)) <= 0)
		return got;
	if (git_repository_index(&index, repo) < 0)
		return git_failed(err, "read git's index of", root);
	if (in_doubt(index))
		return 0;
	options.flags = GIT_DIFF_INCLUDE_UNTRACKED | GIT_DIFF_RECURSE_UNTRACKED_DIRS | GIT_DIFF_INCLUDE_TYPECHANGE | GIT_DIFF_SKIP_BINARY_CHECK;
	options.notify_cb = at_once;
	options.payload = &held;
	rc = git_diff_tree_to_index(&staged, repo, tree, index, &options);
	if (rc == 0 && !held.differs)
		rc = git_diff_index_to_workdir(&loose, repo, index, &options);
	if (rc < 0 && !held.differs)
		return git_failed(err, "compare the work tree of", root);
	*same = !held.differs;
	return 0;
}

static void add_paths(const git_diff *diff, struct buf *out)
{
	for (size_t i = 0; i < git_diff_num_deltas(diff); i++) {
		const git_diff_delta *d = git_diff_get_delta(diff, i);

		buf_add(out, d->old_file.path, strlen(d->old_file.path) + 1);
		if (strcmp(d->old_file.path, d->new_file.path) != 0)
			buf_add(out, d->new_file.path, strlen(d->new_file.path) + 1);
	}
}

static int tree_diff(const char *root, const char *from, const char *to, struct buf *out, struct err *err)
{
	git_diff_options options = {.version = GIT_DIFF_OPTIONS_VERSION, .flags = GIT_DIFF_INCLUDE_TYPECHANGE};
	git_repository *repo CLEANUP(repository) = NULL;
	git_tree *a CLEANUP(tree) = NULL, *b CLEANUP(tree) = NULL;
	git_diff *diff CLEANUP(diff) = NULL;
	int got, rc;

	if (must_open(&repo, root, err) < 0)
		return -1;
	if ((got = tree_open(&a, repo, from, err)) <= 0 || (got = tree_open(&b, repo, to, err)) <= 0)
		return got;
	rc = git_diff_tree_to_tree(&diff, repo, a, b, &options);
	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc < 0)
		return git_failed(err, "compare two trees of", root);
	add_paths(diff, out);
	return 1;
}

struct tips { git_repository *repo; VEC(git_oid) v; };

static int ref_add(const char *name, void *ctx)
{
	struct tips *tips = ctx;
	git_reference *ref CLEANUP(reference) = NULL;
	git_object *commit CLEANUP(object) = NULL;

	if (git_reference_lookup(&ref, tips->repo, name) == 0 && git_reference_peel(&commit, ref, GIT_OBJECT_COMMIT) == 0)
		vec_add(&tips->v, *git_object_id(commit));
	return 0;
}

static int common(const char *root, const char *hex, const char *refs, struct buf *base, struct err *err)
{
	git_repository *repo CLEANUP(repository) = NULL;
	struct tips tips = {0};
	git_oid oid, best;
	int got, rc = -1;

	if (must_open(&repo, root, err) < 0)
		return -1;
	tips.repo = repo;
	if (git_oid_fromstr(&oid, hex) == 0) {
		vec_add(&tips.v, oid);
		rc = git_reference_foreach_glob(repo, refs, ref_add, &tips);
	}
	if (rc == 0 && tips.v.n > 1)
		rc = git_merge_base_many(&best, repo, tips.v.n, tips.v.v);
	got = rc == 0 && tips.v.n > 1;
	vec_free(&tips.v);
	if (rc < 0 && rc != GIT_ENOTFOUND)
		return git_failed(err, "find a common ancestor of", hex);
	if (got)
		add_hex(base, &best);
	return got;
}

/* --- since --- */

/* The tree of the last commit in common. What is in the way is said in *gap. */
static int base_tree(git_repository *repo, const char *rev, git_tree **tree, enum git_gap *gap)
{
	git_object *object CLEANUP(object) = NULL, *commit CLEANUP(object) = NULL, *at CLEANUP(object) = NULL;
	git_oid head, base;

	*gap = GIT_GAP_REV;
	if (git_revparse_single(&object, repo, rev) < 0 || git_object_peel(&commit, object, GIT_OBJECT_COMMIT) < 0)
		return -1;
	*gap = GIT_GAP_HEAD;
	if (git_reference_name_to_id(&head, repo, "HEAD") < 0)
		return -1;
	*gap = GIT_GAP_COMMON;
	if (git_merge_base(&base, repo, git_object_id(commit), &head) < 0)
		return -1;
	*gap = GIT_GAP_OBJECTS;
	return git_object_lookup(&at, repo, &base, GIT_OBJECT_COMMIT) < 0 ? -1 : git_object_peel((git_object **)tree, at, GIT_OBJECT_TREE);
}

static int changed(const char *root, const char *rev, struct buf *top, struct buf *out, enum git_gap *gap, struct err *err)
{
	git_diff_options options = {.version = GIT_DIFF_OPTIONS_VERSION};
	git_repository *repo CLEANUP(repository) = NULL;
	git_index *index CLEANUP(index) = NULL;
	git_tree *tree CLEANUP(tree) = NULL;
	git_diff *diff CLEANUP(diff) = NULL;

	if (must_open(&repo, root, err) < 0)
		return -1;
	if (base_tree(repo, rev, &tree, gap) < 0)
		return 0;
	if (git_repository_is_bare(repo) || git_repository_index(&index, repo) < 0)
		return git_failed(err, "read git's index of", root);
	*gap = GIT_GAP_INDEX;
	if (in_doubt(index))
		return 0;
	*gap = GIT_GAP_OBJECTS;
	options.flags = GIT_DIFF_INCLUDE_UNTRACKED | GIT_DIFF_RECURSE_UNTRACKED_DIRS | GIT_DIFF_INCLUDE_TYPECHANGE | GIT_DIFF_SKIP_BINARY_CHECK;
	if (git_diff_tree_to_workdir_with_index(&diff, repo, tree, &options) < 0)
		return 0;
	buf_z(top, git_repository_workdir(repo));
	add_paths(diff, out);
	return 1;
}

extern const struct git_ops cairn_module;
const struct git_ops cairn_module = {
	.fact = fact, .tracked = tracked, .looked = looked, .tree_of = tree_of, .holds = holds, .tree_diff = tree_diff, .common = common,
	.changed = changed,
};
