#include "runtimes/enginefind.h"

#include <stdlib.h>
#include <unistd.h>
#include <fcntl.h>

#include "sys/child.h"
#include "sys/file.h"
#include "sys/sha.h"

#define PLACES_MAX 24
#define FILE_MAX (4u << 20)

struct find { struct arena *arena; struct engine_place *v; size_t n; };

static struct str variable(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? str_of(value) : (struct str){0};
}

static struct str home(struct arena *arena, const char *below)
{
	struct str dir = variable("HOME");
	return dir.n ? str_fmt(arena, STR_FMT "/%s", STR_ARG(dir), below) : (struct str){0};
}

/* --- URLs --- */

static void tls_files(struct arena *arena, struct http_server *server, struct str dir)
{
	server->ca_file = str_fmt(arena, STR_FMT "/ca.pem", STR_ARG(dir));
	server->cert_file = str_fmt(arena, STR_FMT "/cert.pem", STR_ARG(dir));
	server->key_file = str_fmt(arena, STR_FMT "/key.pem", STR_ARG(dir));
	if (access(server->ca_file.s, F_OK) < 0)
		server->ca_file = (struct str){0};
	if (access(server->cert_file.s, F_OK) < 0 || access(server->key_file.s, F_OK) < 0)
		server->cert_file = server->key_file = (struct str){0};
}

static void place_tcp(struct arena *arena, struct str rest, bool https, struct engine_place *p)
{
	struct str verify = variable("DOCKER_TLS_VERIFY"), dir = variable("DOCKER_CERT_PATH");
	bool tls = https || verify.n;
	struct str host = rest;
	str_cut(&rest, '/', &host);
	p->how = PLACE_TCP;
	if (!host.n)
		p->problem = S("there is no host in it");
	else if (str_rchr(host, ':') > str_rchr(host, ']'))
		p->server.url = str_fmt(arena, "%s://" STR_FMT, tls ? "https" : "http", STR_ARG(host));
	else
		p->server.url = str_fmt(arena, "%s://" STR_FMT ":%s", tls ? "https" : "http", STR_ARG(host), tls ? "2376" : "2375");
	if (tls)
		tls_files(arena, &p->server, dir.n ? dir : home(arena, ".docker"));
}

static void place_ssh(struct str rest, struct engine_place *p)
{
	ptrdiff_t at;
	p->how = PLACE_SSH;
	str_cut(&rest, '/', &p->host);
	if ((at = str_rchr(p->host, '@')) >= 0) {
		p->user = str_head(p->host, (size_t)at);
		p->host = str_from(p->host, (size_t)at + 1);
	}
	if ((at = str_rchr(p->host, ':')) >= 0 && str_chr(p->host, ']') < 0) {
		p->port = str_from(p->host, (size_t)at + 1);
		p->host = str_head(p->host, (size_t)at);
	}
	if (!p->host.n || p->host.s[0] == '-' || (p->user.n && p->user.s[0] == '-') || (p->port.n && p->port.s[0] == '-'))
		p->problem = S("there is no host in it");
	else if (rest.n)
		p->problem = S("a path in ssh:// is not honoured; the engine there is asked by `docker system dial-stdio`");
}

void engine_place_of(struct arena *arena, struct str url, struct str why, enum engine_kind likely, struct engine_place *p)
{
	*p = (struct engine_place){.likely = likely, .url = str_dup(arena, url), .why = why};
	url = p->url;
	if (str_starts(url, S("unix:///")) || str_starts(url, S("/"))) {
		p->how = PLACE_SOCKET;
		p->server.socket = str_starts(url, S("/")) ? url : str_dup(arena, str_from(url, 7));
		p->server.url = S("http://localhost");
		p->url = str_fmt(arena, "unix://" STR_FMT, STR_ARG(p->server.socket));
		if (p->server.socket.n > 107)
			p->problem = S("a socket's path can't be that long");
	} else if (str_starts(url, S("tcp://")) || str_starts(url, S("http://"))) {
		place_tcp(arena, str_from(url, (size_t)str_find(url, S("://")) + 3), false, p);
	} else if (str_starts(url, S("https://"))) {
		place_tcp(arena, str_from(url, 8), true, p);
	} else if (str_starts(url, S("ssh://"))) {
		place_ssh(str_from(url, 6), p);
	} else {
		p->problem = S("it is none of unix:///PATH, tcp://HOST:PORT, http://, https:// and ssh://HOST");
	}
}

