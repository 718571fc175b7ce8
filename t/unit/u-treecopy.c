#include "scratch.h"
#include "sys/treecopy.h"

static int from, to;

static void fresh(void)
{
	if (from > 0)
		close(from), close(to);
	sh("chmod -R u+rwX . && rm -rf a b && mkdir a b && chmod 755 . a && chmod 777 b");
	from = openat(scratch_fd, "a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	to = openat(scratch_fd, "b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Does the command, in the scratch folder, succeed? */
static bool holds(const char *command)
{
	char all[8192];
	snprintf(all, sizeof(all), "cd '%s' && { %s; } >/dev/null 2>&1", scratch_path, command);
	return system(all) == 0;
}

#define LISTING "find . -mindepth 1 -printf '%%y %%m %%U %%G %%T@ %%p %%l\\n' | sort"

static void alike(void)
{
	struct tree_copy t = {0};
	struct err err = ERR_INIT;
	fresh();
	sh("cd a && mkdir -p d/e/empty 'sp ace' && echo x >d/f && echo y >d/e/g && printf z >'sp ace/n\nl' && : >none && ln d/f hard");
	sh("cd a && ln -s d/f l && ln -s /nowhere far && mkfifo p && chmod 4751 d/f && chmod 444 d/e/g && chmod 1777 d/e/empty");
	sh("cd a && for i in $(seq 100); do echo $i >many$i; done; touch -d 2001-01-01 d/f d/e d; touch -hd 2002-02-02 l; chmod 555 d/e");
	if (geteuid() == 0)
		sh("cd a && chown 1000:1001 none && chown -h 1000:1001 l");
	is_int(tree_copy(from, to, &t, &err), 0, "a tree is copied");
	err_release(&err);
	ok(t.nunread == 0 && !t.unread, "whole");
	sh("(cd a && " LISTING ") >want; (cd b && " LISTING ") >got");
	ok(holds("cmp want got"), "types, modes, owners, times and links are those of the first");
	ok(holds("diff -r --no-dereference --exclude=p a b"), "so is what files hold");
	ok(holds("test $(stat -c %h b/hard) = 1"), "hard links are files of their own");
}

static bool no_d(void *ctx, struct str path, const struct stat *st)
{
	++*(int *)ctx;
	return str_is(path, "d") && S_ISDIR(st->st_mode);
}

static void less(void)
{
	int asked = 0;
	struct tree_copy t = {.leave_out = no_d, .ctx = &asked};
	struct err err = ERR_INIT;
	atomic_bool stop = true;
	fresh();
	sh("cd a && mkdir -p d/e c && echo x >d/f && echo y >c/d");
	ok(tree_copy(from, to, &t, NULL) == 0 && holds("test ! -e b/d -a -f b/c/d"), "what is to be left out is");
	is_int(asked, 3, "of a folder nothing else is asked for");
	fresh();
	sh("cd a && echo x >f");
	t = (struct tree_copy){.stop = &stop};
	ok(tree_copy(from, to, &t, &err) < 0 && err.text, "it can be stopped");
	err_release(&err);
	fresh();
	sh("cd a && mkdir no && echo x >no/f && echo x >nor && echo x >yes && chmod 0 no nor");
	if (geteuid() == 0)
		sh("chown 65534 b");
	t = (struct tree_copy){0};
	bool root = geteuid() == 0;
	int rc = root && seteuid(65534) ? -1 : tree_copy(from, to, &t, &err);
	if (root && seteuid(0))
		exit(1);
	ok(rc == 0 && holds("test -e b/yes -a ! -e b/nor -a ! -e b/no"), "what can't be read is left out");
	ok(t.nunread == 2 && t.unread && str_starts(str_of(t.unread), S("no")), "counted and named");
	err_release(&err);
	free(t.unread);
}

static void one(void)
{
	struct err err = ERR_INIT;
	fresh();
	sh("cd a && mkdir -p d/e && echo x >d/e/f && chmod 500 d && ln -s x l && echo y >f && chmod 640 f && mkfifo p");
	is_int(tree_copy_one(from, "d", to, "d2", NULL), 0, "a folder alone");
	ok(holds("test -f b/d2/e/f && test $(stat -c %a b/d2) = 500"), "with its mode");
	is_int(tree_copy_one(from, "l", to, "l2", NULL), 0, "a link");
	is_int(tree_copy_one(from, "f", to, "f2", NULL), 0, "a file");
	ok(holds("test $(readlink b/l2) = x && test $(stat -c %a b/f2) = 640"), "are what they were");
	ok(tree_copy_one(from, "f", to, "f2", &err) < 0 && err.text, "what stands in the way is not replaced");
	err_release(&err);
	ok(tree_copy_one(from, "p", to, "p", &err) < 0 && strstr(err.text, "neither"), "a pipe is refused");
	err_release(&err);
	ok(tree_copy_one(from, "none", to, "n", &err) < 0, "so is what is not there");
	err_release(&err);
}

int main(void)
{
	scratch_make();
	alike();
	less();
	one();
	scratch_remove();
	return done();
}
