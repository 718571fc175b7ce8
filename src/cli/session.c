#include "cli/session.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/glob.h"
#include "base/path.h"
#include "cli/leftovers.h"
#include "sys/file.h"
#include "sys/loop.h"
#include "sys/xdg.h"

#define SPEC_NAME "cairn.yaml"

/* --- where --- */

static bool has_spec(struct arena *a, struct str dir)
{
	return access(str_fmt(a, STR_FMT "/" SPEC_NAME, STR_ARG(dir)).s, F_OK) == 0;
}

static struct str parent_of(struct str dir)
{
	ptrdiff_t at = str_rchr(dir, '/');

	return at > 0 ? str_head(dir, at) : S("/");
}

/* Does the spec in `outer` include the one in `inner`? Only its `include` is looked at. */
static bool includes(struct arena *a, struct str outer, struct str inner)
{
	struct source *src = arena_new(a, struct source);
	struct err ignored = ERR_INIT;
	struct str rel, below = str_from(inner, outer.n + (outer.n > 1));
	struct node *root, *list;
	bool yes = false;

	src->path = str_fmt(a, STR_FMT "/" SPEC_NAME, STR_ARG(outer));
	if (file_read(a, AT_FDCWD, src->path.s, NODE_MAX_BYTES, &src->text, NULL) != 1 || yaml_read(a, src, &root, &ignored) < 0) {
		err_release(&ignored);
		return false;
	}
	list = root->kind == NODE_MAP ? node_get(root, S("include")) : NULL;
	rel = str_fmt(a, STR_FMT "/" SPEC_NAME, STR_ARG(below));
	for (size_t i = 0; list && list->kind == NODE_LIST && i < list->n && !yes; i++) {
		struct node *item = list->items[i].value;
		struct str pattern;

		yes = item->kind == NODE_SCALAR && path_join(a, S(""), item->s, &pattern) && !glob_problem(pattern) && glob_match(pattern, rel);
	}
	return yes;
}

/* The nearest folder upwards with a spec, then the outermost one that includes it. */
static int find_root(struct session *s, struct str *out, struct err *err)
{
	struct arena *a = &s->arena;
	char *cwd = realpath(".", NULL);
	struct str dir, root;

	if (!cwd)
		return err_errno(err, "unable to find the current folder");
	dir = str_dup(a, str_of(cwd));
	free(cwd);
	while (!has_spec(a, dir)) {
		if (str_is(dir, "/"))
			return err_set(err, ERR_USAGE, "no " SPEC_NAME " here or in a folder above; `cairn init` writes one");
		dir = str_dup(a, parent_of(dir));
	}
	root = dir;
	while (!str_is(dir, "/")) {
		dir = str_dup(a, parent_of(dir));
		if (has_spec(a, dir) && includes(a, dir, root))
			root = dir;
	}
	*out = root;
	return 0;
}

static int given_file(struct session *s, struct str file, struct str *root, struct err *err)
{
	char *real = realpath(str_dup(&s->arena, file).s, NULL);
	struct str full;

	if (!real)
		return err_errno(err, "unable to open the spec " STR_FMT, STR_ARG(file)), err->kind = ERR_USAGE, -1;
	full = str_dup(&s->arena, str_of(real));
	free(real);
	*root = str_dup(&s->arena, parent_of(full));
	s->file = str_dup(&s->arena, path_name(full));
	return 0;
}

static int open_state(struct session *s, struct err *err)
{
	struct xxh sum = xxh_bytes(s->root.s, s->root.n);
	struct str base;

	if (xdg_state(&s->arena, &base, err) < 0)
		return -1;
	s->state = str_fmt(&s->arena, STR_FMT "/ws/%016llx%016llx", STR_ARG(base), (unsigned long long)sum.hi, (unsigned long long)sum.lo);
	return 0;
}

bool session_has_options(const struct session *s)
{
	const struct plan_words *w = &s->words;

	return w->vars.n || w->env.n || w->unknown.n || w->has_args || w->runtime.s;
}

const char *session_path(struct session *s, const char *name) { return str_fmt(&s->arena, STR_FMT "/%s", STR_ARG(s->state), name).s; }

