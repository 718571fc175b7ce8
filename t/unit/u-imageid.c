#include "runtimes/imageid.h"

#include "scratch.h"

/* One image of each kind, told by those who hold it: Docker 20.10, Podman 4.3 by its two ways, and the registry. */
static const char *const tellers[] = {"registry", "docker", "podman", "libpod"};

static struct arena arena;

static struct str text_of(const char *image, const char *teller)
{
	struct str out = {0};

	file_read(&arena, AT_FDCWD, str_fmt(&arena, "t/image/%s-%s.json", image, teller).s, IMAGEID_JSON_MAX, &out, NULL);
	return out;
}

static struct imageid read_text(struct str text)
{
	struct imageid id = {0};
	struct err err = ERR_INIT;

	if (imageid_read(&arena, text, &id, &err) < 0)
		ok(false, "is read: %s", err.text);
	err_release(&err);
	return id;
}

static void the_same(const char *image)
{
	struct imageid first = read_text(text_of(image, tellers[0]));

	ok(first.identity.algo == DIGEST_SHA256 && first.builder_told, "%s: the registry's", image);
	for (size_t i = 1; i < countof(tellers); i++) {
		struct imageid id = read_text(text_of(image, tellers[i]));

		ok(digest_eq(&first.identity, &id.identity), "%s: the same from %s", image, tellers[i]);
		ok(id.description.n && str_eq(id.description, first.description), "%s: to the byte", image);
	}
}

/* text with `from` replaced */
static struct str edited(struct str text, const char *from, const char *to)
{
	ptrdiff_t at = str_find(text, str_of(from));

	if (at < 0) {
		ok(false, "%s is there", from);
		return text;
	}
	return str_fmt(&arena, STR_FMT "%s" STR_FMT, STR_ARG(str_head(text, at)), to, STR_ARG(str_from(text, at + strlen(from))));
}

/* What imageid_differences says, joined by "; ". */
static struct str differences(const struct imageid *a, const struct imageid *b)
{
	CLEANUP_BUF struct buf out = BUF_INIT(BUF_UNLIMITED);
	struct str *v;
	size_t n;

	if (imageid_differences(&arena, a->description, b->description, &v, &n) < 0)
		return S("malformed");
	for (size_t i = 0; i < n; i++)
		buf_fmt(&out, "%s" STR_FMT, i ? "; " : "", STR_ARG(v[i]));
	return str_dup(&arena, buf_view(&out));
}

static const char plain[] = "{\"architecture\":\"amd64\",\"os\":\"linux\",\"variant\":\"\",\"created\":\"2020\",\"config\":{\"Env\":[\"A=1\",\"B=2\"],"
	"\"Entrypoint\":[\"/bin/e\",\"x\"],\"Cmd\":[\"c\"],\"User\":\"u\",\"WorkingDir\":\"/w\",\"Volumes\":{\"/v\":{}},\"StopSignal\":\"INT\","
	"\"Labels\":{\"l\":\"1\"},\"ExposedPorts\":{\"1/tcp\":{}},\"OnBuild\":[\"RUN a\"],\"Shell\":[\"/s\"],\"Healthcheck\":{}},"
	"\"history\":[],\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
	"\"sha256:1111111111111111111111111111111111111111111111111111111111111111\","
	"\"sha256:2222222222222222222222222222222222222222222222222222222222222222\"]}}";

static void counts(const char *from, const char *to, const char *says)
{
	struct imageid a = read_text(str_of(plain)), b = read_text(edited(str_of(plain), from, to));

	ok(!digest_eq(&a.identity, &b.identity), "%s -> %s is another image", from, to);
	is_str(differences(&a, &b), says, "which says what differs");
}

static void does_not_count(const char *from, const char *to)
{
	struct imageid a = read_text(str_of(plain)), b = read_text(edited(str_of(plain), from, to));

	ok(digest_eq(&a.identity, &b.identity), "%s -> %s is the same image", from, to);
}

