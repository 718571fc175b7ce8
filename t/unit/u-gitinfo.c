#include "resolve/gitinfo.h"
#include "scratch.h"

static struct arena arena;

static struct str at(const char *dir) { return str_fmt(&arena, "%s%s%s", scratch_path, *dir ? "/" : "", dir); }

static struct str fact(const char *dir, const char *name)
{
	struct question q = {.kind = Q_GIT, .text = str_of(name)};
	struct answer answer;
	struct err err = ERR_INIT;

	if (git_answer(&arena, at(dir), &q, &answer, &err) < 0) {
		struct str text = str_fmt(&arena, "error: %s", err.text);

		err_release(&err);
		return text;
	}
	return answer.found ? answer.items[0] : (struct str){0};
}

static struct str tracked(const char *dir)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);
	struct str *paths;
	size_t n;
	bool found;
	struct err err = ERR_INIT;

	if (git_tracked(&arena, at(dir), &paths, &n, &found, &err) < 0)
		buf_fmt(&b, "error: %s", err.text);
	for (size_t i = 0; i < n; i++)
		buf_fmt(&b, "%s" STR_FMT, i ? " " : "", STR_ARG(paths[i]));
	err_release(&err);
	return found || b.n ? str_dup(&arena, buf_view(&b)) : (struct str){0};
}

static bool looks_at(const char *dir, const char *end)
{
	struct str *paths;
	size_t n;

	if (git_looked(&arena, at(dir), &paths, &n, NULL) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (str_ends(paths[i], str_of(end)))
			return true;
	return false;
}

/* What git itself says. */
static struct str git(const char *dir, const char *command)
{
	struct str text = {0};

	sh("cd %s && git %s | tr -d '\\n' >'%s/said'", dir, command, scratch_path);
	file_read(&arena, scratch_fd, "said", 4096, &text, NULL);
	return text;
}

static void outside(void)
{
	sh("mkdir none");
	is_str(fact("none", "branch"), NULL, "without a repository a fact is absent");
	is_str(tracked("none"), NULL, "and nothing is tracked");
	ok(looks_at("none", "/none/.git"), "and where one may appear is looked at");
}

static void plain(void)
{
	sh("git init -q -b trunk r && cd r && git config user.name t && git config user.email t@example.org");
	is_str(fact("r", "branch"), "trunk", "the branch before the first commit");
	is_str(fact("r", "commit"), NULL, "which has no commit");
	is_str(fact("r", "short"), NULL, "nor a short one");
	sh("cd r && mkdir -p sub/ws && echo 1 >f && echo 2 >sub/ws/g && echo 3 >sub-x && git add . && git commit -qm one");
	is_str(fact("r", "commit"), git("r", "rev-parse HEAD").s, "the commit");
	is_str(fact("r", "short"), git("r", "rev-parse --short HEAD").s, "the short one");
	is_str(fact("r", "tag"), NULL, "no tag");
	is_str(fact("r", "dirty"), "false", "clean");
	is_str(tracked("r"), "f sub-x sub/ws/g", "tracked files are sorted as bytes");
	is_str(tracked("r/sub/ws"), "g", "and relative to a workspace further below");
	is_str(fact("r/sub/ws", "branch"), "trunk", "which has the branch too");
	sh("cd r && echo new >untracked");
	is_str(fact("r", "dirty"), "false", "an untracked file is no change");
	sh("cd r && echo more >>f");
	is_str(fact("r", "dirty"), "true", "a changed one is");
	sh("cd r && git checkout -q f && rm sub-x");
	is_str(fact("r", "dirty"), "true", "a removed one too");
	sh("cd r && git checkout -q sub-x && echo s >f && git add f && git commit -qm two");
	is_str(fact("r", "dirty"), "false", "clean again");
}

static void tags(void)
{
	sh("cd r && git tag b-light && git tag a-light && git tag old HEAD~");
	is_str(fact("r", "tag"), "b-light", "the last by name of plain tags at the commit");
	sh("cd r && GIT_COMMITTER_DATE=2001-01-01T00:00:00Z git tag -m x ann-old");
	is_str(fact("r", "tag"), "ann-old", "an annotated one before those");
	sh("cd r && GIT_COMMITTER_DATE=2002-01-01T00:00:00Z git tag -m x a-new");
	is_str(fact("r", "tag"), "a-new", "the newest of them");
	sh("cd r && git pack-refs --all && git gc -q");
	is_str(fact("r", "tag"), "a-new", "packed too");
	is_str(fact("r", "branch"), "trunk", "as the branch");
	is_str(fact("r", "commit"), git("r", "rev-parse HEAD").s, "and its commit");
	ok(looks_at("r", "/packed-refs") && looks_at("r", "/HEAD") && looks_at("r", "refs/heads/trunk") && looks_at("r", "/index"),
	   "all that is looked at");
}

static void elsewhere(void)
{
	sh("cd r && git worktree add -q -b side ../wt && git branch packed && git checkout -q --detach");
	is_str(fact("r", "branch"), NULL, "detached: no branch");
	is_str(fact("r", "commit"), git("r", "rev-parse HEAD").s, "but a commit");
	is_str(fact("wt", "branch"), "side", "a work tree has its own branch");
	is_str(tracked("wt"), "f sub-x sub/ws/g", "and index");
	ok(looks_at("wt", "worktrees/wt/HEAD") && looks_at("wt", "/r/.git/refs/heads/side"), "and looks at its own HEAD");
	sh("git init -q m && cd m && git config user.name t && git config user.email t@example.org && "
	   "git -c protocol.file.allow=always submodule add -q ../r lib && echo x >lib-a && git add . && git commit -qm m");
	is_str(tracked("m"), ".gitmodules lib-a lib/f lib/sub-x lib/sub/ws/g", "files of a submodule are tracked");
	is_str(fact("m/lib/sub", "commit"), git("r", "rev-parse HEAD").s, "in a submodule its own commit counts");
	is_str(fact("m", "dirty"), "false", "a submodule at its commit is clean");
	sh("cd m && git submodule deinit -q lib");
	is_str(tracked("m"), ".gitmodules lib-a", "one that is not there has none");
	sh("mkdir -p r/empty/.git/x");
	is_str(tracked("r/empty"), "", "a folder .git that is no repository is passed by");
	sh("rm -r r/empty");
}

static void formats(void)
{
	sh("cd r && git config core.repositoryformatversion 1 && git config extensions.worktreeConfig true");
	is_str(fact("r", "commit"), git("r", "rev-parse HEAD").s, "extensions that change nothing here are fine");
	sh("cd r && git config extensions.objectFormat sha256");
	ok(str_find(fact("r", "commit"), S("sha256")) > 0, "another object format is refused by name");
	sh("cd r && git config extensions.objectFormat sha1");
	is_str(fact("r", "commit"), git("r", "rev-parse HEAD").s, "sha1 by name is fine");
	sh("cd r && git config extensions.unheard true");
	ok(str_starts(fact("r", "commit"), S("error: unable to open the git repository")), "one that nobody knows is refused");
	sh("cd r && sed -i /unheard/d .git/config && printf garbage >.git/index");
	ok(str_starts(tracked("r"), S("error: ")), "a damaged index is an error");
}

int main(void)
{
	scratch_make();
	outside();
	plain();
	tags();
	elsewhere();
	formats();
	scratch_remove();
	arena_release(&arena);
	return done();
}
