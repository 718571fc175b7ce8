#include "cli/hook-check.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/vec.h"
#include "cli/hook-tree.h"
#include "cli/passed.h"
#include "cli/show.h"
#include "sys/file.h"
#include "sys/git.h"
#include "sys/lock.h"
#include "sys/module.h"
#include "sys/xdg.h"

#define HEX_LIMIT 256
#define NAMES_MAX (64u << 20)           /* of changed files; where there are more, all is checked */

void check_say(const char *fmt, ...)
{
	CLEANUP_BUF struct buf line = BUF_INIT(1u << 16), text = BUF_INIT(1u << 16);
	va_list args;

	va_start(args, fmt);
	buf_vfmt(&text, fmt, args);
	va_end(args);
	buf_z(&line, "cairn: ");
	show_text(&line, buf_view(&text));
	buf_c(&line, '\n');
	file_write_all(STDERR_FILENO, line.s, line.n);
}

int check_folder(struct arena *a, struct str top, const struct hook_words *words, struct str *out, struct err *err)
{
	struct xxh sum = passed_name((const struct str[]){top, words->in, words->file}, 3);
	struct str base;

	if (xdg_state(a, &base, err) < 0)
		return -1;
	*out = str_fmt(a, STR_FMT "/hook/%016llx%016llx", STR_ARG(base), (unsigned long long)sum.hi, (unsigned long long)sum.lo);
	return 0;
}

static const char *notes(struct checker *c) { return str_fmt(c->arena, STR_FMT "/passed", STR_ARG(c->state)).s; }

/* Which check it was: id is a tree's or what leads to one. scope: what it was limited to, "" when to nothing. */
static struct xxh name_of(const struct checker *c, const char *kind, struct str id, struct str scope)
{
	const struct hook_words *w = &c->words;
	const struct str parts[] = {
		str_of(kind), id, scope, str_of(c->name), w->in, w->file, w->workflow.s ? S("of") : S(""), w->workflow.s ? w->workflow : S(""),
	};

	return passed_name(parts, countof(parts));
}

/* --- known to be good --- */

static bool known(struct checker *c, const struct check *check, struct xxh name)
{
	CLEANUP_BUF struct buf when = BUF_INIT(256);
	int64_t at;

	if (!passed_find(c->arena, notes(c), name, &at))
		return false;
	show_when(&when, at);
	check_say("%s: " STR_FMT ": this tree passed at " STR_FMT, c->name, STR_ARG(check->label), STR_ARG(buf_view(&when)));
	return true;
}

/* By the object's own id, which stands for one tree for ever: needs no look into the repository. */
static bool known_by_rev(struct checker *c, const struct check *check)
{
	return known(c, check, name_of(c, "rev", check->rev, S(""))) ||
	       (check->before.s && known(c, check, name_of(c, "rev", check->rev, check->before)));
}

/* --- checking --- */

static int find_tree(struct checker *c, const struct check *check, struct tree_check *t, bool *any, struct err *err)
{
	CLEANUP_BUF struct buf commit = BUF_INIT(HEX_LIMIT), tree = BUF_INIT(HEX_LIMIT);
	const struct git_ops *git = module_load("git", err);
	int got = git ? git->tree_of(c->top.s, check->rev.s, &commit, &tree, err) : -1;

	*any = got == 1;
	if (got < 0)
		return -1;
	t->commit = str_dup(c->arena, buf_view(&commit));
	t->tree = str_dup(c->arena, buf_view(&tree));
	return 0;
}

/* The tree that the other side has already, hex into base; nothing when that is not known here. */
static int find_base(struct checker *c, const struct check *check, const struct tree_check *t, struct buf *base, struct err *err)
{
	CLEANUP_BUF struct buf commit = BUF_INIT(HEX_LIMIT), ignored = BUF_INIT(HEX_LIMIT);
	const struct git_ops *git = module_load("git", err);
	struct str remote = check->remote;
	const char *rev = check->before.s;
	int got;

	if (!git)
		return -1;
	if (!rev) {
		/* a URL has no refs here */
		if (!remote.n || !t->commit.n || str_chr(remote, ':') >= 0 || str_chr(remote, '/') >= 0)
			return 0;
		got = git->common(c->top.s, t->commit.s, str_fmt(c->arena, "refs/remotes/" STR_FMT "/*", STR_ARG(remote)).s, &commit, NULL);
		if (got <= 0)
			return 0;
		rev = commit.s;
	}
	got = git->tree_of(c->top.s, rev, &ignored, base, err);
	if (got == 0 && check->before.s && !str_is(check->before, "HEAD"))
		check_say("%s: " STR_FMT ": what the other side has is not known here, so everything is checked", c->name, STR_ARG(check->label));
	return got < 0 ? -1 : 0;
}

