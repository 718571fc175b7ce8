/* Images, files, programs in containers, networks and volumes. Archives are made by tar(1). */
#include "engines.h"

#include "base/base64.h"

/* --- archives in and out --- */

static struct str archive;
static size_t sent;
static bool dry;
static ssize_t give(void *ctx, char *to, size_t n, struct err *err)
{
	(void)ctx;
	if (dry)
		return err_set(err, ERR_SYSTEM, "the archive can't be read");
	n = n < 1000 ? n : 1000;
	n = n < archive.n - sent ? n : archive.n - sent;
	memcpy(to, archive.s + sent, n);
	sent += n;
	return (ssize_t)n;
}

static struct buf taken;
static void take(void *ctx, struct str bytes)
{
	(void)ctx;
	buf_str(&taken, bytes);
}

/* What `tar` makes of the files in the folder; -b 1, because Podman may fail with zeros behind the archive's end. */
static void pack(const char *folder)
{
	sh("tar -b 1 -C %s -cf %s.tar .", folder, folder);
	file_read(&arena, scratch_fd, str_fmt(&arena, "%s.tar", folder).s, 64u << 20, &archive, NULL);
	sent = 0;
}

static struct str container(const char *what, const char *cmd)
{
	struct engine_answer a;
	struct str body = str_fmt(&arena, "{\"Image\":\"localhost/busybox:1\",\"Cmd\":[\"sh\",\"-c\",\"%s\"],\"HostConfig\":{\"NetworkMode\":\"none\","
				  "\"Init\":true}}", cmd);
	BLOCKING(a, engine_create(engine, name_of(what), (struct str){0}, body, engine_keep, &a));
	if (a.fault != ENGINE_OK)
		printf("# %s\n", said);
	return a.id;
}

static void files(void)
{
	struct engine_answer a;
	struct str id = container("files", "cat /tmp/in/file >/tmp/out; exit 3"), text = {0};
	sh("rm -rf in && mkdir -p in/in && head -c 300000 /dev/zero >in/in/zeros && echo inside >in/in/file");
	pack("in");
	BLOCKING(a, engine_put(engine, id, S("/tmp"), give, engine_keep, &a));
	if (!is_int(a.fault, ENGINE_OK, "%s: files are put into a container that has not begun", kind))
		printf("# %s\n", said);
	BLOCKING(a, engine_start(engine, id, engine_keep, &a));
	while (!state_of(id).settled) {}
	is_int(state_of(id).exit_code, 3, "%s: it runs", kind);
	taken = (struct buf)BUF_INIT(BUF_UNLIMITED);
	struct err err = ERR_INIT;
	a = answer();
	/* take and engine_keep share ctx, so the bytes go to a global. */
	engine_get(engine, id, S("/tmp/out"), take, engine_keep, &a);
	is_int(engine_await(engine, &a, &err), 0, "%s: and taken out of one that has ended", kind);
	err_release(&err);
	sh("rm -rf got && mkdir got");
	file_write(scratch_fd, "got.tar", buf_view(&taken), 0644, NULL);
	buf_release(&taken);
	sh("tar -C got -xf got.tar");
	file_read(&arena, scratch_fd, "got/out", 100, &text, NULL);
	is_str(text, "inside\n", "%s: as they are", kind);
	BLOCKING(a, engine_get(engine, id, S("/nowhere"), take, engine_keep, &a));
	is_int(a.fault, ENGINE_ABSENT, "%s: what is not there is absent", kind);
	dry = true;
	BLOCKING(a, engine_put(engine, id, S("/tmp"), give, engine_keep, &a));
	dry = false;
	ok(a.fault == ENGINE_LOST && strstr(said, "can't be read"), "%s: a source that fails says why", kind);
	BLOCKING(a, engine_remove(engine, id, engine_keep, &a));
}

/* --- a program in a container --- */