const char *session_ledger(struct session *s)
{
	struct xxh sum = xxh_bytes(s->file.s, s->file.n);

	if (str_is(s->file, SPEC_NAME))
		return session_path(s, "ledger");
	return session_path(s, str_fmt(&s->arena, "ledger-%016llx%016llx", (unsigned long long)sum.hi, (unsigned long long)sum.lo).s);
}

/* --- what was asked for --- */

static void put(struct buf *b, struct str s)
{
	uint64_t n = s.n;

	buf_add(b, &n, sizeof(n));
	buf_str(b, s);
}

static void put_list(struct buf *b, const struct opt_list *l)
{
	uint64_t n = l->n;

	buf_add(b, &n, sizeof(n));
	for (size_t i = 0; i < l->n; i++)
		put(b, l->v[i]);
}

/* One snapshot for each set of words that shape the plan or the selection. */
static struct str snapshot_file(struct session *s)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);
	struct xxh sum;

	put(&b, s->file);
	put(&b, s->compile.runtime);
	put(&b, s->compile.plan.runner_image);
	put_list(&b, &s->words.vars);
	put_list(&b, &s->words.env);
	put_list(&b, &s->words.unknown);
	put_list(&b, &s->words.goals);
	put_list(&b, &s->words.args);
	buf_c(&b, s->words.has_args);
	sum = xxh_bytes(b.s, b.n);
	return str_of(session_path(s, str_fmt(&s->arena, "plan-%016llx%016llx", (unsigned long long)sum.hi, (unsigned long long)sum.lo).s));
}

static int parse_sets(struct arena *a, const struct opt_list *words, const char *what, const struct plan_set **out, size_t *n, struct err *err)
{
	struct plan_set *sets = arena_array(a, words->n, struct plan_set);

	for (size_t i = 0; i < words->n; i++) {
		struct str rest = words->v[i];

		if (str_chr(rest, '=') <= 0)
			return err_set(err, ERR_USAGE, "%s " STR_FMT ": expected NAME=VALUE", what, STR_ARG(words->v[i]));
		str_cut(&rest, '=', &sets[i].name);
		sets[i].value = str_dup(a, rest);
		sets[i].name = str_dup(a, sets[i].name);
	}
	*out = sets;
	*n = words->n;
	return 0;
}

static int plan_words(struct session *s, struct err *err)
{
	struct plan_options *o = &s->compile.plan;
	const struct plan_words *w = &s->words;

	if (parse_sets(&s->arena, &w->vars, "-V", &o->vars, &o->nvars, err) < 0 || parse_sets(&s->arena, &w->env, "--env", &o->env, &o->nenv, err) < 0 ||
	    parse_sets(&s->arena, &w->unknown, "option", &o->params, &o->nparams, err) < 0)
		return -1;
	s->compile.runtime = w->runtime.s ? w->runtime : s->config.runtime;
	if (w->runtime.s && !str_is(w->runtime, "native") && !str_is(w->runtime, "container"))
		return err_set(err, ERR_USAGE, str_is(w->runtime, "pod") ? "runtime " STR_FMT " is not built yet: native and container are" :
			       "unknown runtime " STR_FMT ": there are native and container", STR_ARG(w->runtime));
	if (w->engine.s && !config_engine(w->engine))
		return err_set(err, ERR_USAGE, "--engine takes auto, podman, docker, or an engine's URL as unix:///PATH, tcp://HOST:PORT or ssh://HOST, "
			       "not '" STR_FMT "'", STR_ARG(w->engine));
	if (w->engine.s) {
		s->config.container_engine = w->engine;
		s->config.container_engine_where = S("--engine");
	}
	o->runner_image = s->config.runner_image;
	o->args = w->args.v;
	o->nargs = w->args.n;
	o->has_args = w->has_args;
	if (!w->unknown.n && !w->has_args)
		return 0;
	if (!w->goals.n)
		return err_set(err, ERR_USAGE, "%s needs a goal that takes it", w->unknown.n ? "a param" : "`--`");
	o->goal = w->goals.v[w->goals.n - 1];
	return 0;
}

