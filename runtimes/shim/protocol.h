/* protocol.h: what the shim and its controller say to each other. doc/shim-protocol.md tells it for someone who writes
 * another controller; both sides here are built from this file.
 *
 * One stream of bytes each way carries frames. Numbers are little-endian, sums are CRC-32 (IEEE 802.3). Sequenced frames
 * are a log: each side keeps what it sent until the other has it, counts in bytes how much of the other's log it has, and
 * after a cut says that position in HELLO or WELCOME; from there the log goes on. So nothing is lost and nothing comes
 * twice, whatever a frame says. Other frames (types below FRAME_SEQUENCED) are no part of the log and may be lost. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHIM_VERSION "cfr1"             /* the first four bytes of each frame; another protocol has another digit */

/* --- a frame --- */
enum {
	HEAD_VERSION = 0,               /* SHIM_VERSION */
	HEAD_LENGTH = 4,                /* u32, of what follows the head */
	HEAD_TYPE = 8,                  /* u32, enum frame_type, perhaps with FRAME_MORE */
	HEAD_SEQUENCE = 12,             /* u32: 1 for a log's first frame, wraps; 0 in frames outside of it */
	HEAD_SUM = 16,                  /* u32, of what follows the head */
	HEAD_HEADSUM = 20,              /* u32, of the 20 bytes before it */
	HEAD_SIZE = 24,
	FRAME_MAX = 32768,              /* longest payload */
	PREAMBLE = HEAD_SIZE + FRAME_MAX,       /* zeros before a HELLO on a stream that was used: they end a frame that was cut off */
};

#define FRAME_SEQUENCED 16u
#define FRAME_MORE 0x8000u              /* the message goes on in the next frame of this type; STEP, PUT, GET, HOST_CALL */
#define MESSAGE_MAX (16u << 20)         /* longest message in parts */

enum frame_type {
	/* outside of the log */
	FRAME_HELLO = 1,                /* controller, first on each stream: session[16], u64 nonce, u64 position, u32 silence ms, u32 0 */
	FRAME_WELCOME = 2,              /* its answer: u64 nonce, u64 position, u32 pid, u32 flags */
	FRAME_ACK = 3,                  /* u64 position */
	FRAME_PING = 4,                 /* u64 position; is answered by PONG */
	FRAME_PONG = 5,                 /* u64 position */
	FRAME_LOST = 6,                 /* shim: u32 enum lost, u64 nonce of the HELLO that is refused or 0; it waits for a HELLO */
	/* controller to shim */
	FRAME_STEP = 16,                /* u32 id, fields: run it */
	FRAME_SIGNAL = 17,              /* u32 step, u32 signal */
	FRAME_PUT = 18,                 /* u32 id, fields: a tar archive follows */
	FRAME_PUT_DATA = 19,            /* bytes */
	FRAME_PUT_END = 20,             /* u64 size, sha256[32] of the archive */
	FRAME_GET = 21,                 /* u32 id, fields: send a tar archive */
	FRAME_END = 22,                 /* all is done and received: the shim exits */
	/* shim to controller */
	FRAME_STARTED = 32,             /* u32 step, u32 pid */
	FRAME_OUTPUT = 33,              /* u32 step, u32 1 or 2, u64 offset in that stream, bytes */
	FRAME_DONE = 34,                /* struct shim_done as u32 step kind status flags leftovers 0, u64 user system rss, text */
	FRAME_PUT_DONE = 35,            /* u32 id, u32 errno, text */
	FRAME_GET_DATA = 36,            /* bytes */
	FRAME_GET_DONE = 37,            /* u32 id, u32 errno, u64 size, sha256[32], text */
	FRAME_BYE = 38,                 /* the shim ends on its own: text */
	/* cairn-host */
	FRAME_HOST_CALL = 48,           /* shim: u32 call, fields */
	FRAME_HOST_DATA = 49,           /* both: u32 call, u32 stream (0 to the command, 1 and 2 from it), bytes; none: its end.
					   To the shim it costs HOST_FRAME of credit beside its bytes, the end costs none */
	FRAME_HOST_CREDIT = 50,         /* both: u32 call, u32 stream, u32 bytes that the sender may send in addition to HOST_CREDIT */
	FRAME_HOST_DONE = 51,           /* controller: u32 call, u32 kind, u32 status, text */
	FRAME_HOST_GONE = 52,           /* shim: u32 call: nobody waits for it any more */
};

