#include "base/opt.h"

#include <stdio.h>

struct parse {
	struct arena *arena;
	const struct opt *opts;
	size_t n;
	int argc;
	char **argv;
	int at;                         /* the next word */
	struct err *err;
};

/* In the arena; the room is doubled when n is a power of two, so that a list needs no capacity. */
static void list_add(struct arena *a, struct opt_list *l, struct str s)
{
	if ((l->n & (l->n - 1)) == 0) {
		struct str *v = arena_array(a, l->n ? 2 * l->n : 1, struct str);
		if (l->n)
			memcpy(v, l->v, l->n * sizeof(*v));
		l->v = v;
	}
	l->v[l->n++] = s;
}

static bool takes_value(const struct opt *o)
{
	return o->kind == OPT_STR || o->kind == OPT_LIST || o->kind == OPT_INT;
}

/* As the user wrote it or would write it. */
static struct str shown(struct parse *p, const struct opt *o, bool is_long)
{
	return is_long ? str_fmt(p->arena, "--%s", o->long_name) : str_fmt(p->arena, "-%c", o->short_name);
}

static bool parse_int(struct str s, int64_t *out)
{
	uint64_t value;
	bool minus = s.n && *s.s == '-';
	if (!str_u64(str_from(s, minus), &value) || value > INT64_MAX)
		return false;
	*out = minus ? -(int64_t)value : (int64_t)value;
	return true;
}

/* value {NULL}: none was given. */
static int apply(struct parse *p, const struct opt *o, bool is_long, struct str value)
{
	struct str name = shown(p, o, is_long);
	if (value.s && (o->kind == OPT_FLAG || o->kind == OPT_COUNT))
		return err_set(p->err, ERR_USAGE, "option " STR_FMT " takes no value", STR_ARG(name));
	if (!value.s && takes_value(o)) {
		if (p->at == p->argc)
			return err_set(p->err, ERR_USAGE, "option " STR_FMT " needs a value: %s",
				       STR_ARG(name), o->arg ? o->arg : "VALUE");
		value = str_of(p->argv[p->at++]);
	}
	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)o->value = true;
		break;
	case OPT_COUNT:
		++*(int *)o->value;
		break;
	case OPT_STR:
	case OPT_OPTIONAL:
		*(struct str *)o->value = value.s ? value : S("");
		break;
	case OPT_LIST:
		list_add(p->arena, o->value, value);
		break;
	case OPT_INT:
		if (!parse_int(value, o->value))
			return err_set(p->err, ERR_USAGE,
				       "option " STR_FMT " needs a whole number, not '" STR_FMT "'",
				       STR_ARG(name), STR_ARG(value));
		break;
	}
	return 0;
}

static int unknown_long(struct parse *p, struct str name, bool keep_unknown)
{
	struct str *names = arena_array(p->arena, p->n, struct str);
	for (size_t i = 0; i < p->n; i++)
		names[i] = str_of(p->opts[i].long_name ? p->opts[i].long_name : "");
	struct str near = str_nearest(name, names, p->n);
	if (near.s)
		return err_set(p->err, ERR_USAGE,
			       "unknown option '--" STR_FMT "'; did you mean '--" STR_FMT "'?", STR_ARG(name),
			       STR_ARG(near));
	if (keep_unknown)
		return err_set(p->err, ERR_USAGE,
			       "unknown option '--" STR_FMT "'; a param is given as --" STR_FMT "=VALUE",
			       STR_ARG(name), STR_ARG(name));
	return err_set(p->err, ERR_USAGE, "unknown option '--" STR_FMT "'; --help lists them", STR_ARG(name));
}

static int parse_long(struct parse *p, struct str word, bool keep_unknown, struct opt_list *unknown)
{
	ptrdiff_t equals = str_chr(word, '=');
	struct str name = equals < 0 ? word : str_head(word, (size_t)equals);
	struct str value = equals < 0 ? (struct str){0} : str_from(word, (size_t)equals + 1);

	for (size_t i = 0; i < p->n; i++)
		if (p->opts[i].long_name && str_is(name, p->opts[i].long_name))
			return apply(p, &p->opts[i], true, value);
	if (!keep_unknown || equals <= 0)
		return unknown_long(p, name, keep_unknown);
	list_add(p->arena, unknown, word);
	return 0;
}

