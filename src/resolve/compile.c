#include "resolve/compile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "resolve/gitinfo.h"
#include "resolve/tree.h"

#define ROUNDS_MAX 64                   /* each round asks what the one before made visible */

struct compiler {
	struct arena *arena;
	const struct compile_options *options;
	struct tree *tree;
	struct watches *watches;
	struct facts facts;
	struct text_read *texts;
	bool git_watched;
};

static struct str absolute(struct arena *a, struct str root, struct str path)
{
	return path.n && path.s[0] == '/' ? path : str_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(root), STR_ARG(path));
}

/* Watches name what lies in the workspace relative to it, so that they survive in a compact form. */
static struct str relative(struct str root, struct str path)
{
	if (path_within(path, root) && path.n > root.n + 1)
		return str_from(path, root.n + (str_is(root, "/") ? 0 : 1));
	return path;
}

static int read_text(struct arena *arena, struct str path, struct str *text, struct xxh *sum, struct err *err)
{
	int got = file_read(arena, AT_FDCWD, path.s, NODE_MAX_BYTES, text, err);

	*sum = got > 0 ? xxh_bytes(text->s, text->n) : (struct xxh){0};
	return got;
}

static int load_spec(void *ctx, struct arena *arena, struct str path, struct str *out, struct err *err)
{
	struct compiler *c = ctx;
	struct str full = absolute(c->arena, c->options->root, path);
	struct text_read *text = arena_new(c->arena, struct text_read);
	struct ident ident;

	if (file_ident(AT_FDCWD, full.s, &ident, err) < 0)
		return -1;
	watch_add(c->watches, relative(c->options->root, full), &ident, WATCH_FILE, FACT_SPEC, NULL);
	if (S_ISLNK(ident.mode)) {              /* the link and what it points to both count */
		struct stat st;

		if (stat(full.s, &st) == 0) {
			char *real = realpath(full.s, NULL);

			ident_of(&st, &ident);
			if (real)
				watch_add(c->watches, relative(c->options->root, str_dup(arena, str_of(real))), &ident,
					  WATCH_FILE, FACT_SPEC, NULL);
			free(real);
		}
	}
	text->path = full;
	text->next = c->texts;
	c->texts = text;
	return read_text(arena, full, out, &text->sum, err);
}

static int find_includes(void *ctx, struct arena *arena, struct str pattern, struct str **out, size_t *n, struct err *err)
{
	struct compiler *c = ctx;
	struct question question = {.kind = Q_GLOB, .text = pattern};
	struct answer answer = {0};

	(void)arena;
	if (tree_answer(c->tree, &question, 1, &answer, err) < 0)
		return -1;
	if (answer.problem.n)
		return err_set(err, ERR_SYSTEM, STR_FMT, STR_ARG(answer.problem));
	facts_tell(&c->facts, &question, &answer);      /* so that a new folder makes the plan stale */
	*out = answer.items;
	*n = answer.n;
	return 0;
}

static void answer_env(const struct question *q, struct answer *answer, struct arena *arena)
{
	const char *value = getenv(str_dup(arena, q->text).s);

	answer->found = value;
	if (!value)
		return;
	answer->items = arena_new(arena, struct str);
	answer->items[0] = str_dup(arena, str_of(value));
	answer->n = 1;
}

/* For the spec's reader: what it asks is a fact as well, so that another value makes the plan stale. */
static const char *get_env(void *ctx, const char *name)
{
	struct compiler *c = ctx;
	struct question question = {.kind = Q_ENV, .text = str_dup(c->arena, str_of(name))};
	struct answer answer = {0};

	answer_env(&question, &answer, c->arena);
	facts_tell(&c->facts, &question, &answer);
	return getenv(name);
}

static int answer_lines(struct compiler *c, const struct question *q, struct answer *answer, struct err *err)
{
	struct str full = absolute(c->arena, c->options->root, q->text), text, line;
	struct ident ident;
	size_t cap = 1;
	int got;

	if (file_ident(AT_FDCWD, full.s, &ident, err) < 0)
		return -1;
	watch_add(c->watches, q->text, &ident, WATCH_FILE, FACT_SPEC, NULL);
	got = file_read(c->arena, AT_FDCWD, full.s, NODE_MAX_BYTES, &text, err);
	if (got <= 0)
		return got;
	for (size_t i = 0; i < text.n; i++)
		cap += text.s[i] == '\n';
	answer->found = true;
	answer->items = arena_array(c->arena, cap, struct str);
	while (str_cut(&text, '\n', &line)) {
		if (str_ends(line, S("\r")))
			line.n--;
		if (line.n)
			answer->items[answer->n++] = str_dup(c->arena, line);
	}
	return 0;
}