#define WELCOME_FIRST 1u                /* flags: PID 1, which sees all processes of its container */
enum { HELLO_SIZE = 40, WELCOME_SIZE = 24, POSITION_SIZE = 8, LOST_SIZE = 12, OUTPUT_HEAD = 16, DONE_HEAD = 48, GET_DONE_HEAD = 48,
       HOST_DATA_HEAD = 8 };

enum lost {
	LOST_NONE,
	LOST_VERSION,                   /* not SHIM_VERSION */
	LOST_HEAD,                      /* the head's sum does not match */
	LOST_LENGTH,                    /* longer than FRAME_MAX */
	LOST_SUM,                       /* the payload's sum does not match */
	LOST_SEQUENCE,                  /* not the next one */
	LOST_SESSION,                   /* a HELLO of another session */
	LOST_POSITION,                  /* a HELLO that asks for what is no longer, or never was, in the log */
	LOST_MESSAGE,                   /* a frame that makes no sense here */
};

/* --- fields: u16 tag, u32 length, bytes; in any order, lists in theirs. An unknown one is refused. --- */
enum field {
	FIELD_ARG = 1,                  /* STEP, HOST_CALL: one word; the first is looked up in PATH of the step's environment */
	FIELD_ENV = 2,                  /* STEP, HOST_CALL: NAME=VALUE; STEP: NAME alone, which it is not to have */
	FIELD_FLAGS = 3,                /* u32, below */
	FIELD_CWD = 4,                  /* STEP, HOST_CALL: absolute */
	FIELD_USER = 5,                 /* STEP, PUT: u32 uid, u32 gid; STEP: supplementary groups, u32 each */
	FIELD_UMASK = 6,                /* STEP: u32; 022 without it */
	FIELD_TIMEOUT = 7,              /* STEP: u64 ms; none without it */
	FIELD_GRACE = 8,                /* STEP: u32 ms between SIGTERM and SIGKILL at its timeout; 5000 without it */
	FIELD_SCRIPT_PATH = 9,          /* STEP: absolute; where SCRIPT stands while the step runs */
	FIELD_SCRIPT = 10,              /* STEP: bytes */
	FIELD_ROOT = 11,                /* PUT, GET: absolute folder; PUT makes it */
	FIELD_LIMIT = 13,               /* STEP: u32 enum shim_limit, u64: no more than that, for each of its processes */
	FIELD_PATH = 12,                /* GET: relative to ROOT, "." for all of it */
};

#define STEP_ENV_ADD 1u                 /* ENV is added to the environment that the shim was started with, not all there is */
#define STEP_HOST 2u                    /* cairn-host works in this step: CAIRN_HOST_SOCKET is added to its environment */
#define PUT_CLEAN 1u                    /* ROOT is emptied first */
#define GET_LIST 1u                     /* the entries without contents, each said to be empty: what is there? */
#define GET_ABSENT 2u                   /* a PATH that does not exist is left out; without it GET fails with ENOENT */
#define GET_TIMES 4u                    /* with modification times, in seconds; without it they are 0 */

enum shim_limit { SHIM_LIMIT_FILES /* open */, SHIM_LIMIT_FSIZE /* bytes of a file */, SHIM_LIMITS };

/* --- the end of a step --- */
enum shim_kind {
	SHIM_EXITED,                    /* status: 0-255 */
	SHIM_SIGNALLED,                 /* status: the signal */
	SHIM_NOT_STARTED,               /* status: errno, or 0; the text says why */
};

#define DONE_TIMED_OUT 1u               /* the shim ended it at its timeout */
#define DONE_STUCK 2u                   /* processes are left that SIGKILL did not end: use this container no more */

struct shim_done {
	uint32_t step;
	enum shim_kind kind;
	uint32_t status, flags;
	uint32_t leftovers;             /* processes that the step had left and that were killed */
	uint64_t user_us, system_us, max_rss_kb;
};

#define SHIM_WINDOW (1u << 20)          /* how much of its log the shim keeps; then the step waits */
#define SHIM_ACK (128u << 10)           /* an ACK is due after so many bytes */
#define HOST_CREDIT (64u << 10)         /* of each stream of a call, before any FRAME_HOST_CREDIT */
#define HOST_FRAME 32u
#define HOST_CALLS 16                   /* at a time */