/* Letters of one word: flags may stand together, a value is the rest of the word. */
static int parse_short(struct parse *p, struct str letters)
{
	while (letters.n) {
		const struct opt *o = NULL;
		for (size_t i = 0; i < p->n && !o; i++)
			if (p->opts[i].short_name == *letters.s)
				o = &p->opts[i];
		if (!o)
			return err_set(p->err, ERR_USAGE, "unknown option '-%c'; --help lists them",
				       *letters.s);
		letters = str_from(letters, 1);
		bool whole = letters.n && (takes_value(o) || o->kind == OPT_OPTIONAL);
		if (apply(p, o, false, whole ? letters : (struct str){0}) < 0)
			return -1;
		if (whole)
			break;
	}
	return 0;
}

int opt_parse(struct arena *arena, const struct opt *opts, size_t n, int argc, char **argv, bool keep_unknown,
	      struct opt_rest *rest, struct err *err)
{
	struct parse p = {arena, opts, n, argc, argv, 1, err};
	*rest = (struct opt_rest){0};
	while (p.at < argc) {
		struct str word = str_of(argv[p.at++]);
		int status = 0;
		if (rest->dashdash)
			list_add(arena, &rest->after, word);
		else if (str_is(word, "--"))
			rest->dashdash = true;
		else if (str_starts(word, S("--")))
			status = parse_long(&p, str_from(word, 2), keep_unknown, &rest->unknown);
		else if (word.n > 1 && *word.s == '-')
			status = parse_short(&p, str_from(word, 1));
		else
			list_add(arena, &rest->words, word);
		if (status < 0)
			return -1;
	}
	return 0;
}

/* ---- help ---- */

#define HELP_WIDTH 80
#define HELP_COLUMN_MAX 30              /* where texts begin at most; a longer option has a line of its own */

static void put_option(const struct opt *o, struct buf *out)
{
	const char *arg = o->arg ? o->arg : "VALUE";
	if (o->short_name)
		buf_fmt(out, "  -%c%s", o->short_name, o->long_name ? ", " : "");
	else
		buf_z(out, "      ");
	if (o->long_name)
		buf_fmt(out, "--%s", o->long_name);
	if (o->kind == OPT_OPTIONAL)
		buf_fmt(out, o->long_name ? "[=%s]" : "[%s]", arg);
	else if (takes_value(o))
		buf_fmt(out, o->long_name ? "=%s" : " %s", arg);
}

/* Text from column `at` (where the line already is) on, broken at blanks; the rest of the lines begins there. */
static void put_wrapped(struct str text, size_t at, struct buf *out)
{
	size_t column = at;
	struct str word;
	while (str_cut(&text, ' ', &word)) {
		if (column > at && column + 1 + word.n > HELP_WIDTH) {
			buf_fmt(out, "\n%*s", (int)at, "");
			column = at;
		} else if (column > at) {
			buf_c(out, ' ');
			column++;
		}
		buf_str(out, word);
		column += word.n;
	}
	buf_c(out, '\n');
}

void opt_help(const struct opt *opts, size_t n, struct buf *out)
{
	CLEANUP_BUF struct buf left = BUF_INIT(BUF_UNLIMITED);
	size_t column = 0;
	for (size_t i = 0; i < n; i++) {
		buf_clear(&left);
		put_option(&opts[i], &left);
		if (opts[i].help && left.n + 2 > column && left.n + 2 <= HELP_COLUMN_MAX)
			column = left.n + 2;
	}
	if (!column)
		column = HELP_COLUMN_MAX;
	for (size_t i = 0; i < n; i++) {
		if (!opts[i].help)
			continue;
		buf_clear(&left);
		put_option(&opts[i], &left);
		buf_str(out, buf_view(&left));
		bool fits = left.n + 2 <= column;
		buf_fmt(out, "%s%*s", fits ? "" : "\n", (int)(fits ? column - left.n : column), "");
		put_wrapped(str_of(opts[i].help), column, out);
	}
}
