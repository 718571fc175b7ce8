#include "cli/hook-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/path.h"
#include "exec/termtext.h"
#include "sys/file.h"
#include "sys/gitrun.h"

#define HOOK_MAX (1u << 20)
#define BEFORE ".before-cairn"
#define HEAD "#!/bin/sh\n# cairn hook "

const char *const hook_names[] = {"pre-push", "pre-commit"};
const size_t nhook_names = countof(hook_names);

/* --- where --- */

static struct str real(struct arena *a, struct str path)
{
	char *r = realpath(str_dup(a, path).s, NULL);
	struct str out = str_dup(a, r ? str_of(r) : path);

	free(r);
	return out;
}

/* "local\t.husky/_"; the scope in front. {NULL} where it is not set. */
static int hooks_path(struct arena *a, const char *folder, struct str *scope, struct str *value, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF_INIT(1u << 16);
	struct str all;
	int status;

	*scope = *value = (struct str){0};
	if (git_run(folder, GIT_ENV_OWN, (const char *const[]){"config", "--show-scope", "--get", "core.hooksPath", NULL}, &out, &status, err) < 0)
		return -1;
	all = str_trim(str_dup(a, buf_view(&out)));
	if (status == 0 && str_cut(&all, '\t', scope))
		*value = all;
	return 0;
}

static struct str lefthook_config(struct arena *a, struct str top)
{
	static const char *const names[] = {
		"lefthook.yml", "lefthook.yaml", "lefthook.toml", "lefthook.json", ".lefthook.yml", ".lefthook.yaml", ".lefthook.toml",
		".lefthook.json", ".config/lefthook.yml", ".config/lefthook.yaml", ".config/lefthook.toml", ".config/lefthook.json",
	};

	for (size_t i = 0; i < countof(names); i++)
		if (access(str_fmt(a, STR_FMT "/%s", STR_ARG(top), names[i]).s, F_OK) == 0)
			return str_of(names[i]);
	return (struct str){0};
}

static int ask_git(struct arena *a, const char *folder, struct str *top, struct str *common, struct str *hooks, struct err *err)
{
	static const char *const args[] = {
		"rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir", "--git-path", "hooks", NULL,
	};
	CLEANUP_BUF struct buf out = BUF_INIT(1u << 16);
	struct str all;
	int status;

	if (git_run(folder, GIT_ENV_OWN, args, &out, &status, err) < 0)
		return -1;
	all = str_dup(a, buf_view(&out));
	if (status || !str_cut(&all, '\n', top) || !str_cut(&all, '\n', common) || !str_cut(&all, '\n', hooks))
		return err_set(err, ERR_USAGE, "unable to find the hooks: %s is not in the work tree of a git repository", folder);
	*top = real(a, *top);
	*common = real(a, *common);
	return 0;
}

int hook_place_find(struct arena *a, const char *folder, struct hook_place *p, struct err *err)
{
	struct str common, hooks, scope, value;

	*p = (struct hook_place){0};
	if (ask_git(a, folder, &p->top, &common, &hooks, err) < 0 || hooks_path(a, folder, &scope, &value, err) < 0)
		return -1;
	p->dir = real(a, hooks);
	p->lefthook = lefthook_config(a, p->top);
	p->committed = path_within(p->dir, p->top) && !path_within(p->dir, common);
	if (p->committed && str_ends(p->dir, S("/.husky/_"))) {
		p->husky = true;
		p->dir = path_dir(p->dir);
	}
	p->dir = str_dup(a, p->dir);
	if (value.s && !(p->committed || path_within(p->dir, common)))
		p->elsewhere = str_fmt(a, "core.hooksPath of git's " STR_FMT " configuration says " STR_FMT, STR_ARG(scope), STR_ARG(value));
	return 0;
}

/* --- the script --- */

