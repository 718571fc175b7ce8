/* ask-image: answers about images, for shell tests.
 *	ask-image registry REF [PLATFORM]       what the registry says: lines "index", "manifest", "config", "identity", "platform"
 *	ask-image digest REF                    to what the reference leads there
 *	ask-image twice REF                     "registry" two times with one client
 * INSECURE lists registries, with blanks between them. Exits 1 with the error on standard error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtimes/registryclient.h"

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
		if (ask(client, &arena, argc, argv, &err) == 0)
			status = 0;
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
