#include "exec/reason.h"

#include <stdlib.h>

#include "exec/imagereason.h"
#include "plan/manifest.h"

#define VALUE_SHOWN 80                  /* bytes of a value in a sentence */

struct finder {
	struct arena *a;
	struct walk *w;
	uint32_t step;
	const struct probe *probe;
	VEC(struct reason) v;
};

static void add(struct finder *f, struct str tag, struct str name, struct str what)
{
	vec_add(&f->v, (struct reason){tag, name, what});
}

/* ---- one field ---- */

static struct str shown(struct arena *a, struct str value)
{
	if (value.n <= VALUE_SHOWN)
		return value.n ? value : S("\"\"");
	return str_fmt(a, STR_FMT "...", STR_ARG(str_head(value, VALUE_SHOWN - 3)));
}

static struct str first_word(struct str s)
{
	ptrdiff_t at = str_chr(s, ' ');

	return at < 0 ? s : str_head(s, at);
}

static struct str last_word(struct str s)
{
	ptrdiff_t at = str_rchr(s, ' ');

	return at < 0 ? S("") : str_from(s, at + 1);
}

static bool is_regular(struct str kind) { return str_is(kind, "file") || str_is(kind, "program"); }

/* A file-system object as key.c writes it: "file DIGEST", "program DIGEST", "link TEXT DIGEST", "folder", "absent". */
static struct str file_change(struct arena *a, struct str before, struct str after)
{
	struct str was = first_word(before), is = first_word(after);

	if (!before.s)
		return str_is(is, "absent") ? S("it is asked for now, and absent") : S("it is new");
	if (!after.s)
		return S("it is an input no longer");
	if (str_is(is, "absent"))
		return S("it was removed");
	if (str_is(was, "absent"))
		return S("it appeared");
	if (is_regular(was) && is_regular(is)) {
		if (!str_eq(last_word(before), last_word(after)))
			return S("content changed");
		return str_is(is, "program") ? S("it became executable") : S("it is executable no longer");
	}
	if (!str_eq(was, is))
		return str_fmt(a, "it was a " STR_FMT " and is a " STR_FMT, STR_ARG(is_regular(was) ? S("file") : was),
			       STR_ARG(is_regular(is) ? S("file") : is));
	if (str_is(is, "link") && str_eq(last_word(before), last_word(after)))
		return S("the link's text changed");
	return S("what it points to changed");
}

/* The words in which two lines differ, without those at both ends that are the same. */
static void cut_common(struct str *a, struct str *b)
{
	size_t most = a->n < b->n ? a->n : b->n, head = 0, tail = 0, at = 0;

	for (; at < most && a->s[at] == b->s[at]; at++)
		if (a->s[at] == ' ')
			head = at + 1;
	if (at == most && (at == a->n || a->s[at] == ' ') && (at == b->n || b->s[at] == ' '))
		head = at;
	for (at = 0; at < most - head && a->s[a->n - 1 - at] == b->s[b->n - 1 - at]; at++)
		if (a->s[a->n - 1 - at] == ' ')
			tail = at + 1;
	*a = str_trim((struct str){a->s + head, a->n - head - tail});
	*b = str_trim((struct str){b->s + head, b->n - head - tail});
}

/* The first line that differs, which tells more than all of them. */
static struct str script_change(struct arena *a, struct str before, struct str after)
{
	struct str one, other;

	for (unsigned line = 1;; line++) {
		bool has_one = str_cut(&before, '\n', &one), has_other = str_cut(&after, '\n', &other);

		if (!has_one && !has_other)
			return S("it changed");
		if (!has_one)
			return str_fmt(a, "a line was added: " STR_FMT, STR_ARG(shown(a, str_trim(other))));
		if (!has_other)
			return str_fmt(a, "a line was removed: " STR_FMT, STR_ARG(shown(a, str_trim(one))));
		if (str_eq(one, other))
			continue;
		cut_common(&one, &other);
		if (!one.n && !other.n)
			return str_fmt(a, "line %u: its blanks changed", line);
		return str_fmt(a, "line %u: " STR_FMT " -> " STR_FMT, line, STR_ARG(shown(a, one)), STR_ARG(shown(a, other)));
	}
}

/* "set VALUE" or "unset", as pass_env is keyed. */
static struct str passed(struct arena *a, struct str value)
{
	return str_starts(value, S("set")) ? shown(a, value.n > 4 ? str_from(value, 4) : S("")) : S("unset");
}

static struct str value_change(struct arena *a, const struct manifest_change *c)
{
	bool pass = str_is(c->tag, "pass_env");
	struct str before = c->before, after = c->after;

