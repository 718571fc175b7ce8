#include "runtimes/registrytalk.h"

#include <stdlib.h>

#include "base/node.h"

#define IDLE_S 30
#define TOKEN_MAX (1u << 20)
#define TOKEN_SECONDS 60                /* how long one holds that does not say so */
#define TOKEN_SPARE 10                  /* seconds before its end at which it is no longer used */

struct talk {
	struct registryclient *client;
	const struct imageref *ref;
	struct registrytalk_host *host;
	struct registrytalk_pass *pass;
	struct err *err;
};

/* ---- hosts ---- */

static bool is_insecure(const struct registryclient *c, struct str registry)
{
	for (size_t i = 0; i < c->ninsecure; i++)
		if (str_eq(c->insecure[i], registry))
			return true;
	return imageref_is_loopback(registry);
}

static struct str url_of(struct registryclient *c, struct str registry, const char *scheme)
{
	if (str_is(registry, "docker.io"))
		registry = S("registry-1.docker.io");
	return str_fmt(&c->arena, "%s://" STR_FMT, scheme, STR_ARG(registry));
}

static struct registrytalk_host *host_of(struct registryclient *c, struct str registry)
{
	struct registrytalk_host *host = map_get(&c->hosts, registry);

	if (host)
		return host;
	host = arena_new(&c->arena, struct registrytalk_host);
	host->may_http = is_insecure(c, registry);
	host->server = (struct http_server){.url = url_of(c, registry, "https"), .insecure = host->may_http};
	*map_put(&c->hosts, str_dup(&c->arena, registry), NULL) = host;
	return host;
}

static struct registrytalk_pass *pass_of(struct registryclient *c, const struct imageref *ref)
{
	struct str name = imageref_name(&c->arena, ref);
	void **place = map_put(&c->passes, name, NULL);

	if (!*place)
		*place = arena_new(&c->arena, struct registrytalk_pass);
	return *place;
}

static const struct credential *credential_of(struct talk *t)
{
	if (!t->pass->got)
		credential_find(&t->client->arena, t->ref, &t->pass->credential);
	t->pass->got = true;
	return &t->pass->credential;
}

/* ---- one request ---- */

static void reply_clear(struct http_reply *reply)
{
	buf_clear(&reply->headers);
	buf_clear(&reply->body);
	reply->status = 0;
}

/* As fetch, and finds out how a server that may speak http is spoken to. */
static int fetch(struct talk *t, struct http_request *r, struct http_reply *reply)
{
	struct err err = ERR_INIT;
	struct http_end end;

	r->server = &t->host->server;
	reply_clear(reply);
	if (http_fetch(t->client->http, r, reply, &end, &err) == 0) {
		t->host->settled = true;
		return 0;
	}
	if (!t->host->settled && t->host->may_http && end.fault != HTTP_NO_CONNECT && end.fault != HTTP_TIMEOUT) {
		err_release(&err);
		t->host->settled = true;
		t->host->server.url = url_of(t->client, t->ref->registry, "http");
		return fetch(t, r, reply);
	}
	err_move(t->err, &err);
	return err_wrap(t->err, "unable to ask the registry " STR_FMT, STR_ARG(t->ref->registry));
}

static struct str reply_header(const struct http_reply *reply, const char *name)
{
	return http_header(&(struct http_head){reply->status, buf_view(&reply->headers)}, name);
}

/* ---- tokens ---- */

static void add_escaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.s[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c)))
			buf_c(b, c);
		else
			buf_fmt(b, "%%%02X", (uint8_t)c);
	}
}

/* The parameters that both ways of asking for a token have. */
static void add_wish(struct talk *t, struct buf *b, const struct challenge *c)
{
	buf_z(b, "service=");
	add_escaped(b, c->service);
	buf_z(b, "&scope=");
	if (c->scope.n) {
		add_escaped(b, c->scope);
	} else {
		buf_z(b, "repository:");
		add_escaped(b, t->ref->path);
		buf_z(b, ":pull");
	}
}

/* Where tokens are to be had, split into server and path. Over http only for a registry that may speak it. */
static int realm_read(struct talk *t, struct str realm, struct http_server *server, struct str *path)
{
	bool https = str_starts(realm, S("https://"));
	ptrdiff_t slash, end;

	for (size_t i = 0; i < realm.n; i++)
		if (realm.s[i] <= ' ' || realm.s[i] > '~' || realm.s[i] == '#' || realm.s[i] == '@')
			https = false, realm.n = 0;
	if (!https && !str_starts(realm, S("http://")))
		return err_set(t->err, ERR_RUNTIME, "the registry " STR_FMT " says of no usable address that tokens are to be had there",
			       STR_ARG(t->ref->registry));
	if (!https && !t->host->may_http)
		return err_set(t->err, ERR_RUNTIME, "the registry " STR_FMT " wants its tokens to be fetched over http, where anybody can read them; "
			       "add it to insecure_registries of the configuration if that is meant", STR_ARG(t->ref->registry));
	slash = str_chr(str_from(realm, 8), '/');
	end = slash < 0 ? (ptrdiff_t)realm.n : slash + 8;
	*server = (struct http_server){.url = str_dup(&t->client->arena, str_head(realm, end)), .insecure = t->host->may_http};
	*path = slash < 0 ? S("/") : str_from(realm, end);
	return 0;
}