static void write_words(struct buf *b, const char *name, const struct hook_words *w)
{
	buf_fmt(b, "hook run %s", name);
	if (w->in.n)
		buf_z(b, " --in "), term_quote(b, w->in);
	if (!str_is(w->file, "cairn.yaml"))
		buf_z(b, " -f "), term_quote(b, w->file);
	if (w->workflow.s)
		buf_z(b, " --workflow "), term_quote(b, w->workflow);
	buf_z(b, " -- \"$@\"");
}

static void write_body(struct buf *b, const struct hook_place *p, const char *name, const struct hook_words *w, struct str program)
{
	bool refs = !strcmp(name, "pre-push");
	const char *give = refs ? "give | " : "";

	buf_fmt(b, "# Written by `cairn hook install`; `cairn hook uninstall` takes it away. The hook that was here before, if there was\n"
		"# one, is %s" BEFORE " and runs first. To go past cairn once: git %s --no-verify, or CAIRN_HOOK=0\n", name, name + 4);
	buf_fmt(b, "before=${0%%/*}/%s" BEFORE "\ncairn=$(command -v cairn)", name);
	if (program.n) {
		buf_z(b, " || cairn=");
		term_quote(b, program);
	}
	buf_c(b, '\n');
	if (refs)
		buf_z(b, "refs=$(cat)\ngive() { [ -z \"$refs\" ] || printf '%s\\n' \"$refs\"; }\n");
	if (p->husky)
		buf_fmt(b, "if [ -f \"$before\" ]; then\n\t%ssh -e \"$before\" \"$@\" || exit\nfi\n", give);
	else
		buf_fmt(b, "if [ -x \"$before\" ]; then\n\t%s\"$before\" \"$@\" || exit\nfi\n", give);
	buf_fmt(b, "if ! [ -x \"$cairn\" ]; then\n\techo 'cairn: unable to check: there is no program cairn on the PATH; git %s --no-verify,"
		" or CAIRN_HOOK=0, goes past it' >&2\n\t[ \"${CAIRN_HOOK-}\" = 0 ]\n\texit\nfi\n", name + 4);
	buf_fmt(b, "%s\"$cairn\" ", give);
	write_words(b, name, w);
	buf_c(b, '\n');
}

static void write_script(struct buf *b, const char *name, struct str body)
{
	struct xxh sum = xxh_bytes(body.s, body.n);

	buf_fmt(b, HEAD "%s %016llx%016llx\n", name, (unsigned long long)sum.hi, (unsigned long long)sum.lo);
	buf_str(b, body);
}

/* What was written, when nobody has touched it since. */
static enum hook_state judge(struct str text, const char *name, struct str *command)
{
	CLEANUP_BUF struct buf same = BUF_INIT(HOOK_MAX);
	struct str rest = text, line, last = {0};

	if (!str_starts(text, str_of(HEAD)))
		return HOOK_OTHER;
	str_cut(&rest, '\n', &line);
	str_cut(&rest, '\n', &line);
	write_script(&same, name, rest);
	while (str_cut(&rest, '\n', &line))
		last = line;
	*command = last;
	return str_eq(text, buf_view(&same)) ? HOOK_OURS : HOOK_EDITED;
}

int hook_look(struct arena *a, const struct hook_place *p, const char *name, struct hook_look *l, struct err *err)
{
	struct str text;
	struct ident ident;
	ptrdiff_t at;
	int got;

	*l = (struct hook_look){.path = str_fmt(a, STR_FMT "/%s", STR_ARG(p->dir), name)};
	l->before = str_fmt(a, STR_FMT BEFORE, STR_ARG(l->path));
	got = file_ident(AT_FDCWD, l->before.s, &ident, err);
	if (got < 0)
		return -1;
	l->chained = got;
	got = file_ident(AT_FDCWD, l->path.s, &ident, err);
	if (got <= 0)
		return got;
	l->state = HOOK_OTHER;
	if (!S_ISREG(ident.mode) || ident.size > HOOK_MAX)
		return 0;
	if (file_read(a, AT_FDCWD, l->path.s, HOOK_MAX, &text, err) < 0)
		return -1;
	l->state = judge(text, name, &l->command);
	if ((at = str_find(l->command, S("hook run "))) >= 0)
		l->command = str_fmt(a, "cairn " STR_FMT, STR_ARG(str_from(l->command, (size_t)at)));
	return 0;
}

