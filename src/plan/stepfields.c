#include "plan/stepfields.h"

#include <stdio.h>

#include "plan/jsonnames.h"
#include "plan/placefields.h"

static void put_words(const struct plan *p, const char *tag, struct plan_span span, struct buf *out)
{
	for (uint32_t i = 0; i < span.n; i++) {
		char number[12];

		snprintf(number, sizeof(number), "%u", i + 1);
		manifest_field(out, tag, str_of(number), plan_word(p, span, i));
	}
}

static void put_number(const char *tag, uint64_t n, struct buf *out)
{
	char number[24];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)n);
	if (n)
		manifest_field(out, tag, str_of(number));
}

static void put_paths(const struct plan *p, const struct plan_step *s, struct buf *out)
{
	for (uint32_t i = 0; i < s->inputs.n; i++) {
		const struct plan_input *in = &p->inputs[s->inputs.at + i];

		manifest_field(out, "input", plan_path_str(p, in->path), in->flags & INPUT_OPTIONAL ? S("optional") : S("required"));
	}
	for (uint32_t i = 0; i < s->globs.n; i++)
		manifest_field(out, "input pattern", plan_word(p, s->globs, i), S("matched when its needs have run"));
	for (uint32_t i = 0; i < s->outputs.n; i++) {
		const struct plan_output *o = &p->outputs[s->outputs.at + i];

		manifest_field(out, "output", plan_str(p, o->path), o->flags & OUTPUT_NEGATED ? S("not") : o->flags & OUTPUT_GLOB ? S("glob") :
			       o->flags & OUTPUT_DIR ? S("folder") : o->flags & OUTPUT_OPTIONAL ? S("optional") : S("path"));
	}
	if (s->depfile.n)
		manifest_field(out, "depfile", plan_str(p, s->depfile));
}

static void put_env(const struct plan *p, const struct plan_step *s, struct buf *out)
{
	for (uint32_t i = 0; i < s->env.n; i++)
		manifest_field(out, "env", plan_str(p, p->envs[s->env.at + i].name), plan_str(p, p->envs[s->env.at + i].value));
	for (uint32_t i = 0; i < s->pass.n; i++)
		manifest_field(out, "pass_env", plan_str(p, p->passes[s->pass.at + i].name), p->passes[s->pass.at + i].key ? S("keyed") : S("passed"));
	for (uint32_t i = 0; i < s->secret_files.n; i++)
		manifest_field(out, "secret file", plan_str(p, p->uses[s->secret_files.at + i].name), S("yes"));
	for (uint32_t i = 0; i < s->secrets.n; i++)
		manifest_field(out, "secret", plan_str(p, p->uses[s->secrets.at + i].name), plan_str(p, p->secrets[p->uses[s->secrets.at + i].secret].name));
}

void step_fields(const struct plan *p, const struct plan_step *s, struct buf *out)
{
	manifest_begin(out);
	manifest_field(out, "kind", str_of(plan_script_names[s->script_kind]));
	manifest_field(out, "script", plan_str(p, s->script));
	put_words(p, "argv", s->argv, out);
	put_words(p, "args", s->args, out);
	manifest_field(out, "workdir", plan_str(p, s->workdir));
	manifest_field(out, "workspace", str_of(plan_workspace_names[s->workspace]));
	for (size_t i = 0; i < nplan_flag_names; i++)
		if (s->flags & plan_flag_names[i].flag)
			manifest_field(out, plan_flag_names[i].name, S("yes"));
	if (s->runtime != RUNTIME_KIND_NATIVE)
		manifest_field(out, "runtime", str_of(plan_runtime_names[s->runtime]));
	if (plan_place_of(p, s))
		place_fields(p, plan_place_of(p, s), out);
	put_env(p, s, out);
	put_paths(p, s, out);
	for (uint32_t i = 0; i < s->needs.n; i++)
		manifest_field(out, "need", plan_step_name(p, p->needs[s->needs.at + i].step),
			       p->needs[s->needs.at + i].flags & NEED_ORDER_ONLY ? S("order only") : S("needed"));
	for (uint32_t i = 0; i < s->tools.n; i++)
		put_words(p, p->tools[s->tools.at + i].kind == TOOL_NAME ? "tool" : "tool command", p->tools[s->tools.at + i].words, out);
	for (uint32_t i = 0; i < s->requires.n; i++)
		put_words(p, plan_require_names[p->requires[s->requires.at + i].kind], p->requires[s->requires.at + i].any, out);
	put_words(p, "tag", s->tags, out);
	put_number("timeout ms", s->timeout_ms, out);
	put_number("retries", s->retries, out);
}
