#include <stdlib.h>

#include "plan/placejson.h"
#include "plan/planjson.h"

/* Reads what jsonwrite.c writes. */

void read_wrong(struct reader *r, const char *what, const char *expected)
{
	if (!r->bad)
		err_set(r->err, ERR_USAGE, "\"%s\" is not %s", what, expected);
	r->bad = true;
}

const struct node *member(const struct node *map, const char *key) { return node_get(map, str_of(key)); }

static struct str text(struct reader *r, const struct node *n, const char *what)
{
	if (n && n->kind == NODE_SCALAR && n->style != STYLE_PLAIN)
		return json_bytes(r->arena, n->s);
	read_wrong(r, what, "a string");
	return S("");
}

struct str member_text(struct reader *r, const struct node *map, const char *key, bool required)
{
	const struct node *n = member(map, key);

	return n || required ? text(r, n, key) : S("");
}

struct plan_text member_built(struct reader *r, const struct node *map, const char *key)
{
	return build_text(&r->build, member_text(r, map, key, false));
}

uint64_t member_number(struct reader *r, const struct node *map, const char *key)
{
	const struct node *n = member(map, key);
	uint64_t x = 0;

	if (n && (n->kind != NODE_SCALAR || n->style != STYLE_PLAIN || !str_u64(n->s, &x)))
		read_wrong(r, key, "a number");
	return x;
}

uint32_t member_u32(struct reader *r, const struct node *map, const char *key, uint32_t absent)
{
	uint64_t x = member_number(r, map, key);

	if (!member(map, key))
		return absent;
	if (x >= UINT32_MAX)
		read_wrong(r, key, "a small number");
	return (uint32_t)x;
}

bool member_flag(struct reader *r, const struct node *map, const char *key)
{
	const struct node *n = member(map, key);
	bool yes = false;

	if (n && !node_bool(n, &yes))
		read_wrong(r, key, "a boolean");
	return yes;
}

/* An absent list is an empty one. */
const struct node *member_list(struct reader *r, const struct node *map, const char *key, enum node_kind kind)
{
	static const struct node empty = {.kind = NODE_LIST};
	const struct node *n = member(map, key);

	if (!n)
		return &empty;
	if (n->kind == kind)
		return n;
	read_wrong(r, key, kind == NODE_LIST ? "a list" : "an object");
	return &empty;
}

/* The entries of a list of objects. */
const struct node *object(struct reader *r, const struct node *list, size_t i, const char *what)
{
	static const struct node empty = {.kind = NODE_MAP};

	if (list->items[i].value->kind == NODE_MAP)
		return list->items[i].value;
	read_wrong(r, what, "a list of objects");
	return &empty;
}

uint32_t one_of(struct reader *r, struct str s, const char *const *names, size_t n, const char *what)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(s, names[i]))
			return (uint32_t)i;
	read_wrong(r, what, "a word that this version knows");
	return 0;
}

struct plan_span words(struct reader *r, const struct node *map, const char *key)
{
	const struct node *list = member_list(r, map, key, NODE_LIST);
	struct plan_span span = {(uint32_t)r->build.words.n, (uint32_t)list->n};

	for (size_t i = 0; i < list->n; i++)
		build_word(&r->build, text(r, list->items[i].value, key));
	return span;
}

struct plan_span pairs(struct reader *r, const struct node *map, const char *key)
{
	const struct node *of = member_list(r, map, key, NODE_MAP);
	struct plan_span span = {(uint32_t)r->build.envs.n, (uint32_t)of->n};

	for (size_t i = 0; i < of->n; i++) {
		struct plan_env env = {
			build_text(&r->build, json_bytes(r->arena, of->items[i].key)), build_text(&r->build, text(r, of->items[i].value, key)),
		};

		vec_add(&r->build.envs, env);
	}
	return span;
}

static uint32_t step_id(struct reader *r, struct str name, const char *what)
{
	uintptr_t id = (uintptr_t)map_get(&r->steps, name);

	if (!id)
		read_wrong(r, what, "a step that stands before");
	return id ? (uint32_t)(id - 1) : 0;
}

/* --- a step --- */

static struct plan_span read_inputs(struct reader *r, const struct node *n)
{
	const struct node *list = member_list(r, n, "inputs", NODE_LIST);
	struct plan_span span = {(uint32_t)r->build.inputs.n, (uint32_t)list->n};

