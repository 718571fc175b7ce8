/* A run as GitHub Actions shows it: annotations by workflow commands, and a summary of the job. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "exec/report.h"
#include "exec/termtext.h"
#include "sys/file.h"

#define ANNOTATIONS_MAX 10              /* of a kind; GitHub shows no more of a job's step */
#define SUMMARY_MAX (900u << 10)        /* it takes 1 MiB of a job's step */
#define EXCERPT_MAX (8u << 10)
#define FAILURES_MAX 20

bool github_here(void)
{
	const char *said = getenv("GITHUB_ACTIONS");

	return said && !strcmp(said, "true");
}

/* --- annotations --- */

static void escape(struct buf *b, struct str s, bool property)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.s[i];

		if (c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ',')))
			buf_fmt(b, "%%%02X", (unsigned char)c);
		else
			buf_c(b, c);
	}
}

static void property(struct buf *b, const char *name, struct str value, char *separator)
{
	buf_c(b, *separator);
	*separator = ',';
	buf_fmt(b, "%s=", name);
	escape(b, value, true);
}

static void number(struct buf *b, const char *name, unsigned value, char *separator)
{
	if (value)
		buf_fmt(b, "%c%s=%u", *separator, name, value), *separator = ',';
}

/* GitHub looks for files from the top of what it checked out. */
static struct str from_top(struct arena *a, struct str root, struct str file)
{
	const char *top = getenv("GITHUB_WORKSPACE");
	struct str full = str_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(root), STR_ARG(file));

	if (top && *top && path_within(full, str_of(top)) && full.n > strlen(top))
		return str_from(full, strlen(top) + 1);
	return file;
}

static void one(struct buf *b, const char *kind, const struct report_place *place, struct str title, struct str text)
{
	char separator = ' ';

	buf_fmt(b, "::%s", kind);
	if (place) {
		property(b, "file", place->file, &separator);
		number(b, "line", place->line, &separator);
		number(b, "col", place->col, &separator);
	}
	property(b, "title", title, &separator);
	buf_z(b, "::");
	escape(b, text, false);
	buf_c(b, '\n');
}

void github_annotate(const struct report *r, struct str root, bool (*place)(void *ctx, struct str step, struct report_place *), void *ctx,
		     struct buf *out)
{
	struct arena arena = ARENA_INIT;
	size_t n = 0;

	for (size_t i = 0; i < r->steps.n && n < ANNOTATIONS_MAX; i++) {
		const struct report_step *s = r->steps.v[i];
		CLEANUP_BUF struct buf phrase = BUF_INIT(BUF_UNLIMITED);
		struct report_place at = {{0}, 0, 0};
		bool known;

		if (!report_is_bad(s->state))
			continue;
		known = place(ctx, s->name, &at);
		if (known)
			at.file = from_top(&arena, root, at.file);
		report_phrase(s, &phrase);
		one(out, "error", known ? &at : NULL, s->name, buf_view(&phrase));
		n++;
	}
	for (size_t i = 0; i < r->warnings.n && i < ANNOTATIONS_MAX; i++)
		one(out, "warning", NULL, S("cairn"), r->warnings.v[i]);
	arena_release(&arena);
}

/* As the user sees it: from the current folder. */
static struct str shown_file(struct arena *a, struct str path)
{
	char *cwd = realpath(".", NULL);
	struct str file = cwd && path.n && path.s[0] != '/' ? from_top(a, str_of(cwd), path) : path;

	free(cwd);
	return file;
}

void github_annotate_err(const struct err *err, struct buf *out)
{
	struct arena arena = ARENA_INIT;

	if (err->text)
		one(out, "error", NULL, S("cairn"), str_of(err->text));
	for (size_t i = 0; i < err->ndiags && i < ANNOTATIONS_MAX; i++) {
		const struct diag *d = &err->diags[i];
		struct report_place place = {d->shown ? shown_file(&arena, d->shown->path) : S(""), d->loc.line, d->loc.col};

		one(out, "error", d->shown ? &place : NULL, S("cairn"), str_of(d->text));
	}
	arena_release(&arena);
}

