/* Git hooks that check what is about to be pushed or committed. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"
#include "cli/hook-file.h"
#include "cli/hook-run.h"
#include "cli/session.h"
#include "cli/show.h"

struct hook_args {
	struct arena arena;
	struct common common;
	struct opt_rest rest;
	struct str workflow, in;
	bool json;
	struct str names[4]; size_t nnames;     /* of hooks */
	struct hook_place place;
	struct hook_words words;
	struct buf out;
};

static int add_hook(struct hook_args *h, struct str word, struct err *err)
{
	for (size_t i = 0; i < nhook_names; i++)
		if (str_is(word, hook_names[i])) {
			if (h->nnames == countof(h->names))
				return err_set(err, ERR_USAGE, "too many names of hooks");
			h->names[h->nnames++] = str_of(hook_names[i]);
			return 0;
		}
	return err_set(err, ERR_USAGE, "there is no hook '" STR_FMT "' that cairn can be: pre-push and pre-commit are", STR_ARG(word));
}

/* The words behind the action; without any those that are meant by default. */
static int hooks_named(struct hook_args *h, size_t standard, struct err *err)
{
	for (size_t i = 1; i < h->rest.words.n; i++)
		if (add_hook(h, h->rest.words.v[i], err) < 0)
			return -1;
	for (size_t i = 0; !h->nnames && i < standard; i++)
		h->names[i] = str_of(hook_names[i]);
	if (!h->nnames)
		h->nnames = standard;
	return h->rest.after.n ? err_set(err, ERR_USAGE, "nothing is expected after --; usage: %s", cmd_hook.usage) : 0;
}

/* The workspace as the hook will name it, and that what it will run is there. */
static int find_words(struct hook_args *h, struct err *err)
{
	struct arena *a = &h->arena;
	const struct plan_words words = {.goals = {.v = &h->workflow, .n = h->workflow.s ? 1 : 0}};
	struct session s = {.rootfd = -1};
	int rc = -1;

	if (session_open(&s, &h->common, &words, err) == 0 && hook_place_find(a, s.root.s, &h->place, err) == 0) {
		h->words = (struct hook_words){.file = str_dup(a, s.file), .workflow = h->workflow, .in = S("")};
		if (!path_within(s.root, h->place.top))
			err_set(err, ERR_USAGE, "unable to install a hook: the workspace " STR_FMT " is not part of the repository " STR_FMT, STR_ARG(s.root),
				STR_ARG(h->place.top));
		else
			rc = h->workflow.s && (session_plan(&s, err) < 0 || session_select(&s, err) < 0) ? -1 : 0;
		if (s.root.n > h->place.top.n)
			h->words.in = str_dup(a, str_from(s.root, h->place.top.n + (h->place.top.n > 1)));
	}
	session_close(&s);
	return rc;
}

static struct str this_program(struct arena *a)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path));

	return n > 0 && n < (ssize_t)sizeof(path) ? str_dup(a, (struct str){path, (size_t)n}) : (struct str){0};
}

static int install(struct hook_args *h, struct err *err)
{
	struct hook_look look;

	if (hooks_named(h, 1, err) < 0 || find_words(h, err) < 0)
		return -1;
	for (size_t i = 0; i < h->nnames; i++) {
		const char *name = h->names[i].s;

		if (hook_install(&h->arena, &h->place, name, &h->words, this_program(&h->arena), &look, err) < 0)
			return -1;
		buf_fmt(&h->out, "%s: installed as ", name);
		show_text(&h->out, look.path);
		if (look.chained) {
			buf_z(&h->out, "; the hook that was there runs first, as ");
			show_text(&h->out, look.before);
		}
		if (h->place.committed)
			buf_z(&h->out, "; it is part of the work tree: commit it to share it");
		buf_fmt(&h->out, "\nTo go past it once: git %s --no-verify, or CAIRN_HOOK=0 in the environment.\n", name + 4);
	}
	return 0;
}

static int uninstall(struct hook_args *h, struct err *err)
{
	struct hook_look look;

	if (hooks_named(h, nhook_names, err) < 0 || hook_place_find(&h->arena, ".", &h->place, err) < 0)
		return -1;
	for (size_t i = 0; i < h->nnames; i++) {
		int got = hook_uninstall(&h->arena, &h->place, h->names[i].s, &look, err);

		if (got < 0)
			return -1;
		buf_fmt(&h->out, "%s: %s", h->names[i].s, got ? "taken away" : look.state == HOOK_NONE ? "not installed" : "not installed; the hook there is another's");
		if (got && look.chained)
			buf_z(&h->out, "; the hook from before is back");
		buf_c(&h->out, '\n');
	}
	return 0;
}

static const char *const state_names[] = {"none", "installed", "edited", "other"};

static void status_text(struct hook_args *h, const char *name, const struct hook_look *l)
{
	static const char *const phrases[] = {"not installed", "installed", "installed, and edited since", "not installed; there is another hook"};
	struct buf *out = &h->out;

	buf_fmt(out, "%-10s  %s: ", name, phrases[l->state]);
	show_text(out, l->path);
	if (l->state == HOOK_OURS) {
		buf_z(out, "\n            runs ");
		show_text(out, l->command);
	}
	if (l->chained) {
		buf_z(out, l->state == HOOK_OURS ? "\n            after " : "\n            and one from before cairn: ");
		show_text(out, l->before);
	}
	buf_c(out, '\n');
}

