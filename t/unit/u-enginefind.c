#include "runtimes/enginefind.h"

#include <dirent.h>
#include <sys/stat.h>

#include "httpserver.h"
#include "scratch.h"

static struct arena arena;
static struct loop *loop;
static struct http *http;
static struct engine_place *places;
static size_t n;
static int wanted;

static void find(const char *said)
{
	struct err err = ERR_INIT;
	struct engine_choice choice = {said ? str_of(said) : (struct str){0}, S("--engine")};
	if (engine_places(&arena, &choice, &wanted, &places, &n, &err) < 0)
		n = 0;
	err_release(&err);
}

/* The places as text, in order: "why url". */
static const char *order(void)
{
	static struct buf text = BUF_INIT(65536);
	buf_clear(&text);
	for (size_t i = 0; i < n; i++)
		buf_fmt(&text, "%s" STR_FMT, i ? " " : "", STR_ARG(places[i].url));
	return text.s ? text.s : "";
}

static bool before(const char *a, const char *b)
{
	const char *text = order(), *x = strstr(text, a), *y = strstr(text, b);
	return x && y && x < y;
}

static void clear(void)
{
	static const char *const names[] = {"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "CONTAINER_HOST",
					    "http_proxy", "https_proxy", "all_proxy"};
	for (size_t i = 0; i < countof(names); i++)
		unsetenv(names[i]);
	setenv("XDG_RUNTIME_DIR", scratch_path, 1);
}

static void orders(void)
{
	find(NULL);
	ok(before("/podman/podman.sock", "/var/run/docker.sock"), "Podman's sockets come before Docker's");
	ok(before(scratch_path, "/run/podman/podman.sock unix"), "the user's before the machine's");
	find("docker");
	ok(before("/var/run/docker.sock", "/run/podman/podman.sock"), "unless Docker is wanted");
	setenv("CONTAINER_HOST", "unix:///c", 1);
	setenv("DOCKER_HOST", "tcp://h:1", 1);
	find(NULL);
	ok(strncmp(order(), "tcp://h:1 unix:///c ", 20) == 0 && places[0].named && places[1].named && !places[2].named, "what is named comes first");
	find("podman");
	ok(strncmp(order(), "unix:///c ", 10) == 0, "the one that may be what is wanted before all");
	find("unix:///x");
	ok(n == 1 && places[0].named, "a URL is all there is");
	find("nonsense");
	is_int(n, 0, "a word that is no engine is refused");
	clear();
}

static struct engine_place one(const char *url)
{
	struct engine_place p;
	engine_place_of(&arena, str_of(url), S("x"), ENGINE_DOCKER, &p);
	return p;
}

static void urls(void)
{
	struct engine_place p = one("unix:///run/x.sock");
	is_str(p.server.socket, "/run/x.sock", "a socket");
	p = one("/run/x.sock");
	is_str(p.url, "unix:///run/x.sock", "a path is one");
	is_str(one("tcp://host").server.url, "http://host:2375", "a port that is not named");
	is_str(one("tcp://host:99/x").server.url, "http://host:99", "and one that is");
	is_str(one("tcp://[::1]").server.url, "http://[::1]:2375", "an address with colons");
	is_str(one("https://host").server.url, "https://host:2376", "TLS by the scheme");
	setenv("DOCKER_TLS_VERIFY", "1", 1);
	setenv("DOCKER_CERT_PATH", scratch_path, 1);
	sh("touch ca.pem cert.pem key.pem");
	p = one("tcp://host");
	is_str(p.server.url, "https://host:2376", "TLS by the environment");
	ok(str_ends(p.server.ca_file, S("/ca.pem")) && str_ends(p.server.cert_file, S("/cert.pem")) && str_ends(p.server.key_file, S("/key.pem")),
	   "with its files");
	clear();
	p = one("ssh://me@host:22");
	ok(p.how == PLACE_SSH && str_is(p.user, "me") && str_is(p.host, "host") && str_is(p.port, "22"), "ssh");
	ok(one("ssh://-oProxyCommand=x").problem.n && one("ssh://-l@h").problem.n, "no option in an ssh URL");
	ok(one("npipe:////./pipe/x").problem.n && one("fd://").problem.n && one("tcp://").problem.n && one("").problem.n, "what is none says so");
}

