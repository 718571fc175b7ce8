/* Trees of a repository: what leads to one, what the work tree holds, where two differ. */
#include "scratch.h"
#include "sys/git.h"
#include "sys/module.h"

static const struct git_ops *git;
static struct arena arena;

static const char *said(const char *command)
{
	struct str text = {0};

	sh("cd r && git %s >../said", command);
	file_read(&arena, scratch_fd, "said", 4096, &text, NULL);
	return str_dup(&arena, str_trim(text)).s;
}

static const char *top(void) { return str_fmt(&arena, "%s/r", scratch_path).s; }

static void leads(const char *rev, const char *commit, const char *tree, const char *name)
{
	CLEANUP_BUF struct buf c = BUF_INIT(256), t = BUF_INIT(256);
	int got = git->tree_of(top(), rev, &c, &t, NULL);

	ok(got == (tree ? 1 : 0), "%s: %s", name, tree ? "found" : "nothing");
	if (!tree)
		return;
	is_str(buf_view(&c), commit, "%s: its commit", name);
	is_str(buf_view(&t), tree, "%s: its tree", name);
}

static bool holds(const char *tree)
{
	CLEANUP_BUF struct buf untracked = BUF_INIT(4096);
	struct err err = ERR_INIT;
	bool same = false;

	if (git->holds(top(), tree, &same, &untracked, &err) < 0)
		tap_show("error", str_of(err.text));
	err_release(&err);
	return same && !untracked.n;
}

static void what_leads(void)
{
	const char *commit = said("rev-parse HEAD"), *tree = said("rev-parse HEAD^{tree}");

	leads(commit, commit, tree, "a commit");
	leads("HEAD", commit, tree, "a name");
	leads("v1", commit, tree, "an annotated tag");
	leads(tree, "", tree, "a tree");
	leads(said("rev-parse HEAD:f"), "", NULL, "a file");
	leads("0123456789012345678901234567890123456789", "", NULL, "an unknown one");
	leads("no such thing", "", NULL, "no revision");
	sh("mkdir -p none");
	ok(git->tree_of(str_fmt(&arena, "%s/none", scratch_path).s, "HEAD", &(struct buf){0}, &(struct buf){0}, NULL) < 0,
	   "outside of a repository it is an error");
}

static void work_tree(void)
{
	const char *tree = said("rev-parse HEAD^{tree}"), *first = said("rev-parse HEAD~1^{tree}");
	CLEANUP_BUF struct buf names = BUF_INIT(4096);

	ok(holds(tree), "a clean work tree holds its commit's tree");
	ok(!holds(first), "and not another");
	sh("cd r && echo x >ignored");
	ok(holds(tree), "what is ignored does not matter");
	sh("cd r && echo x >new");
	ok(!holds(tree), "what is untracked does");
	ok(git->holds(top(), tree, &(bool){0}, &names, NULL) == 0 && names.n == 4 && !strcmp(names.s, "new"), "and is named");
	sh("cd r && git add new");
	ok(!holds(tree), "staged as well");
	sh("cd r && git rm -qf new && mkdir -p empty");
	ok(holds(tree), "an empty folder does not");
	sh("cd r && sleep 0.05 && printf 3 >f");
	ok(!holds(tree), "a changed file of the same size does");
	sh("cd r && git update-index --assume-unchanged f");
	ok(!holds(tree), "also when the index is told not to look");
	sh("cd r && git update-index --no-assume-unchanged f && git checkout -q f && git update-index --skip-worktree f");
	ok(!holds(tree), "or to leave it out");
	sh("cd r && git update-index --no-skip-worktree f && chmod +x f");
	ok(!holds(tree), "a file that became a program does");
	sh("cd r && chmod -x f && rm f");
	ok(!holds(tree), "a missing file does");
	sh("cd r && ln -s x f");
	ok(!holds(tree), "a link in its place does");
	sh("cd r && rm f && git checkout -q f");
	ok(holds(tree), "put back it is the same again");
	ok(!holds("0123456789012345678901234567890123456789"), "a tree that is not there is held by none");
}

static void differences(void)
{
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	const char *a = said("rev-parse HEAD~1^{tree}"), *b = said("rev-parse HEAD^{tree}");

	ok(git->tree_diff(top(), a, b, &out, NULL) == 1, "two trees are compared");
	for (size_t i = 0; i < out.n; i++)
		if (!out.s[i])
			out.s[i] = ' ';
	is_str(buf_view(&out), ".gitignore d/g f old ", "changed, new and removed paths are named");
	buf_clear(&out);
	ok(git->tree_diff(top(), a, a, &out, NULL) == 1 && !out.n, "one has no difference from itself");
	ok(git->tree_diff(top(), "0123456789012345678901234567890123456789", b, &out, NULL) == 0, "one that is not there is told");
}

static void ancestors(void)
{
	CLEANUP_BUF struct buf base = BUF_INIT(256);
	const char *head = said("rev-parse HEAD"), *first = said("rev-parse HEAD~1");

	ok(git->common(top(), head, "refs/remotes/far/*", &base, NULL) == 0, "without refs there is no common ancestor");
	sh("cd r && git update-ref refs/remotes/far/main HEAD~1 && git checkout -q --orphan alone && git commit -qm alone && "
	   "git update-ref refs/remotes/far/alone HEAD && git checkout -q main");
	ok(git->common(top(), head, "refs/remotes/far/*", &base, NULL) == 1, "among refs there is one");
	is_str(buf_view(&base), first, "the nearest");
	buf_clear(&base);
	ok(git->common(top(), head, "refs/remotes/far/alone", &base, NULL) == 0, "a history of its own has none");
}

int main(void)
{
	struct err err = ERR_INIT;

	scratch_make();
	git = module_load("git", &err);
	if (!ok(git, "the module is found"))
		return done();
	sh("git init -q -b main r && cd r && git config user.name t && git config user.email t@example.org && echo 1 >f && echo 1 >old && "
	   "git add . && git commit -qm one && echo 2 >f && mkdir d && echo 2 >d/g && echo ignored >.gitignore && git rm -q old && git add . && "
	   "git commit -qm two && git tag -a -m t v1");
	what_leads();
	work_tree();
	differences();
	ancestors();
	arena_release(&arena);
	scratch_remove();
	return done();
}