static const char *machine_name(void)
{
	static struct utsname u;

	return uname(&u) < 0 ? "unknown" : u.machine;
}

static int open_root(struct session *s, struct err *err)
{
	s->rootfd = open(s->root.s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->rootfd < 0)
		return err_errno(err, "unable to open the workspace %s", s->root.s);
	s->compile.root = s->root;
	s->compile.rootfd = s->rootfd;
	s->compile.file = s->file;
	s->compile.os = S("linux");
	s->compile.arch = str_of(machine_name());
	return open_state(s, err);
}

int session_open(struct session *s, const struct common *common, const struct plan_words *words, struct err *err)
{
	*s = (struct session){.rootfd = -1, .opened_ns = loop_now(), .words = *words, .file = S(SPEC_NAME)};
	if ((common->file.s ? given_file(s, common->file, &s->root, err) : find_root(s, &s->root, err)) < 0)
		return -1;
	if (open_root(s, err) < 0 || config_read(&s->arena, &s->config, err) < 0 || plan_words(s, err) < 0)
		return -1;
	s->snapshot_path = snapshot_file(s);
	snapshot_open(s->snapshot_path.s, s->rootfd, &s->snapshot);
	return 0;
}

int session_open_here(struct session *s, const struct plan_words *words, struct err *err)
{
	char *cwd = realpath(".", NULL);

	*s = (struct session){.rootfd = -1, .opened_ns = loop_now(), .words = *words, .file = S(SPEC_NAME), .replayed = true};
	if (!cwd)
		return err_errno(err, "unable to find the current folder");
	s->root = str_dup(&s->arena, str_of(cwd));
	free(cwd);
	return open_root(s, err) < 0 ? -1 : config_read(&s->arena, &s->config, err);
}

/* --- the plan --- */

enum snapshot_check session_check(struct session *s)
{
	if (!s->checked)
		s->check = s->snapshot ? snapshot_check(s->snapshot, s->rootfd) : SNAPSHOT_STALE;
	s->checked = true;
	return s->check;
}

void session_refresh(struct session *s)
{
	snapshot_close(s->snapshot);
	s->snapshot = NULL;
	s->checked = false;
	snapshot_open(s->snapshot_path.s, s->rootfd, &s->snapshot);
}

/* Does the kept plan still hold? 1 yes, 0 no. */
static int reuse_plan(struct session *s, struct err *err)
{
	enum snapshot_check check = session_check(s);
	struct compiled *c = &s->compiled;
	int still = 1;

	if (check == SNAPSHOT_STALE || !snapshot_whole(s->snapshot))
		return 0;
	c->asked = (struct asked *)snapshot_asked(s->snapshot, &s->arena, &c->nasked);
	if (check == SNAPSHOT_PLAN && compiled_asks_dirty(c))
		check = s->check = SNAPSHOT_ASK;
	c->env = (struct fact_env *)snapshot_env(s->snapshot, &s->arena, &c->nenv);
	snapshot_fact_watches(s->snapshot, &s->arena, check != SNAPSHOT_ASK, &s->facts);
	if (check == SNAPSHOT_ASK)
		still = compile_still(&s->arena, &s->compile, c->asked, c->nasked, &s->facts, err);
	if (still != 1)
		vec_free(&s->facts);
	return still;
}

static int compile(struct session *s, struct err *err)
{
	compiled_release(&s->compiled);
	vec_free(&s->facts);
	s->compiled = (struct compiled){0};
	if (compile_plan(&s->arena, &s->compile, &s->compiled, &s->facts, err) < 0)
		return -1;
	s->plan = &s->compiled.plan;
	return 0;
}

int session_plan(struct session *s, struct err *err)
{
	int kept = reuse_plan(s, err);

	if (kept < 0)
		return -1;
	if (kept) {
		s->plan = snapshot_plan(s->snapshot);
		s->plan_kept = true;
		return 0;
	}
	if (compile(s, err) < 0)
		return -1;
	if (leftovers_find(s, err) < 0)
		return -1;
	s->compile.exclude = &s->leftovers;
	return s->leftovers.n ? compile(s, err) : 0;
}

