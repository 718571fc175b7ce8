/* graphpicture.c: the plan as a picture. A command is a panel, its steps are cells in it; panels stand in columns, each
 * right of all that it needs. Lines join panels, so that hundreds of steps stay a picture that can be read; which step
 * needs which is shown in the page, for the step that is pointed at. */
#include <stdlib.h>

#include "base/map.h"
#include "base/vec.h"
#include "cli/graph.h"

#define CELL_H 20
#define CELL_MIN 70
#define CELL_MAX 260
#define GLYPH 6.7                       /* width of a letter of the cells' font */
#define ROWS 24                         /* of cells in a column of a panel, unless it gets too wide */
#define COLUMNS_MAX 6
#define HEAD_H 26
#define PAD 8
#define GAP_X 90
#define GAP_Y 22
#define ALONE_W 900                     /* how wide rows of unconnected panels may be at least */
#define LEGEND_H 34

struct panel {
	struct str name, summary;
	VEC(uint32_t) cells;            /* places */
	uint32_t column;
	bool joined;                    /* needs somebody, or is needed */
	double weight;                  /* where its neighbours to the left are */
	unsigned columns, rows;
	double x, y, w, h, cell_w;
};

struct join { uint32_t from, to; size_t n; bool order_only; };

struct picture {
	const struct graph *g;
	VEC(struct panel) panels;
	uint32_t *panel_of;             /* by place */
	VEC(struct join) joins;
	double w, h;
};

/* ---- what belongs together ---- */

/* "compile[src=a.c]" is called "a.c" in the panel of compile; with several axes all of it stays. */
static struct str cell_name(const struct graph *g, uint32_t place, bool alone)
{
	struct str name = plan_step_name(g->plan, g->steps[place]), command = plan_str(g->plan, g->plan->steps[g->steps[place]].command);
	ptrdiff_t equals;

	if (alone || name.n < command.n + 2 || name.s[command.n] != '[')
		return name;
	name = str_head(str_from(name, command.n + 1), name.n - command.n - 2);
	equals = str_chr(name, '=');
	return equals >= 0 && str_chr(str_from(name, equals + 1), '=') < 0 ? str_from(name, equals + 1) : name;
}

static void gather_panels(struct picture *pic)
{
	const struct graph *g = pic->g;
	struct map by_name = MAP_INIT;

	pic->panel_of = arena_array(g->arena, g->nsteps + 1, uint32_t);
	for (uint32_t i = 0; i < g->nsteps; i++) {
		const struct plan_step *s = &g->plan->steps[g->steps[i]];
		bool fresh;
		void **slot = map_put(&by_name, plan_str(g->plan, s->command), &fresh);

		if (fresh) {
			*slot = (void *)(uintptr_t)pic->panels.n;
			vec_add(&pic->panels, (struct panel){.name = plan_str(g->plan, s->command), .summary = plan_str(g->plan, s->summary)});
		}
		pic->panel_of[i] = (uint32_t)(uintptr_t)*slot;
		vec_add(&pic->panels.v[pic->panel_of[i]].cells, i);
	}
	map_release(&by_name);
}

static int by_ends(const void *a, const void *b)
{
	const struct join *x = a, *y = b;

	return x->from != y->from ? (x->from > y->from) - (x->from < y->from) : (x->to > y->to) - (x->to < y->to);
}

static void gather_joins(struct picture *pic)
{
	const struct graph *g = pic->g;
	size_t n = 0;

	for (size_t i = 0; i < g->nedges; i++) {
		struct join join = {pic->panel_of[g->edges[i].from], pic->panel_of[g->edges[i].to], 1, g->edges[i].order_only};

		if (join.from != join.to)
			vec_add(&pic->joins, join);
	}
	if (pic->joins.n)
		qsort(pic->joins.v, pic->joins.n, sizeof(*pic->joins.v), by_ends);
	for (size_t i = 0; i < pic->joins.n; i++) {
		struct join *last = n ? &pic->joins.v[n - 1] : NULL, *join = &pic->joins.v[i];

		if (last && last->from == join->from && last->to == join->to) {
			last->n++;
			last->order_only &= join->order_only;
		} else {
			pic->joins.v[n++] = *join;
		}
	}
	pic->joins.n = n;
}

/* ---- where it stands ---- */

/* What needs nothing stands just left of who needs it. */
static void pull_right(struct picture *pic)
{
	for (size_t i = 0; i < pic->panels.n; i++) {
		struct panel *p = &pic->panels.v[i];
		uint32_t nearest = UINT32_MAX;

		for (size_t k = 0; k < pic->joins.n; k++) {
			const struct join *j = &pic->joins.v[k];
			uint32_t column = pic->panels.v[j->to].column;

			p->joined |= j->from == i || j->to == i;
			if (j->to == i)
				nearest = 0;
			else if (j->from == i && column < nearest)
				nearest = column;
		}
		if (nearest && nearest != UINT32_MAX)
			p->column = nearest - 1;
	}
}