/* --- the summary --- */

/* Text in a cell of a table. */
static void cell(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (strchr("\\`*_{}[]<>()#+-.!|~&", s.s[i]) && s.s[i])
			buf_c(b, '\\');
		buf_c(b, (uint8_t)s.s[i] < 0x20 ? ' ' : s.s[i]);
	}
}

static void counts(struct buf *b, const struct report *r)
{
	const char *separator = ": ";
	char time[TERM_TIME_MAX];

	buf_fmt(b, "%zu step%s", r->total, r->total == 1 ? "" : "s");
	for (int s = STATE_RAN; s <= STATE_UNKNOWN; s++) {
		if (!r->counts[s])
			continue;
		buf_fmt(b, "%s%zu %s", separator, r->counts[s], step_state_name((enum step_state)s));
		separator = ", ";
	}
	buf_fmt(b, " in %s\n\n", term_time(r->duration_ns, time));
}

/* Output as a block of code whose fence is longer than any in it. */
static void block(struct buf *b, const struct report_step *s)
{
	CLEANUP_BUF struct buf text = BUF_INIT(BUF_UNLIMITED);
	size_t fence = 3, run = 0, from;

	report_plain(&text, buf_view(&s->output));
	from = text.n > EXCERPT_MAX ? text.n - EXCERPT_MAX : 0;
	for (size_t i = from; i < text.n; i++) {
		run = text.s[i] == '`' ? run + 1 : 0;
		fence = run >= fence ? run + 1 : fence;
	}
	for (int end = 0; end < 2; end++) {
		for (size_t i = 0; i < fence; i++)
			buf_c(b, '`');
		buf_c(b, '\n');
		if (end)
			break;
		if (from || s->dropped)
			buf_z(b, "...\n");
		buf_add(b, text.s ? text.s + from : "", text.n - from);
		if (text.n && text.s[text.n - 1] != '\n')
			buf_c(b, '\n');
	}
}

static void failures(struct buf *b, const struct report *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->steps.n; i++) {
		const struct report_step *s = r->steps.v[i];
		CLEANUP_BUF struct buf phrase = BUF_INIT(BUF_UNLIMITED);

		if (!report_is_bad(s->state) || n++ >= FAILURES_MAX)
			continue;
		report_phrase(s, &phrase);
		buf_z(b, "**");
		cell(b, s->name);
		buf_z(b, "** ");
		cell(b, buf_view(&phrase));
		buf_z(b, "\n\n");
		if (s->output.n)
			block(b, s);
		buf_c(b, '\n');
	}
	if (n > FAILURES_MAX)
		buf_fmt(b, "and %zu more\n\n", n - FAILURES_MAX);
}

static void table(struct buf *b, const struct report *r)
{
	char time[TERM_TIME_MAX];
	bool begun = false;

	for (size_t i = 0; i < r->steps.n && b->n < SUMMARY_MAX; i++) {
		const struct report_step *s = r->steps.v[i];

		if (s->state == STATE_HIT || s->state == STATE_SKIPPED)
			continue;
		if (!begun)
			buf_z(b, "| step | state | time |\n| --- | --- | ---: |\n");
		begun = true;
		buf_z(b, "| ");
		cell(b, s->name);
		buf_fmt(b, " | %s | %s |\n", step_state_name(s->state), s->duration_ns ? term_time(s->duration_ns, time) : "");
	}
	if (begun)
		buf_c(b, '\n');
}

int github_summary(const struct report *r, struct str title, struct err *err)
{
	CLEANUP_BUF struct buf b = BUF_INIT(2 * SUMMARY_MAX);
	const char *path = getenv("GITHUB_STEP_SUMMARY");
	CLEANUP_FD int fd = -1;

	if (!path || !*path)
		return 0;
	buf_z(&b, "### cairn: ");
	cell(&b, title);
	buf_z(&b, "\n\n");
	counts(&b, r);
	failures(&b, r);
	table(&b, r);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0 || file_write_all(fd, b.s, b.n) < 0)
		return err_errno(err, "unable to write the job's summary to %s", path);
	return 0;
}