/* --- contexts of docker's --- */

static struct node *read_json(struct arena *arena, struct str path)
{
	struct source *src = arena_new(arena, struct source);
	struct node *n = NULL;
	src->path = path;
	if (!path.n || file_read(arena, AT_FDCWD, path.s, FILE_MAX, &src->text, NULL) != 1 || json_read_loose(arena, src, &n, NULL) < 0)
		return NULL;
	return n;
}

static struct node *member(struct node *map, const char *key)
{
	return map && map->kind == NODE_MAP ? node_get(map, str_of(key)) : NULL;
}

static struct str member_text(struct node *map, const char *key)
{
	struct node *n = member(map, key);
	return n && n->kind == NODE_SCALAR && !node_is_null(n) ? n->s : (struct str){0};
}

static struct engine_place *add(struct find *f, struct str url, struct str why, enum engine_kind likely, bool named)
{
	struct engine_place *p = &f->v[f->n++];
	if (f->n > PLACES_MAX)
		BUG("more places than there is room for");
	engine_place_of(f->arena, url, why, likely, p);
	p->named = named;
	return p;
}

static void add_context(struct find *f)
{
	struct str dir = variable("DOCKER_CONFIG"), name = variable("DOCKER_CONTEXT"), hash;
	CLEANUP_BUF struct buf hex = BUF_INIT(200);
	struct digest digest;
	bool skip = false;
	if (!dir.n)
		dir = home(f->arena, ".docker");
	if (!name.n && dir.n)
		name = member_text(read_json(f->arena, str_fmt(f->arena, STR_FMT "/config.json", STR_ARG(dir))), "currentContext");
	if (!name.n || str_is(name, "default") || sha256_init(NULL) < 0)
		return;
	sha256_bytes(name.s, name.n, &digest);
	for (int i = 0; i < 32; i++)
		buf_fmt(&hex, "%02x", digest.bytes[i]);
	hash = str_dup(f->arena, buf_view(&hex));
	struct str why = str_fmt(f->arena, "the context " STR_FMT " of docker", STR_ARG(name));
	struct str file = str_fmt(f->arena, STR_FMT "/contexts/meta/" STR_FMT "/meta.json", STR_ARG(dir), STR_ARG(hash));
	struct node *docker = member(member(read_json(f->arena, file), "Endpoints"), "docker");
	struct str host = member_text(docker, "Host");
	struct engine_place *p = add(f, host.n ? host : file, why, ENGINE_DOCKER, true);
	if (!host.n) {
		p->problem = S("there is no such file, or no host of docker's in it");
		return;
	}
	if (p->how != PLACE_TCP)
		return;
	struct str files = str_fmt(f->arena, STR_FMT "/contexts/tls/" STR_FMT "/docker", STR_ARG(dir), STR_ARG(hash));
	p->server.ca_file = p->server.cert_file = p->server.key_file = (struct str){0};
	if (access(files.s, F_OK) == 0) {
		if (str_starts(p->server.url, S("http://")))
			p->server.url = str_fmt(f->arena, "https://" STR_FMT, STR_ARG(str_from(p->server.url, 7)));
		tls_files(f->arena, &p->server, files);
	}
	p->server.insecure = member(docker, "SkipTLSVerify") && node_bool(member(docker, "SkipTLSVerify"), &skip) && skip;
}

/* --- places --- */