/* Steps come in an order where needs are first; panels may need each other both ways through variants, so the number of
 * rounds is bounded. */
static void set_columns(struct picture *pic)
{
	bool moved = true;

	for (size_t round = 0; moved && round <= pic->panels.n; round++) {
		moved = false;
		for (size_t i = 0; i < pic->joins.n; i++) {
			uint32_t least = pic->panels.v[pic->joins.v[i].from].column + 1;

			if (pic->panels.v[pic->joins.v[i].to].column < least && least < pic->panels.n) {
				pic->panels.v[pic->joins.v[i].to].column = least;
				moved = true;
			}
		}
	}
}

static void set_size(struct picture *pic, struct panel *p)
{
	size_t n = p->cells.n, longest = 0;

	for (size_t i = 0; i < n; i++) {
		struct str name = cell_name(pic->g, p->cells.v[i], n == 1);

		longest = name.n > longest ? name.n : longest;
	}
	p->columns = (unsigned)((n + ROWS - 1) / ROWS);
	if (p->columns > COLUMNS_MAX)
		p->columns = COLUMNS_MAX;
	p->rows = (unsigned)((n + p->columns - 1) / p->columns);
	p->cell_w = (double)longest * GLYPH + 26;
	if (p->cell_w > (p->columns > 2 ? CELL_MAX * 0.6 : CELL_MAX))
		p->cell_w = p->columns > 2 ? CELL_MAX * 0.6 : CELL_MAX;
	if (p->cell_w < CELL_MIN)
		p->cell_w = CELL_MIN;
	if (n > 1 && p->columns * p->cell_w < (double)p->name.n * 8.2 + 60)
		p->cell_w = ((double)p->name.n * 8.2 + 60) / p->columns;
	p->w = p->columns * p->cell_w + 2 * PAD;
	p->h = p->rows * CELL_H + PAD + (n > 1 ? HEAD_H : PAD);
}

static int by_weight(const void *a, const void *b)
{
	const struct panel *x = *(struct panel *const *)a, *y = *(struct panel *const *)b;

	return x->weight != y->weight ? (x->weight > y->weight) - (x->weight < y->weight) : (x > y) - (x < y);
}

/* The panels of a column from top to bottom, near to what they need. */
static void place_column(struct picture *pic, struct panel **v, size_t n, double x)
{
	double y = 0;

	for (size_t i = 0; i < n; i++) {
		double sum = 0;
		size_t count = 0;

		for (size_t k = 0; k < pic->joins.n; k++) {
			const struct panel *from = &pic->panels.v[pic->joins.v[k].from];

			if (&pic->panels.v[pic->joins.v[k].to] == v[i] && from->column < v[i]->column) {
				sum += from->y + from->h / 2;
				count++;
			}
		}
		v[i]->weight = count ? sum / (double)count : 0;
	}
	qsort(v, n, sizeof(*v), by_weight);
	for (size_t i = 0; i < n; i++) {
		double wish = v[i]->weight - v[i]->h / 2;

		v[i]->x = x;
		v[i]->y = wish > y && n < 12 ? wish : y;
		y = v[i]->y + v[i]->h + GAP_Y;
	}
	if (y - GAP_Y > pic->h)
		pic->h = y - GAP_Y;
}

static void place(struct picture *pic)
{
	struct panel **column = xcalloc(pic->panels.n + 1, sizeof(*column));
	size_t placed = 0;
	double x = 0;

	for (size_t i = 0; i < pic->panels.n; i++)
		placed += !pic->panels.v[i].joined;
	for (uint32_t c = 0; placed < pic->panels.n; c++) {
		size_t n = 0;
		double widest = 0;

		for (size_t i = 0; i < pic->panels.n; i++) {
			struct panel *p = &pic->panels.v[i];

			if (p->column != c || !p->joined)
				continue;
			column[n++] = p;
			widest = p->w > widest ? p->w : widest;
		}
		if (n)
			place_column(pic, column, n, x);
		placed += n;
		x += n ? widest + GAP_X : 0;
	}
	pic->w = x > GAP_X ? x - GAP_X : 0;
	free(column);
}

/* Below all others, in rows. */
static void place_alone(struct picture *pic)
{
	double x = 0, y = pic->h > 0 ? pic->h + 2 * GAP_Y : 0, row = 0, width = pic->w > ALONE_W ? pic->w : ALONE_W;

	for (size_t i = 0; i < pic->panels.n; i++) {
		struct panel *p = &pic->panels.v[i];

		if (p->joined)
			continue;
		if (x > 0 && x + p->w > width) {
			x = 0;
			y += row + GAP_Y / 2;
			row = 0;
		}
		p->x = x;
		p->y = y;
		x += p->w + GAP_Y / 2;
		row = p->h > row ? p->h : row;
		pic->w = p->x + p->w > pic->w ? p->x + p->w : pic->w;
		pic->h = y + row;
	}
}

