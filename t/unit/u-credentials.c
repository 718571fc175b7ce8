#include "runtimes/credentials.h"

#include "base/base64.h"
#include "scratch.h"

static struct arena arena;

static struct credential find(const char *ref)
{
	struct imageref r;
	struct credential c;

	if (imageref_parse(&arena, str_of(ref), &r))
		ok(false, "%s is a reference", ref);
	credential_find(&arena, &r, &c);
	return c;
}

/* "user:secret", "identity:...", "bearer:...", "none" */
static struct str got(const char *ref)
{
	struct credential c = find(ref);

	if (c.kind == CREDENTIAL_NONE)
		return S("none");
	return str_fmt(&arena, STR_FMT ":" STR_FMT, STR_ARG(c.kind == CREDENTIAL_PASSWORD ? c.user : c.kind == CREDENTIAL_IDENTITY ? S("identity") : S("bearer")),
		       STR_ARG(c.secret));
}

static bool problem(const char *ref, const char *says)
{
	struct credential c = find(ref);

	if (c.kind == CREDENTIAL_NONE && c.problem.s && str_find(c.problem, str_of(says)) >= 0)
		return true;
	tap_show("problem", c.problem.s ? c.problem : S("(null)"));
	return false;
}

static void write_text(const char *path, const char *text) { file_write(scratch_fd, path, str_of(text), 0600, NULL); }

static void docker_file(const char *text) { write_text("docker/config.json", text); }

/* base64 of "u:p", "hub:h", "own:o" */
#define U_P "{\"auth\":\"dTpw\"}"
#define HUB "{\"auth\":\"aHViOmg=\"}"
#define OWN "{\"auth\":\"b3duOm8=\"}"

static void entries(void)
{
	docker_file("{\"auths\":{\"example.org\":" U_P ",\"https://index.docker.io/v1/\":" HUB ",\"example.org/own\":" OWN
		    ",\"http://old.example.org/v1/\":" U_P ",\"127.0.0.1:5000\":" OWN "}}");
	is_str(got("example.org/x"), "u:p", "a registry's");
	is_str(got("example.org:5000/x"), "none", "on another port it is another");
	is_str(got("sub.example.org/x"), "none", "as is a part of it");
	is_str(got("busybox"), "hub:h", "docker.io by the name that Docker gives it");
	is_str(got("example.org/own"), "own:o", "one repository's");
	is_str(got("example.org/own/x"), "own:o", "an owner's");
	is_str(got("example.org/owner/x"), "u:p", "not that of one with a longer name");
	is_str(got("old.example.org/x"), "u:p", "one written as a URL");
	is_str(got("127.0.0.1:5000/x"), "own:o", "one with a port");
	is_str(got("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"), "none", "an id has no registry");
	docker_file("{\"auths\":{\"a.org\":{\"identitytoken\":\"t\"},\"b.org\":{\"registrytoken\":\"r\"},\"c.org\":{},\"d.org\":{\"auth\":\"\"},"
		    "\"e.org\":{\"auth\":\"dTpwOnE=\"}}}");
	is_str(got("a.org/x"), "identity:t", "an identity token");
	is_str(got("b.org/x"), "bearer:r", "a registry token");
	is_str(got("c.org/x"), "none", "an entry without any");
	is_str(got("d.org/x"), "none", "an empty one");
	is_str(got("e.org/x"), "u:p:q", "a password with a colon");
}

static void files(void)
{
	docker_file("{\"auths\":{\"example.org\":" U_P "}}");
	write_text("config/containers/auth.json", "{\"auths\":{\"example.org\":" HUB "}}");
	is_str(got("example.org/x"), "hub:h", "Podman's file goes before Docker's");
	write_text("run/containers/auth.json", "{\"auths\":{\"example.org\":" OWN "}}");
	is_str(got("example.org/x"), "own:o", "that of this login first of all");
	write_text("run/containers/auth.json", "{\"auths\":{\"other.org\":" OWN "}}");
	is_str(got("example.org/x"), "hub:h", "if it has one");
	write_text("only.json", "{\"auths\":{\"other.org\":" OWN "}}");
	setenv("REGISTRY_AUTH_FILE", str_fmt(&arena, "%s/only.json", scratch_path).s, 1);
	is_str(got("example.org/x"), "none", "REGISTRY_AUTH_FILE stands for all");
	is_str(got("other.org/x"), "own:o", "and is read");
	unsetenv("REGISTRY_AUTH_FILE");
	sh("rm -r run/containers config/containers");
}

static void damage(void)
{
	docker_file("{");
	ok(problem("example.org/x", "config.json is no JSON"), "a damaged file is told of");
	docker_file("[]");
	ok(problem("example.org/x", "config.json is no JSON object"), "so is one of another kind");
	docker_file("{\"auths\":{\"example.org\":{\"auth\":\"!\"}}}");
	ok(problem("example.org/x", "the entry for example.org in"), "and a damaged entry");
	docker_file("{\"auths\":{\"example.org\":{\"auth\":\"dXA=\"}}}");
	ok(problem("example.org/x", "is damaged"), "and one without a colon");
	docker_file("{\"auths\":[],\"credHelpers\":\"x\",\"credsStore\":{}}");
	is_str(got("example.org/x"), "none", "members of another kind are passed by");
	is_str(find("example.org/x").problem, NULL, "in silence");
}