static void programs(void)
{
	struct heard h;
	struct engine_output out;
	struct engine_answer a;
	uint64_t code = 0;
	struct str id = container("exec", "sleep 1000"), exec;
	BLOCKING(a, engine_start(engine, id, engine_keep, &a));
	for (int in = 0; in < 2; in++) {
		const char *more = in ? ",\"AttachStdin\":true" : "", *cmd = in ? "cat; exit 5" : "echo a; echo b >&2; exit 5";
		struct str body = str_fmt(&arena, "{\"AttachStdout\":true,\"AttachStderr\":true%s,\"Cmd\":[\"sh\",\"-c\",\"%s\"]}", more, cmd);
		BLOCKING(a, engine_exec_create(engine, id, body, engine_keep, &a));
		exec = a.id;
		out = listen_to(&h);
		h.call = engine_exec_start(engine, exec, in, false, &out);
		if (in) {
			engine_write(h.call, S("to it"));
			until(&h.ready);
			ok(engine_shut(h.call), "%s: a program's input can be ended", kind);
		}
		until(&h.over);
		is_str(buf_view(&h.streams[0]), in ? "to it" : "a\n", "%s: a program in a running container is heard", kind);
		is_str(buf_view(&h.streams[1]), in ? "" : "b\n", "%s: on both streams", kind);
		heard_release(&h);
		BLOCKING(a, engine_exec_inspect(engine, exec, engine_keep, &a));
		ok(a.json && str_u64(node_get(a.json, S("ExitCode"))->s, &code) && code == 5, "%s: its status is known", kind);
	}
	BLOCKING(a, engine_stop(engine, id, 1, engine_keep, &a));
	is_int(a.fault, ENGINE_OK, "%s: a container is stopped", kind);
	BLOCKING(a, engine_stop(engine, id, 1, engine_keep, &a));
	is_int(a.fault, ENGINE_OK, "%s: twice is no fault", kind);
	BLOCKING(a, engine_remove(engine, id, engine_keep, &a));
}

/* --- images --- */

static int lines;
static void count_line(void *ctx, const struct node *line)
{
	(void)ctx;
	lines += line->kind == NODE_MAP;
}

static struct str pulled(const char *registry, const char *tag, struct str auth)
{
	struct engine_answer a;
	struct engine_pull p = {.name = str_fmt(&arena, "%s/busybox", registry), .tag = str_of(tag), .auth = auth};
	BLOCKING(a, engine_pull(engine, &p, count_line, engine_keep, &a));
	return str_fmt(&arena, "%s", a.fault == ENGINE_OK ? "pulled" : said);
}

static void pulls(void)
{
	struct engine_answer a;
	const char *open = getenv("TESTBED_REGISTRY"), *closed = getenv("TESTBED_REGISTRY_AUTH");
	struct str name = str_fmt(&arena, "%s/busybox:1", open), why;
	CLEANUP_BUF struct buf auth = BUF_INIT(1000);
	struct str account = str_fmt(&arena, "{\"username\":\"tester\",\"password\":\"secret\",\"serveraddress\":\"%s\"}", closed);
	base64_add(&auth, account, true);
	lines = 0;
	is_str(pulled(open, "1", (struct str){0}), "pulled", "%s: an image is pulled", kind);
	ok(lines > 0, "%s: it tells of it line by line", kind);
	BLOCKING(a, engine_image(engine, name, engine_keep, &a));
	ok(a.fault == ENGINE_OK && a.id.n && node_get(a.json, S("RootFS")), "%s: and is there", kind);
	why = pulled(open, "never", (struct str){0});
	ok(str_find(why, S("unable to pull the image")) == 0 && str_find(why, S("never")) > 0, "%s: one that is nowhere is not", kind);
	ok(!str_is(pulled(closed, "1", (struct str){0}), "pulled"), "%s: without a password nothing comes", kind);
	is_str(pulled(closed, "1", buf_view(&auth)), "pulled", "%s: with it, it does", kind);
	ok(!str_is(pulled("127.0.0.1:1", "1", (struct str){0}), "pulled"), "%s: no registry, no image", kind);

	BLOCKING(a, engine_tag(engine, name, str_fmt(&arena, "localhost/u-%d", (int)getpid()), S("x"), engine_keep, &a));
	is_int(a.fault, ENGINE_OK, "%s: an image gets a name", kind);
	for (int i = 0; i < 2; i++) {
		BLOCKING(a, engine_untag(engine, str_fmt(&arena, "localhost/u-%d:x", (int)getpid()), engine_keep, &a));
		is_int(a.fault, ENGINE_OK, "%s: and loses it; twice is no fault", kind);
	}
	BLOCKING(a, engine_image(engine, S("localhost/busybox:1"), engine_keep, &a));
	is_int(a.fault, ENGINE_OK, "%s: it itself stays", kind);
}

static struct str built(const char *file, const char *target, struct str *id)
{
	struct engine_answer a;
	struct str labels = str_fmt(&arena, "{\"cairn.u\":\"%d-%s\"}", (int)getpid(), kind);
	struct engine_build b = {.file = str_of(file), .target = str_of(target), .tag = str_fmt(&arena, "localhost/u-%d:%s", (int)getpid(), target), .labels = labels, .args = S("{\"WORD\":\"said\"}"),
				 .network = S("none"), .read = give};
	sent = 0;
	BLOCKING(a, engine_build(engine, &b, count_line, engine_keep, &a));
	*id = a.id;
	return str_fmt(&arena, "%s", a.fault == ENGINE_OK ? "built" : said);
}