	for (size_t i = 0; i < list->n; i++) {
		const struct node *in = object(r, list, i, "inputs");
		struct plan_input input = {.path = build_path(&r->build, member_text(r, in, "path", true))};

		input.flags = (member_flag(r, in, "optional") ? INPUT_OPTIONAL : 0) | (member_flag(r, in, "empty_dir") ? INPUT_EMPTY_DIR : 0) |
			      (member_flag(r, in, "explicit") ? INPUT_EXPLICIT : 0);
		vec_add(&r->build.inputs, input);
	}
	return span;
}

static struct plan_span read_outputs(struct reader *r, const struct node *n, uint32_t step)
{
	const struct node *list = member_list(r, n, "outputs", NODE_LIST);
	struct plan_span span = {(uint32_t)r->build.outputs.n, (uint32_t)list->n};

	for (size_t i = 0; i < list->n; i++) {
		const struct node *out = object(r, list, i, "outputs");
		struct str path = member_text(r, out, "path", true);
		struct plan_output output = {.path = build_text(&r->build, path)};

		output.flags = (member_flag(r, out, "glob") ? OUTPUT_GLOB : 0) | (member_flag(r, out, "folder") ? OUTPUT_DIR : 0) |
			       (member_flag(r, out, "optional") ? OUTPUT_OPTIONAL : 0) | (member_flag(r, out, "not") ? OUTPUT_NEGATED : 0);
		vec_add(&r->build.outputs, output);
		if (!(output.flags & (OUTPUT_GLOB | OUTPUT_NEGATED)))
			build_producer(&r->build, path, step);
	}
	return span;
}

static struct plan_span read_needs(struct reader *r, const struct node *n)
{
	const struct node *list = member_list(r, n, "needs", NODE_LIST);
	struct plan_span span = {(uint32_t)r->build.needs.n, (uint32_t)list->n};

	for (size_t i = 0; i < list->n; i++) {
		const struct node *of = object(r, list, i, "needs");
		struct plan_need need = {step_id(r, member_text(r, of, "step", true), "needs"), member_flag(r, of, "order_only") ? NEED_ORDER_ONLY : 0};

		vec_add(&r->build.needs, need);
	}
	return span;
}

static struct plan_span read_producers(struct reader *r, const struct node *n)
{
	const struct node *list = member_list(r, n, "producers", NODE_LIST);
	struct plan_span span = {(uint32_t)r->build.refs.n, (uint32_t)list->n};

	for (size_t i = 0; i < list->n; i++)
		vec_add(&r->build.refs, step_id(r, text(r, list->items[i].value, "producers"), "producers"));
	return span;
}

static struct plan_span read_tools(struct reader *r, const struct node *n)
{
	const struct node *list = member_list(r, n, "tools", NODE_LIST);
	struct plan_span span = {(uint32_t)r->build.tools.n, (uint32_t)list->n};

	for (size_t i = 0; i < list->n; i++) {
		const struct node *of = list->items[i].value;
		struct plan_tool tool = {.kind = of->kind == NODE_MAP ? TOOL_RUN : TOOL_NAME};

		if (tool.kind == TOOL_RUN) {
			tool.words = words(r, of, "run");
		} else {
			struct str name = text(r, of, "tools");

			tool.words = build_words(&r->build, &name, 1);
		}
		if (!tool.words.n)
			read_wrong(r, "tools", "a list of programs");
		vec_add(&r->build.tools, tool);
	}
	return span;
}

static struct plan_span read_requires(struct reader *r, const struct node *n)
{
	const struct node *list = member_list(r, n, "requires", NODE_LIST);
	struct plan_span span = {(uint32_t)r->build.requires.n, (uint32_t)list->n};

	for (size_t i = 0; i < list->n; i++) {
		const struct node *of = object(r, list, i, "requires");
		struct plan_require require = {one_of(r, member_text(r, of, "kind", true), plan_require_names, 3, "kind"), words(r, of, "any")};

		vec_add(&r->build.requires, require);
	}
	return span;
}

static struct plan_span read_pass(struct reader *r, const struct node *n)
{
	const struct node *list = member_list(r, n, "pass_env", NODE_LIST);
	struct plan_span span = {(uint32_t)r->build.passes.n, (uint32_t)list->n};

	for (size_t i = 0; i < list->n; i++) {
		const struct node *of = object(r, list, i, "pass_env");
		struct plan_pass pass = {build_text(&r->build, member_text(r, of, "name", true)), member_flag(r, of, "key")};

		vec_add(&r->build.passes, pass);
	}
	return span;
}

static struct plan_span read_secret_uses(struct reader *r, const struct node *n, const char *key)
{
	const struct node *of = member_list(r, n, key, NODE_MAP);
	struct plan_span span = {(uint32_t)r->build.uses.n, (uint32_t)of->n};