/* --- putting it there and taking it away --- */

/* Who else has a say in this folder? */
static int check_managers(struct arena *a, const struct hook_place *p, const char *name, const struct hook_words *w, struct err *err)
{
	CLEANUP_BUF struct buf line = BUF_INIT(1u << 16);
	struct str words;

	write_words(&line, name, w);
	words = str_dup(a, buf_view(&line));
	if (p->elsewhere.s)
		return err_set(err, ERR_USAGE, "unable to install %s: " STR_FMT ", which other repositories may use, too. Nothing was changed; to check "
			       "there, add this line to its %s: cairn " STR_FMT, name, STR_ARG(p->elsewhere), name, STR_ARG(words));
	if (!p->lefthook.s)
		return 0;
	words = str_head(words, words.n - strlen(" -- \"$@\""));
	return err_set(err, ERR_USAGE, "unable to install %s: lefthook writes the hooks of this repository (" STR_FMT ") and would replace it. Nothing "
		       "was changed; to check with lefthook, add to its configuration:\n  %s:\n    commands:\n      cairn:\n        run: cairn "
		       STR_FMT "%s", name, STR_ARG(p->lefthook), name, STR_ARG(words),
		       strcmp(name, "pre-push") ? "" : " -- {1} {2}\n        use_stdin: true");
}

static int move(const char *from, const char *to, struct err *err)
{
	/* never over something: a hard link and an unlink would not do for a link or where the file system has none */
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	return err_errno(err, "unable to move %s to %s", from, to);
}

int hook_install(struct arena *a, const struct hook_place *p, const char *name, const struct hook_words *w, struct str program,
		 struct hook_look *l, struct err *err)
{
	CLEANUP_BUF struct buf body = BUF_INIT(HOOK_MAX), script = BUF_INIT(HOOK_MAX);
	bool moved = false;

	if (check_managers(a, p, name, w, err) < 0 || hook_look(a, p, name, l, err) < 0)
		return -1;
	if (l->state == HOOK_EDITED)
		return err_set(err, ERR_USAGE, "unable to install %s: " STR_FMT " was written by cairn and edited since; move it away or remove it", name,
			       STR_ARG(l->path));
	if (l->state == HOOK_OTHER && l->chained)
		return err_set(err, ERR_USAGE, "unable to install %s: there is a hook " STR_FMT " and one from before, " STR_FMT
			       "; remove the one that is not needed", name, STR_ARG(l->path), STR_ARG(l->before));
	write_body(&body, p, name, w, p->committed ? (struct str){0} : program);
	write_script(&script, name, buf_view(&body));
	if (l->state == HOOK_OTHER) {
		if (move(l->path.s, l->before.s, err) < 0)
			return -1;
		moved = l->chained = true;
	}
	if (file_write(AT_FDCWD, l->path.s, buf_view(&script), 0777, err) < 0) {
		if (moved)
			move(l->before.s, l->path.s, NULL);
		return -1;
	}
	return hook_look(a, p, name, l, err);
}

int hook_uninstall(struct arena *a, const struct hook_place *p, const char *name, struct hook_look *l, struct err *err)
{
	if (hook_look(a, p, name, l, err) < 0)
		return -1;
	if (l->state == HOOK_EDITED)
		return err_set(err, ERR_USAGE, "unable to take %s away: " STR_FMT " was edited since cairn wrote it; remove it by hand%s" STR_FMT, name,
			       STR_ARG(l->path), l->chained ? ", what was there before is " : "", STR_ARG(l->chained ? l->before : S("")));
	if (l->state != HOOK_OURS)
		return 0;
	/* In one step, so that at no time there is no hook. */
	if (l->chained ? rename(l->before.s, l->path.s) < 0 : unlink(l->path.s) < 0)
		return err_errno(err, "unable to take away " STR_FMT, STR_ARG(l->path));
	return 1;
}