static void add_socket(struct find *f, struct str path, const char *why, enum engine_kind kind)
{
	for (size_t i = 0; i < f->n; i++)
		if (path.n && str_eq(f->v[i].server.socket, path))
			return;
	if (path.n)
		add(f, path, str_of(why), kind, false);
}

static void add_sockets(struct find *f)
{
	struct str runtime = variable("XDG_RUNTIME_DIR");
	if (!runtime.n)
		runtime = str_fmt(f->arena, "/run/user/%u", (unsigned)getuid());
	add_socket(f, str_fmt(f->arena, STR_FMT "/podman/podman.sock", STR_ARG(runtime)), "Podman's socket of the user", ENGINE_PODMAN);
	add_socket(f, S("/run/podman/podman.sock"), "Podman's socket", ENGINE_PODMAN);
	add_socket(f, str_fmt(f->arena, STR_FMT "/docker.sock", STR_ARG(runtime)), "Docker's socket of the user", ENGINE_DOCKER);
	add_socket(f, home(f->arena, ".docker/run/docker.sock"), "Docker's socket of the user", ENGINE_DOCKER);
	add_socket(f, S("/var/run/docker.sock"), "Docker's socket", ENGINE_DOCKER);
	add_socket(f, home(f->arena, ".docker/desktop/docker.sock"), "the socket of Docker Desktop", ENGINE_DOCKER);
	add_socket(f, home(f->arena, ".colima/default/docker.sock"), "the socket of Colima", ENGINE_DOCKER);
	add_socket(f, home(f->arena, ".rd/docker.sock"), "the socket of Rancher Desktop", ENGINE_DOCKER);
}

static void add_service(struct find *f)
{
	struct str program, dir = S("/"), path = variable("PATH");
	if (!child_which(f->arena, S("podman"), path.n ? path : S("/usr/bin:/bin"), dir, &program))
		return;
	struct engine_place *p = &f->v[f->n++];
	*p = (struct engine_place){.how = PLACE_SERVICE, .likely = ENGINE_PODMAN, .url = S("podman system service"),
				   .why = S("the program podman, whose service is started for the run")};
}

/* Those of the kind that is wanted first; the order among them stays. */
static void sort(struct find *f, int wanted)
{
	struct engine_place *v = arena_array(f->arena, f->n + 1, struct engine_place);
	size_t n = 0;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < f->n; i++)
			if (((int)f->v[i].likely == wanted) == (pass == 0))
				v[n++] = f->v[i];
	f->v = v;
}

int engine_places(struct arena *arena, const struct engine_choice *choice, int *wanted, struct engine_place **out, size_t *n, struct err *err)
{
	struct find f = {arena, arena_array(arena, PLACES_MAX, struct engine_place), 0};
	struct str said = choice->said;
	*wanted = str_is(said, "podman") ? ENGINE_PODMAN : str_is(said, "docker") ? ENGINE_DOCKER : -1;
	if (said.n && *wanted < 0 && !str_is(said, "auto")) {
		struct engine_place *p = add(&f, said, choice->where, ENGINE_DOCKER, true);
		if (p->problem.n && str_find(said, S("://")) < 0)
			return err_set(err, ERR_USAGE, STR_FMT ": '" STR_FMT "' is neither podman, docker or auto, nor an engine's URL; " STR_FMT,
				       STR_ARG(choice->where), STR_ARG(said), STR_ARG(p->problem));
	} else {
		if (variable("DOCKER_HOST").n)
			add(&f, variable("DOCKER_HOST"), S("DOCKER_HOST"), ENGINE_DOCKER, true);
		else
			add_context(&f);
		if (variable("CONTAINER_HOST").n)
			add(&f, variable("CONTAINER_HOST"), S("CONTAINER_HOST"), ENGINE_PODMAN, true);
		add_sockets(&f);
		add_service(&f);
		if (*wanted >= 0)
			sort(&f, *wanted);
	}
	*out = f.v;
	*n = f.n;
	return 0;
}
