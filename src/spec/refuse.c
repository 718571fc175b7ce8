/* The one table of what the language has and cairn does not have yet, and of words that other tools
 * use for what cairn calls otherwise. */
#include "spec/fields.h"

static const struct {
	const char *name;
	unsigned places;
} unbuilt[] = {
	{"pools", PLACE_FILE},
	{"pool", PLACE_COMMAND},
	{"sandbox", PLACE_COMMAND},
	{"pod", PLACE_COMMAND},
	{"service", PLACE_COMMAND},
	{"health", PLACE_COMMAND},
	{"liveness", PLACE_COMMAND},
	{"restart", PLACE_COMMAND},
	{"log_files", PLACE_COMMAND},
	{"pre", PLACE_COMMAND},
	{"post", PLACE_COMMAND},
	{"on_success", PLACE_FILE | PLACE_COMMAND},
	{"on_failure", PLACE_FILE | PLACE_COMMAND},
	{"run", PLACE_SECRET},
};

bool refuse_unbuilt(struct reader *r, const struct node_item *item, enum place place, const char *what)
{
	for (size_t i = 0; i < countof(unbuilt); i++) {
		if (!(unbuilt[i].places & place) || !str_is(item->key, unbuilt[i].name))
			continue;
		mistake(r, item->key_loc, NULL, "'%s' in %s is not built yet", unbuilt[i].name, what);
		return true;
	}
	return false;
}

bool refuse_value(struct reader *r, const struct node *n)
{
	const struct node *from = n->kind == NODE_MAP ? node_get(n, S("from")) : NULL;
	if (from)
		mistake(r, n->loc, NULL, "a value that another step produces ('from') is not built yet");
	return from != NULL;
}

const char *hint_synonym(struct str field)
{
	static const struct { const char *theirs, *ours;
	} synonyms[] = {
		{"cmd", "run"},
		{"cmds", "run"},
		{"script", "run"},
		{"command", "run"},
		{"commands", "run"},
		{"recipe", "run"},
		{"deps", "needs"},
		{"depends", "needs"},
		{"depends_on", "needs"},
		{"dependencies", "needs"},
		{"requires", "needs"},
		{"sources", "inputs"},
		{"srcs", "inputs"},
		{"src", "inputs"},
		{"generates", "outputs"},
		{"artifacts", "outputs"},
		{"products", "outputs"},
		{"environment", "env"},
		{"variables", "vars"},
		{"dotenv", "env_files"},
		{"env_file", "env_files"},
		{"dir", "workdir"},
		{"cwd", "workdir"},
		{"working_directory", "workdir"},
		{"working-directory", "workdir"},
		{"if", "when"},
		{"condition", "when"},
		{"desc", "summary"},
		{"description", "summary"},
		{"tasks", "commands"},
		{"targets", "commands"},
		{"jobs", "commands"},
		{"rules", "commands"},
		{"includes", "include"},
		{"version", "cairn"},
		{"retries", "retry"},
		{"entrypoint", "exec"},
		{"foreach", "each"},
		{"for", "each"},
		{"steps", "needs"},
		{"strategy", "matrix"},
		{"continue-on-error", "continue_on_failure"},
		{"continue_on_error", "continue_on_failure"},
		{"ignore_error", "continue_on_failure"},
		{"always", "finally"},
		{"goals", "steps"},
		{"needs", "steps"},
	};
	for (size_t i = 0; i < countof(synonyms); i++) {
		if (str_is(field, synonyms[i].theirs))
			return synonyms[i].ours;
	}
	return NULL;
}
