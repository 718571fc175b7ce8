/* Notes of what passed: believed only whole, by the same program, while what they rest on is as it was. */
#include "cli/passed.h"
#include "scratch.h"

static struct arena arena;

static const char *dir(void) { return str_fmt(&arena, "%s/notes", scratch_path).s; }
static struct str at(const char *name) { return str_fmt(&arena, "%s/%s", scratch_path, name); }

static bool found(struct xxh name)
{
	int64_t when = 0;

	return passed_find(&arena, dir(), name, &when) && when > 0;
}

int main(void)
{
	const struct str parts[] = {S("tree"), S("ab"), S("")}, moved[] = {S("tree"), S("a"), S("b")};
	struct xxh name = passed_name(parts, 3);
	struct watch files[3] = {{.kind = WATCH_FILE}, {.path = S("relative"), .kind = WATCH_FILE, .ident = {.mode = 1}}, {.kind = WATCH_FILE}};
	struct fact_env env[] = {{S("CAIRN_T_A"), true, fact_env_hash("1")}, {S("CAIRN_T_B"), false, fact_env_hash(NULL)}};
	struct passed_facts facts = {env, countof(env), files, countof(files)};

	scratch_make();
	setenv("CAIRN_T_A", "1", 1);
	unsetenv("CAIRN_T_B");
	sh("echo tool >tool");
	files[0].path = at("tool");
	file_ident(AT_FDCWD, files[0].path.s, &files[0].ident, NULL);
	files[2].path = at("absent");
	ok(!xxh_eq(name, passed_name(moved, 3)), "parts do not run into each other");
	ok(!found(name), "nothing has passed yet");
	ok(passed_keep(dir(), name, &facts, NULL) == 0 && found(name), "what passed is found");
	ok(!found(passed_name(moved, 3)), "another is not");
	setenv("CAIRN_T_A", "2", 1);
	ok(!found(name), "with a changed variable it is not believed");
	setenv("CAIRN_T_A", "1", 1);
	setenv("CAIRN_T_B", "", 1);
	ok(!found(name), "nor with one that was not set");
	unsetenv("CAIRN_T_B");
	ok(found(name), "put back it is");
	sh("echo other >absent");
	ok(!found(name), "not when a file has come that was absent");
	sh("rm absent && echo tool >tool.new && mv tool.new tool");
	ok(!found(name), "nor when a file was replaced");
	file_ident(AT_FDCWD, files[0].path.s, &files[0].ident, NULL);
	passed_keep(dir(), name, &facts, NULL);
	ok(found(name), "a new note takes the place of the old");
	for (int at_byte = 0; at_byte < 300; at_byte += 7) {
		passed_keep(dir(), name, &facts, NULL);
		sh("for f in notes/*; do printf '\\377\\376' | dd of=$f bs=1 seek=%d conv=notrunc; done", at_byte);
		if (found(name) && !ok(false, "a damaged note is none (byte %d)", at_byte))
			break;
	}
	passed_keep(dir(), name, &facts, NULL);
	sh("for f in notes/*; do truncate -s -1 $f; done");
	ok(!found(name), "a note that was cut off is none");
	arena_release(&arena);
	scratch_remove();
	return done();
}
