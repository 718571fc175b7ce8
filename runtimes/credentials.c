#include "runtimes/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/node.h"
#include "sys/child.h"
#include "sys/file.h"

#define FILE_MAX (4u << 20)
#define HELPER_OUTPUT_MAX (256u << 10)
#define HELPER_TIMEOUT 60000            /* ms; it may have to ask for a password */
#define DOCKER_HUB "https://index.docker.io/v1/"

extern char **environ;

struct search {
	struct arena *arena;
	const struct imageref *ref;
	struct str file;                /* being looked at */
	struct credential *out;
};

static void problem(struct search *s, const char *fmt, ...) PRINTF(2, 3);
static void problem(struct search *s, const char *fmt, ...)
{
	va_list ap;

	if (s->out->problem.s)
		return;
	va_start(ap, fmt);
	s->out->problem = str_vfmt(s->arena, fmt, ap);
	va_end(ap);
}

/* ---- entries ---- */

static bool is_hub(struct str host)
{
	return str_is(host, "docker.io") || str_is(host, "index.docker.io") || str_is(host, "registry-1.docker.io");
}

/* How much of the reference an entry's name covers: 0 nothing, else the more the better. "https://host/v1/" is the host's. */
static size_t entry_covers(const struct search *s, struct str key)
{
	ptrdiff_t scheme = str_find(key, S("://")), slash;
	struct str host, path;

	if (scheme >= 0)
		key = str_from(key, scheme + 3);
	slash = str_chr(key, '/');
	host = slash < 0 ? key : str_head(key, slash);
	path = slash < 0 || scheme >= 0 ? S("") : str_from(key, slash + 1);
	if (!str_eq(host, s->ref->registry) && !(is_hub(host) && str_is(s->ref->registry, "docker.io")))
		return 0;
	if (!path.n)
		return 1;
	if (!str_starts(s->ref->path, path) || (s->ref->path.n > path.n && s->ref->path.s[path.n] != '/'))
		return 0;
	return 1 + path.n;
}

/* The best entry of a map; NULL when none covers the reference. */
static const struct node_item *best_entry(const struct search *s, const struct node *map)
{
	const struct node_item *best = NULL;
	size_t most = 0;

	for (size_t i = 0; map && map->kind == NODE_MAP && i < map->n; i++) {
		size_t covers = entry_covers(s, map->items[i].key);

		if (covers > most) {
			most = covers;
			best = &map->items[i];
		}
	}
	return best;
}

static struct str text_of(const struct node *map, const char *name)
{
	const struct node *n = map && map->kind == NODE_MAP ? node_get(map, str_of(name)) : NULL;

	return n && n->kind == NODE_SCALAR && node_type(n) == TYPE_STR ? n->s : S("");
}

/* {"auth": base64 of "user:password"}, or an identity or a registry token. */
static bool take_auth(struct search *s, const struct node *entry)
{
	struct str identity = text_of(entry, "identitytoken"), bearer = text_of(entry, "registrytoken"), auth = text_of(entry, "auth"), plain;
	ptrdiff_t colon;

	if (identity.n || bearer.n) {
		s->out->kind = identity.n ? CREDENTIAL_IDENTITY : CREDENTIAL_BEARER;
		s->out->secret = identity.n ? identity : bearer;
		s->out->from = s->file;
		return true;
	}
	if (!auth.n)
		return false;
	if (!base64_read(s->arena, auth, &plain) || (colon = str_chr(plain, ':')) < 0) {
		problem(s, "the entry for " STR_FMT " in " STR_FMT " is damaged", STR_ARG(s->ref->registry), STR_ARG(s->file));
		return false;
	}
	s->out->kind = CREDENTIAL_PASSWORD;
	s->out->from = s->file;
	s->out->user = str_head(plain, colon);
	s->out->secret = str_from(plain, colon + 1);
	while (s->out->secret.n && s->out->secret.s[s->out->secret.n - 1] == '\0')
		s->out->secret.n--;     /* Docker cuts these off */
	return true;
}