static void helper(const char *name, const char *script)
{
	write_text(str_fmt(&arena, "bin/docker-credential-%s", name).s, str_fmt(&arena, "#!/bin/sh\nread -r server; echo \"$1 $server\" >>%s/asked\n%s\n", scratch_path, script).s);
	sh("chmod +x bin/*");
}

static bool asked(const char *want)
{
	struct str text = {0};

	file_read(&arena, scratch_fd, "asked", 4096, &text, NULL);
	sh("rm -f asked");
	return str_is(text, want);
}

static void helpers(void)
{
	struct credential c;

	helper("one", "echo '{\"ServerURL\":\"s\",\"Username\":\"hu\",\"Secret\":\"hs\"}'");
	helper("token", "echo '{\"ServerURL\":\"s\",\"Username\":\"<token>\",\"Secret\":\"ht\"}'");
	helper("none", "echo 'credentials not found in native keychain'; exit 1");
	helper("broken", "echo 'the keychain is locked'; exit 1");
	helper("leaky", "echo '{\"Secret\":\"hidden\"}'; exit 1");
	helper("mad", "echo hidden");
	docker_file("{\"credHelpers\":{\"example.org\":\"one\",\"t.org\":\"token\",\"n.org\":\"none\",\"b.org\":\"broken\",\"l.org\":\"leaky\","
		    "\"m.org\":\"mad\",\"a.org\":\"absent\",\"e.org\":\"../x\"},\"auths\":{\"example.org\":" U_P ",\"o.org\":" U_P "}}");
	c = find("example.org/x");
	is_str(c.user, "hu", "a helper is asked, whatever auths holds");
	ok(asked("get example.org"
		 "\n"), "for the registry");
	ok(str_find(c.from, S("docker-credential-one")) >= 0 && str_find(c.from, S("config.json")) >= 0, "which is told");
	is_str(got("t.org/x"), "identity:ht", "an identity token");
	is_str(got("n.org/x"), "none", "one that has nothing");
	is_str(find("n.org/x").problem, NULL, "is no problem");
	is_str(got("o.org/x"), "u:p", "registries it is not for");
	ok(problem("b.org/x", "docker-credential-broken failed: the keychain is locked"), "one that fails says why");
	ok(problem("l.org/x", "gives no reason") && str_find(find("l.org/x").problem, S("hidden")) < 0, "but never a secret");
	ok(problem("m.org/x", "no JSON") && str_find(find("m.org/x").problem, S("hidden")) < 0, "nor does what can't be read");
	ok(problem("a.org/x", "docker-credential-absent"), "one that is not there is named");
	ok(problem("e.org/x", "can't be one"), "what is a path is not run");
	sh("rm -f asked");
	docker_file("{\"credsStore\":\"one\",\"auths\":{\"example.org\":{}}}");
	is_str(got("busybox"), "hu:hs", "a store of all credentials");
	ok(asked("get https://index.docker.io/v1/\n"), "is asked by Docker's name of docker.io");
	docker_file("{\"credsStore\":\"none\",\"auths\":{\"example.org\":" U_P "}}");
	is_str(got("example.org/x"), "u:p", "when it has nothing, auths may");
}

static void made(void)
{
	struct imageref ref;
	struct credential password = {.kind = CREDENTIAL_PASSWORD, .user = S("u"), .secret = S("p\"w")}, identity = {.kind = CREDENTIAL_IDENTITY, .secret = S("t")},
			  bearer = {.kind = CREDENTIAL_BEARER, .secret = S("b")}, evil = {.kind = CREDENTIAL_BEARER, .secret = S("b\r\nX: y")}, none = {0};
	struct str back;

	imageref_parse(&arena, S("example.org/x"), &ref);
	is_str(credential_authorization(&arena, &password), "Basic dTpwInc=", "a password's header");
	is_str(credential_authorization(&arena, &bearer), "Bearer b", "a token's");
	is_str(credential_authorization(&arena, &evil), NULL, "which holds no second one");
	is_str(credential_authorization(&arena, &identity), NULL, "an identity token is no header");
	is_str(credential_authorization(&arena, &none), NULL, "nor is nothing");
	ok(base64_read(&arena, credential_engine_auth(&arena, &password, &ref), &back), "what an engine is told");
	is_str(back, "{\"username\":\"u\",\"password\":\"p\\\"w\",\"serveraddress\":\"example.org\"}", "of a password");
	base64_read(&arena, credential_engine_auth(&arena, &identity, &ref), &back);
	is_str(back, "{\"identitytoken\":\"t\",\"serveraddress\":\"example.org\"}", "of an identity token");
	is_str(credential_engine_auth(&arena, &none, &ref), NULL, "of nothing");
}

int main(void)
{
	scratch_make();
	sh("mkdir -p docker bin run config");
	unsetenv("REGISTRY_AUTH_FILE");
	setenv("DOCKER_CONFIG", str_fmt(&arena, "%s/docker", scratch_path).s, 1);
	setenv("XDG_RUNTIME_DIR", str_fmt(&arena, "%s/run", scratch_path).s, 1);
	setenv("XDG_CONFIG_HOME", str_fmt(&arena, "%s/config", scratch_path).s, 1);
	setenv("PATH", str_fmt(&arena, "%s/bin:/usr/bin:/bin", scratch_path).s, 1);
	entries();
	files();
	damage();
	helpers();
	made();
	scratch_remove();
	arena_release(&arena);
	return done();
}