static int token_take(struct talk *t, const struct http_reply *reply)
{
	struct arena *a = &t->client->arena;
	struct source src = {S("token"), str_dup(a, buf_view(&reply->body))};
	struct node *root, *token, *seconds;
	uint64_t n = TOKEN_SECONDS;
	struct credential bearer = {.kind = CREDENTIAL_BEARER};

	if (json_read(a, &src, &root, NULL) < 0 || root->kind != NODE_MAP)
		return -1;
	token = node_get(root, S("token"));
	if (!token || token->kind != NODE_SCALAR || !token->s.n)
		token = node_get(root, S("access_token"));
	if (!token || token->kind != NODE_SCALAR || !token->s.n)
		return -1;
	seconds = node_get(root, S("expires_in"));
	if (seconds && seconds->kind == NODE_SCALAR)
		str_u64(seconds->s, &n);
	bearer.secret = token->s;
	t->pass->authorization = credential_authorization(a, &bearer);
	t->pass->until = loop_now() + (n > TOKEN_SPARE && n < 1000000 ? n - TOKEN_SPARE : 0) * 1000000000ull;
	return t->pass->authorization.s ? 0 : -1;
}

static int token_refused(struct talk *t, int status)
{
	const struct credential *c = credential_of(t);

	if (status != 401 && status != 403)
		return err_set(t->err, ERR_RUNTIME, "the token server of the registry " STR_FMT " answers with status %d", STR_ARG(t->ref->registry), status);
	return err_set(t->err, ERR_RUNTIME, "the token server of the registry " STR_FMT " refuses the credentials from " STR_FMT "; log in anew: docker login "
		       STR_FMT ", or podman login", STR_ARG(t->ref->registry), STR_ARG(c->from.s ? c->from : S("nowhere")), STR_ARG(t->ref->registry));
}

/* With a password: GET, Basic. With an identity token: the OAuth2 way, POST. */
static int token_fetch(struct talk *t, const struct challenge *c)
{
	struct http_reply reply __attribute__((cleanup(http_reply_release))) = HTTP_REPLY_INIT(TOKEN_MAX);
	CLEANUP_BUF struct buf path = BUF_INIT(64u << 10), body = BUF_INIT(64u << 10);
	const struct credential *credential = credential_of(t);
	struct str basic = credential_authorization(&t->client->arena, credential), at;
	struct http_server server;
	struct http_header headers[] = {{"Accept", S("application/json")}, {"Content-Type", S("application/x-www-form-urlencoded")}};
	struct http_request r = {.server = &server, .headers = headers, .nheaders = 1, .idle_s = IDLE_S};

	if (realm_read(t, c->realm, &server, &at) < 0)
		return -1;
	buf_str(&path, at);
	if (credential->kind == CREDENTIAL_IDENTITY) {
		buf_z(&body, "grant_type=refresh_token&client_id=cairn&");
		add_wish(t, &body, c);
		buf_z(&body, "&refresh_token=");
		add_escaped(&body, credential->secret);
		r.method = "POST";
		r.body = buf_view(&body);
		r.nheaders = 2;
	} else {
		buf_c(&path, str_chr(at, '?') < 0 ? '?' : '&');
		add_wish(t, &path, c);
		if (basic.s)
			headers[r.nheaders++] = (struct http_header){"Authorization", basic};
	}
	r.path = buf_view(&path);
	if (http_fetch(t->client->http, &r, &reply, NULL, t->err) < 0)
		return err_wrap(t->err, "unable to ask the token server of the registry " STR_FMT, STR_ARG(t->ref->registry));
	if (reply.status != 200)
		return token_refused(t, reply.status);
	if (token_take(t, &reply) < 0)
		return err_set(t->err, ERR_RUNTIME, "the token server of the registry " STR_FMT " answers with no token", STR_ARG(t->ref->registry));
	return 0;
}

/* After a 401: what it asks for, put into the pass. 1 there is something new to try, 0 not, -1. */
static int satisfy(struct talk *t, const struct http_reply *reply)
{
	struct challenge c;

	challenge_read(&t->client->arena, reply_header(reply, "WWW-Authenticate"), &c);
	if (c.kind == CHALLENGE_BEARER) {
		if (credential_of(t)->kind == CREDENTIAL_BEARER) {
			t->pass->authorization = credential_authorization(&t->client->arena, credential_of(t));
			return t->pass->authorization.s ? 1 : 0;
		}
		return token_fetch(t, &c) < 0 ? -1 : 1;
	}
	if (c.kind == CHALLENGE_BASIC && credential_of(t)->kind == CREDENTIAL_PASSWORD) {
		t->pass->authorization = credential_authorization(&t->client->arena, credential_of(t));
		t->pass->until = 0;
		return 1;
	}
	return 0;
}