static void what_counts(void)
{
	counts("sha256:22", "sha256:23", "layer 2 differs");
	counts("\"A=1\",\"B=2\"", "\"A=3\",\"B=2\"", "env A was '1' and is '3'");
	counts("\"A=1\",\"B=2\"", "\"A=1\"", "env B is gone: it was '2'");
	counts("\"A=1\",\"B=2\"", "\"A=1\",\"B=2\",\"C=\"", "env C is new: ''");
	counts("\"A=1\",\"B=2\"", "\"B=2\",\"A=1\"", "the order of the environment differs, or a variable that it holds twice");
	counts("\"A=1\",\"B=2\"", "\"A=1\",\"B=2\",\"A=1\"", "the order of the environment differs, or a variable that it holds twice");
	counts("\"/bin/e\",\"x\"", "\"/bin/e\"", "word 2 of its entrypoint is gone: it was 'x'");
	counts("\"/bin/e\",\"x\"", "\"/bin/ex\"", "word 1 of its entrypoint was '/bin/e' and is '/bin/ex'; word 2 of its entrypoint is gone: it was 'x'");
	counts("[\"c\"]", "[\"d\"]", "word 1 of its cmd was 'c' and is 'd'");
	counts("\"u\"", "\"v\"", "the user was 'u' and is 'v'");
	counts("\"/w\"", "\"/x\"", "the working folder was '/w' and is '/x'");
	counts("{\"/v\":{}}", "{}", "the volume /v is gone");
	counts("\"INT\"", "\"TERM\"", "the stop signal was 'INT' and is 'TERM'");
	counts("amd64", "arm64", "the architecture was 'amd64' and is 'arm64'");
	counts("linux", "windows", "the operating system was 'linux' and is 'windows'");
	counts("[\"A=1\",\"B=2\"],\"Entrypoint\":[\"/bin/e\",\"x\"]", "[],\"Entrypoint\":[\"A=1\"]",
	       "word 1 of its entrypoint was '/bin/e' and is 'A=1'; env A is gone: it was '1'; env B is gone: it was '2'; "
	       "word 2 of its entrypoint is gone: it was 'x'");
	does_not_count("2020", "2021");
	does_not_count("\"l\":\"1\"", "\"l\":\"2\"");
	does_not_count("1/tcp", "2/tcp");
	does_not_count("RUN a", "RUN b");
	does_not_count("\"/s\"", "\"/t\"");
	does_not_count("\"variant\":\"\"", "\"variant\":\"v1\"");
	does_not_count("\"history\":[]", "\"history\":[{}]");
}

static void one_empty(const char *what, const char *a, const char *b, const char *c)
{
	static const char form[] = "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[]},\"config\":{%s\"Hostname\":\"\"}}";
	struct imageid x = read_text(str_fmt(&arena, form, a)), y = read_text(str_fmt(&arena, form, b)), z = read_text(str_fmt(&arena, form, c));

	ok(digest_eq(&x.identity, &y.identity) && digest_eq(&y.identity, &z.identity), "%s: absent, null and empty are one", what);
}

static void nothing(void)
{
	struct imageid none = read_text(S("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\"}}")),
		       null = read_text(S("{\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":null,\"rootfs\":{\"diff_ids\":null}}")),
		       root = read_text(S("{\"Os\":\"linux\",\"Architecture\":\"amd64\",\"RootFS\":{},\"Config\":{\"WorkingDir\":\"/\"}}"));

	ok(digest_eq(&none.identity, &null.identity), "no configuration at all");
	ok(digest_eq(&none.identity, &root.identity), "the root is where a container starts anyway");
	one_empty("Env", "", "\"Env\":null,", "\"Env\":[],");
	one_empty("Cmd", "", "\"Cmd\":null,", "\"Cmd\":[],");
	one_empty("Entrypoint", "", "\"Entrypoint\":null,", "\"Entrypoint\":[],");
	one_empty("Volumes", "", "\"Volumes\":null,", "\"Volumes\":{},");
	one_empty("User", "", "\"User\":null,", "\"User\":\"\",");
	one_empty("StopSignal", "", "\"StopSignal\":null,", "\"StopSignal\":\"\",");
}

static void refuses(const char *text, const char *because)
{
	struct imageid id;
	struct err err = ERR_INIT;

	ok(imageid_read(&arena, str_of(text), &id, &err) == -1 && err.text && strstr(err.text, because) &&
	   strstr(err.text, "the image's configuration"), "refused: %s", text);
	if (!err.text || !strstr(err.text, because))
		tap_show("says", str_of(err.text));
	err_release(&err);
}

static void refusals(void)
{
	refuses("", "no JSON");
	refuses("{", "no JSON");
	refuses("[]", "no JSON object");
	refuses("{}", "no layers");
	refuses("{\"os\":\"linux\",\"architecture\":\"amd64\"}", "no layers");
	refuses("{\"rootfs\":{}}", "for which platform");
	refuses("{\"os\":\"linux\",\"rootfs\":{}}", "for which platform");
	refuses("{\"os\":1,\"architecture\":\"amd64\",\"rootfs\":{}}", "os is a number");
	refuses("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[\"x\"]}}", "layer 1 has no SHA-256");
	refuses("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":{}}}", "diff_ids is a map");
	refuses("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{},\"config\":[]}", "config is no map");
	refuses("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{},\"config\":{\"Env\":[1]}}", "Env holds a number");
	refuses("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{},\"config\":{\"Env\":{}}}", "Env is a map");
	refuses("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{},\"config\":{\"Volumes\":[]}}", "Volumes is a list");
}

static void builders(void)
{
	struct imageid docker = read_text(text_of("full", "docker")), podman = read_text(text_of("full", "podman")),
		       bare = read_text(text_of("bare", "registry"));

	ok(docker.builder_told && docker.nonbuild == 1 && docker.nshell == 2 && str_is(docker.onbuild[0], "COPY a b"), "Docker tells what acts on builds");
	ok(!podman.builder_told && !podman.nonbuild, "Podman does not, which is seen");
	ok(bare.builder_told && !bare.nonbuild && !bare.nshell, "the registry tells that there is nothing");
}

int main(void)
{
	struct str *v;
	size_t n;

	the_same("full");
	the_same("bare");
	what_counts();
	nothing();
	refusals();
	builders();
	is_int(imageid_differences(&arena, S("x"), S("y"), &v, &n), -1, "what is no description is seen");
	arena_release(&arena);
	return done();
}
