/* One command: its table of fields, and what its fields mean together. */
#include "spec/fields.h"

#include <stdlib.h>

#include "spec/exprlex.h"

/* ---- what it runs ---- */

static void run_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_command *c = at;
	c->kind = SCRIPT_RUN;
	if (!text_read(r, n, "a script", &c->script))
		return;
	if (!str_trim(c->script.s).n)
		mistake(r, n->loc, "without run and exec, needs makes a group", "the script is empty");
}

static void exec_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_command *c = at;
	c->kind = SCRIPT_EXEC;
	field_words(r, n, &c->exec);
}

static bool has_blank(struct str s)
{
	return str_chr(s, ' ') >= 0 || str_chr(s, '\t') >= 0;
}

void interpreter_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_texts *out = at;
	if (n->kind != NODE_SCALAR) {
		field_words(r, n, out);
		return;
	}
	out->v = arena_array(r->arena, 1, struct text);
	out->n = text_read(r, n, "a program", out->v);
	if (out->n && !text_has_expr(out->v->s) && (!out->v->s.n || has_blank(out->v->s)))
		mistake(r, n->loc, "operands need a list: [python3, -u]",
		        "an interpreter written as a text is one program");
}

/* `shell: bash` is [bash, -c]. */
void shell_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_texts *out = at;
	if (n->kind != NODE_SCALAR) {
		field_words(r, n, out);
		return;
	}
	out->v = arena_array(r->arena, 2, struct text);
	if (!text_read(r, n, "a shell, such as [bash, -c]", out->v))
		return;
	if (!out->v->s.n || (!text_has_expr(out->v->s) && has_blank(out->v->s)))
		mistake(r, n->loc, "operands need a list: [bash, -euc]",
		        "a shell written as a text is one program");
	out->v[1] = (struct text){.s = S("-c"), .loc = n->loc};
	out->n = 2;
}

/* ---- needs ---- */

static void need_read(struct reader *r, const struct node *n, struct spec_need *need)
{
	static const struct field fields[] = {
		FIELD(spec_need, "step", step, field_name),
		FIELD(spec_need, "order_only", order_only, field_bool),
	};
	need->step = (struct text){.s = S(""), .loc = n->loc, .node = n};
	if (n->kind != NODE_MAP) {
		field_name(r, n, &need->step);
		return;
	}
	fields_read(r, n, PLACE_OTHER, "an entry of needs", fields, countof(fields), need);
	if (!node_get(n, S("step")))
		mistake(r, n->loc, NULL, "an entry of needs written as a map needs 'step'");
}

static void needs_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_command *c = at;
	c->needs = arena_array(r->arena, list_length(n) + 1, struct spec_need);
	c->nneeds = 0;
	for (size_t i = 0; i < list_length(n); i++)
		need_read(r, list_item(n, i), &c->needs[c->nneeds++]);
}

/* ---- how it runs ---- */

void when_read(struct reader *r, const struct node *n, void *at)
{
	struct text *t = at;
	bool ignored;
	if (refuse_value(r, n) || !text_read(r, n, "a condition", t))
		return;
	if (node_bool(n, &ignored)) {
		t->s = ignored ? S("${{ true }}") : S("${{ false }}");
		return;
	}
	t->s = str_trim(t->s);
	if (!str_starts(t->s, S("${{")) || text_outline(r->arena, t).n != 1)
		mistake(r, n->loc, "write when: ${{ os == \"linux\" }}", "a condition is exactly one ${{ }}");
}

void workspace_read(struct reader *r, const struct node *n, void *at)
{
	static const char *const modes[] = {
		[WORKSPACE_RW] = "rw", [WORKSPACE_RO] = "ro", [WORKSPACE_COPY] = "copy"};
	enum workspace_mode *mode = at;
	for (size_t i = 0; i < countof(modes); i++) {
		if (n->kind == NODE_SCALAR && str_is(n->s, modes[i])) {
			*mode = (enum workspace_mode)i;
			return;
		}
	}
	mistake(r, n->loc, NULL, "workspace is one of rw, ro and copy");
}

