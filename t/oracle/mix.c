/* mix.c: the one program that the oracle's steps run: its outputs are a function of what it reads, and
 * model.py computes the same function. It tells the oracle, behind cairn's back, that it ran.
 *
 *	mix STEP [-S SALT] [-e VAR] [-b] [-i PATH] [-w DIR SUFFIX] [-l DIR SUFFIX] [-n PREFIX] [-I DIR]...
 *	         [-c FILE] [-d DEPFILE] [-o FILE] [-x] [-m MODE] [-D DIR] [-G DIR] [-L LINK] [-a ARGS...]
 *
 * Reads: -i a file, link or folder; -w every file or link below DIR whose name ends so; -l the same, DIR
 * alone, both but for names that begin with -n; -c a source whose lines `include NAME` are looked for in each -I in order. -b takes only what is
 * not a comment (lines that begin with #), and neither names nor types. Writes: -o a text of what was
 * read (-x executable, -m with that mode), -L a link to it, -D a folder and -G files whose number depends
 * on what was read. A line `!fail` in a file that was read makes it fail after it has written half.
 * Beside the program lie `log` (a line a start), `delay` (ms to sleep) and `gate` (a step that is to wait). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct text { char *s; size_t n, cap; };

static struct text body;
static struct text deps;
static char home[PATH_MAX];
static const char *step;
static const char *but;
static int bare, failing;
static const char *dirs[16];
static size_t ndirs;
static char *seen[4096];
static size_t nseen;

static void die(const char *what, const char *on)
{
	fprintf(stderr, "mix: %s: %s %s: %s\n", step ? step : "?", what, on, strerror(errno));
	exit(1);
}

static void add(struct text *t, const char *s, size_t n)
{
	if (t->n + n + 1 > t->cap) {
		t->cap = (t->n + n + 1) * 2;
		if (!(t->s = realloc(t->s, t->cap)))
			die("unable to grow", "");
	}
	memcpy(t->s + t->n, s, n);
	t->s[t->n += n] = 0;
}

static void puts_to(struct text *t, const char *s)
{
	add(t, s, strlen(s));
}

static uint32_t crc(const char *s, size_t n)
{
	uint32_t c = ~0u;

	while (n--) {
		c ^= (unsigned char)*s++;
		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
	}
	return ~c;
}

static void put_crc(struct text *t, const char *s, size_t n)
{
	char hex[16];

	snprintf(hex, sizeof(hex), "%08x", crc(s, n));
	puts_to(t, hex);
}

static struct text slurp(const char *path)
{
	struct text t = {0};
	char buf[4096];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		die("unable to read", path);
	add(&t, "", 0);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		add(&t, buf, (size_t)n);
	if (n < 0)
		die("unable to read", path);
	close(fd);
	return t;
}

/* Without comments; sees !fail. */
static struct text stripped(const struct text *in)
{
	struct text out = {0};

	add(&out, "", 0);
	for (const char *s = in->s, *end = in->s + in->n; s < end;) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));
		const char *next = nl ? nl + 1 : end;

		if (!strncmp(s, "!fail", 5))
			failing = 1;
		if (*s != '#')
			add(&out, s, (size_t)(next - s));
		s = next;
	}
	return out;
}

static void read_file(const char *path, struct text *to, char type)
{
	struct text all = slurp(path), rest = stripped(&all);

	if (bare) {
		add(to, rest.s, rest.n);
	} else {
		puts_to(to, path);
		add(to, " ", 1);
		add(to, &type, 1);
		add(to, " ", 1);
		put_crc(to, all.s, all.n);
		add(to, "\n", 1);
	}
	free(all.s);
	free(rest.s);
}

static void read_path(const char *path, struct text *to);

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **list(const char *path, size_t *n)
{
	DIR *d = opendir(path);
	char **names = NULL;

	*n = 0;
	if (!d)
		die("unable to list", path);
	for (struct dirent *e; (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, ".git") ||
		    !strncmp(e->d_name, ".cairn~", 7))
			continue;
		if (!(names = realloc(names, (*n + 1) * sizeof(*names))))
			die("unable to grow", "");
		names[(*n)++] = strdup(e->d_name);
	}
	closedir(d);
	qsort(names, *n, sizeof(*names), by_name);
	return names;
}

