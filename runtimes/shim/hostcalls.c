/* hostcalls.c: steps that call cairn-host come to a socket here; the stream carries it to the controller. Each stream of a
 * call has credit, which is given back as it is used up, so memory is bounded and no call holds up another. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtimes/shim/hostlocal.h"
#include "runtimes/shim/shim.h"

struct call {
	uint32_t id;                    /* 0: free */
	int fd;
	size_t polled;
	bool asked, closing;            /* the controller knows of it; it is done with it */
	uint32_t input_room;            /* credit of the controller */
	uint32_t used[3];               /* of the credit we gave, for streams 1 and 2; what was passed on and not told */
	uint32_t passed[3];
	uint8_t in[LOCAL_HEAD + LOCAL_REQUEST_MAX];
	size_t in_n;
	uint8_t *out;                   /* frames for cairn-host */
	size_t out_n, out_at, out_frame;
};

#define OUT_MAX (2 * HOST_CREDIT + 2 * LOCAL_CHUNK)             /* both streams' credit, ends, DONE */

static struct {
	int socket;
	bool tried, good;
	size_t polled;
	char variable[64];
	uint32_t ids;
	struct call *calls[HOST_CALLS];
} host;

/* --- the socket --- */

static bool open_socket(void)
{
	struct sockaddr_un address;
	uint8_t random[16];
	char *at = host.variable + sizeof(HOST_VARIABLE "=@cairn-host-") - 1;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return false;
	strcpy(host.variable, HOST_VARIABLE "=@cairn-host-");
	for (size_t i = 0; i < sizeof(random); i++) {
		*at++ = "0123456789abcdef"[random[i] >> 4];
		*at++ = "0123456789abcdef"[random[i] & 15];
	}
	*at = '\0';
	unsigned n = local_address(strchr(host.variable, '@'), &address);
	host.socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return n && host.socket >= 0 && bind(host.socket, (struct sockaddr *)&address, n) == 0 && listen(host.socket, 16) == 0;
}

const char *host_address(void)
{
	if (!host.tried) {
		host.tried = true;
		host.good = open_socket();
	}
	return host.good ? host.variable : NULL;
}

/* An abstract address is seen in the whole network name space; a process of another container has no pid here. */
static bool is_ours(int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 && peer.pid > 0;
}

static struct call **slot(void)
{
	for (size_t i = 0; i < HOST_CALLS; i++)
		if (!host.calls[i])
			return &host.calls[i];
	return NULL;
}