void cache_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_command *c = at;
	bool yes = false;
	if (!node_bool(n, &yes)) {
		expected(r, n, "true or false");
		return;
	}
	c->cache = yes ? CACHE_YES : CACHE_NO;
	c->cache_loc = n->loc;
}

static void retry_times_read(struct reader *r, const struct node *n, void *at)
{
	uint64_t times = 0;
	if (uint_read(r, n, 0, 1000, &times))
		*(uint32_t *)at = (uint32_t)times;
}

static void retry_factor_read(struct reader *r, const struct node *n, void *at)
{
	struct value v =
		n->kind == NODE_SCALAR && n->style == STYLE_PLAIN ? value_plain(n->s) : (struct value){0};
	if (v.kind != VALUE_NUM)
		expected(r, n, "a number");
	else if (!(v.num >= 1 && v.num <= 100))
		mistake(r, n->loc, NULL, "expected a number from 1 to 100, found " STR_FMT, STR_ARG(n->s));
	else
		*(double *)at = v.num;
}

void retry_read(struct reader *r, const struct node *n, void *at)
{
	static const struct field fields[] = {
		FIELD(spec_retry, "times", times, retry_times_read),
		FIELD(spec_retry, "delay", delay_ms, field_time),
		FIELD(spec_retry, "factor", factor, retry_factor_read),
	};
	struct spec_retry *retry = at;
	*retry = (struct spec_retry){.factor = 1};
	if (n->kind == NODE_SCALAR && !node_is_null(n))
		retry_times_read(r, n, &retry->times);
	else if (fields_read(r, n, PLACE_OTHER, "retry", fields, countof(fields), retry) &&
	         !r->partial && !node_get(n, S("times")))
		mistake(r, n->loc, NULL, "retry needs 'times', the number of further attempts");
}

static void concurrency_read(struct reader *r, const struct node *n, void *at)
{
	uint64_t bound = 0;
	if (uint_read(r, n, 1, 100000, &bound))
		*(uint32_t *)at = (uint32_t)bound;
}

void runtime_read(struct reader *r, const struct node *n, void *at)
{
	static const struct str kinds[] = {S("native"), S("container"), S("pod")};
	unsigned *allowed = at;
	struct spec_texts all = {0}, *out = &all;
	field_texts(r, n, out);
	*allowed = 0;
	if (n->kind == NODE_LIST && !n->n)
		mistake(r, n->loc, NULL, "the list of runtimes is empty");
	for (size_t i = 0; i < out->n; i++) {
		struct str kind = out->v[i].s;
		if (str_is(kind, "native") || str_is(kind, "container"))
			*allowed |= 1u << (str_is(kind, "native") ? RUNTIME_NATIVE : RUNTIME_CONTAINER);
		else if (str_is(kind, "pod"))
			mistake(r, out->v[i].loc, "native and container are",
			        "the runtime '" STR_FMT "' is not built yet", STR_ARG(kind));
		else if (str_is(kind, "docker") || str_is(kind, "podman"))
			mistake(r, out->v[i].loc,
			        "an engine is chosen with --runtime, a spec says 'container'",
			        "'" STR_FMT "' is no kind of runtime", STR_ARG(kind));
		else
			mistake(r, out->v[i].loc, hint_nearest(r, kind, kinds, countof(kinds)),
			        "unknown runtime '" STR_FMT "'", STR_ARG(kind));
	}
}

#define COMMAND(key, member, reader) FIELD(spec_command, key, member, reader)
#define WHOLE(key, reader) {key, reader, 0}

