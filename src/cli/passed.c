#include "cli/passed.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "resolve/snapshot.h"

#define PASSED_MAX (16u << 20)
#define PASSED_MAGIC "cairnok1"
#define PASSED_KEPT 512

/* A note: this head, rows, an XXH3-128 of all before it. A row: kind, length of the text, text, what goes with its kind. */
struct head { char magic[8]; struct xxh build, name; int64_t when; uint64_t rows; };
enum row_kind { ROW_ENV = 1, ROW_FILE };
struct row { uint32_t kind, n; };
struct env_part { struct xxh value; uint64_t set; };
struct file_part { struct ident ident; uint64_t kind; };

struct xxh passed_name(const struct str *parts, size_t n)
{
	CLEANUP_BUF struct buf b = BUF_INIT(BUF_UNLIMITED);

	for (size_t i = 0; i < n; i++) {
		uint64_t length = parts[i].n;

		buf_add(&b, &length, sizeof(length));
		buf_str(&b, parts[i]);
	}
	return xxh_bytes(b.s, b.n);
}

static void note_path(const char *dir, struct xxh name, char out[4096])
{
	snprintf(out, 4096, "%s/%016llx%016llx", dir, (unsigned long long)name.hi, (unsigned long long)name.lo);
}

/* --- reading --- */

static bool take(struct str *rest, void *out, size_t n)
{
	if (rest->n < n)
		return false;
	memcpy(out, rest->s, n);
	*rest = str_from(*rest, n);
	return true;
}

static bool env_holds(const char *name, const struct env_part *was)
{
	const char *now = getenv(name);

	return !!now == !!was->set && xxh_eq(fact_env_hash(now), was->value);
}

static bool row_holds(struct arena *a, struct str *rest)
{
	struct row row;
	struct env_part env;
	struct file_part file;
	struct ident now;
	struct str text;

	if (!take(rest, &row, sizeof(row)) || row.n > rest->n)
		return false;
	text = str_dup(a, str_head(*rest, row.n));
	*rest = str_from(*rest, row.n);
	if (row.kind == ROW_ENV)
		return take(rest, &env, sizeof(env)) && env_holds(text.s, &env);
	return row.kind == ROW_FILE && take(rest, &file, sizeof(file)) && file_ident(AT_FDCWD, text.s, &now, NULL) >= 0 &&
	       watch_holds((enum watch_kind)file.kind, &file.ident, &now);
}

bool passed_find(struct arena *a, const char *dir, struct xxh name, int64_t *when)
{
	char path[4096];
	struct str all, rest;
	struct head head;
	struct xxh sum;

	note_path(dir, name, path);
	if (file_read(a, AT_FDCWD, path, PASSED_MAX, &all, NULL) != 1 || all.n < sizeof(head) + sizeof(sum))
		return false;
	rest = str_head(all, all.n - sizeof(sum));
	memcpy(&sum, all.s + rest.n, sizeof(sum));
	if (!xxh_eq(sum, xxh_bytes(rest.s, rest.n)))
		return false;
	take(&rest, &head, sizeof(head));
	if (memcmp(head.magic, PASSED_MAGIC, 8) != 0 || !xxh_eq(head.build, snapshot_build()) || !xxh_eq(head.name, name))
		return false;
	*when = head.when;
	for (uint64_t i = 0; i < head.rows; i++)
		if (!row_holds(a, &rest))
			return false;
	utimensat(AT_FDCWD, path, NULL, 0);     /* used: kept on */
	return rest.n == 0;
}

/* --- writing --- */

static void add_row(struct buf *b, enum row_kind kind, struct str text, const void *part, size_t n)
{
	struct row row = {kind, (uint32_t)text.n};

	buf_add(b, &row, sizeof(row));
	buf_str(b, text);
	buf_add(b, part, n);
}

int passed_keep(const char *dir, struct xxh name, const struct passed_facts *facts, struct err *err)
{
	CLEANUP_BUF struct buf b = BUF_INIT(PASSED_MAX);
	struct head head = {.magic = PASSED_MAGIC, .build = snapshot_build(), .name = name};
	struct timespec now;
	struct xxh sum;
	char path[4096];

	clock_gettime(CLOCK_REALTIME, &now);
	head.when = now.tv_sec * 1000000000ll + now.tv_nsec;
	buf_add(&b, &head, sizeof(head));
	for (size_t i = 0; i < facts->nenv; i++, head.rows++)
		add_row(&b, ROW_ENV, facts->env[i].name, &(struct env_part){facts->env[i].value, facts->env[i].set}, sizeof(struct env_part));
	for (size_t i = 0; i < facts->nfiles; i++) {
		const struct watch *w = &facts->files[i];
		struct file_part part = {.ident = w->ident, .kind = w->kind};

		if (!w->path.n || w->path.s[0] != '/')
			continue;
		add_row(&b, ROW_FILE, w->path, &part, sizeof(part));
		head.rows++;
	}
	if (b.full)
		return err_set(err, ERR_SYSTEM, "unable to note that a tree passed: what it rests on takes more than %u bytes", PASSED_MAX);
	memcpy(b.s, &head, sizeof(head));
	sum = xxh_bytes(b.s, b.n);
	b.limit = BUF_UNLIMITED;
	buf_add(&b, &sum, sizeof(sum));
	note_path(dir, name, path);
	return file_write(AT_FDCWD, path, buf_view(&b), 0600, err);
}

void passed_trim(const char *dir)
{
	struct { char name[40]; int64_t at; } found[2 * PASSED_KEPT];
	struct dirent *e;
	size_t n = 0;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d)) && n < countof(found)) {
		struct ident ident;

		if (e->d_name[0] == '.' || strlen(e->d_name) >= sizeof(found[n].name) || file_ident(dirfd(d), e->d_name, &ident, NULL) != 1)
			continue;
		strcpy(found[n].name, e->d_name);
		found[n++].at = ident.mtime;
	}
	while (n > PASSED_KEPT) {
		size_t oldest = 0;

		for (size_t i = 1; i < n; i++)
			if (found[i].at < found[oldest].at)
				oldest = i;
		unlinkat(dirfd(d), found[oldest].name, 0);
		found[oldest] = found[--n];
	}
	if (d)
		closedir(d);
}
