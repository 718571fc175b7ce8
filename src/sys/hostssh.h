/* hostssh.h: SSH servers through which steps run commands on this machine. libssh does it, in the module "ssh", which
 * hostssh_open loads.
 *
 * Each step that may has a server of its own, on a port of the kernel's choice, for as long as it runs: user "cairn", a
 * token of 256 random bits as the password. It does one thing: `exec` of a command, by /bin/sh, one in a connection, its
 * streams apart, its status or signal told. No terminal, shell, forwarding, agent, subsystem or environment, and no other way
 * to prove oneself. After three wrong passwords a connection is closed, and one that has not proved itself within 30 s.
 * When the server is closed its connections are, and the groups of their commands are killed. */
#pragma once

#include "base/err.h"
#include "sys/loop.h"

struct hostssh;
struct hostssh_server;

/* With a host key (Ed25519) of its own, which is never written anywhere. NULL with err. */
struct hostssh *hostssh_open(struct loop *, struct err *);
void hostssh_close(struct hostssh *);           /* after its servers; NULL is fine */

struct hostssh_how {
	const char *address;                    /* a number: "127.0.0.1"; what clients connect to */
	const char *const *env;                 /* of its commands; valid as long as the server, as is dir */
	const char *dir;
};

#define HOSTSSH_USER "cairn"

/* NULL with err: the address is none of this machine's, for one. */
struct hostssh_server *hostssh_serve(struct hostssh *, const struct hostssh_how *, struct err *);
void hostssh_end(struct hostssh_server *);      /* NULL is fine */
unsigned hostssh_port(const struct hostssh_server *);
const char *hostssh_token(const struct hostssh_server *);
/* Its line of a known_hosts file, newline included. */
struct str hostssh_known(const struct hostssh_server *);