	for (size_t i = 0; i < of->n; i++) {
		uintptr_t id = (uintptr_t)map_get(&r->secrets, text(r, of->items[i].value, key));
		struct plan_secret_use use = {build_text(&r->build, json_bytes(r->arena, of->items[i].key)), (uint32_t)(id - 1)};

		if (!id)
			read_wrong(r, key, "a map to secrets of the plan");
		vec_add(&r->build.uses, use);
	}
	return span;
}

static void read_retry(struct reader *r, const struct node *n, struct plan_step *s)
{
	const struct node *retry = member_list(r, n, "retry", NODE_MAP);
	struct str factor;
	char *end;

	if (!retry->n)
		return;
	s->retries = member_u32(r, retry, "times", 0);
	s->retry_delay_ms = member_number(r, retry, "delay_ms");
	factor = member_text(r, retry, "factor", true);
	s->retry_factor = strtod(factor.s, &end);
	if (!factor.n || *end || !(s->retry_factor >= 0 && s->retry_factor < 1e9))
		read_wrong(r, "factor", "a number in a string");
}

/* A pool is named by its first step, which need not be in this plan: then the first of its steps that is. */
static uint32_t read_pool(struct reader *r, const struct node *n, uint32_t id)
{
	uint32_t *pool;
	bool fresh;

	if (!member(n, "pool"))
		return PLAN_NONE;
	pool = table_put(&r->pools, member_text(r, n, "pool", true), &fresh);
	return fresh ? (*pool = id) : *pool;
}

static void read_step(struct reader *r, const struct node *n)
{
	struct build *b = &r->build;
	uint32_t id = (uint32_t)b->steps.n;
	struct str name = member_text(r, n, "name", true);
	struct plan_step s = {
		.name = build_text(b, name), .command = build_text(b, member_text(r, n, "command", true)),
		.summary = build_text(b, member_text(r, n, "summary", false)), .file = build_text(b, member_text(r, n, "file", false)),
		.line = member_u32(r, n, "line", 0), .col = member_u32(r, n, "col", 0), .variant_of = PLAN_NONE,
		.script_kind = one_of(r, member_text(r, n, "kind", true), plan_script_names, 4, "kind"),
		.workspace = one_of(r, member_text(r, n, "workspace", true), plan_workspace_names, 3, "workspace"),
		.runtime = member(n, "runtime") ? one_of(r, member_text(r, n, "runtime", true), plan_runtime_names, 3, "runtime") : RUNTIME_KIND_NATIVE,
		.uncached = build_text(b, member_text(r, n, "uncached", false)), .script = build_text(b, member_text(r, n, "script", false)),
		.workdir = build_text(b, member_text(r, n, "workdir", false)), .depfile = build_text(b, member_text(r, n, "depfile", false)),
		.pool = read_pool(r, n, id), .pool_size = member_u32(r, n, "pool_size", 0),
		.tools_given = member_flag(r, n, "tools_given"), .timeout_ms = member_number(r, n, "timeout_ms"),
	};
	bool fresh;
	void **slot = map_put(&r->steps, name, &fresh);

	if (!fresh)
		read_wrong(r, "name", "a name of its own");
	*slot = (void *)(uintptr_t)(id + 1);
	for (size_t i = 0; i < nplan_flag_names; i++)
		if (member_flag(r, n, plan_flag_names[i].name))
			s.flags |= plan_flag_names[i].flag;
	s.argv = words(r, n, "argv");
	s.args = words(r, n, "args");
	s.env = pairs(r, n, "env");
	s.axes = pairs(r, n, "axes");
	s.pass = read_pass(r, n);
	s.secrets = read_secret_uses(r, n, "secret_env");
	s.secret_files = read_secret_uses(r, n, "secret_files");
	s.place = read_place(r, n);
	s.inputs = read_inputs(r, n);
	s.globs = words(r, n, "globs");
	s.producers = read_producers(r, n);
	s.outputs = read_outputs(r, n, id);
	s.needs = read_needs(r, n);
	s.tools = read_tools(r, n);
	s.requires = read_requires(r, n);
	s.tags = words(r, n, "tags");
	read_retry(r, n, &s);
	vec_add(&b->steps, s);
}

/* --- around the steps --- */

struct edge { uint32_t before, after; };        /* places in the list of goals */
struct edges { VEC(struct edge) v; };

static int edge_order(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return x->after != y->after ? (x->after > y->after) - (x->after < y->after) : (x->before > y->before) - (x->before < y->before);
}

/* By step: its place among the goals, and the first goal that needs it (its own place for a goal). */
struct places { uint32_t *at, *owner; };