static int limit(struct checker *c, const struct check *check, struct tree_check *t, struct err *err)
{
	CLEANUP_BUF struct buf base = BUF_INIT(HEX_LIMIT), names = BUF_INIT(NAMES_MAX);
	const struct git_ops *git = module_load("git", err);
	int got;

	if (!git || find_base(c, check, t, &base, err) < 0)
		return -1;
	if (!base.n)
		return 0;
	got = git->tree_diff(c->top.s, base.s, t->tree.s, &names, err);
	if (got <= 0 || names.full)
		return got < 0 ? -1 : 0;
	t->base = str_dup(c->arena, buf_view(&base));
	t->changed = str_dup(c->arena, buf_view(&names));
	return 0;
}

static void remember(struct checker *c, const struct check *check, const struct tree_check *t)
{
	const struct xxh names[] = {
		name_of(c, "tree", t->tree, t->base), name_of(c, "rev", check->rev, t->base.n ? check->before : S("")),
	};
	size_t n = t->base.n && !check->before.s ? 1 : 2;       /* what a remote is known to have moves on */
	struct err err = ERR_INIT;

	if (t->unsure) {
		check_say("%s: " STR_FMT ": the check depends on " STR_FMT ", so that it passed is not remembered", c->name,
			  STR_ARG(check->label), STR_ARG(str_of(t->unsure)));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (passed_keep(notes(c), names[i], &t->facts, &err) == 0)
			continue;
		check_say("warning: %s", err.text ? err.text : "unable to note that a tree passed");
		err_release(&err);
	}
	passed_trim(notes(c));
}

static int locked(struct checker *c, const struct check *check, struct tree_check *t, struct err *err)
{
	int status = tree_check(c, check, t, err);

	if (status == 0 && t->checked)
		remember(c, check, t);
	tree_check_release(t);
	return status;
}

int check_one(struct checker *c, const struct check *check, struct err *err)
{
	struct tree_check t = {.commit = {0}};
	CLEANUP_FD int lock = -1;
	bool any, busy;
	long holder;

	if (known_by_rev(c, check))
		return 0;
	if (find_tree(c, check, &t, &any, err) < 0)
		return -1;
	if (!any) {
		check_say("%s: " STR_FMT " leads to no tree: nothing is checked", c->name, STR_ARG(check->label));
		return 0;
	}
	if (known(c, check, name_of(c, "tree", t.tree, S(""))))
		return 0;
	if (limit(c, check, &t, err) < 0)
		return -1;
	if (t.base.n && str_eq(t.base, t.tree)) {
		check_say("%s: " STR_FMT " changes nothing: nothing is checked", c->name, STR_ARG(check->label));
		return 0;
	}
	if (t.base.n && known(c, check, name_of(c, "tree", t.tree, t.base)))
		return 0;
	lock = lock_take(str_fmt(c->arena, STR_FMT "/lock", STR_ARG(c->state)).s, true, &busy, &holder, err);
	return lock < 0 ? -1 : locked(c, check, &t, err);
}

int check_forget(struct checker *c, struct err *err)
{
	bool busy;
	long holder;
	CLEANUP_FD int lock = -1;

	if (access(c->state.s, F_OK) < 0)
		return 0;
	lock = lock_take(str_fmt(c->arena, STR_FMT "/lock", STR_ARG(c->state)).s, true, &busy, &holder, err);
	return lock < 0 || tree_remove(c, err) < 0 ? -1 : file_remove_tree(AT_FDCWD, c->state.s, err);
}
