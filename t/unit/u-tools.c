#include "resolve/tools.h"

#include "scratch.h"
#include "sys/sha.h"

static struct arena arena;
static struct content *content;
static struct tools *tools;
static char memo[4200];

static void begin(const char *path)
{
	struct str full = str_fmt(&arena, "%s", "");

	/* each part of path that begins with "@" is in the scratch folder */
	for (const char *c = path; *c; c++)
		full = *c == '@' ? str_fmt(&arena, STR_FMT "%s", STR_ARG(full), scratch_path) : str_fmt(&arena, STR_FMT "%c", STR_ARG(full), *c);
	snprintf(memo, sizeof(memo), "%s/memo", scratch_path);
	sh("mkdir -p w");
	content = content_open(&arena, open(str_fmt(&arena, "%s/w", scratch_path).s, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			       str_fmt(&arena, "%s/w", scratch_path), NULL, NULL);
	tools = tools_open(&arena, content, str_fmt(&arena, "%s/w", scratch_path), full, memo);
}

static void end(void)
{
	tools_save(tools, NULL);
	tools_close(tools);
	content_close(content);
}

static struct key_tool program(const char *name, const char *dir)
{
	struct key_tool out = {0};

	tools_program(tools, str_of(name), str_of(dir), &out, NULL);
	return out;
}

static bool found_at(const char *name, const char *dir, const char *path)
{
	struct key_tool tool = program(name, dir);
	struct str want = *path == '@' ? str_fmt(&arena, "%s%s", scratch_path, path + 1) : str_of(path);

	return str_eq(tool.path, want) && tool.digest.algo && str_is(tool.name, name);
}

static bool looked(const char *path)
{
	struct str want = str_fmt(&arena, "%s/%s", scratch_path, path);
	size_t n;
	const struct tools_look *v = tools_looked(tools, &n);

	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].path, want))
			return true;
	return false;
}

static void programs(void)
{
	sh("mkdir -p a b c w/bin w/sub/bin && printf '#!/bin/sh\\n' >b/real && chmod +x b/real && ln -s ../b/real c/link && ln -s link c/tool && "
	   "printf x >a/tool && mkdir a/dir && cp b/real w/bin/own && cp b/real w/sub/bin/near && ln -s c viac");
	begin("@/a:@/viac:bin:");
	ok(found_at("tool", "", "@/b/real"), "through links to the file, past what can't be executed");
	ok(looked("a/tool") && looked("viac") && looked("c/tool") && looked("c/link") && looked("b/real"), "all on the way is looked at");
	ok(found_at("own", "", "bin/own"), "a relative part of PATH; a program in the workspace by its relative name");
	ok(found_at("near", "sub", "sub/bin/near"), "is relative to the step's folder");
	is_str(program("near", "").path, NULL, "not to another");
	ok(looked("a/near") && looked("c/near") && looked("w/bin/near"), "where it was sought in vain is looked at");
	ok(found_at("./bin/own", "", "bin/own") && found_at("../bin/own", "sub", "bin/own"), "a name with a slash is relative to the folder");
	ok(found_at(str_fmt(&arena, "%s/c/tool", scratch_path).s, "sub", "@/b/real"), "or absolute");
	is_str(program("dir", "").path, NULL, "a folder is no program");
	is_str(program("", "").path, NULL, "nor is nothing");
	is_str(program("none", "").path, NULL, "nor what is not there");
	end();
}

static int command(const char *a, const char *b, struct key_tool *out, struct str *text)
{
	struct str words[] = {str_of(a), str_of(b)};
	struct err err = ERR_INIT;
	int rc = tools_command(tools, words, countof(words), S(""), out, &err);

	*text = str_dup(&arena, str_of(err.text ? err.text : ""));
	err_release(&err);
	return rc;
}

static bool said(const struct key_tool *tool, const char *text)
{
	struct digest want;

	sha256_bytes(text, strlen(text), &want);
	return digest_eq(&tool->digest, &want);
}

static int runs(void)
{
	struct str text = {0};
	int n = 0;

	file_read(&arena, scratch_fd, "runs", 1 << 16, &text, NULL);
	for (size_t i = 0; i < text.n; i++)
		n += text.s[i] == '\n';
	return n;
}

static void commands(void)
{
	struct key_tool tool;
	struct str text;

	sh("cp \"$(command -v env)\" a/env && cp \"$(command -v ls)\" a/ls && printf '#!/bin/sh\\necho run >>%s/runs; echo v$1; echo e >&2\\n' >a/script && "
	   "chmod +x a/*; : >runs", scratch_path);
	begin("@/a");
	is_int(command("script", "1", &tool, &text), 0, "a command");
	ok(said(&tool, "v1\ne\n"), "both its streams count");
	is_str(tool.name, "script 1", "its name is the line");
	is_int(command("script", "1", &tool, &text), 0, "again");
	is_int(runs(), 1, "runs once");
	command("script", "2", &tool, &text);
	ok(said(&tool, "v2\ne\n") && runs() == 2, "other words run anew");
	end();
	begin("@/a");
	command("script", "1", &tool, &text);
	is_int(runs(), 3, "a script runs again the next time, since what it starts is not known");
	is_int(command("env", "--version", &tool, &text), 0, "a binary");
	end();
	sh("cp memo memo1");
	begin("@/a");
	is_int(command("env", "--version", &tool, &text), 0, "the next time");
	end();
	sh("cmp memo memo1");
	ok(true, "is answered by the memo");
	sh("printf x >>a/env");
	begin("@/a");
	command("env", "--version", &tool, &text);
	end();
	sh("! cmp memo memo1");
	ok(true, "unless the program is another");
	begin("@/a");
	is_int(command("env", "--none", &tool, &text), -1, "a command that fails is an error");
	ok(str_find(text, S("`env --none`")) > 0 && str_find(text, S("status 125")) > 0, "that names it and its status");
	is_int(command("none", "x", &tool, &text), 0, "one that is not there is none");
	is_str(tool.path, NULL, "and absent");
	end();
	sh("printf '#!/bin/sh\\nhead -c 2000000 /dev/zero\\n' >a/loud && chmod +x a/loud");
	begin("@/a:/usr/bin:/bin");
	is_int(command("loud", "x", &tool, &text), -1, "one that says too much is refused");
	ok(str_find(text, S("prints more than")) > 0, "for that reason");
	end();
	sh("printf junk >memo");
	begin("@/a");
	is_int(command("env", "--version", &tool, &text), 0, "a damaged memo is passed by");
	end();
}

static void packages(void)
{
	struct digest a, b;
	size_t n;

	begin("");
	ok(tools_packages(tools, &a, NULL) == 0, "packages");
	ok(a.algo == (access("/var/lib/dpkg/status", R_OK) == 0 || access("/var/lib/rpm", R_OK) == 0 ||
		      access("/usr/lib/sysimage/rpm", R_OK) == 0 || access("/lib/apk/db/installed", R_OK) == 0), "where there is a database");
	ok(tools_packages(tools, &b, NULL) == 0 && digest_eq(&a, &b), "the same again");
	tools_looked(tools, &n);
	ok(n > 3, "and every place is looked at");
	end();
}

int main(void)
{
	scratch_make();
	programs();
	commands();
	packages();
	scratch_remove();
	arena_release(&arena);
	return done();
}
