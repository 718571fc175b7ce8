#include "sys/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/file.h"

/* libc declares it in a <sys/file.h> of its own, which ours hides. */
int flock(int fd, int operation);

static long holder_of(int fd)
{
	char text[24] = "";
	return pread(fd, text, sizeof(text) - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
}

static int lock_file(int fd, bool wait)
{
	int status;
	do
		status = flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB));
	while (status < 0 && errno == EINTR);
	return status;
}

int lock_take(const char *path, bool wait, bool *busy, long *holder, struct err *err)
{
	*busy = false;
	*holder = 0;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == ENOENT && file_mkparents(AT_FDCWD, path, err) == 0)
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err && err_any(err) ? -1 : err_errno(err, "unable to open the lock %s", path);
	if (lock_file(fd, wait) < 0) {
		if (errno == EWOULDBLOCK) {
			*busy = true;
			*holder = holder_of(fd);
		}
		err_errno(err, "unable to take the lock %s", path);
		close(fd);
		return -1;
	}
	char text[24];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	/* Who holds it is a courtesy: a full disk is no reason not to hold it. */
	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) != n)
		(void)!ftruncate(fd, 0);
	return fd;
}