static void builds(void)
{
	struct engine_answer a;
	struct str id, why;
	sh("rm -rf ctx && mkdir -p ctx/sub && echo %d >ctx/sub/file && "
	   "printf 'FROM localhost/busybox:1 AS one\\nARG WORD\\nCOPY sub /sub\\nRUN echo $WORD >/word\\nFROM one AS two\\nRUN exit 9\\n' >ctx/sub/My.file", (int)getpid());
	pack("ctx");
	why = built("sub/My.file", "one", &id);
	is_str(why, "built", "%s: an image is built of a tar, to a target", kind);
	ok(id.n >= 12, "%s: and its id is told", kind);
	BLOCKING(a, engine_images(engine, str_fmt(&arena, "cairn.u=%d-%s", (int)getpid(), kind), engine_keep, &a));
	ok(a.json && a.json->n >= 1, "%s: it is found again by its label", kind);
	BLOCKING(a, engine_image(engine, str_fmt(&arena, "localhost/u-%d:one", (int)getpid()), engine_keep, &a));
	ok(a.fault == ENGINE_OK && str_find(a.id, id) >= 0, "%s: and by its name", kind);
	BLOCKING(a, engine_untag(engine, str_fmt(&arena, "localhost/u-%d:one", (int)getpid()), engine_keep, &a));
	is_int(a.fault, ENGINE_OK, "%s: and removed", kind);
	why = built("sub/My.file", "two", &id);
	ok(str_find(why, S("unable to build an image of sub/My.file")) == 0, "%s: a build that fails is a failure, whatever the status", kind);
	why = built("Nowhere", "none", &id);
	ok(!str_is(why, "built"), "%s: so is one of nothing", kind);
	dry = true;
	why = built("sub/My.file", "one", &id);
	dry = false;
	ok(str_find(why, S("can't be read")) > 0, "%s: and a context that can't be read", kind);
}

/* --- networks and volumes --- */

static void others(void)
{
	struct engine_answer a;
	struct engine_about about;
	struct str label = str_fmt(&arena, "cairn.u=%d", (int)getpid()), body;
	body = str_fmt(&arena, "{\"Name\":\"%s\",\"Internal\":true,\"Labels\":{\"cairn.u\":\"%d\"}}", name_of("net").s, (int)getpid());
	BLOCKING(a, engine_network_create(engine, body, engine_keep, &a));
	ok(a.fault == ENGINE_OK && a.id.n, "%s: a network is made", kind);
	BLOCKING(a, engine_networks(engine, label, engine_keep, &a));
	ok(a.json && a.json->n == 1, "%s: and listed by its label", kind);
	for (int i = 0; i < 2; i++) {
		BLOCKING(a, engine_network_remove(engine, name_of("net"), engine_keep, &a));
		is_int(a.fault, ENGINE_OK, "%s: and removed; twice is no fault", kind);
	}
	body = str_fmt(&arena, "{\"Name\":\"%s\",\"Labels\":{\"cairn.u\":\"%d\"}}", name_of("vol").s, (int)getpid());
	BLOCKING(a, engine_volume_create(engine, body, engine_keep, &a));
	ok(a.fault == ENGINE_OK && str_eq(a.id, name_of("vol")), "%s: a volume is made", kind);
	BLOCKING(a, engine_volumes(engine, label, engine_keep, &a));
	ok(a.json && node_get(a.json, S("Volumes")) && node_get(a.json, S("Volumes"))->n == 1, "%s: and listed", kind);
	for (int i = 0; i < 2; i++) {
		BLOCKING(a, engine_volume_remove(engine, name_of("vol"), engine_keep, &a));
		is_int(a.fault, ENGINE_OK, "%s: and removed", kind);
	}
	BLOCKING(a, engine_list(engine, label, engine_keep, &a));
	ok(a.json && a.json->n == 0, "%s: no container has the label", kind);
	BLOCKING(a, engine_info(engine, engine_keep, &a));
	engine_about_of(&arena, a.json, &about);
	ok(about.version.n && str_is(about.os, "linux") && !about.rootless && about.storage.n && about.cgroup_version >= 1, "%s: it tells what it is", kind);
	BLOCKING(a, engine_ask(engine, &(struct engine_ask){.method = "GET", .path = S("/nothing/of/the/kind"), .what = S("look")}, engine_keep, &a));
	ok(a.fault == ENGINE_ABSENT && strstr(said, "unable to look"), "%s: a call that it does not know", kind);
}

static void checks(void)
{
	files();
	programs();
	pulls();
	builds();
	others();
}

int main(void)
{
	return with_engines(checks);
}