const struct field command_fields[] = {
	COMMAND("summary", summary, field_str),
	WHOLE("run", run_read),
	WHOLE("exec", exec_read),
	COMMAND("interpreter", interpreter, interpreter_read),
	COMMAND("shell", shell, shell_read),
	WHOLE("each", each_read),
	COMMAND("concurrency", concurrency, concurrency_read),
	COMMAND("matrix", matrix, matrix_read),
	WHOLE("params", params_read),
	WHOLE("needs", needs_read),
	COMMAND("inputs", inputs, inputs_read),
	WHOLE("outputs", outputs_read),
	COMMAND("depfile", depfile, depfile_read),
	WHOLE("tools", tools_read),
	COMMAND("env", env, env_read),
	COMMAND("pass_env", pass, pass_read),
	COMMAND("workdir", workdir, field_text),
	COMMAND("workspace", workspace, workspace_read),
	WHOLE("cache", cache_read),
	COMMAND("timeout", timeout_ms, field_time),
	COMMAND("retry", retry, retry_read),
	COMMAND("requires", requires, requires_read),
	COMMAND("tags", tags, field_texts),
	COMMAND("when", when, when_read),
	COMMAND("runtime", runtimes, runtime_read),
	COMMAND("image", place, image_read),
	COMMAND("containerfile", place, containerfile_read),
	COMMAND("args", args, field_texts),
	COMMAND("secret_files", secret_files, secret_files_read),
	COMMAND("mounts", place, mounts_read),
	COMMAND("ports", place.ports, field_texts),
	COMMAND("networks", place.networks, field_texts),
	COMMAND("network", place, network_read),
	COMMAND("limits", place.limits, limits_read),
	COMMAND("security", place.security, security_read),
	COMMAND("docker", place.docker, docker_read),
	COMMAND("host_ssh", place.host_ssh, field_bool),
	COMMAND("reuse", place.reuse, field_bool),
	WHOLE("runtimes", overlay_runtimes),
	WHOLE("platforms", overlay_platforms),
	COMMAND("console", console, field_bool),
	COMMAND("continue_on_failure", continue_on_failure, field_bool),
};
const size_t command_nfields = countof(command_fields);

/* ---- what its fields mean together ---- */

static const struct str kind_names[] = {
	[RUNTIME_NATIVE] = S("native"), [RUNTIME_CONTAINER] = S("container"), [RUNTIME_POD] = S("pod")};

static bool kind_allowed(const struct node *runtime, struct str kind)
{
	for (size_t i = 0; i < list_length(runtime); i++) {
		const struct node *n = list_item(runtime, i);
		if (n->kind == NODE_SCALAR && str_eq(n->s, kind))
			return true;
	}
	return false;
}

/* The kind whose overrides apply: the one asked for where it is allowed, else the first. An image alone says
 * container. */
static enum runtime_kind kind_pick(struct reader *r, const struct node *all)
{
	const struct node *runtime = node_get(all, S("runtime")), *first;
	if (all->kind != NODE_MAP)
		return RUNTIME_NATIVE;
	if (!runtime)
		return node_get(all, S("image")) || node_get(all, S("containerfile")) ? RUNTIME_CONTAINER : RUNTIME_NATIVE;
	for (size_t i = 0; i < countof(kind_names) && r->opt->runtime.s; i++) {
		if (str_eq(kind_names[i], r->opt->runtime) && kind_allowed(runtime, kind_names[i]))
			return (enum runtime_kind)i;
	}
	first = list_length(runtime) ? list_item(runtime, 0) : runtime;
	for (size_t i = 0; i < countof(kind_names); i++) {
		if (first->kind == NODE_SCALAR && str_eq(first->s, kind_names[i]))
			return (enum runtime_kind)i;
	}
	return RUNTIME_NATIVE;
}

static const struct node *laid_over(struct reader *r, const struct node *own, enum runtime_kind *kind)
{
	const struct node *platform = overlay_pick(own, "platforms", r->opt->os), *runtime;
	if (platform)
		own = overlay_merge(r->arena, own, platform);
	*kind = kind_pick(r, overlay_merge(r->arena, r->unit->defaults, own));
	runtime = overlay_pick(own, "runtimes", kind_names[*kind]);
	return runtime ? overlay_merge(r->arena, own, runtime) : own;
}

/* A group runs nothing: what only has meaning for something that runs is refused. */
static void group_check(struct reader *r, const struct spec_command *c, const struct node *own)
{
	static const char *const meaningless[] = {
		"interpreter", "shell", "inputs",  "outputs", "depfile",   "tools",       "cache",
		"timeout",     "retry", "console", "workdir", "workspace", "concurrency", "pass_env",
		"secret_files", "mounts", "ports", "networks", "network", "limits", "security", "docker", "host_ssh", "reuse",
	};
	if (!node_get(own, S("needs"))) {
		mistake(r, c->loc, "a command takes run or exec; needs alone makes a group",
			"%s has nothing to run", r->place);
		return;
	}
	for (size_t i = 0; i < countof(meaningless); i++) {
		const struct node *n = node_get(own, str_of(meaningless[i]));
		if (n)
			mistake(r, n->loc, NULL, "'%s' has no meaning for a group, which runs nothing",
			        meaningless[i]);
	}
}

