/* Every setting with what set it. */
#include "base/json.h"
#include "cli/cmd.h"
#include "cli/config.h"
#include "cli/show.h"

static const char *const origins[] = {
	[FROM_DEFAULT] = "default", [FROM_SYSTEM] = "system", [FROM_USER] = "user", [FROM_ENV] = "environment", [FROM_OPTION] = "option",
};

static void as_text(const struct config *c, struct buf *out)
{
	size_t keys = 0, texts = 0;

	for (size_t i = 0; i < c->nvalues; i++) {
		size_t key = strlen(c->values[i].key), text = show_width(c->values[i].text);

		keys = key > keys ? key : keys;
		texts = text > texts && text < 48 ? text : texts;
	}
	for (size_t i = 0; i < c->nvalues; i++) {
		const struct config_value *v = &c->values[i];

		buf_fmt(out, "%-*s = ", (int)keys, v->key);
		show_padded(out, v->text, texts);
		buf_z(out, "  # ");
		buf_z(out, v->where.n ? "" : origins[v->origin]);
		show_text(out, v->where);
		buf_c(out, '\n');
	}
}

static void as_json(const struct config *c, struct buf *out)
{
	struct json j = {.out = out};

	json_open(&j, '[');
	for (size_t i = 0; i < c->nvalues; i++) {
		const struct config_value *v = &c->values[i];

		json_open(&j, '{');
		json_kstr(&j, "key", str_of(v->key));
		json_kstr(&j, "value", v->text);
		json_kstr(&j, "origin", str_of(origins[v->origin]));
		if (v->where.n)
			json_kstr(&j, "where", v->where);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	buf_c(out, '\n');
}

static int config(int argc, char **argv, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF_INIT(BUF_UNLIMITED);
	struct arena arena = ARENA_INIT;
	struct common common;
	struct opt_rest rest;
	struct config c;
	bool helped, json = false;
	const struct opt opts[] = {{0, "json", OPT_FLAG, &json, NULL, "print JSON"}};
	int rc = cmd_options(&arena, &cmd_config, opts, countof(opts), argc, argv, false, &common, &rest, &helped, err);

	if (rc == 0 && !helped && (rc = cmd_no_words(&cmd_config, &rest, err)) == 0 && (rc = config_read(&arena, &c, err)) == 0) {
		if (json)
			as_json(&c, &out);
		else
			as_text(&c, &out);
		rc = cmd_print(&out, err);
	}
	arena_release(&arena);
	return rc;
}

const struct command cmd_config = {"config", "print the settings and where each comes from", "cairn config [--json]", config};
