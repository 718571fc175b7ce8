/* The SSH server of hostssh.h, asked by OpenSSH's client on loopback. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/child.h"
#include "sys/file.h"
#include "sys/hostssh.h"
#include "sys/loop.h"
#include "tap.h"

static char top[] = "/tmp/cairn-u-hostssh.XXXXXX";
static struct arena arena;
static struct loop *loop;
static struct hostssh *ssh;
static const char *methods = "password";

static const char *in_top(const char *name) { return str_fmt(&arena, "%s/%s", top, name).s; }

static struct str contents(const char *name)
{
	struct str text = {0};

	file_read(&arena, AT_FDCWD, in_top(name), 64u << 20, &text, NULL);
	return text.s ? text : S("");
}

static void put(const char *name, struct str text, mode_t mode)
{
	ok(file_write(AT_FDCWD, in_top(name), text, mode, NULL) == 0, "%s is written", name);
}

static struct hostssh_server *serve(void)
{
	static const char *const env[] = {"PATH=/usr/bin:/bin", "MINE=yes", NULL};
	struct hostssh_how how = {"127.0.0.1", env, top};
	struct err err = ERR_INIT;
	struct hostssh_server *s = hostssh_serve(ssh, &how, &err);

	if (!s)
		printf("# %s\n", err.text);
	err_release(&err);
	return s;
}

/* ---- a client; what it says is in out and err, its wait status in `ended` ---- */

static int ended;
static void on_ended(void *ctx, int status, const struct rusage *usage)
{
	(void)ctx, (void)usage;
	ended = status;
}