static void kind_check(struct reader *r, struct spec_command *c, const struct node *own,
                       const struct node *all)
{
	const struct node *run = node_get(all, S("run")), *exec = node_get(all, S("exec")), *n;
	if (run && exec)
		mistake(r, exec->loc, NULL, "%s has both run and exec", r->place);
	if ((n = node_get(all, S("args"))) && (run || exec))
		mistake(r, n->loc, run ? "what follows -- on the command line becomes \"$@\"" : "write them behind the program",
		        "'args' are for an image's own entrypoint, and %s has %s", r->place, run ? "run" : "exec");
	if (!run && !exec && (n || node_get(own, S("image")) || node_get(own, S("containerfile")))) {
		c->kind = SCRIPT_IMAGE;
		c->interpreter = (struct spec_texts){0};
		if (c->runtimes & 1u << RUNTIME_NATIVE)
			mistake(r, c->loc, "say runtime: container", "natively %s has nothing to run", r->place);
		return;
	}
	if (!run && !exec) {
		c->kind = SCRIPT_NONE;
		group_check(r, c, own);
		return;
	}
	/* A default interpreter or shell is for those that run a script. */
	static const char *const for_scripts[] = {"interpreter", "shell"};
	for (size_t i = 0; i < countof(for_scripts) && !run; i++) {
		if ((n = node_get(own, str_of(for_scripts[i]))))
			mistake(r, n->loc, "exec starts its program without one",
			        "'%s' has no meaning beside exec", for_scripts[i]);
	}
	if (!run)
		c->interpreter = (struct spec_texts){0};
}

static void cache_check(struct reader *r, struct spec_command *c, const struct node *own)
{
	bool cachable = !c->console && (c->inputs.given || c->outputs.given);
	if (c->cache != CACHE_YES || cachable || c->kind == SCRIPT_NONE)
		return;
	if (!node_get(own, S("cache")) && c->cache_loc.src)
		c->cache = CACHE_DEFAULT; /* from defaults: a wish for those that can be cached */
	else if (c->console)
		mistake(r, c->cache_loc, NULL, "a step that has the terminal (console) can't be cached");
	else
		mistake(r, c->cache_loc, "inputs: [] says that it reads none",
		        "what declares neither inputs nor outputs can't be cached");
}

/* What can't be written makes nothing; a depfile is written by the step, too. */
static void workspace_check(struct reader *r, const struct spec_command *c, const struct node *all)
{
	static const char *const written[] = {"outputs", "depfile"};
	const struct node *mode = node_get(all, S("workspace")), *n;
	if (c->workspace != WORKSPACE_RO || !mode)
		return;
	for (size_t i = 0; i < countof(written); i++) {
		n = node_get(all, str_of(written[i]));
		if (n && (i ? c->depfile.s.n : c->outputs.n))
			mistake(r, n->loc, "with workspace: copy it writes, and only outputs come back",
			        "%s has %s, and may not write the workspace (workspace: ro)", r->place, written[i]);
	}
}

static void name_clash(struct reader *r, struct map *seen, struct str name, struct loc loc, const char *what)
{
	bool fresh;
	void **place = map_put(seen, name, &fresh);
	if (!fresh)
		mistake(r, loc, NULL, "'" STR_FMT "' names both %s and %s", STR_ARG(name),
		        (const char *)*place, what);
	else
		*place = (void *)what;
}