static int watch_git(struct arena *arena, struct str root, struct watches *watches, struct err *err)
{
	struct str *paths;
	size_t n;

	if (git_looked(arena, root, &paths, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct ident ident;

		if (file_ident(AT_FDCWD, paths[i].s, &ident, err) < 0)
			return -1;
		watch_add(watches, paths[i], &ident, WATCH_FILE, FACT_SPEC, NULL);
	}
	return 0;
}

static int answer_git(struct compiler *c, const struct question *q, struct answer *answer, struct err *err)
{
	if (!c->git_watched && watch_git(c->arena, c->options->root, c->watches, err) < 0)
		return -1;
	c->git_watched = true;
	return git_answer(c->arena, c->options->root, q, answer, err);
}

static bool asks_tree(uint32_t kind) { return kind == Q_GLOB || kind == Q_PATH || kind == Q_SOURCES; }

/* What an earlier run left over must not change a plan. */
static void leave_out(const struct map *exclude, const struct question *q, struct answer *answer)
{
	size_t kept = 0;

	for (size_t i = 0; exclude && i < answer->n; i++)
		if (!map_has(exclude, answer->items[i]))
			answer->items[kept++] = answer->items[i];
	if (exclude)
		answer->n = kept;
	if (exclude && q->kind == Q_PATH && map_has(exclude, q->text))
		*answer = (struct answer){0};
}

/* Tree questions of a round are answered by one walk. */
static int answer_round(struct compiler *c, struct err *err)
{
	size_t from = c->facts.nanswered, n = c->facts.nasked - from, ntree = 0;
	struct question *batch = arena_array(c->arena, n, struct question);
	struct answer *answers = arena_array(c->arena, n, struct answer);

	for (size_t i = 0; i < n; i++) {
		struct question q = c->facts.asked[from + i];
		struct answer answer = {0};

		if (asks_tree(q.kind)) {
			batch[ntree++] = q;
			continue;
		}
		if (q.kind == Q_ENV)
			answer_env(&q, &answer, c->arena);
		else if (q.kind == Q_LINES ? answer_lines(c, &q, &answer, err) < 0 : answer_git(c, &q, &answer, err) < 0)
			return -1;
		facts_tell(&c->facts, &q, &answer);
	}
	if (ntree && tree_answer(c->tree, batch, ntree, answers, err) < 0)
		return -1;
	for (size_t i = 0; i < ntree; i++) {
		leave_out(c->options->exclude, &batch[i], &answers[i]);
		facts_tell(&c->facts, &batch[i], &answers[i]);
	}
	c->facts.nanswered = from + n;
	return 0;
}

static void watch_tree(struct tree *tree, struct watches *watches)
{
	size_t n;
	const struct tree_dir *looked = tree_looked(tree, &n);

	for (size_t i = 0; i < n; i++) {
		bool type = looked[i].type;

		watch_add(watches, looked[i].path, &looked[i].ident,
			  type ? WATCH_TYPE : S_ISDIR(looked[i].ident.mode) ? WATCH_LIST : WATCH_FILE, type ? FACT_TYPE : FACT_ASK, NULL);
	}
}

static struct xxh answer_hash(const struct answer *answer)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);

	buf_c(&b, answer->found);
	for (size_t i = 0; i < answer->n; i++) {
		uint32_t size = answer->items[i].n;

		buf_add(&b, &size, sizeof(size));
		buf_str(&b, answer->items[i]);
	}
	return xxh_bytes(b.s, b.n);
}

struct xxh fact_env_hash(const char *value) { return xxh_bytes(value ? value : "", value ? strlen(value) : 0); }

static void keep_asked(struct compiler *c, struct compiled *out)
{
	struct map *known = &c->facts.known;

	out->asked = arena_array(c->arena, known->n, struct asked);
	out->env = arena_array(c->arena, known->n, struct fact_env);
	for (size_t i = 0; i < known->n; i++) {
		/* a known answer's key is its question: kind, a blank, text */
		struct str key = known->entries[i].key, kind;
		uint64_t number;

		str_cut(&key, ' ', &kind);
		if (!str_u64(kind, &number))
			BUG("a fact without a kind");
		if (number == Q_ENV) {
			struct str name = str_dup(c->arena, key);
			const char *value = getenv(name.s);

			out->env[out->nenv++] = (struct fact_env){name, value, fact_env_hash(value)};
		} else {
			out->asked[out->nasked++] = (struct asked){number, str_dup(c->arena, key), answer_hash(known->entries[i].value)};
		}
	}
}