static void contexts(void)
{
	/* sha256 of "far" */
	const char *far = "contexts/meta/$(printf far | sha256sum | cut -d' ' -f1)";
	sh("mkdir -p .docker/%s && echo '{\"Name\":\"far\",\"Endpoints\":{\"docker\":{\"Host\":\"tcp://far:9\",\"SkipTLSVerify\":true}}}' "
	   ">.docker/%s/meta.json && echo '{\"currentContext\":\"far\"}' >.docker/config.json", far, far);
	find(NULL);
	ok(n && str_is(places[0].url, "tcp://far:9") && places[0].named && places[0].server.insecure, "docker's current context");
	is_str(places[0].server.url, "http://far:9", "without TLS files");
	sh("d=.docker/contexts/tls/$(printf far | sha256sum | cut -d' ' -f1)/docker && mkdir -p $d && touch $d/ca.pem");
	find(NULL);
	ok(str_is(places[0].server.url, "https://far:9") && places[0].server.ca_file.n, "and with them");
	setenv("DOCKER_CONTEXT", "default", 1);
	find(NULL);
	ok(!places[0].named, "the default context names nothing");
	setenv("DOCKER_CONTEXT", "gone", 1);
	find(NULL);
	ok(places[0].named && places[0].problem.n, "one that is not there is a mistake");
	setenv("DOCKER_HOST", "unix:///x", 1);
	find(NULL);
	is_str(places[0].url, "unix:///x", "DOCKER_HOST goes before any");
	sh("echo '{' >.docker/config.json");
	clear();
	find(NULL);
	ok(n && !places[0].named, "a damaged config.json names nothing");
	sh("rm -r .docker");
}

/* --- asking --- */

static char text[8192];
static struct engine *open_it(const char *said)
{
	struct err err = ERR_INIT;
	struct engine *e = engine_open_wait(http, &(struct engine_choice){str_of(said), S("--engine")}, &err);
	snprintf(text, sizeof(text), "%s", err.text ? err.text : "");
	err_release(&err);
	return e;
}

static void pings(void)
{
	char url[200];
	struct engine *e;
	snprintf(url, sizeof(url), "unix://%s", server_path);
	server_ping = "API-Version: 1.45\r\n";
	e = open_it(url);
	ok(e && engine_kind(e) == ENGINE_DOCKER && engine_api(e) == 45, "a Docker, by its version");
	engine_close(e);
	server_ping = "API-Version: 1.99\r\n";
	e = open_it(url);
	ok(e && engine_api(e) == 51, "a newer one, by ours");
	engine_close(e);
	server_ping = "Api-Version: 1.41\r\nLibpod-Api-Version: 4.3.1\r\n";
	e = open_it(url);
	ok(e && engine_kind(e) == ENGINE_PODMAN, "a Podman tells that it is one");
	engine_close(e);
	server_ping = "API-Version: 1.39\r\n";
	ok(!open_it(url) && strstr(text, "1.39") && strstr(text, "1.40"), "one that is too old is refused");
	server_ping = "API-Version: rubbish\r\n";
	ok(!open_it(url), "so is one without a version");
	server_ping = "";
	ok(!open_it(url) && strstr(text, "no container engine"), "and what is no engine");
	ok(!open_it("unix:///nowhere/x") && strstr(text, "--engine") && strstr(text, "No such file"), "one that is named must be there");
	setenv("DOCKER_HOST", "unix:///nowhere/y", 1);
	ok(!open_it("auto") && strstr(text, "DOCKER_HOST") && strstr(text, "/nowhere/y"), "wherever it is named: nothing else takes its place");
	/* Another kind than the one that is wanted is passed over. */
	setenv("DOCKER_HOST", url, 1);
	server_ping = "API-Version: 1.45\r\n";
	e = open_it("docker");
	ok(e && str_is(engine_url(e), url) && str_is(engine_why(e), "DOCKER_HOST"), "the kind that is wanted is taken where it is");
	engine_close(e);
	clear();
	struct engine_opening *o = engine_open(http, &(struct engine_choice){str_of(url), S("x")}, NULL, NULL);
	loop_turn(loop, 0, NULL);
	engine_open_cancel(o);
	ok(true, "an opening can be given up");
}

