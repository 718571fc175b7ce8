#include "resolve/tools.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/map.h"
#include "base/path.h"
#include "resolve/links.h"
#include "resolve/memo.h"
#include "sys/child.h"
#include "sys/sha.h"

struct tools {
	struct arena *arena;
	struct content *content;
	struct str root, path, first;   /* path: of the look-ups now, first: of tools_open */
	bool unsure;
	struct memo memo;
	struct map found;               /* -> struct key_tool * */
	struct map seen;                /* paths that are in looked */
	VEC(struct tools_look) looked;
};

struct tools *tools_open(struct arena *arena, struct content *content, struct str root, struct str path, const char *memo_file)
{
	struct tools *t = arena_new(arena, struct tools);

	*t = (struct tools){.arena = arena, .content = content, .root = root, .path = str_dup(arena, path)};
	t->first = t->path;
	memo_open(&t->memo, arena, memo_file ? str_dup(arena, str_of(memo_file)).s : NULL);
	return t;
}

void tools_search(struct tools *t, struct str path)
{
	if (!path.s)
		t->path = t->first;
	else if (!str_eq(path, t->path))
		t->path = str_dup(t->arena, path);
}

bool tools_unsure(const struct tools *t) { return t->unsure; }

int tools_save(struct tools *t, struct err *err) { return memo_save(&t->memo, err); }

void tools_close(struct tools *t)
{
	memo_release(&t->memo);
	map_release(&t->found);
	map_release(&t->seen);
	vec_free(&t->looked);
}

const struct tools_look *tools_looked(const struct tools *t, size_t *n)
{
	*n = t->looked.n;
	return t->looked.v;
}

static void look(struct tools *t, struct str path)
{
	struct tools_look new = {0};

	if (map_has(&t->seen, path))
		return;
	new.path = str_dup(t->arena, path);
	map_put(&t->seen, new.path, NULL);
	if (file_ident(AT_FDCWD, new.path.s, &new.ident, NULL) >= 0)
		vec_add(&t->looked, new);
}

/* --- programs --- */

/* 1: path leads to a program, which *real is; 0. All that this rests on is looked at. */
static int is_program(struct tools *t, struct str path, struct str *real, struct err *err)
{
	struct hops hops = {0};
	struct ident ident;
	int got = links_follow(t->arena, path, &hops, real, &ident, err);

	for (size_t i = 0; i < hops.n; i++)
		look(t, hops.v[i].path);
	vec_free(&hops);
	if (got < 0)
		return -1;
	look(t, *real);
	return got && S_ISREG(ident.mode) && faccessat(AT_FDCWD, real->s, X_OK, AT_EACCESS) == 0;
}

static struct str in_folder(struct tools *t, struct str folder, struct str dir, struct str name)
{
	struct str base = t->root;

	if (folder.n && folder.s[0] == '/')
		return str_fmt(t->arena, STR_FMT "/" STR_FMT, STR_ARG(folder), STR_ARG(name));
	return str_fmt(t->arena, STR_FMT "/" STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(base), STR_ARG(dir), STR_ARG(folder), STR_ARG(name));
}

/* As child_which looks. 1, 0, -1. */
static int search(struct tools *t, struct str name, struct str dir, struct str *real, struct err *err)
{
	struct str path = t->path;

	if (!name.n)
		return 0;
	if (name.s[0] == '/')
		return is_program(t, name, real, err);
	if (str_chr(name, '/') >= 0)
		return is_program(t, in_folder(t, S(""), dir, name), real, err);
	for (bool more = true; more;) {
		ptrdiff_t colon = str_chr(path, ':');
		struct str folder = colon >= 0 ? str_head(path, colon) : path;
		struct err closed = ERR_INIT;   /* a folder that can't be searched is passed over, as every shell does */
		int got = is_program(t, in_folder(t, folder, dir, name), real, &closed);

		err_release(&closed);
		if (got > 0)
			return got;
		more = colon >= 0;
		if (more)
			path = str_from(path, colon + 1);
	}
	return 0;
}

