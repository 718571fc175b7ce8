/* The points of a matrix, after GitHub Actions: the product of the axes, less what `exclude` matches in
 * part, then each `include`: added to every point of the product that it contradicts in no axis, or a
 * point of its own when there is none. */
#include "plan/maker.h"

#define POINTS_MAX (1u << 20)

static struct value plain_value(const struct text *t, struct str s)
{
	return t->node && t->node->style == STYLE_PLAIN ? value_plain(s) : value_str(s);
}

/* An expression that yields a list stands for its items. */
static int list_item_add(struct at *at, const struct text *t, struct value **v, size_t *n, size_t *cap)
{
	struct value value;
	int got = 0;

	if (text_has_expr(t->s))
		got = at_value(at, t, &value);
	else
		value = plain_value(t, t->s);
	if (got)
		return got;
	if (value.kind == VALUE_MAP)
		return wrong(at->m, t->loc, NULL, "a map can't be one of several values");
	size_t more = value.kind == VALUE_LIST ? value.n : 1;
	const struct value *from = value.kind == VALUE_LIST ? value.items : &value;
	if (*n + more > *cap) {
		struct value *bigger = arena_array(at->m->arena, *cap = (*n + more) * 2, struct value);

		if (*n)
			memcpy(bigger, *v, *n * sizeof(**v));
		*v = bigger;
	}
	if (more)
		memcpy(*v + *n, from, more * sizeof(*from));
	*n += more;
	return 0;
}

int axis_list(struct at *at, const struct spec_axis *axis, struct value **out, size_t *n)
{
	size_t cap = axis->items.n;
	int rc = 0;

	*n = 0;
	*out = arena_array(at->m->arena, cap + 1, struct value);
	for (size_t i = 0; i < axis->items.n; i++)
		rc |= list_item_add(at, &axis->items.v[i], out, n, &cap);
	return rc;
}

/* ---- the product ---- */

static int product(struct at *at, const struct spec_matrix *mx, struct point **out, size_t *n)
{
	struct arena *a = at->m->arena;
	struct point *points = arena_new(a, struct point);
	size_t count = mx->naxes ? 1 : 0;
	int rc = 0;

	for (size_t k = 0; k < mx->naxes; k++) {
		struct value *values;
		size_t nvalues;
		struct point *next;

		if (axis_list(at, &mx->axes[k], &values, &nvalues)) {
			rc = -1;
			continue;
		}
		if (count * nvalues > POINTS_MAX)
			return wrong(at->m, mx->axes[k].loc, NULL, "the matrix has more than %u points",
				     POINTS_MAX);
		next = arena_array(a, count * nvalues + 1, struct point);
		for (size_t i = 0; i < count * nvalues; i++) {
			const struct point *from = &points[i / nvalues];

			next[i] = (struct point){arena_array(a, k + 1, struct str),
						 arena_array(a, k + 1, struct value), k + 1};
			if (k) {
				memcpy(next[i].names, from->names, k * sizeof(*from->names));
				memcpy(next[i].values, from->values, k * sizeof(*from->values));
			}
			next[i].names[k] = mx->axes[k].name;
			next[i].values[k] = values[i % nvalues];
		}
		points = next;
		count *= nvalues;
	}
	*out = points;
	*n = count;
	return rc;
}

/* ---- exclude and include ---- */

static struct value *point_get(const struct point *p, struct str name)
{
	for (size_t i = 0; i < p->n; i++) {
		if (str_eq(p->names[i], name))
			return &p->values[i];
	}
	return NULL;
}

static bool same_text(struct arena *a, const struct value *x, const struct value *y)
{
	return str_eq(value_text(a, x), value_text(a, y));
}

static int point_read(struct at *at, const struct spec_point *from, struct point *out)
{
	struct arena *a = at->m->arena;
	int rc = 0;

	*out = (struct point){from->names, arena_array(a, from->n + 1, struct value), from->n};
	for (size_t i = 0; i < from->n; i++) {
		const struct text *t = &from->values[i];

		if (text_has_expr(t->s))
			rc |= at_value(at, t, &out->values[i]);
		else
			out->values[i] = plain_value(t, t->s);
	}
	return rc;
}

static bool excluded(struct arena *a, const struct point *p, const struct point *by)
{
	for (size_t i = 0; i < by->n; i++) {
		const struct value *v = point_get(p, by->names[i]);

		if (!v || !same_text(a, v, &by->values[i]))
			return false;
	}
	return by->n > 0;
}

static bool is_axis(const struct spec_matrix *mx, struct str name)
{
	for (size_t i = 0; i < mx->naxes; i++) {
		if (str_eq(mx->axes[i].name, name))
			return true;
	}
	return false;
}

static bool may_join(struct arena *a, const struct spec_matrix *mx, const struct point *p,
		     const struct point *more)
{
	for (size_t i = 0; i < more->n; i++) {
		if (is_axis(mx, more->names[i]) &&
		    !same_text(a, point_get(p, more->names[i]), &more->values[i]))
			return false;
	}
	return mx->naxes > 0;
}

static void join(struct arena *a, struct point *p, const struct point *more)
{
	struct point out = {arena_array(a, p->n + more->n, struct str),
			    arena_array(a, p->n + more->n, struct value), p->n};

	memcpy(out.names, p->names, p->n * sizeof(*p->names));
	memcpy(out.values, p->values, p->n * sizeof(*p->values));
	for (size_t i = 0; i < more->n; i++) {
		struct value *have = point_get(&out, more->names[i]);

		if (have) {
			*have = more->values[i];
			continue;
		}
		out.names[out.n] = more->names[i];
		out.values[out.n++] = more->values[i];
	}
	*p = out;
}

static int exclude_all(struct at *at, const struct spec_matrix *mx, struct point *points, size_t *n)
{
	for (size_t k = 0; k < mx->nexclude; k++) {
		struct point by;
		size_t kept = 0;
		int got = point_read(at, &mx->exclude[k], &by);

		if (got)
			return got;
		for (size_t i = 0; i < *n; i++) {
			if (!excluded(at->m->arena, &points[i], &by))
				points[kept++] = points[i];
		}
		*n = kept;
	}
	return 0;
}

static int include_all(struct at *at, const struct spec_matrix *mx, struct point **points, size_t *n)
{
	struct arena *a = at->m->arena;
	size_t original = *n;
	struct point *all = arena_array(a, *n + mx->ninclude + 1, struct point);

	if (*n)
		memcpy(all, *points, *n * sizeof(*all));
	for (size_t k = 0; k < mx->ninclude; k++) {
		struct point more;
		bool joined = false;
		int got = point_read(at, &mx->include[k], &more);

		if (got)
			return got;
		for (size_t i = 0; i < original; i++) {
			if (!may_join(a, mx, &all[i], &more))
				continue;
			join(a, &all[i], &more);
			joined = true;
		}
		if (!joined)
			all[(*n)++] = more;
	}
	*points = all;
	return 0;
}

int matrix_points(struct at *at, const struct spec_matrix *mx, struct point **out, size_t *n)
{
	int rc;

	if (!mx->naxes && !mx->ninclude) {
		*out = arena_new(at->m->arena, struct point);
		*n = 1;
		return 0;
	}
	rc = product(at, mx, out, n);
	if (!rc)
		rc = exclude_all(at, mx, *out, n);
	return rc ? rc : include_all(at, mx, out, n);
}