/* ---- helpers ---- */

static bool is_helper_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", s.s[i]) || !s.s[i])
			return false;
	return s.n > 0 && s.n < 200;
}

/* A pipe that holds the text and its end. -1. */
static int pipe_with(struct str text)
{
	int ends[2];

	if (text.n > 4000 || pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	if (file_write_all(ends[1], text.s, text.n) < 0) {
		close(ends[0]);
		ends[0] = -1;
	}
	close(ends[1]);
	return ends[0];
}

/* What a helper says when it fails; on standard output, where its answers with the secret stand as well. */
static struct str helper_complaint(struct str said)
{
	struct str line = S("");

	said = str_trim(said);
	if (!said.n || said.s[0] == '{' || said.s[0] == '[')
		return S("it gives no reason");
	str_cut(&said, '\n', &line);
	return str_head(line, line.n < 200 ? line.n : 200);
}

static bool take_answer(struct search *s, struct str program, struct str said)
{
	struct source *src = arena_new(s->arena, struct source);
	struct err err = ERR_INIT;
	struct node *root;
	struct str secret;

	*src = (struct source){program, said};
	if (json_read(s->arena, src, &root, &err) < 0) {
		err_release(&err);
		problem(s, STR_FMT " answered with no JSON", STR_ARG(program));
		return false;
	}
	secret = text_of(root, "Secret");
	if (!secret.n)
		return false;
	s->out->user = text_of(root, "Username");
	s->out->kind = str_is(s->out->user, "<token>") ? CREDENTIAL_IDENTITY : CREDENTIAL_PASSWORD;
	s->out->secret = secret;
	s->out->from = str_fmt(s->arena, STR_FMT " (which " STR_FMT " names)", STR_ARG(program), STR_ARG(s->file));
	return true;
}

static bool ask_helper(struct search *s, struct str name, struct str server)
{
	struct str program = str_fmt(s->arena, "docker-credential-" STR_FMT, STR_ARG(name));
	const char *argv[] = {program.s, "get", NULL};
	CLEANUP_BUF struct buf said = BUF_INIT(HELPER_OUTPUT_MAX);
	int in CLEANUP_FD = pipe_with(server);
	struct child child = {.argv = argv, .env = (const char *const *)environ, .dir = "/", .in = in, .out = -1, .err = -1};
	struct err err = ERR_INIT;
	int status = 0;

	if (!is_helper_name(name)) {
		problem(s, STR_FMT " names a helper that can't be one", STR_ARG(s->file));
		return false;
	}
	if (in < 0 || child_output(&child, false, HELPER_TIMEOUT, &said, &status, &err) < 0) {
		problem(s, "unable to ask " STR_FMT ": %s", STR_ARG(program), err.text ? err.text : strerror(errno));
		err_release(&err);
		return false;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !said.full)
		return take_answer(s, program, str_dup(s->arena, buf_view(&said)));
	if (str_find(buf_view(&said), S("credentials not found")) < 0)
		problem(s, STR_FMT " failed: " STR_FMT, STR_ARG(program), STR_ARG(helper_complaint(buf_view(&said))));
	return false;
}

/* ---- files ---- */

static struct str store_name(const struct search *s)
{
	return str_is(s->ref->registry, "docker.io") ? S(DOCKER_HUB) : s->ref->registry;
}

static bool take_file(struct search *s, const struct node *root)
{
	const struct node_item *helper = best_entry(s, node_get(root, S("credHelpers"))), *auth = best_entry(s, node_get(root, S("auths")));
	struct str store = text_of(root, "credsStore");

	if (helper && helper->value->kind == NODE_SCALAR && helper->value->s.n)
		return ask_helper(s, helper->value->s, helper->key);
	if (store.n && ask_helper(s, store, store_name(s)))
		return true;
	return auth && take_auth(s, auth->value);
}

/* Is the answer here? */
static bool look_in(struct search *s, struct str file)
{
	struct source *src = arena_new(s->arena, struct source);
	struct err err = ERR_INIT;
	struct node *root;
	bool found = false;
	int got;

	s->file = file;
	src->path = file;
	got = file_read(s->arena, AT_FDCWD, file.s, FILE_MAX, &src->text, &err);
	if (got < 0)
		problem(s, "%s", err.text);
	else if (got > 0 && (json_read(s->arena, src, &root, NULL) < 0 || root->kind != NODE_MAP))
		problem(s, STR_FMT " is no JSON object", STR_ARG(file));
	else if (got > 0)
		found = take_file(s, root);
	err_release(&err);
	return found;
}

/* $variable/rest, or else /rest; {NULL} when neither is there. */
static struct str under(struct arena *a, const char *variable, const char *otherwise, const char *rest)
{
	const char *folder = getenv(variable);

	if (folder && *folder == '/')
		return str_fmt(a, "%s/%s", folder, rest);
	return otherwise && *otherwise == '/' ? str_fmt(a, "%s/%s", otherwise, rest) : (struct str){0};
}

void credential_find(struct arena *a, const struct imageref *ref, struct credential *out)
{
	struct search s = {.arena = a, .ref = ref, .out = out};
	const char *only = getenv("REGISTRY_AUTH_FILE"), *home = getenv("HOME");
	struct str config = home ? str_fmt(a, "%s/.config", home) : S(""), docker = home ? str_fmt(a, "%s/.docker", home) : S(""),
		   run = str_fmt(a, "/run/containers/%u", (unsigned)getuid());
	const struct str files[] = {
		getenv("XDG_RUNTIME_DIR") ? under(a, "XDG_RUNTIME_DIR", NULL, "containers/auth.json") : under(a, "", run.s, "auth.json"),
		under(a, "XDG_CONFIG_HOME", config.s, "containers/auth.json"),
		under(a, "DOCKER_CONFIG", docker.s, "config.json"),
	};

	*out = (struct credential){.kind = CREDENTIAL_NONE};
	if (ref->id.n)
		return;
	if (only && *only) {
		look_in(&s, str_fmt(a, "%s", only));
		return;
	}
	for (size_t i = 0; i < countof(files); i++)
		if (files[i].s && look_in(&s, files[i]))
			return;
}

/* ---- what is made of one ---- */

struct str credential_authorization(struct arena *a, const struct credential *c)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);

	for (size_t i = 0; c->kind == CREDENTIAL_BEARER && i < c->secret.n; i++)
		if (c->secret.s[i] <= ' ' || c->secret.s[i] > '~')
			return (struct str){0}; /* it would be more than a header's value */
	if (c->kind == CREDENTIAL_BEARER) {
		buf_fmt(&b, "Bearer " STR_FMT, STR_ARG(c->secret));
	} else if (c->kind == CREDENTIAL_PASSWORD) {
		buf_z(&b, "Basic ");
		base64_add(&b, str_fmt(a, STR_FMT ":" STR_FMT, STR_ARG(c->user), STR_ARG(c->secret)), false);
	} else {
		return (struct str){0};
	}
	return str_dup(a, buf_view(&b));
}

struct str credential_engine_auth(struct arena *a, const struct credential *c, const struct imageref *ref)
{
	CLEANUP_BUF struct buf json = BUF_INIT(BUF_UNLIMITED), b = BUF_INIT(BUF_UNLIMITED);
	struct json j = {.out = &json};

	if (c->kind == CREDENTIAL_NONE)
		return (struct str){0};
	json_open(&j, '{');
	if (c->kind == CREDENTIAL_PASSWORD) {
		json_kstr(&j, "username", c->user);
		json_kstr(&j, "password", c->secret);
	} else {
		json_kstr(&j, c->kind == CREDENTIAL_IDENTITY ? "identitytoken" : "registrytoken", c->secret);
	}
	json_kstr(&j, "serveraddress", str_is(ref->registry, "docker.io") ? S(DOCKER_HUB) : ref->registry);
	json_close(&j, '}');
	base64_add(&b, buf_view(&json), true);
	return str_dup(a, buf_view(&b));
}