static struct str known_as(const struct tools *t, struct str path)
{
	if (path_within(path, t->root) && path.n > t->root.n)
		return str_from(path, t->root.n + !str_is(t->root, "/"));
	return path;
}

static struct key_tool *kept(struct tools *t, const struct str *words, size_t n, struct str dir, const char *kind, bool *fresh)
{
	CLEANUP_BUF struct buf key = BUF_INIT(BUF_UNLIMITED);
	void **place;

	buf_z(&key, kind);
	buf_str(&key, dir);
	if (t->path.s != t->first.s) {
		buf_c(&key, 0);
		buf_str(&key, t->path);
	}
	for (size_t i = 0; i < n; i++) {
		buf_c(&key, 0);
		buf_str(&key, words[i]);
	}
	*fresh = !map_has(&t->found, buf_view(&key));
	if (!*fresh)
		return map_get(&t->found, buf_view(&key));
	place = map_put(&t->found, str_dup(t->arena, buf_view(&key)), NULL);
	return *place = arena_new(t->arena, struct key_tool);
}

/* real: its absolute path. */
static int find_program(struct tools *t, struct str name, struct str dir, struct key_tool *out, struct str *real, struct err *err)
{
	struct entry entry;
	int got = search(t, name, dir, real, err);

	*out = (struct key_tool){.name = str_dup(t->arena, name)};
	if (got < 0)
		return err_wrap(err, "unable to find the program " STR_FMT, STR_ARG(name));
	if (!got)
		return 0;
	if (content_entry(t->content, known_as(t, *real), &entry, NULL, NULL, err) < 0)
		return err_wrap(err, "unable to identify the program " STR_FMT, STR_ARG(name));
	if (entry.type != ENTRY_FILE)
		return 0;
	out->path = known_as(t, *real);
	out->digest = entry.digest;
	return 0;
}

int tools_program(struct tools *t, struct str name, struct str dir, struct key_tool *out, struct err *err)
{
	bool fresh, everywhere = name.n && name.s[0] == '/';
	struct key_tool *tool = kept(t, &name, 1, everywhere ? S("") : dir, "program ", &fresh);
	struct key_tool found;
	struct str real;

	if (!fresh && tool->name.s) {
		*out = *tool;
		return 0;
	}
	if (find_program(t, name, dir, &found, &real, err) < 0)
		return -1;
	*out = *tool = found;
	return 0;
}

/* --- commands --- */

static struct str joined(struct arena *arena, const struct str *words, size_t n)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);

	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_c(&b, ' ');
		buf_str(&b, words[i]);
	}
	return str_dup(arena, buf_view(&b));
}

static void memo_key(const struct tools *t, const struct str *words, size_t n, const struct key_tool *program, struct digest *out)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);
	const char *home = getenv("HOME");
	uint32_t count = n;

	buf_add(&b, program->digest.bytes, sizeof(program->digest.bytes));
	buf_add(&b, &count, sizeof(count));
	for (size_t i = 0; i < n; i++) {
		buf_str(&b, words[i]);
		buf_c(&b, 0);
	}
	buf_str(&b, program->path);
	buf_c(&b, 0);
	buf_str(&b, t->path);
	buf_c(&b, 0);
	buf_z(&b, home ? home : "");
	sha256_bytes(b.s, b.n, out);
}

static bool is_script(const char *path)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	char head[2];

	return fd >= 0 && read(fd, head, 2) == 2 && head[0] == '#' && head[1] == '!';
}

static int check_status(struct str line, int status, struct str output, struct err *err)
{
	struct str first = S("");

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	output = str_trim(output);
	str_cut(&output, '\n', &first);
	return err_set(err, ERR_SYSTEM, "unable to identify a tool by `" STR_FMT "`: it ended with %s %d%s" STR_FMT, STR_ARG(line),
		       WIFEXITED(status) ? "status" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
		       first.n ? ": " : "", STR_ARG(first));
}

