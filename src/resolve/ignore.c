#include "resolve/ignore.h"

#include "base/path.h"
#include "base/vec.h"
#include "resolve/wild.h"

#include <stdlib.h>

enum rule_kind {
	RULE_NAME,                      /* the entry's name is exactly this */
	RULE_SUFFIX,                    /* its name ends so */
	RULE_NAME_WILD,
	RULE_PATH,                      /* path below the rule's folder: literal head, then wild */
};

struct rule {
	uint8_t kind;
	bool negated, dirs_only;
	struct str text;                /* NAME, SUFFIX: all; PATH: the head */
	struct wild *wild;              /* PATH: NULL when the head is all there is */
};

struct ignore {
	const struct ignore *parent;
	struct str dir;
	struct rule *rules;
	size_t n;
};

static size_t literal_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && !strchr("*?[\\", s.s[n]))
		n++;
	return n;
}

/* Trailing blanks go, unless escaped. */
static struct str trim_end(struct str line)
{
	size_t keep = 0;

	for (size_t i = 0; i < line.n; i++) {
		if (line.s[i] == '\\') {
			if (++i >= line.n)
				return line;
			keep = i + 1;
		} else if (line.s[i] != ' ') {
			keep = i + 1;
		}
	}
	return str_head(line, keep);
}

/* false: the line says nothing, or something that no path can match. */
static bool read_rule(struct arena *arena, struct str line, struct rule *rule)
{
	size_t literal;

	*rule = (struct rule){0};
	if (!line.n || line.s[0] == '#')
		return false;
	line = trim_end(str_head(line, strnlen(line.s, line.n)));
	if (line.n && line.s[0] == '!') {
		rule->negated = true;
		line = str_from(line, 1);
	}
	if (line.n && line.s[line.n - 1] == '/') {
		rule->dirs_only = true;
		line.n--;
	}
	if (!line.n)
		return false;
	literal = literal_length(line);
	if (str_chr(line, '/') >= 0) {
		rule->kind = RULE_PATH;
		if (line.s[0] == '/') {
			line = str_from(line, 1);
			literal--;
		}
		rule->text = str_dup(arena, str_head(line, literal));
		return literal == line.n || (rule->wild = wild_new(arena, str_from(line, literal)));
	}
	if (literal == line.n) {
		rule->kind = RULE_NAME;
	} else if (line.s[0] == '*' && literal_length(str_from(line, 1)) == line.n - 1) {
		rule->kind = RULE_SUFFIX;
		line = str_from(line, 1);
	} else {
		rule->kind = RULE_NAME_WILD;
		rule->wild = wild_new(arena, line);
		return rule->wild;
	}
	rule->text = str_dup(arena, line);
	return true;
}

struct ignore *ignore_new(struct arena *arena, const struct ignore *parent, struct str dir, struct str text)
{
	struct ignore *ig = arena_new(arena, struct ignore);
	VEC(struct rule) rules = {0};
	struct str line;

	ig->parent = parent;
	ig->dir = str_dup(arena, dir);
	if (str_starts(text, S("\xef\xbb\xbf")))
		text = str_from(text, 3);
	while (str_cut(&text, '\n', &line)) {
		struct rule rule;

		if (line.n && line.s[line.n - 1] == '\r')
			line.n--;
		if (read_rule(arena, line, &rule))
			vec_add(&rules, rule);
	}
	ig->n = rules.n;
	ig->rules = arena_array(arena, rules.n, struct rule);
	if (rules.n)
		memcpy(ig->rules, rules.v, rules.n * sizeof(*rules.v));
	vec_free(&rules);
	return ig;
}

static bool rule_matches(const struct rule *rule, struct str path, struct str name)
{
	switch (rule->kind) {
	case RULE_NAME:
		return str_eq(name, rule->text);
	case RULE_SUFFIX:
		return str_ends(name, rule->text);
	case RULE_NAME_WILD:
		return wild_match(rule->wild, name);
	default:
		if (!rule->wild)
			return str_eq(path, rule->text);
		return str_starts(path, rule->text) && wild_match(rule->wild, str_from(path, rule->text.n));
	}
}

bool ignore_match(const struct ignore *ig, struct str path, bool is_dir)
{
	struct str name = path_name(path);

	for (; ig; ig = ig->parent) {
		struct str below = path;

		if (ig->dir.n) {
			if (!path_within(path, ig->dir) || path.n == ig->dir.n)
				continue;
			below = str_from(path, ig->dir.n + 1);
		}
		for (size_t i = ig->n; i-- > 0;)
			if ((is_dir || !ig->rules[i].dirs_only) && rule_matches(&ig->rules[i], below, name))
				return !ig->rules[i].negated;
	}
	return false;
}