static int plan_rounds(struct compiler *c, const struct spec *spec, struct compiled *out, struct err *err)
{
	struct plan_options options = c->options->plan;

	options.os = c->options->os;
	options.arch = c->options->arch;
	for (int round = 0; round < ROUNDS_MAX; round++) {
		int done = plan_make(spec, &c->facts, &options, &out->image, err);

		if (done < 0)
			return -1;
		if (done == PLAN_DONE)
			return plan_open(out->image.s, out->image.n, false, &out->plan, err);
		if (answer_round(c, err) < 0)
			return -1;
	}
	return err_set(err, ERR_SPEC, "unable to plan: the spec still asks for more after %d rounds", ROUNDS_MAX);
}

int compile_plan(struct arena *arena, const struct compile_options *options, struct compiled *out, struct watches *watches,
		 struct err *err)
{
	struct compiler c = {.arena = arena, .options = options, .watches = watches};
	struct spec_options how = {
		.root = options->root, .file = options->file, .os = options->os, .arch = options->arch, .runtime = options->runtime,
		.load = load_spec, .include = find_includes, .getenv = get_env, .ctx = &c,
	};
	struct spec *spec = NULL;
	int rc = -1;

	out->image.limit = BUF_UNLIMITED;
	facts_init(&c.facts, arena);
	c.tree = tree_open(arena, options->rootfd, options->root);
	if (spec_read(arena, &how, &spec, err) == 0 && plan_rounds(&c, spec, out, err) == 0) {
		keep_asked(&c, out);
		watch_tree(c.tree, watches);
		out->texts = c.texts;
		rc = 0;
	}
	if (spec)
		spec_release(spec);
	tree_close(c.tree);
	facts_release(&c.facts);
	return rc;
}

int compile_still(struct arena *arena, const struct compile_options *options, const struct asked *asked, size_t n,
		  struct watches *watches, struct err *err)
{
	struct compiler c = {.arena = arena, .options = options, .watches = watches};
	struct question *batch = arena_array(arena, n, struct question);
	struct answer *answers = arena_array(arena, n, struct answer);
	const struct asked **of = arena_array(arena, n, const struct asked *);
	size_t ntree = 0;
	int rc = 1;

	for (size_t i = 0; i < n && rc == 1; i++) {
		struct question q = {.kind = asked[i].kind, .text = asked[i].text};
		struct answer answer = {0};

		if (asks_tree(q.kind)) {
			of[ntree] = &asked[i];
			batch[ntree++] = q;
			continue;
		}
		if (q.kind == Q_LINES ? answer_lines(&c, &q, &answer, err) < 0 : answer_git(&c, &q, &answer, err) < 0)
			rc = -1;
		else if (!xxh_eq(answer_hash(&answer), asked[i].answer))
			rc = 0;
	}
	if (rc != 1 || !ntree)
		return rc;
	c.tree = tree_open(arena, options->rootfd, options->root);
	if (tree_answer(c.tree, batch, ntree, answers, err) < 0)
		rc = -1;
	for (size_t i = 0; i < ntree && rc == 1; i++)
		rc = xxh_eq(answer_hash(&answers[i]), of[i]->answer);
	if (rc == 1)
		watch_tree(c.tree, watches);
	tree_close(c.tree);
	return rc;
}

bool compile_texts_same(const struct compiled *c)
{
	bool same = true;

	for (const struct text_read *t = c->texts; t && same; t = t->next) {
		struct arena scratch = ARENA_INIT;
		struct str text;
		struct xxh sum;

		same = read_text(&scratch, t->path, &text, &sum, NULL) >= 0 && xxh_eq(sum, t->sum);
		arena_release(&scratch);
	}
	return same;
}

bool compiled_asks_dirty(const struct compiled *c)
{
	for (size_t i = 0; i < c->nasked; i++)
		if (c->asked[i].kind == Q_GIT && str_is(c->asked[i].text, "dirty"))
			return true;
	return false;
}

void compiled_release(struct compiled *c) { buf_release(&c->image); }
