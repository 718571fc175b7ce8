/* inputs, outputs, depfile, tools and requires: lists of paths and programs. */
#include "spec/fields.h"

#include "base/glob.h"
#include "base/path.h"
#include "spec/exprlex.h"

/* ---- one path ---- */

static bool path_is_known(const struct spec_path *p)
{
	return p->text.s.n > 0;
}

static void path_plain_read(struct reader *r, const struct node *n, bool pattern, struct spec_path *p)
{
	if (!text_read(r, n, "a path", &p->text))
		return;
	if (pattern && p->text.s.n && p->text.s.s[0] == '!') {
		p->negated = true;
		p->text.s = str_from(p->text.s, 1);
		p->text.loc = text_loc_at(&p->text, 0);
	}
	if (!p->text.s.n) {
		mistake(r, n->loc, NULL, "the path is empty");
		return;
	}
	p->literal = !pattern;
	const char *problem = pattern ? glob_problem(text_outline(r->arena, &p->text)) : NULL;
	if (problem)
		mistake(r, p->text.loc, "'\\' escapes a character, {path: ...} is taken as it is",
		        "malformed pattern: %s", problem);
}

static void path_literal_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_path *p = at;
	if (text_read(r, n, "a path", &p->text) && !p->text.s.n)
		mistake(r, n->loc, NULL, "the path is empty");
	p->literal = true;
}

static void path_read(struct reader *r, const struct node *n, bool pattern, struct spec_path *p)
{
	static const struct field fields[] = {{"path", path_literal_read, 0},
	                                      FIELD(spec_path, "optional", optional, field_bool)};
	p->text = (struct text){.s = S(""), .loc = n->loc, .node = n};
	if (n->kind != NODE_MAP) {
		path_plain_read(r, n, pattern, p);
		return;
	}
	fields_read(r, n, PLACE_OTHER, "a path", fields, countof(fields), p);
	if (!node_get(n, S("path")))
		mistake(r, n->loc, NULL, "a path written as a map needs 'path'");
}

static void list_read(struct reader *r, const struct node *n, bool pattern, struct spec_paths *out)
{
	*out = (struct spec_paths){.v = arena_array(r->arena, list_length(n) + 1, struct spec_path),
	                           .given = true};
	bool positive = false, complete = true;
	if (n->kind == NODE_SCALAR && node_is_null(n)) {
		expected(r, n, "a list of paths");
		return;
	}
	for (size_t i = 0; i < list_length(n); i++) {
		struct spec_path *p = &out->v[out->n++];
		path_read(r, list_item(n, i), pattern, p);
		positive |= !p->negated;
		complete &= path_is_known(p);
	}
	if (out->n && !positive && complete)
		mistake(r, n->loc, NULL,
		        "entries with '!' take away, but nothing is listed that they could take from");
}

void paths_read(struct reader *r, const struct node *n, void *at)
{
	list_read(r, n, false, at);
}

void inputs_read(struct reader *r, const struct node *n, void *at)
{
	list_read(r, n, true, at);
}

/* ---- outputs ---- */

/* As far as the text tells: what stands in ${{ }} is known when it is planned. */
static void inside_check(struct reader *r, const struct text *t, const char *what)
{
	struct str joined, path = text_outline(r->arena, t);
	if (!path.n || (t->s.n > 3 && !memcmp(t->s.s, "${{", 3)))
		return;
	if (path.s[0] == '/')
		mistake(r, t->loc, "write it relative to the folder of this file",
		        "%s can't be an absolute path", what);
	else if (!path_join(r->arena, r->unit->dir, path, &joined))
		mistake(r, t->loc, NULL, "%s lies outside of the workspace", what);
	else if (!joined.n)
		mistake(r, t->loc, NULL, "%s can't be the whole workspace", what);
}

static void output_files_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_command *c = at;
	list_read(r, n, true, &c->outputs);
	for (size_t i = 0; i < c->outputs.n; i++) {
		if (!c->outputs.v[i].negated)
			inside_check(r, &c->outputs.v[i].text, "an output");
	}
}

void outputs_read(struct reader *r, const struct node *n, void *at)
{
	static const struct field fields[] = {
		{"files", output_files_read, 0},
		FIELD(spec_command, "keep", outputs_keep, field_bool),
		FIELD(spec_command, "tracked", outputs_tracked, field_bool),
	};
	if (n->kind != NODE_MAP) {
		output_files_read(r, n, at);
		return;
	}
	fields_read(r, n, PLACE_OTHER, "outputs", fields, countof(fields), at);
	if (!r->partial && !node_get(n, S("files")))
		mistake(r, n->loc,
		        "[a, b] lists files alone, {files: [a, b], keep: true} says more about them",
		        "outputs written as a map need 'files'");
}

void depfile_read(struct reader *r, const struct node *n, void *at)
{
	struct text *t = at;
	if (!text_read(r, n, "a path", t))
		return;
	if (!t->s.n)
		mistake(r, n->loc, NULL, "the path is empty");
	inside_check(r, t, "a depfile");
}