	if (pass && before.s && after.s)
		return str_fmt(a, STR_FMT " -> " STR_FMT, STR_ARG(passed(a, before)), STR_ARG(passed(a, after)));
	if (!before.s)
		return str_fmt(a, "it is new: " STR_FMT, STR_ARG(pass ? passed(a, after) : shown(a, after)));
	if (!after.s)
		return str_fmt(a, "it is gone; it was " STR_FMT, STR_ARG(pass ? passed(a, before) : shown(a, before)));
	return str_fmt(a, STR_FMT " -> " STR_FMT, STR_ARG(shown(a, before)), STR_ARG(shown(a, after)));
}

static void tool_change(struct finder *f, const struct manifest_change *c)
{
	struct str what = S("another program, or another version");

	if (!c->before.s)
		what = S("it is new");
	else if (!c->after.s)
		what = S("it is named no longer");
	else if (str_is(c->after, "absent"))
		what = S("it is not there any more");
	else if (str_is(c->before, "absent"))
		what = S("it is there now");
	add(f, c->tag, c->name, what);
}

/* A source file is a declared input and one that the compiler read, but one reason. */
static bool told(const struct finder *f, struct str path)
{
	for (size_t i = 0; i < f->v.n; i++)
		if (str_is(f->v.v[i].tag, "input") && str_eq(f->v.v[i].name, path))
			return true;
	return false;
}

/* Each of what differs; or that it is another, where what the two were is not known (any more). */
static void image_change(struct finder *f, const struct manifest_change *c)
{
	struct str *said;
	size_t n = 0;

	if (c->before.s && c->after.s)
		image_reasons(f->a, f->w->store_off ? NULL : f->w->store, c->before, c->after, &said, &n);
	for (size_t i = 0; i < n; i++)
		add(f, c->tag, S(""), said[i]);
	if (!n)
		add(f, c->tag, S(""), value_change(f->a, c));
}

static void change_add(struct finder *f, const struct manifest_change *c)
{
	if (str_is(c->tag, "declared"))         /* K1, whose own differences are told field by field */
		return;
	if (str_is(c->tag, "read") && told(f, c->name))
		return;
	if (str_is(c->tag, "input") || str_is(c->tag, "read"))
		add(f, S("input"), c->name, file_change(f->a, c->before, c->after));
	else if (str_is(c->tag, "same name"))
		add(f, S("input"), c->name,
		    c->after.s ? S("it is new, and has the name of a file that was read") :
				 S("it is gone, and had the name of a file that was read"));
	else if (str_is(c->tag, "script") && c->before.s && c->after.s)
		add(f, c->tag, S(""), script_change(f->a, c->before, c->after));
	else if (str_is(c->tag, "tool") || str_is(c->tag, "interpreter"))
		tool_change(f, c);
	else if (str_is(c->tag, "packages"))
		add(f, c->tag, S(""), S("what is installed on this machine changed; naming `tools` keys those alone"));
	else if (str_is(c->tag, "image"))
		image_change(f, c);
	else if (str_is(c->tag, "need"))
		add(f, c->tag, c->name, c->after.s ? str_fmt(f->a, "it " STR_FMT, STR_ARG(c->after)) : S("it succeeded"));
	else
		add(f, c->tag, c->name, value_change(f->a, c));
}

static void manifest_changes(struct finder *f, struct str before, struct str after)
{
	struct manifest_change *changes;
	size_t n = 0;

	if (manifest_diff(f->a, before, after, &changes, &n) < 0)
		add(f, S(""), S(""), S("its last result was written by another version of cairn"));
	for (size_t i = 0; i < n; i++)
		change_add(f, &changes[i]);
}

/* ---- a step ---- */

static int by_path(const void *a, const void *b) { return entry_cmp(a, b); }

/* What stands now at a path that the last success read: what a need makes, or what is on disk. */
static struct entry entry_now(struct finder *f, struct str path)
{
	uint32_t producer = path.n && path.s[0] == '/' ? PLAN_NONE : plan_index_producer(f->w->index, path);
	struct entry now = {.path = path};

	if (producer != PLAN_NONE && producer != f->step) {
		const struct walk_step *of = &f->w->steps[producer];
		const struct entry *known = of->outputs.n ? bsearch(&now, of->outputs.v, of->outputs.n, sizeof(now), by_path) : NULL;

		if (known)
			return *known;
	}
	if (content_entry(f->w->content, path, &now, NULL, NULL, NULL) < 0)
		return (struct entry){.path = path};
	return now;
}