/* real: the program's absolute path. */
static int run_command(struct tools *t, const struct str *words, size_t n, struct str real, struct digest *out, struct err *err)
{
	CLEANUP_BUF struct buf output = BUF_INIT(TOOLS_OUTPUT_MAX);
	const char **argv = arena_array(t->arena, n + 1, const char *);
	const char *home = getenv("HOME");
	const char *env[] = {
		str_fmt(t->arena, "PATH=" STR_FMT, STR_ARG(t->path)).s, "LC_ALL=C",
		home ? str_fmt(t->arena, "HOME=%s", home).s : NULL, NULL,
	};
	struct child child = {.argv = argv, .env = env, .dir = str_dup(t->arena, t->root).s, .in = -1, .out = -1, .err = -1};
	struct str line = joined(t->arena, words, n);
	int status;

	/* by the name it has in PATH, which some programs go by; found where it was found before */
	for (size_t i = 0; i < n; i++)
		argv[i] = str_dup(t->arena, words[i]).s;
	if (str_chr(words[0], '/') >= 0 || known_as(t, real).n < real.n)
		argv[0] = real.s;
	if (child_output(&child, true, TOOLS_TIMEOUT, &output, &status, err) < 0)
		return err_wrap(err, "unable to identify a tool by `" STR_FMT "`", STR_ARG(line));
	if (check_status(line, status, buf_view(&output), err) < 0)
		return -1;
	if (output.full)
		return err_set(err, ERR_SYSTEM, "unable to identify a tool by `" STR_FMT "`: it prints more than %u bytes", STR_ARG(line),
			       TOOLS_OUTPUT_MAX);
	sha256_bytes(output.s ? output.s : "", output.n, out);
	return 0;
}

int tools_command(struct tools *t, const struct str *words, size_t n, struct str dir, struct key_tool *out, struct err *err)
{
	bool fresh;
	struct key_tool *tool = kept(t, words, n, dir, "command ", &fresh), found;
	struct str real = {0};
	struct digest key, digest;

	if (!fresh && tool->name.s) {
		*out = *tool;
		return 0;
	}
	if (find_program(t, words[0], dir, &found, &real, err) < 0 || sha256_init(err) < 0)
		return -1;
	if (found.path.s) {
		memo_key(t, words, n, &found, &key);
		t->unsure |= is_script(real.s);
		if (is_script(real.s) || !memo_get(&t->memo, &key, &digest)) {
			if (run_command(t, words, n, real, &digest, err) < 0)
				return -1;
			if (!is_script(real.s))
				memo_put(&t->memo, &key, &digest);
		}
		found.digest = digest;
	}
	found.name = joined(t->arena, words, n);
	*out = *tool = found;
	return 0;
}

/* --- packages --- */

int tools_packages(struct tools *t, struct digest *out, struct err *err)
{
	static const char *const files[] = {
		"/var/lib/dpkg/status",
		"/var/lib/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite-wal", "/var/lib/rpm/Packages.db", "/var/lib/rpm/Packages",
		"/usr/lib/sysimage/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite-wal", "/usr/lib/sysimage/rpm/Packages.db",
		"/usr/lib/sysimage/rpm/Packages",
		"/lib/apk/db/installed", "/usr/lib/apk/db/installed",
	};
	CLEANUP_BUF struct buf all = BUF_INIT(BUF_UNLIMITED);

	*out = (struct digest){0};
	for (size_t i = 0; i < countof(files); i++) {
		struct entry entry;

		look(t, str_of(files[i]));
		if (content_entry(t->content, str_of(files[i]), &entry, NULL, NULL, err) < 0)
			return err_wrap(err, "unable to identify the installed packages");
		if (entry.type != ENTRY_FILE && entry.type != ENTRY_LINK)
			continue;
		buf_add(&all, files[i], strlen(files[i]) + 1);
		buf_add(&all, entry.digest.bytes, sizeof(entry.digest.bytes));
	}
	if (!all.n)
		return 0;
	if (sha256_init(err) < 0)
		return -1;
	sha256_bytes(all.s, all.n, out);
	return 0;
}