static void take_call(void)
{
	struct call **at = slot(), *c;
	int fd = at ? accept4(host.socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
	if (fd < 0)
		return;
	if (!shim.host_wanted || !is_ours(fd) || !(c = calloc(1, sizeof(*c))) ) {
		close(fd);
		return;
	}
	if (!(c->out = malloc(OUT_MAX))) {
		free(c);
		close(fd);
		return;
	}
	c->fd = fd;
	c->id = ++host.ids ? host.ids : ++host.ids;
	c->input_room = HOST_CREDIT;
	*at = c;
}

static void drop(struct call **at)
{
	close((*at)->fd);
	free((*at)->out);
	free(*at);
	*at = NULL;
}

static struct call **find(uint32_t id)
{
	for (size_t i = 0; i < HOST_CALLS; i++)
		if (host.calls[i] && host.calls[i]->id == id)
			return &host.calls[i];
	return NULL;
}

static void say_numbers(uint32_t type, const uint32_t *v, size_t n, struct bytes body)
{
	uint8_t head[12];
	for (size_t i = 0; i < n; i++)
		wire_u32(head + 4 * i, v[i]);
	say(type, (struct bytes){head, 4 * n}, body);
}

static void gone(struct call **at)
{
	if ((*at)->asked && !(*at)->closing)
		say_numbers(FRAME_HOST_GONE, &(*at)->id, 1, (struct bytes){0});
	drop(at);
}

/* --- from cairn-host --- */

static bool frame_acceptable(const struct call *c, uint32_t n, uint32_t kind)
{
	return c->asked ? kind == LOCAL_INPUT && n <= LOCAL_CHUNK : kind == LOCAL_REQUEST && n <= LOCAL_REQUEST_MAX;
}

static void pass_request(struct call *c, struct bytes fields)
{
	uint8_t id[4];
	struct bytes head = {id, sizeof(id)};
	wire_u32(id, c->id);
	while (fields.n > FRAME_MAX - head.n) {
		size_t n = FRAME_MAX - head.n;
		say(FRAME_HOST_CALL | FRAME_MORE, head, (struct bytes){wire_take(&fields, n), n});
		head.n = 0;
	}
	say(FRAME_HOST_CALL, head, fields);
	c->asked = true;
}

static void pass_frame(struct call *c)
{
	struct bytes b = {c->in + LOCAL_HEAD, wire_get32(c->in)};
	c->in_n = 0;
	if (!c->asked) {
		pass_request(c, b);
		return;
	}
	c->input_room -= (uint32_t)b.n;
	say_numbers(FRAME_HOST_DATA, (uint32_t[]){c->id, 0}, 2, b);
}

/* More of it is read only when it can be passed on. */
static bool wants_input(const struct call *c)
{
	return !c->closing && say_room() && c->input_room >= LOCAL_CHUNK;
}

static bool read_from(struct call *c)
{
	size_t want = c->in_n < LOCAL_HEAD ? LOCAL_HEAD : LOCAL_HEAD + wire_get32(c->in);
	ssize_t n = read(c->fd, c->in + c->in_n, want - c->in_n);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	c->in_n += (size_t)n;
	if (c->in_n < LOCAL_HEAD)
		return true;
	if (!frame_acceptable(c, wire_get32(c->in), wire_get32(c->in + 4)))
		return false;
	if (c->in_n == LOCAL_HEAD + wire_get32(c->in))
		pass_frame(c);
	return true;
}

/* --- to cairn-host --- */

static void credit_back(struct call *c, uint32_t stream, uint32_t n)
{
	c->passed[stream] += n;
	if (c->passed[stream] < HOST_CREDIT / 4)
		return;
	c->used[stream] -= c->passed[stream];
	say_numbers(FRAME_HOST_CREDIT, (uint32_t[]){c->id, stream, c->passed[stream]}, 3, (struct bytes){0});
	c->passed[stream] = 0;
}

static bool write_to(struct call *c)
{
	ssize_t n = send(c->fd, c->out + c->out_at, c->out_n - c->out_at, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->out_at += (size_t)n;
	while (c->out_frame < c->out_at) {
		uint32_t length = wire_get32(c->out + c->out_frame), kind = c->out[c->out_frame + 4];
		uint32_t cost = wire_get32(c->out + c->out_frame + 4) >> 8;
		if (c->out_frame + LOCAL_HEAD + length > c->out_at)
			break;
		if ((kind == LOCAL_OUT || kind == LOCAL_ERR) && !c->closing)
			credit_back(c, kind, cost);
		c->out_frame += LOCAL_HEAD + length;
	}
	memmove(c->out, c->out + c->out_frame, c->out_n - c->out_frame);
	c->out_n -= c->out_frame;
	c->out_at -= c->out_frame;
	c->out_frame = 0;
	return true;
}

/* The last piece bears what it all cost, which is given back when that piece was written. */
static bool add_out(struct call *c, uint32_t kind, uint32_t cost, struct bytes b)
{
	do {
		size_t n = b.n < LOCAL_CHUNK ? b.n : LOCAL_CHUNK;
		if (c->out_n + LOCAL_HEAD + n > OUT_MAX)
			return false;
		wire_u32(c->out + c->out_n, (uint32_t)n);
		wire_u32(c->out + c->out_n + 4, kind | (n == b.n ? cost << 8 : 0));
		memcpy(c->out + c->out_n + LOCAL_HEAD, wire_take(&b, n), n);
		c->out_n += LOCAL_HEAD + n;
	} while (b.n);
	return true;
}

/* --- from the controller --- */

bool host_data(struct bytes b)
{
	uint32_t id, stream;
	if (!wire_take32(&b, &id) || !wire_take32(&b, &stream) || stream < 1 || stream > 2)
		return false;
	struct call **at = find(id);
	if (!at || (*at)->closing)
		return true;            /* it was hung up meanwhile */
	uint32_t cost = b.n ? (uint32_t)b.n + HOST_FRAME : 0;
	if (cost > HOST_CREDIT - (*at)->used[stream])
		return false;
	(*at)->used[stream] += cost;
	if (!add_out(*at, stream, cost, b))
		gone(at);               /* a stream that ends again and again */
	return true;
}

bool host_credit(struct bytes b)
{
	uint32_t id, stream, n;
	if (!wire_take32(&b, &id) || !wire_take32(&b, &stream) || !wire_take32(&b, &n) || b.n || stream)
		return false;
	struct call **at = find(id);
	if (at && n > HOST_CREDIT - (*at)->input_room)
		return false;
	if (at)
		(*at)->input_room += n;
	return true;
}

bool host_done(struct bytes b)
{
	uint32_t id;
	if (!wire_take32(&b, &id) || b.n < 8 || b.n > LOCAL_CHUNK)
		return false;
	struct call **at = find(id);
	if (!at || (*at)->closing)
		return true;
	(*at)->closing = true;
	if (!add_out(*at, LOCAL_DONE, 0, b))
		drop(at);
	return true;
}

/* --- the loop --- */

void host_hang_up(void)
{
	for (size_t i = 0; i < HOST_CALLS; i++)
		if (host.calls[i])
			gone(&host.calls[i]);
}

void host_poll(struct polls *p)
{
	if (!host.good)
		return;
	host.polled = polls_add(p, slot() ? host.socket : -1, POLLIN);
	for (size_t i = 0; i < HOST_CALLS; i++) {
		struct call *c = host.calls[i];
		short events = 0;
		if (!c)
			continue;
		if (wants_input(c))
			events |= POLLIN;
		if (c->out_n)
			events |= POLLOUT;
		c->polled = polls_add(p, c->fd, events);
	}
}

static bool serve(struct call *c, short events)
{
	if (events & POLLOUT && c->out_n && !write_to(c))
		return false;
	if (c->closing)
		return c->out_n > 0 && !(events & (POLLHUP | POLLERR));
	if (events & (POLLIN | POLLHUP | POLLERR) && wants_input(c))
		return read_from(c);
	return !(events & (POLLHUP | POLLERR));
}

void host_turn(const struct polls *p)
{
	if (!host.good || p->n <= host.polled)
		return;
	for (size_t i = 0; i < HOST_CALLS; i++) {
		struct call *c = host.calls[i];
		if (c && c->polled && c->polled < p->n && p->v[c->polled].fd == c->fd && !serve(c, p->v[c->polled].revents))
			gone(&host.calls[i]);
	}
	if (p->v[host.polled].fd == host.socket && p->v[host.polled].revents)
		take_call();
}