int session_select(struct session *s, struct err *err)
{
	const struct opt_list *goals = &s->words.goals;
	bool preferred = false;

	for (uint32_t i = 0; i < s->plan->nworkflows && !goals->n && s->preferred.s; i++)
		preferred |= str_eq(plan_str(s->plan, s->plan->workflows[i].name), s->preferred);
	return select_goals(&s->arena, s->plan, preferred ? &s->preferred : goals->v, preferred ? 1 : goals->n, &s->selection, err);
}

/* --- keys --- */

/* PATH as a key sees it: the same text wherever the home and the workspace lie. */
static struct str path_tokens(struct arena *a, struct str root)
{
	const char *path = getenv("PATH"), *home = getenv("HOME");
	struct str rest = str_of(path ? path : ""), part;
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);

	while (str_cut(&rest, ':', &part)) {
		if (b.n)
			buf_c(&b, ':');
		if (path_within(part, root))
			buf_z(&b, "<workspace>"), part = str_from(part, root.n);
		else if (home && *home && path_within(part, str_of(home)))
			buf_z(&b, "<home>"), part = str_from(part, strlen(home));
		buf_str(&b, part);
	}
	return str_dup(a, buf_view(&b));
}

static void open_store(struct session *s, void (*warn)(void *ctx, struct str text), void *ctx)
{
	struct err err = ERR_INIT;

	if (store_dir_open(s->config.cache_dir, &s->store, &err) == 0) {
		s->store->warn = warn;
		s->store->warn_ctx = ctx;
		return;
	}
	s->store = NULL;
	warn(ctx, str_fmt(&s->arena, "running without a cache: %s", err.text ? err.text : "unknown fault"));
	err_release(&err);
}

int session_content(struct session *s, struct err *err)
{
	if (s->content)
		return 0;
	s->content = content_open(&s->arena, s->rootfd, s->root, session_path(s, "stat"), err);
	return s->content ? 0 : -1;
}

struct images *session_images(struct session *s, void (*warn)(void *ctx, struct str text), void *ctx)
{
	struct images_options o = {
		.arena = &s->arena, .plan = s->plan, .content = s->content, .root = s->root, .rootfd = s->rootfd, .identify = &s->identify,
		.pins = s->pins, .store = s->store, .warn = warn, .ctx = ctx,
	};

	s->identify = (struct identify_options){.engine = s->config.container_engine, .engine_from = s->config.container_engine_where,
						.insecure = s->config.insecure_registries, .ninsecure = s->config.ninsecure_registries};
	if (!s->images && s->plan->nimages)
		s->images = images_open(&o);
	return s->images;
}

int session_walk(struct session *s, void (*warn)(void *ctx, struct str text), void *ctx, struct err *err)
{
	const char *path = getenv("PATH");

	if (session_content(s, err) < 0)
		return -1;
	if (!s->tools)                  /* it may be walked twice */
		s->tools = tools_open(&s->arena, s->content, s->root, str_of(path ? path : ""), session_path(s, "tools"));
	if (!s->store)
		open_store(s, warn, ctx);
	if (s->store)
		s->store->warn = warn, s->store->warn_ctx = ctx;
	walk_release(&s->walk);
	images_close(s->images);
	s->images = NULL;
	if (s->plan_kept)
		snapshot_teach(s->snapshot, s->content);
	s->walk = (struct walk){
		.arena = &s->arena, .plan = s->plan, .content = s->content, .tools = s->tools, .store = s->store, .root = s->root,
		.images = session_images(s, warn, ctx), .rootfd = s->rootfd, .os = s->compile.os, .arch = s->compile.arch, .path = path_tokens(&s->arena, s->root),
		.warn = warn, .ctx = ctx,
	};
	return walk_open(&s->walk, err);
}

void session_close(struct session *s)
{
	walk_release(&s->walk);
	if (s->tools)
		tools_close(s->tools);
	if (s->content)
		content_close(s->content);
	store_close(s->store);
	snapshot_close(s->snapshot);
	compiled_release(&s->compiled);
	vec_free(&s->facts);
	map_release(&s->leftovers);
	map_release(&s->kept);
	if (s->rootfd >= 0)
		close(s->rootfd);
	arena_release(&s->arena);
}