static void status_json(struct json *j, const char *name, const struct hook_look *l)
{
	json_open(j, '{');
	json_kstr(j, "hook", str_of(name));
	json_kstr(j, "state", str_of(state_names[l->state]));
	json_kstr(j, "path", l->path);
	if (l->state == HOOK_OURS)
		json_kstr(j, "command", l->command);
	if (l->chained)
		json_kstr(j, "before", l->before);
	json_close(j, '}');
}

static int status(struct hook_args *h, struct err *err)
{
	struct json j = {.out = &h->out};
	struct hook_look look;

	if (hooks_named(h, nhook_names, err) < 0 || hook_place_find(&h->arena, ".", &h->place, err) < 0)
		return -1;
	if (h->json)
		json_open(&j, '[');
	for (size_t i = 0; i < h->nnames; i++) {
		if (hook_look(&h->arena, &h->place, h->names[i].s, &look, err) < 0)
			return -1;
		if (h->json)
			status_json(&j, h->names[i].s, &look);
		else
			status_text(h, h->names[i].s, &look);
	}
	if (h->json) {
		json_close(&j, ']');
		buf_c(&h->out, '\n');
	} else if (h->place.elsewhere.s || h->place.lefthook.s) {
		buf_z(&h->out, "note        ");
		show_text(&h->out, h->place.elsewhere.s ? h->place.elsewhere : str_fmt(&h->arena, "lefthook writes the hooks here (" STR_FMT ")", STR_ARG(h->place.lefthook)));
		buf_c(&h->out, '\n');
	}
	return 0;
}

/* What the scripts start. */
static int run_hook(struct hook_args *h, struct err *err)
{
	struct hook_call call = {.color = color_wanted(&h->common, STDERR_FILENO)};

	if (h->rest.words.n != 2)
		return err_set(err, ERR_USAGE, "cairn hook run takes the name of one hook; usage: %s", cmd_hook.usage);
	if (add_hook(h, h->rest.words.v[1], err) < 0)
		return -1;
	call.name = h->names[0].s;
	if (!path_join(&h->arena, S(""), h->in, &call.words.in) || (call.words.in.n && call.words.in.s[0] == '/'))
		return err_set(err, ERR_USAGE, "--in takes a folder below the top of the repository, not '" STR_FMT "'", STR_ARG(h->in));
	call.words.file = h->common.file.s ? h->common.file : S("cairn.yaml");
	call.words.workflow = h->workflow;
	if (h->rest.after.n)
		call.remote = h->rest.after.v[0];
	return hook_run(&h->arena, &call, err);
}

static const struct action { const char *name; int (*act)(struct hook_args *, struct err *); } actions[] = {
	{"install", install}, {"uninstall", uninstall}, {"status", status}, {"run", run_hook},
};

static const struct action *action_find(const struct hook_args *h, struct err *err)
{
	struct str names[countof(actions)], word = h->rest.words.n ? h->rest.words.v[0] : S("status"), near;

	for (size_t i = 0; i < countof(actions); i++) {
		names[i] = str_of(actions[i].name);
		if (str_eq(word, names[i]))
			return &actions[i];
	}
	near = str_nearest(word, names, countof(names));
	if (near.s)
		err_set(err, ERR_USAGE, "unknown action '" STR_FMT "' of hooks; did you mean '" STR_FMT "'?", STR_ARG(word), STR_ARG(near));
	else
		err_set(err, ERR_USAGE, "unknown action '" STR_FMT "' of hooks: install, uninstall and status are", STR_ARG(word));
	return NULL;
}

static int hook(int argc, char **argv, struct err *err)
{
	struct hook_args h = {.out = BUF_INIT(BUF_UNLIMITED), .in = S("")};
	const struct action *action;
	bool helped;
	const struct opt opts[] = {
		{0, "workflow", OPT_STR, &h.workflow, "NAME", "install, run: check by this workflow (default: one named like the hook, else \"default\")"},
		{0, "in", OPT_STR, &h.in, "DIR", "run: the workspace, from the top of the repository"},
		{0, "json", OPT_FLAG, &h.json, NULL, "status: print JSON"},
	};
	int rc = cmd_options(&h.arena, &cmd_hook, opts, countof(opts), argc, argv, false, &h.common, &h.rest, &helped, err);

	if (rc == 0 && !helped) {
		action = action_find(&h, err);
		rc = action ? action->act(&h, err) : -1;
		if (cmd_print(&h.out, rc < 0 ? NULL : err) < 0)
			rc = -1;
	}
	buf_release(&h.out);
	arena_release(&h.arena);
	return rc < 0 ? err_exit_status(err) : rc;
}

const struct command cmd_hook = {"hook", "check by git hooks what is pushed or committed",
				 "cairn hook [install|uninstall|status] [pre-push|pre-commit] [--workflow=NAME]", hook};