static void by_ssh(void)
{
	char path[8192];
	struct engine *e;
	sh("mkdir -p bin && cat >bin/ssh <<'END'\n"
	   "#!/bin/sh\necho \"$@\" >>%.90s/ssh-words\n"
	   "exec /usr/bin/python3 -c '\nimport os, socket, sys, threading\ns = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
	   "def out():\n  while b := s.recv(65536): os.write(1, b)\n  os._exit(0)\nthreading.Thread(target=out).start()\n"
	   "while b := os.read(0, 65536): s.sendall(b)\nos._exit(0)' '%s'\nEND\nchmod +x bin/ssh", scratch_path, server_path);
	snprintf(path, sizeof(path), "%.90s/bin:%s", scratch_path, getenv("PATH"));
	setenv("PATH", path, 1);
	server_ping = "API-Version: 1.45\r\n";
	sh("mkdir cairn-engine.killed cairn-engine.lives cairn-engine.begins && touch cairn-engine.killed/said cairn-engine.lives/said");
	int held = openat(scratch_fd, "cairn-engine.lives/said", O_RDWR);
	fcntl(held, F_OFD_SETLK, &(struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET});
	e = open_it("ssh://me@host:22");
	sh("test ! -e cairn-engine.killed && test -e cairn-engine.lives/said && test -e cairn-engine.begins");
	ok(true, "what a killed run has left is removed, and only that");
	close(held);
	sh("rm -r cairn-engine.lives cairn-engine.begins");
	ok(e && engine_kind(e) == ENGINE_DOCKER, "through ssh");
	engine_close(e);
	sh("grep -q -- '-l me -p 22 -- host docker system dial-stdio' ssh-words");
	sh("printf '#!/bin/sh\\necho no route to host >&2\\nexit 255\\n' >bin/ssh");
	ok(!open_it("ssh://host") && strstr(text, "no route to host"), "what ssh says is told");
	sh("test -z \"$(ls -d cairn-engine.* 2>/dev/null)\"");
	ok(true, "and nothing is left behind");
}

/* With a podman that has its storage for itself. */
static bool podmans(void)
{
	struct dirent *entry;
	bool found = false;
	DIR *dir = opendir("/proc");
	while (dir && (entry = readdir(dir))) {
		char name[300], words[4096] = "";
		snprintf(name, sizeof(name), "/proc/%s/cmdline", entry->d_name);
		FILE *f = fopen(name, "r");
		size_t got = f ? fread(words, 1, sizeof(words) - 1, f) : 0;
		for (size_t i = 0; i < got; i++)
			words[i] = words[i] ? words[i] : ' ';
		found |= strstr(words, "system service") && strstr(words, scratch_path);
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void service(void)
{
	struct engine *e;
	if (!getenv("TESTBED_ROOT")) {
		ok(!getenv("CI"), "# SKIP no container engines: ./build.sh test starts them as root");
		return;
	}
	setenv("CONTAINERS_CONF", getenv("TESTBED_CONTAINERS_CONF"), 1);
	setenv("CONTAINERS_STORAGE_CONF", getenv("TESTBED_CONTAINERS_STORAGE_CONF"), 1);
	e = open_it("podman");
	if (!ok(e != NULL, "a podman is found without a socket"))
		printf("# %s\n", text);
	if (e && str_is(engine_url(e), "podman system service")) {
		ok(podmans(), "its service runs");
		struct engine_answer a = {.arena = &arena};
		engine_image(e, S("localhost/busybox:1"), engine_keep, &a);
		is_int(engine_await(e, &a, NULL), 0, "and answers");
		engine_close(e);
		for (int i = 0; i < 3000 && podmans(); i++)
			usleep(10000);
		ok(!podmans(), "it ends with the run");
		sh("test -z \"$(ls -d cairn-engine.* 2>/dev/null)\"");
	} else {
		engine_close(e);                /* this machine has one */
	}
	unsetenv("CONTAINERS_CONF");
	unsetenv("CONTAINERS_STORAGE_CONF");
}

int main(void)
{
	struct err err = ERR_INIT;
	scratch_make();
	clear();
	if (!server_start(scratch_path) || !(loop = loop_open(&err)) || !(http = http_open(loop, &err))) {
		printf("Bail out! %s\n", err.text ? err.text : "no server");
		return 1;
	}
	orders();
	urls();
	contexts();
	pings();
	by_ssh();
	service();
	http_close(http);
	loop_close(loop);
	arena_release(&arena);
	scratch_remove();
	return done();
}