static void read_link(const char *path, struct text *to)
{
	char text[PATH_MAX];
	ssize_t n = readlink(path, text, sizeof(text) - 1);
	struct stat st;

	if (n < 0)
		die("unable to read link", path);
	text[n] = 0;
	if (!bare) {
		puts_to(to, path);
		puts_to(to, " l ");
		puts_to(to, text);
		add(to, " ", 1);
	}
	if (stat(path, &st)) {
		puts_to(to, "-\n");
	} else if (S_ISDIR(st.st_mode)) {
		size_t count;
		char **names = list(path, &count);

		puts_to(to, "d\n");
		for (size_t i = 0; i < count; i++) {
			char sub[PATH_MAX];

			snprintf(sub, sizeof(sub), "%s/%s", path, names[i]);
			read_path(sub, to);
		}
	} else {
		struct text all = slurp(path), rest = stripped(&all);

		if (bare)
			add(to, rest.s, rest.n);
		else
			put_crc(to, all.s, all.n);
		add(to, "\n", 1);
	}
}

static void read_path(const char *path, struct text *to)
{
	struct stat st;

	if (lstat(path, &st)) {
		if (errno != ENOENT && errno != ENOTDIR)
			die("unable to look at", path);
		puts_to(to, path);
		puts_to(to, " -\n");
	} else if (S_ISLNK(st.st_mode)) {
		read_link(path, to);
	} else if (S_ISDIR(st.st_mode)) {
		size_t n;
		char **names = list(path, &n);

		puts_to(to, path);
		puts_to(to, " d\n");
		for (size_t i = 0; i < n; i++) {
			char sub[PATH_MAX];

			snprintf(sub, sizeof(sub), "%s/%s", path, names[i]);
			read_path(sub, to);
		}
	} else {
		read_file(path, to, st.st_mode & S_IXUSR ? 'x' : 'f');
	}
}

static void walk(const char *dir, const char *suffix, int deep)
{
	size_t n, len = strlen(suffix);
	char **names = list(dir, &n);

	for (size_t i = 0; i < n; i++) {
		char path[PATH_MAX];
		struct stat st;
		size_t l = strlen(names[i]);

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (lstat(path, &st))
			die("unable to look at", path);
		if (S_ISDIR(st.st_mode)) {
			if (deep)
				walk(path, suffix, 1);
		} else if (but && *but && !strncmp(names[i], but, strlen(but))) {
			continue;
		} else if (l >= len && !strcmp(names[i] + l - len, suffix)) {
			read_path(path, &body);
		}
	}
}

static void dep(const char *path)
{
	add(&deps, " ", 1);
	for (; *path; path++) {
		if (strchr(" #:", *path))
			add(&deps, "\\", 1);
		if (*path == '$')
			add(&deps, "$", 1);
		add(&deps, path, 1);
	}
}

static void compile(const char *path)
{
	struct text all;

	for (size_t i = 0; i < nseen; i++)
		if (!strcmp(seen[i], path))
			return;
	seen[nseen++] = strdup(path);
	dep(path);
	read_file(path, &body, 'c');
	all = slurp(path);
	for (char *line = strtok(all.s, "\n"); line;) {
		char *rest = line + strlen(line) + 1, found[PATH_MAX];
		size_t i;

		if (!strncmp(line, "include ", 8)) {
			for (i = 0; i < ndirs; i++) {
				snprintf(found, sizeof(found), "%s/%s", dirs[i], line + 8);
				if (!access(found, F_OK))
					break;
			}
			if (i == ndirs) {
				errno = ENOENT;
				die("no header", line + 8);
			}
			compile(found);
		}
		line = rest < all.s + all.n ? strtok(rest, "\n") : NULL;
	}
	free(all.s);
}

static void write_file(const char *path, const char *s, size_t n, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	if (fd < 0 || write(fd, s, n) != (ssize_t)n || fchmod(fd, mode & ~(mode_t)022) || close(fd))
		die("unable to write", path);
}

static void make_folders(const char *path)
{
	char *p = strdup(path);

	for (char *slash = p; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = 0;
		if (mkdir(p, 0777) && errno != EEXIST)
			die("unable to make", p);
	}
	free(p);
	if (mkdir(path, 0777) && errno != EEXIST)
		die("unable to make", path);
}