static void own_needs(struct reader *r, struct places *places, uint32_t step, uint32_t place, uint32_t *stack)
{
	const struct build *b = &r->build;
	uint32_t n = 0;

	if (places->owner[step] != PLAN_NONE)
		return;
	places->owner[step] = place;
	for (stack[n++] = step; n;) {
		const struct plan_step *s = &b->steps.v[stack[--n]];

		for (uint32_t i = 0; i < s->needs.n; i++) {
			uint32_t need = b->needs.v[s->needs.at + i].step;

			if (places->owner[need] != PLAN_NONE)
				continue;
			places->owner[need] = place;
			stack[n++] = need;
		}
	}
}

static struct places find_places(struct reader *r, const struct node *goals)
{
	size_t n = r->build.steps.n + 1;
	struct places places = {arena_array(r->arena, n, uint32_t), arena_array(r->arena, n, uint32_t)};
	uint32_t *stack = arena_array(r->arena, n, uint32_t);

	memset(places.at, 255, n * sizeof(*places.at));
	memset(places.owner, 255, n * sizeof(*places.owner));
	for (size_t i = 0; i < goals->n && !r->bad; i++) {
		uint32_t step = step_id(r, member_text(r, object(r, goals, i, "goals"), "step", true), "goals");

		if (r->bad)
			break;
		if (places.at[step] == PLAN_NONE)
			places.at[step] = (uint32_t)i;
		own_needs(r, &places, step, (uint32_t)i, stack);
	}
	return places;
}

/* The edges of sequential workflows, between goals of this list: one to a step that only a goal needs is
 * that goal's, and select.c makes the edge of it again. */
static void read_order(struct reader *r, const struct node *root, const struct node *goals, struct edges *edges)
{
	const struct node *list = member_list(r, root, "order", NODE_LIST);
	struct places places = find_places(r, goals);

	for (size_t i = 0; i < list->n && !r->bad; i++) {
		const struct node *pair = list->items[i].value;
		struct edge e;

		if (pair->kind != NODE_LIST || pair->n != 2) {
			read_wrong(r, "order", "a list of pairs of steps");
			return;
		}
		e.before = places.at[step_id(r, text(r, pair->items[0].value, "order"), "order")];
		e.after = places.owner[step_id(r, text(r, pair->items[1].value, "order"), "order")];
		if (e.before < e.after && e.after != PLAN_NONE)
			vec_add(&edges->v, e);
	}
	if (edges->v.n)
		qsort(edges->v.v, edges->v.n, sizeof(*edges->v.v), edge_order);
}

static struct plan_span read_goals(struct reader *r, const struct node *root, const char *key)
{
	const struct node *list = member_list(r, root, key, NODE_LIST);
	struct plan_span span = {(uint32_t)r->build.goals.n, (uint32_t)list->n};
	struct edges edges = {0};
	size_t at = 0;

	read_order(r, root, list, &edges);
	for (size_t i = 0; i < list->n; i++) {
		const struct node *of = object(r, list, i, key);
		struct plan_goal goal = {.steps = {(uint32_t)r->build.refs.n, 1}, .skip = member_flag(r, of, "skip")};

		vec_add(&r->build.refs, step_id(r, member_text(r, of, "step", true), key));
		goal.after.at = (uint32_t)r->build.refs.n;
		for (; at < edges.v.n && edges.v.v[at].after == i; at++) {
			if (!at || edge_order(&edges.v.v[at - 1], &edges.v.v[at]))
				vec_add(&r->build.refs, edges.v.v[at].before);
		}
		goal.after.n = (uint32_t)r->build.refs.n - goal.after.at;
		vec_add(&r->build.goals, goal);
	}
	vec_free(&edges.v);
	return span;
}

/* What the plan was made for becomes its default. */
static void read_workflow(struct reader *r, const struct node *root)
{
	struct plan_workflow w = {.name = build_text(&r->build, S("default")), .summary = build_text(&r->build, S("What the plan was made for"))};

	w.steps = read_goals(r, root, "goals");
	w.finally = read_goals(r, root, "finally");
	vec_add(&r->build.workflows, w);
}

static void read_commands(struct reader *r)
{
	struct build *b = &r->build;

	for (uint32_t i = 0; i < b->steps.n; i++) {
		struct plan_command *last = b->commands.n ? &b->commands.v[b->commands.n - 1] : NULL;
		const struct plan_step *s = &b->steps.v[i];

		if (last && last->name.at == s->command.at && last->name.n == s->command.n) {
			last->steps.n++;
		} else {
			struct plan_command command = {
				.name = s->command, .summary = s->summary, .steps = {(uint32_t)b->refs.n, 1}, .line = s->line, .col = s->col, .file = s->file,
			};

			vec_add(&b->commands, command);
		}
		vec_add(&b->refs, i);
	}
}