/* ---- drawing ---- */

/* Bytes of the character of UTF-8 that begins s, 0 if none does. */
static size_t character(struct str s)
{
	unsigned char c = (unsigned char)s.s[0];
	size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if (i >= s.n || ((unsigned char)s.s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static void xml(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.s[i];
		size_t n = character(str_from(s, i));

		if (n != 1) {
			buf_str(out, n ? str_head(str_from(s, i), n) : S("\xef\xbf\xbd"));
			i += n ? n - 1 : 0;
		} else if (strchr("<>&\"", c) && c)
			buf_fmt(out, "&#%u;", c);
		else
			buf_c(out, c < ' ' ? ' ' : s.s[i]);
	}
}

/* Bytes that begin a character of UTF-8. */
static bool starts(char c) { return ((unsigned char)c & 0xc0) != 0x80; }

/* A name too long for its cell keeps its end, which is what differs. */
static void fitted(struct buf *out, struct str s, double width)
{
	size_t room = (size_t)((width - 24) / GLYPH);

	if (s.n > room && room > 2) {
		buf_z(out, "\xe2\x80\xa6");
		s = str_from(s, s.n - (room - 1));
		while (s.n && !starts(s.s[0]))
			s = str_from(s, 1);
	}
	xml(out, s);
}

static const char *mark_of(const char *state)
{
	static const char *const marks[][2] = {
		{"hit", "\xe2\x9c\x93"}, {"restore", "\xe2\x86\xba"}, {"would-run", "\xe2\x96\xb6"}, {"pending", "?"}, {"skipped", "\xe2\x80\x93"},
	};

	for (size_t i = 0; i < countof(marks); i++)
		if (!strcmp(state, marks[i][0]))
			return marks[i][1];
	return "";
}

static void draw_cell(const struct picture *pic, struct buf *out, const struct panel *p, size_t i)
{
	const struct graph *g = pic->g;
	uint32_t place_ = p->cells.v[i];
	bool alone = p->cells.n == 1;
	double x = p->x + PAD + (double)(i / p->rows) * p->cell_w, y = p->y + (alone ? PAD : HEAD_H) + (double)(i % p->rows) * CELL_H;
	const char *state = graph_state(g, place_);

	buf_fmt(out, "<g class=\"cell %s%s\" id=\"s%u\"><title>", state, g->steps[place_] == g->focus ? " focus" : "", place_);
	xml(out, plan_step_name(g->plan, g->steps[place_]));
	if (*state)
		buf_fmt(out, "\n%s", state);
	if (g->survey && g->survey->steps[g->steps[place_]].reason.n) {
		buf_z(out, ": ");
		xml(out, g->survey->steps[g->steps[place_]].reason);
	}
	buf_fmt(out, "</title><rect x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%d\" rx=\"3\"/><text class=\"mark\" x=\"%.0f\" y=\"%.0f\">%s</text>"
		     "<text x=\"%.0f\" y=\"%.0f\">", x + 1, y + 1, p->cell_w - 2, CELL_H - 2, x + 6, y + 14, mark_of(state), x + (*state ? 19 : 7), y + 14);
	fitted(out, cell_name(g, place_, alone), p->cell_w);
	buf_z(out, "</text></g>\n");
}

static void draw_panel(const struct picture *pic, struct buf *out, const struct panel *p)
{
	size_t counts[SURVEY_STATES] = {0};
	bool said = false;

	buf_fmt(out, "<g class=\"panel\"><rect class=\"frame\" x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\" rx=\"6\"/>\n", p->x, p->y, p->w, p->h);
	if (p->cells.n > 1) {
		for (size_t i = 0; pic->g->survey && i < p->cells.n; i++)
			counts[pic->g->survey->steps[pic->g->steps[p->cells.v[i]]].state]++;
		buf_fmt(out, "<text class=\"head\" x=\"%.0f\" y=\"%.0f\">", p->x + PAD + 2, p->y + 17);
		xml(out, p->name);
		buf_fmt(out, " <tspan class=\"count\">%zu", p->cells.n);
		for (int s = SURVEY_RESTORE; s < SURVEY_SKIPPED; s++)
			if (counts[s]) {
				buf_fmt(out, "%s%zu %s", said ? ", " : ": ", counts[s], mark_of(survey_state_name(s)));
				said = true;
			}
		buf_z(out, "</tspan><title>");
		xml(out, p->summary);
		buf_z(out, "</title></text>\n");
	}
	for (size_t i = 0; i < p->cells.n; i++)
		draw_cell(pic, out, p, i);
	buf_z(out, "</g>\n");
}

/* A line leaves and enters at a height of its own, so that lines of one panel do not lie on each other. */
static void draw_join(const struct picture *pic, struct buf *out, const struct join *j)
{
	const struct panel *a = &pic->panels.v[j->from], *b = &pic->panels.v[j->to];
	double x1 = a->x + a->w, y1 = a->y + a->h / 2, x2 = b->x, y2 = b->y + b->h / 2, bend = (x2 - x1) / 2;

	if (y2 > a->y + 10 && y2 < a->y + a->h - 10)
		y1 = y2;
	else if (y1 > b->y + 10 && y1 < b->y + b->h - 10)
		y2 = y1;
	if (bend < GAP_X / 2)
		bend = GAP_X / 2;
	buf_fmt(out, "<path class=\"join%s\" d=\"M%.0f %.0fC%.0f %.0f %.0f %.0f %.0f %.0f\"><title>", j->order_only ? " order" : "", x1, y1, x1 + bend, y1, x2 - bend, y2,
		x2 - 3, y2);
	xml(out, b->name);
	buf_z(out, " needs ");
	xml(out, a->name);
	buf_z(out, j->order_only ? " (order only)</title></path>\n" : "</title></path>\n");
}

static void legend(const struct picture *pic, struct buf *out)
{
	double x = 0, y = -LEGEND_H;

	for (int s = SURVEY_HIT; pic->g->survey && s < SURVEY_STATES; s++) {
		const char *name = survey_state_name(s);
		size_t n = 0;

		for (uint32_t i = 0; i < pic->g->nsteps; i++)
			n += (int)pic->g->survey->steps[pic->g->steps[i]].state == s;
		if (!n)
			continue;
		buf_fmt(out, "<g class=\"cell %s\"><rect x=\"%.0f\" y=\"%.0f\" width=\"16\" height=\"16\" rx=\"3\"/><text class=\"mark\" x=\"%.0f\" y=\"%.0f\">%s</text>"
			     "<text x=\"%.0f\" y=\"%.0f\">%s (%zu)</text></g>\n", name, x, y, x + 4, y + 12, mark_of(name), x + 22, y + 12, name, n);
		x += 130;
	}
}

static const char style[] =
	"svg{font:11px ui-monospace,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;background:#fff}"
	"text{fill:#1c2430}.frame{fill:#f6f7f9;stroke:#aab2bd}.head{font-weight:700;font-size:12.5px}.count{font-weight:400;fill:#5b6675}"
	".cell rect{fill:#fff;stroke:#c3cad4}.cell.hit rect{fill:#dcf3e1;stroke:#8fc79c}.cell.restore rect{fill:#dbe9fc;stroke:#85abe0}"
	".cell.would-run rect{fill:#ffdcbf;stroke:#e08a3c}.cell.pending rect{fill:#fff3c4;stroke:#d3b13c}.cell.skipped rect{fill:#ececec;stroke:#bbb}"
	".cell.skipped text{fill:#777}.cell.focus rect{stroke:#1c2430;stroke-width:2.5}.join{fill:none;stroke:#8b95a3;stroke-width:1.3;marker-end:url(#tip)}"
	".join.order{stroke-dasharray:5 4}";

void graph_svg(const struct graph *g, struct buf *out)
{
	struct picture pic = {.g = g};
	double width, height, above;

	gather_panels(&pic);
	gather_joins(&pic);
	set_columns(&pic);
	for (size_t i = 0; i < pic.panels.n; i++)
		set_size(&pic, &pic.panels.v[i]);
	pull_right(&pic);
	place(&pic);
	place_alone(&pic);
	above = g->survey ? LEGEND_H : 0;
	width = (pic.w < 660 && g->survey ? 660 : pic.w) + 24;
	height = pic.h + above + 24;
	buf_fmt(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"-12 %.0f %.0f %.0f\">\n<style>%s</style>\n", width, height,
		-12 - above, width, height, style);
	buf_z(out, "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">"
		   "<path d=\"M0 0L8 4L0 8z\" fill=\"#8b95a3\"/></marker></defs>\n");
	for (size_t i = 0; i < pic.joins.n; i++)
		draw_join(&pic, out, &pic.joins.v[i]);
	for (size_t i = 0; i < pic.panels.n; i++) {
		draw_panel(&pic, out, &pic.panels.v[i]);
		vec_free(&pic.panels.v[i].cells);
	}
	legend(&pic, out);
	buf_z(out, "</svg>\n");
	vec_free(&pic.panels);
	vec_free(&pic.joins);
}