static void write_files(const char *dir, int folder)
{
	uint32_t c = crc(body.s, body.n);
	unsigned n = 1 + c % 4;
	char path[PATH_MAX], line[PATH_MAX];

	snprintf(path, sizeof(path), "%s/sub", dir);
	make_folders(path);
	for (unsigned i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s%u.o", dir, i % 2 ? "sub/" : "", i);
		snprintf(line, sizeof(line), "%s %u %08x\n", step, i, c);
		write_file(path, line, strlen(line), i == 2 ? 0777 : 0666);
		if (failing && i)
			exit(1);
	}
	if (failing)
		exit(1);
	if (!folder)
		return;
	snprintf(path, sizeof(path), "%s/empty", dir);
	if (mkdir(path, 0777) && errno != EEXIST)
		die("unable to make", path);
	snprintf(path, sizeof(path), "%s/link", dir);
	unlink(path);
	if (symlink("0.o", path))
		die("unable to link", path);
}

static char *beside(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", home, name) < 0)
		exit(1);
	return path;
}

static void nap(unsigned ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

static void tell(void)
{
	char line[PATH_MAX];
	int fd = open(beside("log"), O_WRONLY | O_APPEND | O_CREAT, 0666), n;

	n = snprintf(line, sizeof(line), "%s\n", step);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		die("unable to log", home);
	close(fd);
	if (!access(beside("delay"), F_OK))
		nap((unsigned)atoi(slurp(beside("delay")).s));
}

static void gate(const char *where)
{
	char name[32];

	if (access(beside("gate"), F_OK) || strcmp(slurp(beside("gate")).s, step))
		return;
	snprintf(name, sizeof(name), "ready-%s", where);
	write_file(beside(name), "", 0, 0666);
	snprintf(name, sizeof(name), "go-%s", where);
	for (int i = 0; i < 20000 && access(beside(name), F_OK); i++)
		nap(1);
}

int main(int argc, char **argv)
{
	const char *out = NULL, *depfile = NULL, *salt = "", *link = NULL, *folder = NULL, *files = NULL;
	mode_t mode = 0666;
	ssize_t n = readlink("/proc/self/exe", home, sizeof(home) - 1);
	struct text text = {0};
	int i;

	if (argc < 2 || n < 0)
		return 2;
	*strrchr(home, '/') = 0;
	step = argv[1];
	add(&body, "", 0);
	add(&deps, "", 0);
	tell();
	gate("before");
	for (i = 2; i < argc; i++) {
		const char *a = argv[i], *v = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(a, "-b")) { bare = 1; continue; }
		if (!strcmp(a, "-x")) { mode = 0777; continue; }
		if (!strcmp(a, "-a")) break;
		i++;
		switch (a[0] == '-' ? a[1] : 0) {
		case 'S': salt = v; break;
		case 'e': puts_to(&body, v); puts_to(&body, "="); puts_to(&body, getenv(v) ? getenv(v) : "(unset)"); puts_to(&body, "\n"); break;
		case 'i': read_path(v, &body); break;
		case 'w': case 'l': walk(v, i + 1 < argc ? argv[i + 1] : "", a[1] == 'w'); i++; break;
		case 'n': but = v; break;
		case 'I': dirs[ndirs++] = v; break;
		case 'c': compile(v); break;
		case 'd': depfile = v; break;
		case 'o': out = v; break;
		case 'm': mode = (mode_t)strtoul(v, NULL, 8); break;
		case 'D': folder = v; break;
		case 'G': files = v; break;
		case 'L': link = v; break;
		default: fprintf(stderr, "mix: %s?\n", a); return 2;
		}
	}
	for (i++; i < argc; i++) {
		char size[32];

		snprintf(size, sizeof(size), "arg %zu:", strlen(argv[i]));
		puts_to(&body, size);
		puts_to(&body, argv[i]);
		puts_to(&body, "\n");
	}
	puts_to(&text, step);
	puts_to(&text, "\n");
	puts_to(&text, salt);
	puts_to(&text, "\n");
	add(&text, body.s, body.n);
	puts_to(&body, salt);
	if (out)
		write_file(out, text.s, failing ? text.n / 2 : text.n, mode);
	if (failing && out)
		return 1;
	if (link) {
		unlink(link);
		if (symlink(strrchr(out, '/') ? strrchr(out, '/') + 1 : out, link))
			die("unable to link", link);
	}
	if (depfile) {
		struct text rule = {0};

		puts_to(&rule, "out:");
		add(&rule, deps.s, deps.n);
		add(&rule, "\n", 1);
		write_file(depfile, rule.s, rule.n, 0666);
	}
	if (files)
		write_files(files, 0);
	if (folder)
		write_files(folder, 1);
	gate("after");
	return failing;
}
