#include "plan/planjson.h"

#include <stdio.h>

#include "plan/placejson.h"
#include "sys/sha.h"

void put_text(struct json *j, const struct plan *p, const char *key, struct plan_text t)
{
	if (t.n)
		json_kstr(j, key, plan_str(p, t));
}

void put_words(struct json *j, const struct plan *p, const char *key, struct plan_span words)
{
	if (!words.n)
		return;
	json_key(j, key);
	json_open(j, '[');
	for (uint32_t i = 0; i < words.n; i++)
		json_str(j, plan_word(p, words, i));
	json_close(j, ']');
}

void put_number(struct json *j, const char *key, uint64_t n)
{
	if (n)
		json_kint(j, key, n);
}

void put_flag(struct json *j, const char *key, bool yes)
{
	if (yes)
		json_kbool(j, key, true);
}

void put_pairs(struct json *j, const struct plan *p, const char *key, struct plan_span envs)
{
	if (!envs.n)
		return;
	json_key(j, key);
	json_open(j, '{');
	for (uint32_t i = 0; i < envs.n; i++) {
		json_key_str(j, plan_str(p, p->envs[envs.at + i].name));
		json_str(j, plan_str(p, p->envs[envs.at + i].value));
	}
	json_close(j, '}');
}

static void put_inputs(struct json *j, const struct plan *p, const struct plan_step *s)
{
	if (!s->inputs.n)
		return;
	json_key(j, "inputs");
	json_open(j, '[');
	for (uint32_t i = 0; i < s->inputs.n; i++) {
		const struct plan_input *in = &p->inputs[s->inputs.at + i];

		json_open(j, '{');
		json_kstr(j, "path", plan_path_str(p, in->path));
		put_flag(j, "optional", in->flags & INPUT_OPTIONAL);
		put_flag(j, "empty_dir", in->flags & INPUT_EMPTY_DIR);
		put_flag(j, "explicit", in->flags & INPUT_EXPLICIT);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_outputs(struct json *j, const struct plan *p, const struct plan_step *s)
{
	if (!s->outputs.n)
		return;
	json_key(j, "outputs");
	json_open(j, '[');
	for (uint32_t i = 0; i < s->outputs.n; i++) {
		const struct plan_output *o = &p->outputs[s->outputs.at + i];

		json_open(j, '{');
		json_kstr(j, "path", plan_str(p, o->path));
		put_flag(j, "glob", o->flags & OUTPUT_GLOB);
		put_flag(j, "folder", o->flags & OUTPUT_DIR);
		put_flag(j, "optional", o->flags & OUTPUT_OPTIONAL);
		put_flag(j, "not", o->flags & OUTPUT_NEGATED);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_needs(struct json *j, const struct plan *p, const struct plan_step *s)
{
	if (!s->needs.n)
		return;
	json_key(j, "needs");
	json_open(j, '[');
	for (uint32_t i = 0; i < s->needs.n; i++) {
		const struct plan_need *need = &p->needs[s->needs.at + i];

		json_open(j, '{');
		json_kstr(j, "step", plan_step_name(p, need->step));
		put_flag(j, "order_only", need->flags & NEED_ORDER_ONLY);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_producers(struct json *j, const struct plan *p, const struct plan_step *s)
{
	put_words(j, p, "globs", s->globs);
	if (!s->producers.n)
		return;
	json_key(j, "producers");
	json_open(j, '[');
	for (uint32_t i = 0; i < s->producers.n; i++)
		json_str(j, plan_step_name(p, p->refs[s->producers.at + i]));
	json_close(j, ']');
}

static void put_tools(struct json *j, const struct plan *p, const struct plan_step *s)
{
	if (!s->tools.n)
		return;
	json_key(j, "tools");
	json_open(j, '[');
	for (uint32_t i = 0; i < s->tools.n; i++) {
		const struct plan_tool *tool = &p->tools[s->tools.at + i];

		if (tool->kind == TOOL_NAME) {
			json_str(j, plan_word(p, tool->words, 0));
			continue;
		}
		json_open(j, '{');
		put_words(j, p, "run", tool->words);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_requires(struct json *j, const struct plan *p, const struct plan_step *s)
{
	if (!s->requires.n)
		return;
	json_key(j, "requires");
	json_open(j, '[');
	for (uint32_t i = 0; i < s->requires.n; i++) {
		const struct plan_require *r = &p->requires[s->requires.at + i];

		json_open(j, '{');
		json_kstr(j, "kind", str_of(plan_require_names[r->kind]));
		put_words(j, p, "any", r->any);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_secret_uses(struct json *j, const struct plan *p, const char *key, struct plan_span uses)
{
	if (!uses.n)
		return;
	json_key(j, key);
	json_open(j, '{');
	for (uint32_t i = 0; i < uses.n; i++) {
		const struct plan_secret_use *use = &p->uses[uses.at + i];

		json_key_str(j, plan_str(p, use->name));
		json_str(j, plan_str(p, p->secrets[use->secret].name));
	}
	json_close(j, '}');
}

static void put_environment(struct json *j, const struct plan *p, const struct plan_step *s)
{
	put_pairs(j, p, "env", s->env);
	if (s->pass.n) {
		json_key(j, "pass_env");
		json_open(j, '[');
		for (uint32_t i = 0; i < s->pass.n; i++) {
			json_open(j, '{');
			json_kstr(j, "name", plan_str(p, p->passes[s->pass.at + i].name));
			put_flag(j, "key", p->passes[s->pass.at + i].key);
			json_close(j, '}');
		}
		json_close(j, ']');
	}
	put_secret_uses(j, p, "secret_env", s->secrets);
	put_secret_uses(j, p, "secret_files", s->secret_files);
}

static void put_limits(struct json *j, const struct plan *p, const struct plan_step *s)
{
	char factor[32];

	put_number(j, "timeout_ms", s->timeout_ms);
	if (s->retries) {
		snprintf(factor, sizeof(factor), "%.17g", s->retry_factor);
		json_key(j, "retry");
		json_open(j, '{');
		json_kint(j, "times", s->retries);
		json_kint(j, "delay_ms", s->retry_delay_ms);
		json_kstr(j, "factor", str_of(factor));
		json_close(j, '}');
	}
	if (s->pool != PLAN_NONE) {
		json_kstr(j, "pool", plan_step_name(p, s->pool));      /* its first step */
		json_kint(j, "pool_size", s->pool_size);
	}
	put_words(j, p, "tags", s->tags);
}

/* What the step is, without where it stands in the spec: its digest is the definition's. A variant stands
 * for itself: what it varies need not be in this plan. */
static void put_definition(struct json *j, const struct plan *p, const struct plan_step *s)
{
	json_kstr(j, "kind", str_of(plan_script_names[s->script_kind]));
	put_text(j, p, "script", s->script);
	put_words(j, p, "argv", s->argv);
	put_words(j, p, "args", s->args);
	put_text(j, p, "workdir", s->workdir);
	json_kstr(j, "workspace", str_of(plan_workspace_names[s->workspace]));
	if (s->runtime != RUNTIME_KIND_NATIVE)
		json_kstr(j, "runtime", str_of(plan_runtime_names[s->runtime]));
	put_place(j, p, s);
	for (size_t i = 0; i < nplan_flag_names; i++)
		put_flag(j, plan_flag_names[i].name, s->flags & plan_flag_names[i].flag);
	put_text(j, p, "uncached", s->uncached);
	put_environment(j, p, s);
	put_inputs(j, p, s);
	put_producers(j, p, s);
	put_outputs(j, p, s);
	put_text(j, p, "depfile", s->depfile);
	put_needs(j, p, s);
	put_tools(j, p, s);
	put_flag(j, "tools_given", s->tools_given);
	put_requires(j, p, s);
	put_limits(j, p, s);
}

static void put_step(struct json *j, const struct plan *p, uint32_t id, void (*status)(void *, uint32_t, struct json *), void *ctx)
{
	const struct plan_step *s = &p->steps[id];
	CLEANUP_BUF struct buf definition = BUF_INIT(BUF_UNLIMITED);
	struct json d = {.out = &definition};
	struct digest digest;
	char text[DIGEST_TEXT_MAX];

	json_open(&d, '{');
	put_definition(&d, p, s);
	json_close(&d, '}');
	sha256_bytes(definition.s, definition.n, &digest);
	json_open(j, '{');
	json_kstr(j, "name", plan_str(p, s->name));
	json_kstr(j, "command", plan_str(p, s->command));
	put_text(j, p, "summary", s->summary);
	put_text(j, p, "file", s->file);
	put_number(j, "line", s->line);
	put_number(j, "col", s->col);
	put_pairs(j, p, "axes", s->axes);
	json_kstr(j, "definition", str_of(digest_text(&digest, text)));
	put_definition(j, p, s);
	if (status)
		status(ctx, id, j);
	json_close(j, '}');
}

/* The Merkle root: one level, over the canonical line of each file in order. */
static void put_workspace(struct json *j, const struct plan_content *content)
{
	CLEANUP_BUF struct buf lines = BUF_INIT(BUF_UNLIMITED);
	struct json l = {.out = &lines};
	struct digest root;
	char text[DIGEST_TEXT_MAX];

	json_open(&l, '[');
	for (size_t i = 0; i < content->files.n; i++) {
		const struct entry *e = &content->files.v[i];

		json_open(&l, '{');
		json_kstr(&l, "path", e->path);
		json_kstr(&l, "type", str_of(plan_entry_names[e->type]));
		put_flag(&l, "executable", e->type == ENTRY_FILE && e->mode & 0100);
		if (e->type == ENTRY_LINK)
			json_kstr(&l, "link", e->link);
		if (e->digest.algo)
			json_kstr(&l, "digest", str_of(digest_text(&e->digest, text)));
		json_close(&l, '}');
	}
	json_close(&l, ']');
	sha256_bytes(lines.s, lines.n, &root);
	json_key(j, "workspace");
	json_open(j, '{');
	json_kstr(j, "root", str_of(digest_text(&root, text)));
	json_key(j, "files");
	buf_str(j->out, buf_view(&lines));
	j->comma = true;
	json_close(j, '}');
}

static void put_secrets(struct json *j, const struct plan *p)
{
	json_key(j, "secrets");
	json_open(j, '[');
	for (uint32_t i = 0; i < p->nsecrets; i++) {
		json_open(j, '{');
		json_kstr(j, "name", plan_str(p, p->secrets[i].name));
		json_kstr(j, "from", str_of(plan_secret_names[p->secrets[i].kind]));
		json_kstr(j, "source", plan_str(p, p->secrets[i].source));
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_pins(struct json *j, const struct plan *p, const struct plan_content *content)
{
	char text[DIGEST_TEXT_MAX];

	if (!content->npins)
		return;
	json_key(j, "images");
	json_open(j, '[');
	for (size_t i = 0; i < content->npins; i++) {
		const struct plan_pin *pin = &content->pins[i];

		json_open(j, '{');
		json_key(j, "image");
		put_image(j, p, &p->images[pin->image]);
		json_kstr(j, "identity", str_of(digest_text(&pin->identity, text)));
		if (pin->create.n)
			json_kstr(j, "id", pin->create);
		if (pin->pull.n)
			json_kstr(j, "pull", pin->pull);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_names(struct json *j, const struct plan *p, const char *key, const uint32_t *steps, size_t n, const struct selection *sel)
{
	json_key(j, key);
	json_open(j, '[');
	for (size_t i = 0; i < n; i++) {
		json_open(j, '{');
		json_kstr(j, "step", plan_step_name(p, steps[i]));
		put_flag(j, "skip", sel->wanted[steps[i]] & SELECT_SKIP);
		json_close(j, '}');
	}
	json_close(j, ']');
}

void plan_to_json(const struct plan *p, const struct selection *sel, const struct plan_content *content,
		  void (*status)(void *ctx, uint32_t step, struct json *), void *ctx, struct buf *out)
{
	struct json j = {.out = out};

	json_open(&j, '{');
	json_kint(&j, "cairn_plan", PLAN_JSON_FORMAT);
	json_kstr(&j, "name", plan_str(p, p->head->name));
	json_key(&j, "specs");
	json_open(&j, '[');
	for (uint32_t i = 0; i < p->nspecs; i++)
		json_str(&j, plan_str(p, p->specs[i]));
	json_close(&j, ']');
	put_workspace(&j, content);
	json_key(&j, "sources");
	json_open(&j, '[');
	for (uint32_t i = 0; i < p->nsources; i++)
		json_str(&j, plan_path_str(p, p->sources[i]));
	json_close(&j, ']');
	put_secrets(&j, p);
	put_pins(&j, p, content);
	put_names(&j, p, "goals", sel->goals, sel->ngoals, sel);
	put_names(&j, p, "finally", sel->finally, sel->nfinally, sel);
	json_key(&j, "order");
	json_open(&j, '[');
	for (size_t i = 0; i < sel->norder; i++) {
		json_open(&j, '[');
		json_str(&j, plan_step_name(p, sel->order[i].before));
		json_str(&j, plan_step_name(p, sel->order[i].after));
		json_close(&j, ']');
	}
	json_close(&j, ']');
	json_key(&j, "steps");
	json_open(&j, '[');
	for (uint32_t i = 0; i < p->nsteps; i++)
		if (sel->wanted[i])
			put_step(&j, p, i, status, ctx);
	json_close(&j, ']');
	json_close(&j, '}');
	buf_c(out, '\n');
}
