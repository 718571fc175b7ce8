/* shim.h: the parts of the program `cairn-shim`, one thread around one poll. shim.c is the loop; conversation.c the
 * stream and what is said on it; step.c a step's life, spawn.c its beginning, sweep.c the end of what it leaves; put.c
 * and get.c the workspace and the outputs; hostcalls.c cairn-host's side towards steps, hostcommand.c that program.
 *
 * Nothing here trusts a length, and memory is bounded: what cannot be sent is not read. */
#pragma once

#include <poll.h>
#include <sys/types.h>

#include "runtimes/shim/outlog.h"

#define SHIM_FAILED 125                 /* exit status when the shim ends without a step's */

typedef uint64_t ms;                    /* monotonic */
#define NEVER UINT64_MAX

struct shim {
	bool first;                     /* PID 1 */
	bool once;                      /* --once: exits as its one step did */
	bool child_ended;               /* SIGCHLD came */
	bool host_wanted;               /* the step may call cairn-host */
	int null;                       /* /dev/null */
	int status;                     /* to exit with at END */
};

extern struct shim shim;

/* shim.c */
ms now_ms(void);
void complain(const char *what, const char *why);       /* one line on stderr; why may be NULL */
/* Says goodbye (text may be NULL), ends all processes and, once the log is written or nobody takes it, the shim. */
void shim_end(int status, const char *text);

/* What the loop waits for. A part adds its fds before each poll and finds them again by index. */
struct polls {
	struct pollfd v[8 + HOST_CALLS];
	size_t n;
	ms due;
};
size_t polls_add(struct polls *, int fd, short events);
void polls_due(struct polls *, ms when);

/* conversation.c */
void conversation_begin(int in, int out, ms silence);
void conversation_poll(struct polls *);
void conversation_read(const struct polls *);           /* takes what is there, acts on it */
void conversation_write(void);
bool conversation_flushed(void);                        /* nothing is left to write, or nobody takes it */
void say(uint32_t type, struct bytes head, struct bytes body);          /* always finds room */
bool say_room(void);                                    /* room for a data frame and for what must always find some */

/* step.c; messages are changed in place, false: makes no sense */
bool step_begin(uint8_t *message, size_t n);
void step_signal(uint32_t id, int sig);
void step_stop(ms grace);                               /* SIGTERM now, SIGKILL after that */
bool step_running(void);
void step_poll(struct polls *);
void step_turn(void);

/* spawn.c */
struct spawn {
	char **argv, **env;
	const char *cwd;
	bool has_user;
	uint32_t uid, gid;
	uint32_t groups[64];
	size_t ngroups;
	uint32_t mask;
	uint64_t limits[SHIM_LIMITS];   /* 0: as they are */
	int out, err;
};
/* pid; or -1 with errno, and *what says what could not be done. */
pid_t spawn(const struct spawn *, const char **what);

/* sweep.c: every process below the shim but `but` (0: none). */
enum swept { SWEPT_ALL, SWEPT_SOME, SWEPT_STUCK };
void sweep_begin(void);
enum swept sweep_turn(uint32_t *killed);                /* to be called again when a child ended, or at sweep_due */
ms sweep_due(void);
void sweep_now(void);                                   /* all of it, waiting for the end */

/* put.c, get.c */
bool put_begin(uint8_t *message, size_t n);
bool put_data(struct bytes);
bool put_end(struct bytes);
bool put_good(void);                                    /* the last one arrived whole, or there was none */
bool get_begin(uint8_t *message, size_t n);
bool get_running(void);
void get_turn(void);                                    /* sends as much as there is room for */

/* messages.c: fields, with texts that end in a NUL */
struct words { char **v; size_t n, cap; };              /* v ends with a NULL once something is in it */
bool words_add(struct words *, char *);
void words_release(struct words *);
/* The value of a field as a text, moved over its head; NULL when it holds a NUL. */
char *field_text(struct bytes value);
bool field_u32(struct bytes value, uint32_t *out);
bool field_u64(struct bytes value, uint64_t *out);
/* What begins a message: its id; then fields. */
bool fields_begin(uint8_t *message, size_t n, uint32_t *id, struct bytes *fields);

/* A text of limited length, put together. */
struct text { char s[512]; size_t n; };
void text_add(struct text *, const char *);
struct bytes text_bytes(const struct text *);

/* hostcalls.c */
const char *host_address(void);                         /* "CAIRN_HOST_SOCKET=...", NULL: no socket could be had */
void host_poll(struct polls *);
void host_turn(const struct polls *);
bool host_data(struct bytes);
bool host_credit(struct bytes);
bool host_done(struct bytes);
void host_hang_up(void);                                /* the step is over */

/* hostcommand.c */
int host_command(char **argv, char **env);
