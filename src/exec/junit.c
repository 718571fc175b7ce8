/* A run as JUnit XML, in the form that Jenkins, GitLab and others read: a testsuite, a testcase a step. */
#include <fcntl.h>

#include "base/utf8.h"
#include "exec/report.h"
#include "sys/file.h"

/* As text or the value of an attribute. XML 1.0 has no way to write most control characters, nor what is not UTF-8. */
static void xml(struct buf *b, struct str s)
{
	for (size_t i = 0, n; i < s.n; i += n ? n : 1) {
		uint32_t c;

		n = utf8_len(s.s + i, s.n - i);
		c = n ? utf8_value(s.s + i, n) : 0;
		if (c == '&')
			buf_z(b, "&amp;");
		else if (c == '<')
			buf_z(b, "&lt;");
		else if (c == '>')
			buf_z(b, "&gt;");
		else if (c == '"')
			buf_z(b, "&quot;");
		else if (c == '\n')
			buf_z(b, "&#10;");
		else if (c == '\t')
			buf_z(b, "&#9;");
		else if (c < 0x20 || c == 0xfffe || c == 0xffff)
			buf_z(b, "\xef\xbf\xbd");
		else
			buf_add(b, s.s + i, n);
	}
}

static void attribute(struct buf *b, const char *name, struct str value)
{
	buf_fmt(b, " %s=\"", name);
	xml(b, value);
	buf_c(b, '"');
}

static void seconds(struct buf *b, uint64_t ns)
{
	buf_fmt(b, " time=\"%llu.%03llu\"", (unsigned long long)(ns / 1000000000), (unsigned long long)(ns / 1000000 % 1000));
}

/* Neither good nor bad: nothing was done, and that was not because all is as it was. */
static bool was_skipped(enum step_state s)
{
	return s == STATE_SKIPPED || s == STATE_BLOCKED || s == STATE_CANCELLED || s == STATE_LEFT;
}

static void verdict(struct buf *b, const struct report_step *s)
{
	CLEANUP_BUF struct buf phrase = BUF_INIT(BUF_UNLIMITED), text = BUF_INIT(BUF_UNLIMITED);
	const char *element = was_skipped(s->state) ? "skipped" : s->state == STATE_UNKNOWN ? "error" : "failure";

	report_phrase(s, &phrase);
	buf_fmt(b, "   <%s", element);
	attribute(b, "message", buf_view(&phrase));
	if (was_skipped(s->state)) {
		buf_z(b, "/>\n");
		return;
	}
	attribute(b, "type", str_of(step_state_name(s->state)));
	buf_c(b, '>');
	if (s->dropped)
		buf_fmt(&text, "(%zu bytes before this are left out)\n", s->dropped);
	report_plain(&text, buf_view(&s->output));
	xml(b, buf_view(&text));
	buf_fmt(b, "</%s>\n", element);
}

/* "test[go=1.21]" is of the class "test". */
static struct str class_of(struct str step)
{
	ptrdiff_t at = str_chr(step, '[');

	return at > 0 ? str_head(step, (size_t)at) : step;
}

static void testcase(struct buf *b, const struct report_step *s)
{
	buf_z(b, "  <testcase");
	attribute(b, "classname", class_of(s->name));
	attribute(b, "name", s->name);
	seconds(b, s->duration_ns);
	buf_z(b, ">\n   <properties><property name=\"state\"");
	attribute(b, "value", str_of(step_state_name(s->state)));
	buf_z(b, "/></properties>\n");
	if (was_skipped(s->state) || report_is_bad(s->state))
		verdict(b, s);
	buf_z(b, "  </testcase>\n");
}

static void numbers(struct buf *b, const struct report *r)
{
	size_t failures = 0, skipped = 0, errors = 0;

	for (size_t i = 0; i < r->steps.n; i++) {
		enum step_state s = r->steps.v[i]->state;

		skipped += was_skipped(s);
		errors += s == STATE_UNKNOWN;
		failures += report_is_bad(s) && s != STATE_UNKNOWN;
	}
	buf_fmt(b, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"", r->steps.n, failures, errors, skipped);
	seconds(b, r->duration_ns);
}

int junit_write(const struct report *r, struct str name, const char *path, struct err *err)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);

	buf_z(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
	numbers(&b, r);
	buf_z(&b, ">\n <testsuite");
	attribute(&b, "name", name);
	numbers(&b, r);
	buf_z(&b, ">\n");
	for (size_t i = 0; i < r->steps.n; i++)
		testcase(&b, r->steps.v[i]);
	buf_z(&b, " </testsuite>\n</testsuites>\n");
	return file_write(AT_FDCWD, path, buf_view(&b), 0666, err);
}
