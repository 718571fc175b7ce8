/* ask-image: answers about images, for shell tests.
 *	ask-image registry REF [PLATFORM]       what the registry says: lines "index", "manifest", "config", "identity", "platform"
 *	ask-image digest REF                    to what the reference leads there
 *	ask-image twice REF                     "registry" two times with one client
 *	ask-image identify POLICY REF [PLATFORM]        what it means here: "from", "identity", "create", "pull", "config", "ref"
 *	ask-image pull POLICY REF [PLATFORM]    the same, and has the engine pull it: "pulled yes|no", then "line ..." for each of progress
 *	ask-image differ FILE FILE              what differs between two images, from their configurations or inspections
 * INSECURE lists registries, with blanks between them. Exits 1 with the error on standard error. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtimes/identify.h"
#include "runtimes/registryclient.h"
#include "sys/file.h"

static int say(struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(BUF_UNLIMITED);

	err_print(err, &text, false);
	fwrite(text.s, 1, text.n, stderr);
	return 1;
}

static void show(const char *what, const struct digest *d)
{
	char text[DIGEST_TEXT_MAX];

	printf("%s %s\n", what, d->algo ? digest_text(d, text) : "none");
}

static int from_registry(struct registryclient *c, struct arena *a, const struct imageref *ref, const char *platform, struct err *err)
{
	struct platform want = {S("linux"), S("amd64"), S("")};
	struct registry_image image;

	if (platform)
		platform_parse(a, str_of(platform), &want);
	if (registry_image(c, a, ref, &want, platform != NULL, &image, err) < 0)
		return -1;
	show("index", &image.index);
	show("manifest", &image.manifest);
	show("config", &image.config);
	show("identity", &image.id.identity);
	printf("platform %s\n", platform_text(a, &image.id.platform).s);
	return 0;
}

static void show_line(void *ctx, struct str line)
{
	(void)ctx;
	printf("line " STR_FMT "\n", STR_ARG(line));
}

static int identify(struct arena *a, int argc, char **argv, const struct str *insecure, size_t n, struct err *err)
{
	struct str engine = str_of(getenv("CAIRN_CONTAINER_ENGINE"));
	struct identifier *who = identifier_open(&(struct identify_options){engine, S("CAIRN_CONTAINER_ENGINE"), insecure, n});
	static const char *const policies[] = {"missing", "always", "never"};
	struct image_ask question = {str_of(argc > 3 ? argv[3] : ""), str_of(argc > 4 ? argv[4] : ""), IMAGE_MISSING};
	struct image_found found;
	bool pulled;
	int rc;

	for (unsigned i = 0; argc > 2 && i < countof(policies); i++)
		if (strcmp(argv[2], policies[i]) == 0)
			question.policy = i;
	rc = image_identify(who, a, &question, &found, err);
	if (rc == 0) {
		printf("from %s\n", found.source == IMAGE_FROM_ENGINE ? "engine" : "registry");
		show("identity", &found.identity);
		show("config", &found.config);
		printf("create " STR_FMT "\npull " STR_FMT "\nref " STR_FMT "\n", STR_ARG(found.create), STR_ARG(found.pull), STR_ARG(found.ref));
	}
	if (rc == 0 && strcmp(argv[1], "pull") == 0 && (rc = image_pull(who, a, &found, show_line, NULL, &pulled, err)) == 0)
		printf("pulled %s\n", pulled ? "yes" : "no");
	identifier_close(who);
	return rc;
}

static int differ(struct arena *a, char **argv, struct err *err)
{
	struct imageid id[2];
	struct str text, *said;
	size_t n;

	for (int i = 0; i < 2; i++)
		if (file_read(a, AT_FDCWD, argv[2 + i], IMAGEID_JSON_MAX, &text, err) <= 0 || imageid_read(a, text, &id[i], err) < 0)
			return -1;
	imageid_differences(a, id[0].description, id[1].description, &said, &n);
	for (size_t i = 0; i < n; i++)
		puts(said[i].s);
	return 0;
}

static int ask(struct registryclient *c, struct arena *a, int argc, char **argv, struct err *err)
{
	struct imageref ref;
	const char *why = argc > 2 ? imageref_parse(a, str_of(argv[2]), &ref) : "it is not given";
	struct digest d;

	if (why)
		return err_set(err, ERR_USAGE, "the reference is none: %s", why);
	if (strcmp(argv[1], "digest") == 0) {
		if (registry_digest(c, &ref, &d, err) < 0)
			return -1;
		show("digest", &d);
		return 0;
	}
	if (strcmp(argv[1], "twice") == 0 && from_registry(c, a, &ref, NULL, err) < 0)
		return -1;
	return from_registry(c, a, &ref, argc > 3 ? argv[3] : NULL, err);
}

int main(int argc, char **argv)
{
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct loop *loop = loop_open(&err);
	struct http *http = loop ? http_open(loop, &err) : NULL;
	struct str insecure[16], rest = str_of(getenv("INSECURE") ? getenv("INSECURE") : "");
	struct registryclient *client;
	size_t n = 0;
	int status = 1;

	while (n < countof(insecure) && str_cut(&rest, ' ', &insecure[n]))
		n++;
	if (http) {
		client = registryclient_open(http, insecure, n);
		if (argc > 1 && (strcmp(argv[1], "identify") == 0 || strcmp(argv[1], "pull") == 0))
			status = identify(&arena, argc, argv, insecure, n, &err) < 0;
		else if (argc == 4 && strcmp(argv[1], "differ") == 0)
			status = differ(&arena, argv, &err) < 0;
		else
			status = ask(client, &arena, argc, argv, &err) < 0;
		registryclient_close(client);
		http_close(http);
	}
	if (loop)
		loop_close(loop);
	if (status)
		say(&err);
	err_release(&err);
	arena_release(&arena);
	return status;
}
