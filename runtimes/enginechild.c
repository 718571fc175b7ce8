#include "runtimes/enginechild.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/child.h"
#include "sys/file.h"

#define WORDS_MAX 1000
#define PREFIX "cairn-engine."

extern char **environ;

struct engine_service {
	struct loop *loop;
	char dir[64];                   /* private; holds the socket and what the programs say */
	char socket[80];
	int said;                       /* their standard error */
	/* podman */
	struct child podman;
	struct loop_watch *ended;
	bool gone;
	/* ssh */
	struct engine_place place;
	int listener;
	struct loop_watch *asked;
	struct arena arena;
};

static void service_ended(void *ctx, int status, const struct rusage *usage)
{
	struct engine_service *s = ctx;
	(void)status, (void)usage;
	s->ended = NULL;
	s->gone = true;
}

static int podman_start(struct engine_service *s, struct err *err)
{
	struct str idle = str_fmt(&s->arena, "--time=%d", ENGINE_SERVICE_IDLE_S), url = str_fmt(&s->arena, "unix://%s", s->socket);
	const char *argv[] = {"podman", "system", "service", idle.s, url.s, NULL};
	s->podman = (struct child){.argv = argv, .env = (const char *const *)environ, .dir = "/", .out = -1, .err = s->said, .in = -1};
	if (child_start(&s->podman, err) < 0)
		return -1;
	s->ended = loop_child(s->loop, s->podman.pid, service_ended, s);
	return s->ended ? 0 : err_errno(err, "unable to watch podman");
}

/* --- ssh: each connection to the socket is one of the program's, handed to it as its standard input and output --- */

static void ssh_ended(void *ctx, int status, const struct rusage *usage)
{
	(void)ctx, (void)status, (void)usage;
}

static void ssh_start(struct engine_service *s, int fd)
{
	const char *argv[16], *program = s->place.likely == ENGINE_PODMAN ? "podman" : "docker";
	size_t n = 0;
	argv[n++] = "ssh";
	argv[n++] = "-T";
	argv[n++] = "-o";
	argv[n++] = "ConnectTimeout=10";
	if (s->place.user.n) {
		argv[n++] = "-l";
		argv[n++] = str_dup(&s->arena, s->place.user).s;
	}
	if (s->place.port.n) {
		argv[n++] = "-p";
		argv[n++] = str_dup(&s->arena, s->place.port).s;
	}
	argv[n++] = "--";
	argv[n++] = str_dup(&s->arena, s->place.host).s;
	argv[n++] = program;
	argv[n++] = "system";
	argv[n++] = "dial-stdio";
	argv[n] = NULL;
	struct child c = {.argv = argv, .env = (const char *const *)environ, .dir = "/", .out = fd, .err = s->said, .in = fd};
	struct err err = ERR_INIT;
	if (child_start(&c, &err) < 0)
		(void)!write(s->said, err.text, strlen(err.text));
	else
		loop_child(s->loop, c.pid, ssh_ended, NULL);
	err_release(&err);
}

static void ssh_asked(void *ctx, unsigned events)
{
	struct engine_service *s = ctx;
	int fd CLEANUP_FD = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
	(void)events;
	if (fd >= 0)
		ssh_start(s, fd);
}

static int ssh_listen(struct engine_service *s, struct err *err)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	strcpy(at.sun_path, s->socket);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(s->listener, 128) < 0)
		return err_errno(err, "unable to listen at %s", s->socket);
	s->asked = loop_fd(s->loop, s->listener, EPOLLIN, ssh_asked, s);
	return s->asked ? 0 : err_errno(err, "unable to watch %s", s->socket);
}

/* --- both --- */

/* Shared by all that inherit the fd, as its holders live. */
static bool lock_alone(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

/* Folders of runs that were killed: nobody holds the lock of what their programs say, which a program inherits. */
static void sweep(const char *base)
{
	struct dirent *entry;
	DIR *dir = opendir(base);
	while (dir && (entry = readdir(dir))) {
		char path[PATH_MAX], said[PATH_MAX + 8];
		struct stat st;
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		snprintf(path, sizeof(path), "%.3000s/%s", base, entry->d_name);
		snprintf(said, sizeof(said), "%s/said", path);
		if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
			continue;
		int fd CLEANUP_FD = open(said, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0 && lock_alone(fd))
			file_remove_tree(AT_FDCWD, path, NULL);
	}
	if (dir)
		closedir(dir);
}

static int make_folder(struct engine_service *s, struct err *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	size_t room = sizeof(s->dir) - sizeof("/" PREFIX "XXXXXX");
	const char *base = runtime && *runtime == '/' && strlen(runtime) < room && access(runtime, W_OK) == 0 ? runtime : "/tmp";
	sweep(base);
	snprintf(s->dir, sizeof(s->dir), "%s/" PREFIX "XXXXXX", base);
	if (!mkdtemp(s->dir)) {
		err_errno(err, "unable to make a folder %s", s->dir);
		s->dir[0] = '\0';
		return -1;
	}
	snprintf(s->socket, sizeof(s->socket), "%s/sock", s->dir);
	struct str log = str_fmt(&s->arena, "%s/said", s->dir);
	s->said = open(log.s, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return s->said < 0 || !lock_alone(s->said) ? err_errno(err, "unable to make %s", log.s) : 0;
}

struct engine_service *engine_service_start(struct loop *loop, const struct engine_place *place, struct str *socket, struct err *err)
{
	struct engine_service *s = xcalloc(1, sizeof(*s));
	s->loop = loop;
	s->said = s->listener = -1;
	s->place = *place;
	s->place.user = str_dup(&s->arena, place->user);
	s->place.host = str_dup(&s->arena, place->host);
	s->place.port = str_dup(&s->arena, place->port);
	if (make_folder(s, err) == 0 && (place->how == PLACE_SSH ? ssh_listen(s, err) : podman_start(s, err)) == 0) {
		*socket = str_of(s->socket);
		return s;
	}
	engine_service_end(s);
	return NULL;
}

bool engine_service_ended(const struct engine_service *s)
{
	return s->gone;
}

struct str engine_service_words(const struct engine_service *s, struct arena *arena)
{
	char words[WORDS_MAX];
	ssize_t n = pread(s->said, words, sizeof(words), 0);
	return n > 0 ? str_dup(arena, str_trim((struct str){words, (size_t)n})) : (struct str){0};
}

void engine_service_end(struct engine_service *s)
{
	if (!s)
		return;
	loop_remove(s->loop, s->ended);
	loop_remove(s->loop, s->asked);
	if (s->podman.pid && !s->gone) {
		/* It ends within a second, when what it does is done; its containers have processes of their own. */
		kill(s->podman.pid, SIGTERM);
		waitpid(s->podman.pid, NULL, WNOHANG);
	}
	cleanup_fd(&s->said);
	cleanup_fd(&s->listener);
	if (s->dir[0])
		file_remove_tree(AT_FDCWD, s->dir, NULL);
	arena_release(&s->arena);
	free(s);
}