static void found_changes(struct finder *f, const struct result *last)
{
	struct probe now = {.k1 = f->probe->k1, .discovered = BUF_INIT(MANIFEST_MAX)};
	struct entries found = {arena_array(f->a, last->found.n, struct entry), last->found.n};

	for (size_t i = 0; i < found.n; i++)
		found.v[i] = entry_now(f, last->found.v[i].path);
	if (walk_key_discovered(f->w, f->a, f->step, &found, &now, NULL) == 0)
		manifest_changes(f, last->discovered, str_dup(f->a, buf_view(&now.discovered)));
	probe_release(&now);
}

static void miss(struct finder *f, const struct history_step *last)
{
	struct walk *w = f->w;
	struct result result;
	struct str bytes;

	if (!last || last->key.algo == DIGEST_NONE) {
		add(f, S(""), S(""), last ? S("it has not succeeded here yet") : S("it never ran here"));
		return;
	}
	if (!w->store || w->store_off) {
		add(f, S(""), S(""), S("there is no cache to look into"));
		return;
	}
	if (w->store->ops->get(w->store, RECORD_RESULT, &last->key, f->a, &bytes, NULL) != 1 ||
	    result_decode(f->a, bytes, &result, NULL) < 0) {
		add(f, S(""), S(""), S("its last result is no longer in the cache"));
		return;
	}
	manifest_changes(f, result.manifest, str_dup(f->a, buf_view(&f->probe->manifest)));
	if (result.discovered.n)
		found_changes(f, &result);
	if (f->v.n)
		return;
	if (result.root.n && !str_eq(result.root, w->root))
		add(f, S("output"), result.bound_file, S("it holds the path of another workspace"));
	else
		add(f, S(""), S(""), S("no result in the cache fits any more"));
}

static void outputs_differ(struct finder *f)
{
	const struct entries *outputs = &f->probe->result.outputs;

	for (size_t i = 0; i < outputs->n; i++) {
		const struct entry *want = &outputs->v[i];
		struct entry have = {0};

		if (content_entry(f->w->content, want->path, &have, NULL, NULL, NULL) < 0)
			have.type = ENTRY_ABSENT;
		if (have.type == ENTRY_ABSENT)
			add(f, S("output"), want->path, S("it is missing"));
		else if (have.type != want->type)
			add(f, S("output"), want->path, S("it is of another kind now"));
		else if (want->type == ENTRY_LINK ? !str_eq(have.link, want->link) :
			 want->type == ENTRY_FILE && !digest_eq(&have.digest, &want->digest))
			add(f, S("output"), want->path, S("it was changed"));
		else if (want->type != ENTRY_LINK && have.mode != want->mode)
			add(f, S("output"), want->path, S("its permissions were changed"));
	}
	if (!f->v.n)
		add(f, S("output"), f->probe->differs, S("it is not as recorded"));
}

static void needs_pending(struct finder *f)
{
	const struct plan *plan = f->w->plan;
	const struct plan_step *s = &plan->steps[f->step];

	for (uint32_t i = 0; i < s->needs.n; i++) {
		uint32_t need = plan->needs[s->needs.at + i].step;

		if (f->w->steps[need].state == WALK_PENDING)
			add(f, S("need"), plan_step_name(plan, need), S("it would run, and what it makes is not known yet"));
	}
}

void reasons_find(struct arena *a, struct walk *w, uint32_t step, const struct probe *probe, const struct history_step *last,
		  struct reasons *out)
{
	struct finder f = {.a = a, .w = w, .step = step, .probe = probe};

	switch (probe->verdict) {
	case PROBE_HIT:
		break;
	case PROBE_RESTORE:
		outputs_differ(&f);
		break;
	case PROBE_MISS:
		miss(&f, last);
		break;
	case PROBE_UNCACHED:
		add(&f, S(""), S(""), plan_str(w->plan, w->plan->steps[step].uncached));
		break;
	case PROBE_PENDING:
		needs_pending(&f);
		break;
	}
	*out = (struct reasons){arena_array(a, f.v.n, struct reason), f.v.n};
	if (f.v.n)
		memcpy(out->v, f.v.v, f.v.n * sizeof(*f.v.v));
	vec_free(&f.v);
}

struct str reason_text(struct arena *a, const struct reason *r)
{
	if (!r->tag.n)
		return r->what;
	return str_fmt(a, STR_FMT "%s" STR_FMT ": " STR_FMT, STR_ARG(r->tag), r->name.n ? " " : "", STR_ARG(r->name), STR_ARG(r->what));
}