/* ---- tools ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* The words of a text, blanks within ${{ }} apart. */
static void words_split(struct reader *r, const struct text *t, struct spec_texts *out)
{
	struct str s = t->s;
	out->v = arena_array(r->arena, s.n / 2 + 2, struct text);
	for (size_t i = 0; i < s.n;) {
		if (is_blank(s.s[i])) {
			i++;
			continue;
		}
		size_t start = i;
		while (i < s.n && !is_blank(s.s[i])) {
			if (s.n - i < 3 || memcmp(s.s + i, "${{", 3)) {
				i++;
				continue;
			}
			struct token token;
			i += 3;
			do {
				token = expr_lex(s, &i);
			} while (token.kind != TOK_END && token.kind != TOK_EOF && token.kind != TOK_BAD);
			if (token.kind != TOK_END)
				return;
		}
		struct text *word = &out->v[out->n++];
		*word = *t;
		word->s = (struct str){s.s + start, i - start};
	}
}

static void tool_run_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_tool *tool = at;
	if (n->kind == NODE_LIST) {
		CLEANUP_BUF struct buf joined = BUF_INIT(BUF_UNLIMITED);
		field_words(r, n, &tool->run);
		for (size_t i = 0; i < tool->run.n; i++)
			buf_fmt(&joined, "%s" STR_FMT, i ? " " : "", STR_ARG(tool->run.v[i].s));
		tool->run_text = (struct text){.s = str_dup(r->arena, buf_view(&joined)), .loc = n->loc};
		return;
	}
	if (!text_read(r, n, "a command, such as cc --version", &tool->run_text))
		return;
	words_split(r, &tool->run_text, &tool->run);
	if (!tool->run.n)
		mistake(r, n->loc, NULL, "the command is empty");
}

static void tool_read(struct reader *r, const struct node *n, struct spec_tool *tool)
{
	static const struct field fields[] = {{"run", tool_run_read, 0}};
	tool->loc = n->loc;
	if (n->kind != NODE_MAP) {
		if (text_read(r, n, "a program or {run: cc --version}", &tool->name) && !tool->name.s.n)
			mistake(r, n->loc, NULL, "the program's name is empty");
		return;
	}
	fields_read(r, n, PLACE_OTHER, "a tool", fields, countof(fields), tool);
	if (!n->n)
		mistake(r, n->loc, NULL, "a tool written as a map needs 'run'");
}

void tools_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_command *c = at;
	c->tools_given = true;
	c->tools = arena_array(r->arena, list_length(n) + 1, struct spec_tool);
	c->ntools = 0;
	for (size_t i = 0; i < list_length(n); i++)
		tool_read(r, list_item(n, i), &c->tools[c->ntools++]);
}

/* ---- requires ---- */

static void any_read(struct reader *r, const struct node *n, struct spec_any *any)
{
	static const struct field fields[] = {{"any", field_texts, 0}};
	struct spec_texts texts = {0};
	any->loc = n->loc;
	if (n->kind == NODE_MAP) {
		fields_read(r, n, PLACE_OTHER, "a requirement", fields, countof(fields), &texts);
		if (!texts.n)
			mistake(r, n->loc, NULL,
			        "a requirement written as a map needs 'any' with what it may be");
	} else {
		texts.v = arena_array(r->arena, 1, struct text);
		texts.n = text_read(r, n, "a name or {any: [...]}", texts.v);
	}
	for (size_t i = 0; i < texts.n; i++) {
		if (!texts.v[i].s.n)
			mistake(r, texts.v[i].loc, NULL, "the name is empty");
	}
	any->v = texts.v;
	any->n = texts.n;
}

static struct spec_any *anys_read(struct reader *r, const struct node *n, size_t *count)
{
	struct spec_any *v = arena_array(r->arena, list_length(n) + 1, struct spec_any);
	*count = list_length(n);
	for (size_t i = 0; i < *count; i++)
		any_read(r, list_item(n, i), &v[i]);
	return v;
}

static void requires_tools_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_requires *q = at;
	q->tools = anys_read(r, n, &q->ntools);
}

static void requires_files_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_requires *q = at;
	q->files = anys_read(r, n, &q->nfiles);
}

static void requires_env_read(struct reader *r, const struct node *n, void *at)
{
	struct spec_requires *q = at;
	q->env = anys_read(r, n, &q->nenv);
	for (size_t i = 0; i < q->nenv; i++) {
		for (size_t k = 0; k < q->env[i].n; k++) {
			const struct text *t = &q->env[i].v[k];
			if (t->s.n && !text_has_expr(t->s))
				variable_name_check(r, t->s, t->loc, "an environment variable");
		}
	}
}

void requires_read(struct reader *r, const struct node *n, void *at)
{
	static const struct field fields[] = {
		{"tools", requires_tools_read, 0},
		{"files", requires_files_read, 0},
		{"env", requires_env_read, 0},
	};
	fields_read(r, n, PLACE_OTHER, "requires", fields, countof(fields), at);
}
