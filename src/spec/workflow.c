/* Workflows: goals, and what runs at the end. */
#include "spec/fields.h"

static void entry_params_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_entry *e = at;
	if (n->kind != NODE_MAP) {
		expected(r, n, "a map of params");
		return;
	}
	e->params = arena_array(r->arena, n->n + 1, struct str);
	e->values = arena_array(r->arena, n->n + 1, struct text);
	for (size_t i = 0; i < n->n; i++) {
		variable_name_check(r, n->items[i].key, n->items[i].key_loc, "a param");
		e->params[e->nparams] = n->items[i].key;
		text_read(r, n->items[i].value, "a param's value", &e->values[e->nparams++]);
	}
}

static void entry_long_read(struct reader *r, const struct node *n, struct spec_entry *e)
{
	static const struct field fields[] = {
		FIELD(spec_entry, "command", name, field_name),
		FIELD(spec_entry, "workflow", name, field_name),
		FIELD(spec_entry, "when", when, when_read),
		FIELD(spec_entry, "env", env, env_read),
		{"params", entry_params_read, 0},
	};
	const struct node *command = node_get(n, S("command")), *workflow = node_get(n, S("workflow"));
	fields_read(r, n, PLACE_OTHER, "a goal", fields, countof(fields), e);
	if (!command == !workflow)
		mistake(r, n->loc,
		        "write NAME, {NAME: {PARAM: VALUE}}, {command: NAME, when: ...} or {workflow: NAME}",
		        command ? "a goal is either a command or a workflow"
		                : "a goal needs 'command' or 'workflow'");
	e->workflow = workflow != NULL;
}

static void entry_read(struct reader *r, const struct node *n, struct spec_entry *e)
{
	*e = (struct spec_entry){.loc = n->loc, .name = {.s = S(""), .loc = n->loc, .node = n}};
	if (n->kind != NODE_MAP) {
		field_name(r, n, &e->name);
		return;
	}
	const struct node *params = n->n == 1 ? n->items[0].value : NULL;
	bool named = params && !str_is(n->items[0].key, "command") && !str_is(n->items[0].key, "workflow");
	if (!named || (params->kind != NODE_MAP && !node_is_null(params))) {
		entry_long_read(r, n, e);
		return;
	}
	e->loc = n->items[0].key_loc;
	e->name = (struct text){.s = n->items[0].key, .loc = e->loc};
	if (text_has_expr(e->name.s))
		mistake(r, e->loc, "write {command: \"${{ ... }}\", params: {...}}",
		        "a goal's name written as a key can't hold ${{ }}");
	if (params->kind == NODE_MAP)
		entry_params_read(r, params, e);
}

static struct spec_entry *entries_read(struct reader *r, const struct node *n, size_t *count)
{
	*count = 0;
	if (n->kind != NODE_LIST) {
		expected(r, n, "a list of goals");
		return NULL;
	}
	struct spec_entry *v = arena_array(r->arena, n->n + 1, struct spec_entry);
	for (size_t i = 0; i < n->n; i++)
		entry_read(r, n->items[i].value, &v[(*count)++]);
	return v;
}

static void steps_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_workflow *w = at;
	w->steps = entries_read(r, n, &w->nsteps);
	if (n->kind == NODE_LIST && !n->n)
		mistake(r, n->loc, NULL, "the list of steps is empty");
}

static void finally_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_workflow *w = at;
	w->finally = entries_read(r, n, &w->nfinally);
}

static void workflow_read(struct reader *r, const struct node_item *item, struct spec_workflow *w)
{
	static const struct field fields[] = {
		FIELD(spec_workflow, "summary", summary, field_str),
		{"steps", steps_read, 0},
		{"finally", finally_read, 0},
		FIELD(spec_workflow, "sequential", sequential, field_bool),
	};
	const char *problem = name_problem(item->key);
	*w = (struct spec_workflow){
		.name = spec_prefixed(r, item->key), .loc = item->key_loc, .file = r->unit->file};
	r->place = str_fmt(r->arena, "workflow '" STR_FMT "'", STR_ARG(item->key)).s;
	if (problem)
		mistake(r, item->key_loc, problem, "'" STR_FMT "' can't name a workflow", STR_ARG(item->key));
	exprs_begin(r);
	if (!fields_read(r, item->value, PLACE_OTHER, r->place, fields, countof(fields), w))
		return;
	if (!node_get(item->value, S("steps")))
		mistake(r, item->key_loc, NULL, "%s needs 'steps'", r->place);
	exprs_check(r, NULL);
}

void workflows_read(struct reader *r, const struct node *n)
{
	if (n->kind != NODE_MAP) {
		expected(r, n, "a map of workflows");
		return;
	}
	for (size_t i = 0; i < n->n; i++)
		workflow_read(r, &n->items[i], &r->spec->workflows[r->spec->nworkflows++]);
}