static void read_secrets(struct reader *r, const struct node *root)
{
	const struct node *list = member_list(r, root, "secrets", NODE_LIST);

	for (size_t i = 0; i < list->n; i++) {
		const struct node *of = object(r, list, i, "secrets");
		struct str name = member_text(r, of, "name", true);
		struct plan_secret secret = {
			build_text(&r->build, name), one_of(r, member_text(r, of, "from", true), plan_secret_names, 2, "from"),
			build_text(&r->build, member_text(r, of, "source", true)),
		};

		vec_add(&r->build.secrets, secret);
		*map_put(&r->secrets, name, NULL) = (void *)(uintptr_t)r->build.secrets.n;
	}
}

static void read_workspace(struct reader *r, const struct node *root, struct plan_content *content)
{
	const struct node *list = member_list(r, member_list(r, root, "workspace", NODE_MAP), "files", NODE_LIST);

	content->files = (struct entries){arena_array(r->arena, list->n, struct entry), list->n};
	for (size_t i = 0; i < list->n; i++) {
		const struct node *of = object(r, list, i, "files");
		struct entry *e = &content->files.v[i];

		e->path = member_text(r, of, "path", true);
		e->type = one_of(r, member_text(r, of, "type", true), plan_entry_names, 4, "type");
		e->mode = member_flag(r, of, "executable") ? 0755 : 0644;
		e->link = member_text(r, of, "link", false);
		if (member(of, "digest") && !digest_parse(member_text(r, of, "digest", true), &e->digest))
			read_wrong(r, "digest", "a digest");
	}
}

static void read_pins(struct reader *r, const struct node *root, struct plan_content *content)
{
	const struct node *list = member_list(r, root, "images", NODE_LIST);

	content->pins = arena_array(r->arena, list->n + 1, struct plan_pin);
	content->npins = list->n;
	for (size_t i = 0; i < list->n; i++) {
		const struct node *of = object(r, list, i, "images"), *image = member(of, "image");
		struct plan_pin *pin = &content->pins[i];

		*pin = (struct plan_pin){.create = member_text(r, of, "id", false), .pull = member_text(r, of, "pull", false)};
		if (!image || image->kind != NODE_MAP)
			read_wrong(r, "image", "an object");
		else
			pin->image = read_image(r, image);
		if (!digest_parse(member_text(r, of, "identity", true), &pin->identity))
			read_wrong(r, "identity", "a digest");
	}
}

static void read_lists(struct reader *r, const struct node *root)
{
	const struct node *specs = member_list(r, root, "specs", NODE_LIST), *sources = member_list(r, root, "sources", NODE_LIST);

	for (size_t i = 0; i < specs->n; i++)
		vec_add(&r->build.specs, build_text(&r->build, text(r, specs->items[i].value, "specs")));
	for (size_t i = 0; i < sources->n; i++)
		vec_add(&r->build.sources, build_path(&r->build, text(r, sources->items[i].value, "sources")));
}

static int read_plan(struct reader *r, const struct node *root, struct plan_content *content, struct buf *image)
{
	const struct node *steps;

	if (root->kind != NODE_MAP || !member(root, "cairn_plan"))
		return err_set(r->err, ERR_USAGE, "this is no exported plan: it has no \"cairn_plan\"");
	if (member_number(r, root, "cairn_plan") != PLAN_JSON_FORMAT)
		return err_set(r->err, ERR_STALE, "the plan is of another format; export it again");
	read_lists(r, root);
	read_secrets(r, root);
	steps = member_list(r, root, "steps", NODE_LIST);
	for (size_t i = 0; i < steps->n && !r->bad; i++)
		read_step(r, object(r, steps, i, "steps"));
	if (r->bad)
		return -1;
	read_workflow(r, root);
	read_commands(r);
	read_workspace(r, root, content);
	read_pins(r, root, content);
	return r->bad ? -1 : build_finish(&r->build, member_text(r, root, "name", true), image, r->err);
}

int plan_from_json(struct arena *arena, struct str json, struct buf *image, struct plan_content *content, struct err *err)
{
	struct reader r = {.arena = arena, .err = err, .pools.arena = arena, .images.arena = arena, .places.arena = arena};
	struct source *src = arena_new(arena, struct source);
	struct node *root;
	int rc = -1;

	*src = (struct source){S("plan"), json};
	build_init(&r.build, arena);
	if (json_read(arena, src, &root, err) == 0)
		rc = read_plan(&r, root, content, image);
	build_release(&r.build);
	map_release(&r.steps);
	map_release(&r.secrets);
	return rc;
}
