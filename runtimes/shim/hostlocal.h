/* hostlocal.h: between cairn-host and the shim, on a socket of the container. Frames of u32 length, u32 kind, bytes.
 * Both are one program, so there is no version. */
#pragma once

#include "runtimes/shim/wire.h"

enum {
	LOCAL_HEAD = 8,
	LOCAL_REQUEST_MAX = 65536,
	LOCAL_CHUNK = 8192,             /* longest piece of input or output */
};

enum local_kind {
	LOCAL_INPUT,                    /* to the shim; none: its end */
	LOCAL_OUT,                      /* from it; none: the stream's end */
	LOCAL_ERR,
	LOCAL_REQUEST,                  /* to the shim, first: fields */
	LOCAL_DONE,                     /* from it, last: u32 kind, u32 status, text */
};

#define HOST_VARIABLE "CAIRN_HOST_SOCKET"

struct sockaddr_un;
/* "@NAME" as in the variable: an abstract address, which needs no folder that may be written. Its length, or 0. */
unsigned local_address(const char *name, struct sockaddr_un *out);