/* params, matrix and each become variables of the step, so no two may have one name. */
static void names_check(struct reader *r, const struct spec_command *c, const struct node *own)
{
	struct map seen = MAP_INIT;
	const struct node *env = node_get(own, S("env"));
	if (!c->nparams && !c->matrix.naxes && !c->matrix.ninclude && !c->neach)
		return;
	for (size_t i = 0; i < c->nparams; i++)
		name_clash(r, &seen, c->params[i].name, c->params[i].loc, "a param");
	for (size_t i = 0; i < c->matrix.naxes; i++)
		name_clash(r, &seen, c->matrix.axes[i].name, c->matrix.axes[i].loc, "an axis of the matrix");
	for (size_t i = 0; i < c->neach; i++)
		name_clash(r, &seen, c->each[i].name, c->each[i].loc, "a name of each");
	for (size_t i = 0; i < c->matrix.ninclude; i++) {
		const struct spec_point *p = &c->matrix.include[i];
		for (size_t k = 0; k < p->n; k++) {
			const char *what = map_get(&seen, p->names[k]);
			if (what && strcmp(what, "an axis of the matrix"))
				mistake(r, p->loc, NULL,
				        "'" STR_FMT "' names both %s and an axis of the matrix",
				        STR_ARG(p->names[k]), what);
		}
	}
	for (size_t i = 0; env && env->kind == NODE_MAP && i < env->n; i++) {
		if (map_has(&seen, env->items[i].key))
			name_clash(r, &seen, env->items[i].key, env->items[i].key_loc, "a variable of env");
	}
	map_release(&seen);
}

static void concurrency_check(struct reader *r, const struct spec_command *c, const struct node *own)
{
	const struct node *n = node_get(own, S("concurrency"));
	if (n && !c->neach && !c->matrix.naxes && !c->matrix.ninclude)
		mistake(r, n->loc, NULL,
		        "concurrency bounds the steps of each or matrix, and there is neither");
}

static struct spec_texts shell_default(struct reader *r)
{
	struct spec_texts shell = {.v = arena_array(r->arena, 2, struct text), .n = 2};
	shell.v[0].s = S("sh");
	shell.v[1].s = S("-ec");         /* a line that fails ends the script, as in make and every CI */
	return shell;
}

/* What the command left open comes from its file. */
static void command_inherit(struct reader *r, struct spec_command *c)
{
	struct unit *u = r->unit;
	c->env = env_merge(r->arena, u->env, c->env);
	if (!c->pass) {
		c->pass = u->pass;
		c->npass = u->npass;
	}
	if (!u->shell.n)
		u->shell = shell_default(r);
	if (!c->shell.n)
		c->shell = u->shell;
}

static void command_read(struct reader *r, const struct node_item *item, struct spec_command *c)
{
	const char *problem = name_problem(item->key);
	enum runtime_kind kind = RUNTIME_NATIVE;
	const struct node *own = laid_over(r, item->value, &kind),
			  *all = overlay_merge(r->arena, r->unit->defaults, own);
	*c = (struct spec_command){.name = spec_prefixed(r, item->key),
	                           .loc = item->key_loc,
	                           .file = r->unit->file,
	                           .runtime = kind,
	                           .runtimes = 1u << kind,
	                           .retry.factor = 1};
	r->place = str_fmt(r->arena, "command '" STR_FMT "'", STR_ARG(item->key)).s;
	if (problem)
		mistake(r, item->key_loc, problem, "'" STR_FMT "' can't name a command", STR_ARG(item->key));
	exprs_begin(r);
	if (item->value->kind == NODE_SCALAR && item->value->s.n)
		mistake(r, item->value->loc, str_fmt(r->arena, "write " STR_FMT ": {run: ...}", STR_ARG(item->key)).s,
		        "%s must be a map, found %s", r->place, node_kind_name(item->value));
	else if (fields_read(r, all, PLACE_COMMAND, r->place, command_fields, command_nfields, c)) {
		kind_check(r, c, own, all);
		place_check(r, c, own);
		cache_check(r, c, own);
		workspace_check(r, c, all);
		names_check(r, c, own);
		concurrency_check(r, c, own);
		exprs_check(r, c);
	}
	command_inherit(r, c);
}

void commands_read(struct reader *r, const struct node *n)
{
	if (n->kind != NODE_MAP) {
		expected(r, n, "a map of commands");
		return;
	}
	for (size_t i = 0; i < n->n; i++)
		command_read(r, &n->items[i], &r->spec->commands[r->spec->ncommands++]);
}
