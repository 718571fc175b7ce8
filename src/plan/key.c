/* What is in a key, field by field in a fixed order. doc/cache-keys.md is this file in words: change
 * both, and the version in manifest.c when an old key must not match any more. */
#include "plan/key.h"

#include "plan/placefields.h"
#include "spec/spec.h"

static struct str number(char out[24], size_t n)
{
	char *p = out + 23;

	*p = 0;
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	return str_of(p);
}

static void words_add(struct buf *b, const char *tag, const struct plan *p, struct plan_span words)
{
	char room[24];

	for (uint32_t i = 0; i < words.n; i++)
		manifest_field(b, tag, number(room, i), plan_word(p, words, i));
}

/* ---- what it runs ---- */

static void script_add(struct buf *b, const struct plan *p, const struct plan_step *s)
{
	if (s->script_kind == SCRIPT_KIND_RUN)
		manifest_field(b, "script", plan_str(p, s->script));
	if (s->script_kind == SCRIPT_KIND_IMAGE)
		manifest_field(b, "entrypoint", S("the image's"));
	words_add(b, "argv", p, s->argv);
	words_add(b, "arg", p, s->args);
}

static struct str workspace_name(uint32_t mode)
{
	return mode == WORKSPACE_RO ? S("ro") : mode == WORKSPACE_COPY ? S("copy") : S("rw");
}

static void place_add(struct buf *b, const struct plan *p, const struct plan_step *s,
		      const struct key_facts *f)
{
	if (s->runtime == RUNTIME_KIND_NATIVE)          /* a container's is in the image's configuration */
		manifest_field(b, "path", f->path);
	manifest_field(b, "workdir", plan_str(p, s->workdir));
	manifest_field(b, "workspace", workspace_name(s->workspace));
	if (plan_place_of(p, s))
		place_key_fields(p, plan_place_of(p, s), b);
}

/* A secret's value enters nothing, the names say only that there is one. */
static void env_add(struct buf *b, const struct plan *p, const struct plan_step *s, const struct key_facts *f)
{
	for (uint32_t i = 0; i < s->env.n; i++) {
		const struct plan_env *e = &p->envs[s->env.at + i];

		manifest_field(b, "env", plan_str(p, e->name), plan_str(p, e->value));
	}
	for (size_t i = 0; i < f->npassed; i++) {
		const struct key_env *e = &f->passed[i];

		if (e->set)
			manifest_field(b, "pass_env", e->name, S("set"), e->value);
		else
			manifest_field(b, "pass_env", e->name, S("unset"));
	}
	for (uint32_t i = 0; i < s->secrets.n; i++) {
		const struct plan_secret_use *use = &p->uses[s->secrets.at + i];

		manifest_field(b, "secret", plan_str(p, use->name),
			       plan_str(p, p->secrets[use->secret].name));
	}
	for (uint32_t i = 0; i < s->secret_files.n; i++)
		manifest_field(b, "secret file", plan_str(p, p->uses[s->secret_files.at + i].name), S("given"));
}

/* ---- what it runs in ---- */

static struct str digest_or(const struct digest *d, char room[DIGEST_TEXT_MAX], struct str none)
{
	return d->algo == DIGEST_NONE ? none : str_of(digest_text(d, room));
}

/* By content: where PATH found a program may differ between machines. */
static void tools_add(struct buf *b, const struct plan_step *s, const struct key_facts *f)
{
	char room[DIGEST_TEXT_MAX];

	for (size_t i = 0; i < f->ntools; i++)
		manifest_field(b, i < s->tools.n ? "tool" : "interpreter", f->tools[i].name,
			       digest_or(&f->tools[i].digest, room, S("absent")));
	if (f->packages.algo != DIGEST_NONE)
		manifest_field(b, "packages", digest_or(&f->packages, room, S("")));
}

/* ---- what it reads and makes ---- */

static void entry_add(struct buf *b, const char *tag, const struct entry *e)
{
	char room[DIGEST_TEXT_MAX];
	struct str content = digest_or(&e->digest, room, e->type == ENTRY_LINK ? S("dangling") : S("none"));

	switch ((enum entry_type)e->type) {
	case ENTRY_FILE:
		manifest_field(b, tag, e->path, e->mode & 0100 ? S("program") : S("file"), content);
		return;
	case ENTRY_LINK:
		manifest_field(b, tag, e->path, S("link"), e->link, content);
		return;
	case ENTRY_DIR:
		manifest_field(b, tag, e->path, S("folder"));
		return;
	case ENTRY_ABSENT:
		break;
	}
	manifest_field(b, tag, e->path, S("absent"));
}

static struct str output_kind(uint32_t flags)
{
	static const char *const names[] = {
		"file",		 "pattern",	     "folder",		"folders",
		"optional file", "optional pattern", "optional folder", "optional folders",
	};

	return flags & OUTPUT_NEGATED ? flags & OUTPUT_GLOB ? S("not pattern") : S("not file")
				      : str_of(names[flags & 7]);
}

static void outputs_add(struct buf *b, const struct plan *p, const struct plan_step *s)
{
	for (uint32_t i = 0; i < s->outputs.n; i++) {
		const struct plan_output *o = &p->outputs[s->outputs.at + i];

		manifest_field(b, "output", plan_str(p, o->path), output_kind(o->flags));
	}
	if (s->flags & STEP_KEEP)
		manifest_field(b, "keep", S("true"));
	if (s->depfile.n)
		manifest_field(b, "depfile", plan_str(p, s->depfile));
}

static void needs_add(struct buf *b, const struct key_facts *f)
{
	for (size_t i = 0; i < f->nneeds; i++) {
		if (f->needs[i].state != KEY_NEED_OK)
			manifest_field(b, "need", f->needs[i].name,
				       f->needs[i].state == KEY_NEED_SKIPPED ? S("skipped") : S("failed"));
	}
}

void key_manifest(const struct plan *p, const struct plan_step *s, const struct key_facts *f, struct buf *out)
{
	static const char *const runtimes[] = {"native", "container", "pod"};
	char room[DIGEST_TEXT_MAX];

	manifest_begin(out);
	manifest_field(out, "runtime", str_of(runtimes[s->runtime]));
	if (s->runtime == RUNTIME_KIND_NATIVE) {
		manifest_field(out, "os", f->os);
		manifest_field(out, "arch", f->arch);
	} else {                                /* the platform is part of the identity */
		manifest_field(out, "image", digest_or(&f->image, room, S("unknown")));
	}
	script_add(out, p, s);
	place_add(out, p, s, f);
	env_add(out, p, s, f);
	tools_add(out, s, f);
	outputs_add(out, p, s);
	needs_add(out, f);
	for (size_t i = 0; i < f->ninputs; i++)
		entry_add(out, "input", &f->inputs[i]);
}

void key_manifest_discovered(const struct digest *k1, const struct entry *found, size_t n,
			     const struct str *shadows, size_t nshadows, struct buf *out)
{
	char room[DIGEST_TEXT_MAX];

	manifest_begin(out);
	manifest_field(out, "declared", digest_or(k1, room, S("none")));
	for (size_t i = 0; i < n; i++)
		entry_add(out, "read", &found[i]);
	for (size_t i = 0; i < nshadows; i++)
		manifest_field(out, "same name", shadows[i], S("there"));
}