static pid_t client_start(struct hostssh_server *s, const char *user, const char *token, const char *const *more, const char *input)
{
	const char *argv[32], *env[8];
	size_t n = 0;
	CLEANUP_FD int in = open(input, O_RDONLY | O_CLOEXEC);
	CLEANUP_FD int out = open(in_top("out"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CLEANUP_FD int err = open(in_top("err"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct child c = {.argv = argv, .env = env, .dir = top, .in = in, .out = out, .err = err};

	argv[n++] = "ssh";
	argv[n++] = "-F";
	argv[n++] = "none";
	argv[n++] = "-o";
	argv[n++] = str_fmt(&arena, "UserKnownHostsFile=%s/known", top).s;
	argv[n++] = "-o";
	argv[n++] = "StrictHostKeyChecking=yes";
	argv[n++] = "-o";
	argv[n++] = str_fmt(&arena, "PreferredAuthentications=%s", methods).s;
	argv[n++] = "-p";
	argv[n++] = str_fmt(&arena, "%u", hostssh_port(s)).s;
	argv[n++] = str_fmt(&arena, "%s@127.0.0.1", user).s;
	for (; *more; more++)
		argv[n++] = *more;
	argv[n] = NULL;
	env[0] = "PATH=/usr/bin:/bin";
	env[1] = str_fmt(&arena, "SSH_ASKPASS=%s/askpass", top).s;
	env[2] = "SSH_ASKPASS_REQUIRE=force";
	env[3] = str_fmt(&arena, "TOKEN=%s", token).s;
	env[4] = str_fmt(&arena, "HOME=%s", top).s;
	env[5] = NULL;
	ended = -1;
	if (child_start(&c, NULL) < 0)
		return -1;
	loop_child(loop, c.pid, on_ended, NULL);
	return c.pid;
}

static int client_end(void)
{
	while (ended == -1 && loop_turn(loop, -1, NULL) == 0)
		;
	return WIFEXITED(ended) ? WEXITSTATUS(ended) : 1000 + WTERMSIG(ended);
}

#define WORDS(...) (const char *const[]){__VA_ARGS__, NULL}
static int client(struct hostssh_server *s, const char *user, const char *token, const char *const *more, const char *input)
{
	struct str known = hostssh_known(s);

	file_write(AT_FDCWD, in_top("known"), known, 0600, NULL);
	return client_start(s, user, token, more, input) < 0 ? -1 : client_end();
}
static int command(struct hostssh_server *s, const char *text)
{
	return client(s, "cairn", hostssh_token(s), WORDS(text), "/dev/null");
}

/* ---- what is promised ---- */

static void commands(void)
{
	struct hostssh_server *s = serve();

	if (!ok(s, "there is a server"))
		return;
	is_int(command(s, "echo out; echo err >&2; exit 42"), 42, "the status is the command's");
	is_str(contents("out"), "out\n", "its output is its own");
	ok(str_find(contents("err"), S("err\n")) >= 0, "and so are its errors");
	is_int(command(s, "pwd -P; echo $MINE; test -z \"$HOME\""), 0, "it has the folder and environment that were given");
	is_str(contents("out"), str_fmt(&arena, "%s\nyes\n", top).s, "and no other");
	is_int(command(s, "kill -TERM $$"), 255, "a signal ends it");
	put("input", S("line\n"), 0600);
	is_int(client(s, "cairn", hostssh_token(s), WORDS("cat; echo end"), in_top("input")), 0, "input");
	is_str(contents("out"), "line\nend\n", "arrives, and ends");
	is_int(command(s, "head -c 5000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero | tr '\\0' y >&2"), 0, "much output");
	is_int((int)contents("out").n, 5000000, "comes whole");
	is_int((int)contents("err").n, 3000000, "on both streams");
	hostssh_end(s);
}

static void big_input(void)
{
	struct hostssh_server *s = serve();
	CLEANUP_BUF struct buf big = BUF_INIT(BUF_UNLIMITED);

	for (int i = 0; i < 500000; i++)
		buf_z(&big, "0123456789");
	put("big", buf_view(&big), 0600);
	is_int(client(s, "cairn", hostssh_token(s), WORDS("sleep 0.3; cksum; exit 3"), in_top("big")), 3, "much input, read late");
	ok(str_find(contents("out"), S(" 5000000\n")) > 0, "arrives whole");
	is_int(client(s, "cairn", hostssh_token(s), WORDS("exit 4"), in_top("big")), 4, "input that nobody reads holds nothing up");
	hostssh_end(s);
}

static void refusals(void)
{
	struct hostssh_server *s = serve(), *other = serve();
	char *old = strdup(hostssh_token(s)), wrong[65];
	unsigned port = hostssh_port(s);

	memcpy(wrong, old, sizeof(wrong));
	wrong[63] = wrong[63] == '0' ? '1' : '0';
	is_int(client(s, "cairn", wrong, WORDS("touch entered"), "/dev/null"), 255, "a wrong token is refused");
	is_int(client(s, "cairn", "", WORDS("touch entered"), "/dev/null"), 255, "so is an empty one");
	is_int(client(s, "root", old, WORDS("touch entered"), "/dev/null"), 255, "another user");
	is_int(client(other, "cairn", old, WORDS("touch entered"), "/dev/null"), 255, "the token of another server");
	methods = "publickey,keyboard-interactive";
	is_int(client(s, "cairn", old, WORDS("touch entered"), "/dev/null"), 255, "another way to prove oneself");
	methods = "password";
	is_int(client(s, "cairn", old, WORDS("-tt", "true"), "/dev/null"), 255, "there is no terminal");
	is_int(client(s, "cairn", old, WORDS("-s", "sftp"), "/dev/null"), 255, "no subsystem");
	is_int(client(s, "cairn", old, WORDS("-T"), "/dev/null"), 255, "no shell");
	is_int(client(s, "cairn", old, WORDS("-W", str_fmt(&arena, "127.0.0.1:%u", port).s), "/dev/null"), 255, "no way to other ports");
	is_int(client(s, "cairn", old, WORDS("-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:1", "true"), "/dev/null"), 255, "nor back");
	is_int(command(s, "true"), 0, "the right one still goes");
	hostssh_end(s);
	ok(access(in_top("entered"), F_OK) < 0, "no command was run");
	free(old);
	hostssh_end(other);
}

static bool gone(pid_t pid) { return kill(pid, 0) < 0; }

static void ends(void)
{
	struct hostssh_server *s = serve();
	pid_t pid, client_pid;

	put("known", hostssh_known(s), 0600);
	client_pid = client_start(s, "cairn", hostssh_token(s), WORDS("echo $$ >pid.new; mv pid.new pid; sleep 1000"), "/dev/null");
	ok(client_pid > 0, "a client begins");
	while (access(in_top("pid"), F_OK) < 0 && ended == -1)
		loop_turn(loop, 100, NULL);
	pid = (pid_t)strtol(contents("pid").s, NULL, 10);
	ok(pid > 0 && !gone(pid), "a command runs");
	hostssh_end(s);
	ok(gone(pid), "the server's end is the command's");
	is_int(client_end(), 255, "and the connection's");

	s = serve();
	unlink(in_top("pid"));
	put("known", hostssh_known(s), 0600);
	client_pid = client_start(s, "cairn", hostssh_token(s), WORDS("echo $$ >pid.new; mv pid.new pid; sleep 1000"), "/dev/null");
	while (access(in_top("pid"), F_OK) < 0 && ended == -1)
		loop_turn(loop, 100, NULL);
	pid = (pid_t)strtol(contents("pid").s, NULL, 10);
	kill(client_pid, SIGKILL);
	for (int i = 0; i < 600 && !gone(pid); i++)
		loop_turn(loop, 100, NULL);
	ok(gone(pid), "a command ends when nobody waits for it any more");
	hostssh_end(s);
}

int main(void)
{
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(top) || !(loop = loop_open(&err)) || !(ssh = hostssh_open(loop, &err)))
		BUG("unable to begin: %s", err.text ? err.text : "");
	put("askpass", S("#!/bin/sh\necho \"$TOKEN\"\n"), 0700);
	commands();
	big_input();
	refusals();
	ends();
	hostssh_close(ssh);
	loop_close(loop);
	file_remove_tree(AT_FDCWD, top, NULL);
	arena_release(&arena);
	return done();
}
