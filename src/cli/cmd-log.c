/* What steps printed when they last ran: from the cache, or, when they left no result, from the state folder. */
#include <errno.h>
#include <fcntl.h>

#include "cli/names.h"
#include "cli/show.h"
#include "cli/view.h"
#include "exec/history.h"
#include "exec/log.h"
#include "sys/file.h"

#define FRAMES_MAX (LOG_MAX + (64u << 20))      /* the frames of the longest log with their heads */

static void when_and_how(struct buf *out, const struct history_step *h)
{
	show_when(out, h->when_ns);
	buf_z(out, ", ");
	show_duration(out, h->duration_ns);
	if (step_state_ok(h->state))
		return;
	buf_z(out, ", ");
	if (h->reason.n)
		show_text(out, h->reason);
	else if (h->signal)
		buf_fmt(out, "signal %d", h->signal);
	else
		buf_fmt(out, "status %d", h->status);
}

static int list_all(const struct history *history, struct buf *out, struct err *err)
{
	size_t width = 0;

	for (size_t i = 0; i < history->steps.n; i++) {
		size_t n = show_width(history->steps.entries[i].key);

		width = n > width && n <= 48 ? n : width;
	}
	for (size_t i = 0; i < history->steps.n; i++) {
		const struct history_step *h = history->steps.entries[i].value;

		show_padded(out, history->steps.entries[i].key, width);
		buf_fmt(out, "  %-9s  ", step_state_name(h->state));
		when_and_how(out, h);
		buf_c(out, '\n');
	}
	if (!history->steps.n)
		buf_z(out, "Nothing has run here yet.\n");
	return cmd_print(out, err);
}

/* stdout and stderr go where they went, in the order of arrival. */
static int frames_print(struct str frames, struct err *err)
{
	size_t at = 0;
	struct str bytes;
	int stream, more;

	while ((more = log_next(frames, &at, &stream, &bytes)) > 0)
		if (file_write_all(stream == 2 ? 2 : 1, bytes.s, bytes.n) < 0)
			return errno == EPIPE ? 0 : err_errno(err, "unable to write the output of a step");
	return more < 0 ? err_set(err, ERR_SYSTEM, "unable to show all of it: the log is damaged") : 0;
}

static int from_file(struct session *s, const struct history_step *h, struct err *err)
{
	struct str frames;
	int got = file_read(&s->arena, AT_FDCWD, session_path(s, str_dup(&s->arena, h->log_file).s), FRAMES_MAX, &frames, err);

	if (got < 0)
		return -1;
	return got ? frames_print(frames, err) : err_set(err, ERR_SYSTEM, "its output is no longer kept");
}

static int from_store(struct session *s, const struct history_step *h, struct err *err)
{
	CLEANUP_BUF struct buf frames = BUF_INIT(FRAMES_MAX);
	int got;

	if (!s->store && store_dir_open(s->config.cache_dir, &s->store, err) < 0)
		return -1;
	got = s->store->ops->read_bytes(s->store, &h->log, FRAMES_MAX, &frames, err);
	if (got < 0)
		return -1;
	return got ? frames_print(buf_view(&frames), err) : err_set(err, ERR_SYSTEM, "its output is no longer in the cache");
}

static int step_print(struct session *s, struct str name, const struct history_step *h, bool titled, struct err *err)
{
	CLEANUP_BUF struct buf title = BUF_INIT(1u << 16);
	int rc = 0;

	if (titled) {
		buf_z(&title, "--- ");
		show_text(&title, name);
		buf_fmt(&title, ": %s ", step_state_name(h->state));
		when_and_how(&title, h);
		buf_c(&title, '\n');
		file_write_all(2, title.s, title.n);
	}
	if (h->log_file.n)
		rc = from_file(s, h, err);
	else if (h->log.algo != DIGEST_NONE)
		rc = from_store(s, h, err);
	return rc < 0 ? err_wrap(err, STR_FMT, STR_ARG(name)) : 0;
}

static int named(struct session *s, const struct history *history, struct str word, bool many, struct err *err)
{
	struct str *names = arena_array(&s->arena, history->steps.n, struct str);
	size_t n = 0;

	for (size_t i = 0; i < history->steps.n; i++) {
		names[i] = history->steps.entries[i].key;
		n += name_matches(word, names[i]);
	}
	if (!n)
		return name_unknown(word, names, history->steps.n, "no run is known here of a step", err);
	for (size_t i = 0; i < history->steps.n; i++)
		if (name_matches(word, names[i]) &&
		    step_print(s, names[i], history->steps.entries[i].value, many || n > 1, err) < 0)
			return -1;
	return 0;
}

static int log_command(int argc, char **argv, struct err *err)
{
	struct history history = {0};
	struct view v;
	int rc = view_options(&v, &cmd_log, NULL, 0, argc, argv, VIEW_NAMES, err);

	if (rc == 0 && !v.helped && (rc = view_open(&v, err)) == 0) {
		const struct opt_list *words = &v.words.goals;

		rc = history_read(&v.s.arena, session_path(&v.s, "history"), &history, err);
		if (rc == 0 && !words->n)
			rc = list_all(&history, &v.out, err);
		for (size_t i = 0; rc == 0 && i < words->n; i++)
			rc = named(&v.s, &history, words->v[i], words->n > 1, err);
	}
	history_release(&history);
	return view_close(&v, rc);
}

const struct command cmd_log = {"log", "show what steps printed when they last ran", "cairn log [STEP...]", log_command};
