#include "cli/hook-run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/vec.h"
#include "cli/hook-check.h"
#include "cli/show.h"
#include "sys/file.h"
#include "sys/gitrun.h"
#include "sys/module.h"

#define REFS_MAX (16u << 20)            /* a line a ref */
#define HEX_MAX 64

struct ref { struct str local, oid, remote, before; };
struct refs { VEC(struct ref) v; };

static bool is_zero(struct str oid)
{
	for (size_t i = 0; i < oid.n; i++)
		if (oid.s[i] != '0')
			return false;
	return true;
}

static bool is_oid(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789abcdef", s.s[i]))
			return false;
	return s.n == 40 || s.n == HEX_MAX;
}

/* "refs/heads/x 1234... refs/heads/x 0000...", a line a ref; nothing at all when nothing is pushed. */
static int read_refs(struct arena *a, struct refs *refs, struct err *err)
{
	struct str all, line, rest;

	struct stat st;

	if (isatty(STDIN_FILENO) || (fstat(STDIN_FILENO, &st) == 0 && S_ISCHR(st.st_mode)))
		return err_set(err, ERR_USAGE, "unable to check: git gives a pre-push hook the refs on standard input, which is a device here; "
			       "what starts it must hand them on (lefthook: use_stdin: true)");
	if (file_read(a, AT_FDCWD, "/proc/self/fd/0", REFS_MAX, &all, err) != 1)
		return err_wrap(err, "unable to read the refs that are pushed");
	while (str_cut(&all, '\n', &line)) {
		struct ref ref;

		rest = line;
		if (!str_cut(&rest, ' ', &ref.local) || !str_cut(&rest, ' ', &ref.oid) || !str_cut(&rest, ' ', &ref.remote) ||
		    !str_cut(&rest, ' ', &ref.before) || rest.n || !is_oid(ref.oid) || !is_oid(ref.before))
			return err_set(err, ERR_USAGE, "unable to read the refs that are pushed: \"" STR_FMT "\" is no line of git's", STR_ARG(line));
		vec_add(&refs->v, ref);
	}
	return 0;
}

static struct str short_ref(struct str ref)
{
	static const char *const heads[] = {"refs/heads/", "refs/tags/"};

	for (size_t i = 0; i < countof(heads); i++)
		if (str_starts(ref, str_of(heads[i])))
			return str_from(ref, strlen(heads[i]));
	return ref;
}

static int push(struct arena *a, const struct hook_call *call, struct checker *c, struct err *err)
{
	struct refs refs = {0};
	int status = read_refs(a, &refs, err);

	if (status == 0 && !refs.v.n)
		check_say("pre-push: no ref came on standard input, so nothing is checked");
	for (size_t i = 0; i < refs.v.n && status == 0; i++) {
		const struct ref *ref = &refs.v.v[i];
		struct check check = {.label = short_ref(ref->remote), .rev = str_dup(a, ref->oid)};

		if (is_zero(ref->oid))
			continue;               /* it is deleted: there is nothing to check */
		if (!is_zero(ref->before))
			check.before = str_dup(a, ref->before);
		check.remote = call->remote;
		status = check_one(c, &check, err);
	}
	vec_free(&refs.v);
	return status;
}

/* What the index holds, as git has it for the commit under way. */
static int commit(struct arena *a, struct checker *c, struct err *err)
{
	CLEANUP_BUF struct buf tree = BUF_INIT(256);
	struct check check = {.label = S("what is staged")};

	if (git_must(c->top.s, GIT_ENV_OWN, (const char *const[]){"write-tree", NULL}, &tree, err) < 0)
		return -1;
	check.rev = str_dup(a, str_trim(buf_view(&tree)));
	check.before = S("HEAD");
	return check_one(c, &check, err);
}

static bool left_out(const struct hook_call *call)
{
	const char *said = getenv("CAIRN_HOOK");

	if (!said || strcmp(said, "0") != 0)
		return false;
	check_say("%s: nothing is checked (CAIRN_HOOK=0)", call->name);
	return true;
}

static int checker_open(struct arena *a, const struct hook_call *call, struct checker *c, struct err *err)
{
	char *cwd = realpath(".", NULL);

	if (!cwd)
		return err_errno(err, "unable to find the current folder");
	*c = (struct checker){.arena = a, .name = call->name, .words = call->words, .color = call->color, .top = str_dup(a, str_of(cwd))};
	free(cwd);
	return check_folder(a, c->top, &c->words, &c->state, err);
}

int hook_run(struct arena *a, const struct hook_call *call, struct err *err)
{
	struct checker c;
	int status;

	if (left_out(call))
		return 0;
	if (checker_open(a, call, &c, err) < 0)
		return -1;
	status = strcmp(call->name, "pre-push") ? commit(a, &c, err) : push(a, call, &c, err);
	if (status)
		check_say("%s: refused; `git %s --no-verify`, or CAIRN_HOOK=0 in the environment, goes past the check", call->name, call->name + 4);
	return status;
}

int hook_forget(struct arena *a, struct str top, const struct hook_words *words, struct err *err)
{
	struct checker c = {.arena = a, .top = top, .words = *words};

	return check_folder(a, top, words, &c.state, err) < 0 || check_forget(&c, err) < 0 ? -1 : 0;
}