/* ---- what a reply means ---- */

/* What the registry says of it: {"errors": [{"message": ...}]}; only what is text. */
static struct str message_of(struct talk *t, const struct http_reply *reply)
{
	struct arena *a = &t->client->arena;
	struct source src = {S("reply"), str_dup(a, buf_view(&reply->body))};
	CLEANUP_BUF struct buf b = BUF_INIT(300);
	struct node *root, *n;

	if (json_read(a, &src, &root, NULL) < 0 || root->kind != NODE_MAP || !(n = node_get(root, S("errors"))) || n->kind != NODE_LIST || !n->n)
		return S("");
	n = n->items[0].value;
	n = n->kind == NODE_MAP ? node_get(n, S("message")) : NULL;
	for (size_t i = 0; n && n->kind == NODE_SCALAR && i < n->s.n; i++)
		buf_c(&b, n->s.s[i] >= ' ' && n->s.s[i] <= '~' ? n->s.s[i] : '?');
	return b.n ? str_fmt(a, ": " STR_FMT, STR_ARG(buf_view(&b))) : S("");
}

static int denied(struct talk *t, const struct http_reply *reply)
{
	const struct credential *c = credential_of(t);
	struct str message = message_of(t, reply), name = imageref_name(&t->client->arena, t->ref);

	if (c->kind != CREDENTIAL_NONE)
		return err_set(t->err, ERR_RUNTIME, "the registry " STR_FMT " refuses access to " STR_FMT " with the credentials from " STR_FMT STR_FMT,
			       STR_ARG(t->ref->registry), STR_ARG(name), STR_ARG(c->from), STR_ARG(message));
	if (c->problem.s)
		return err_set(t->err, ERR_RUNTIME, "the registry " STR_FMT " refuses access to " STR_FMT " without credentials, which could not be got: " STR_FMT,
			       STR_ARG(t->ref->registry), STR_ARG(name), STR_ARG(c->problem));
	return err_set(t->err, ERR_RUNTIME, "the registry " STR_FMT " refuses access to " STR_FMT " (or has no such image), and there are no credentials for it; "
		       "log in: docker login " STR_FMT ", or podman login", STR_ARG(t->ref->registry), STR_ARG(name), STR_ARG(t->ref->registry));
}

static int limited(struct talk *t, const struct http_reply *reply)
{
	struct str after = reply_header(reply, "Retry-After");
	uint64_t seconds;
	bool known = after.s && str_u64(str_trim(after), &seconds);

	return err_set(t->err, ERR_RUNTIME, "the registry " STR_FMT " limits how often it may be asked, and the limit is reached" STR_FMT
		       "; %s" STR_FMT "%s, log in, or pin the image with cairn update", STR_ARG(t->ref->registry), STR_ARG(message_of(t, reply)),
		       known ? "try again in " : "wait", STR_ARG(known ? str_trim(after) : S("")), known ? " s" : "");
}

static int judged(struct talk *t, const struct http_reply *reply, bool *absent)
{
	if (reply->status == 200)
		return 0;
	if (absent)
		*absent = reply->status == 404;
	if (reply->status == 401 || reply->status == 403)
		return denied(t, reply);
	if (reply->status == 404)
		return err_set(t->err, ERR_RUNTIME, "the registry " STR_FMT " has no " STR_FMT STR_FMT, STR_ARG(t->ref->registry),
			       STR_ARG(imageref_text(&t->client->arena, t->ref)), STR_ARG(message_of(t, reply)));
	if (reply->status == 429)
		return limited(t, reply);
	return err_set(t->err, ERR_RUNTIME, "the registry " STR_FMT " answers with status %d" STR_FMT, STR_ARG(t->ref->registry), reply->status,
		       STR_ARG(message_of(t, reply)));
}

int registrytalk(struct registryclient *client, const struct imageref *ref, const char *method, struct str path, const char *accept,
		 struct http_reply *reply, bool *absent, struct err *err)
{
	struct talk t = {client, ref, host_of(client, ref->registry), pass_of(client, ref), err};
	struct str whole = str_fmt(&client->arena, "/v2/" STR_FMT STR_FMT, STR_ARG(ref->path), STR_ARG(path));
	struct http_header headers[2] = {{"Accept", str_of(accept)}};
	int tries = 0, more;

	if (absent)
		*absent = false;
	do {
		struct http_request r = {.method = method, .path = whole, .headers = headers, .nheaders = 1, .idle_s = IDLE_S, .follow = true};

		if (t.pass->until && loop_now() >= t.pass->until)
			t.pass->authorization = (struct str){0};
		if (t.pass->authorization.s)
			headers[r.nheaders++] = (struct http_header){"Authorization", t.pass->authorization};
		if (fetch(&t, &r, reply) < 0)
			return -1;
		more = reply->status == 401 && tries++ == 0 ? satisfy(&t, reply) : 0;
	} while (more > 0);
	return more < 0 ? -1 : judged(&t, reply, absent);
}
