#include "resolve/memo.h"

#include <fcntl.h>
#include <stdlib.h>

#include "sys/file.h"

#define FORMAT 1

struct head {
	char magic[8];                  /* "cairnmo" */
	uint32_t format, n;
	struct xxh sum;                 /* of the pairs */
};

void memo_open(struct memo *m, struct arena *scratch, const char *file)
{
	struct head head;
	struct str text;

	*m = (struct memo){.file = file};
	if (!file || file_read(scratch, AT_FDCWD, file, sizeof(head) + MEMO_MAX * sizeof(struct memo_pair), &text, NULL) != 1 ||
	    text.n < sizeof(head))
		return;
	memcpy(&head, text.s, sizeof(head));
	text = str_from(text, sizeof(head));
	if (memcmp(head.magic, "cairnmo", 8) != 0 || head.format != FORMAT || text.n != (size_t)head.n * sizeof(struct memo_pair) ||
	    !xxh_eq(head.sum, xxh_bytes(text.s, text.n)))
		return;
	for (uint32_t i = 0; i < head.n; i++)
		memcpy(vec_push(&m->pairs), text.s + i * sizeof(struct memo_pair), sizeof(struct memo_pair));
}

bool memo_get(struct memo *m, const struct digest *key, struct digest *value)
{
	for (size_t i = m->pairs.n; i-- > 0;) {
		struct memo_pair pair = m->pairs.v[i];

		if (memcmp(pair.key, key->bytes, sizeof(pair.key)) != 0)
			continue;
		*value = (struct digest){.algo = DIGEST_SHA256};
		memcpy(value->bytes, pair.value, sizeof(pair.value));
		return true;
	}
	return false;
}

void memo_put(struct memo *m, const struct digest *key, const struct digest *value)
{
	struct memo_pair pair;

	memcpy(pair.key, key->bytes, sizeof(pair.key));
	memcpy(pair.value, value->bytes, sizeof(pair.value));
	vec_add(&m->pairs, pair);
	m->changed = true;
}

int memo_save(struct memo *m, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF_INIT(BUF_UNLIMITED);
	struct head head = {.magic = "cairnmo", .format = FORMAT};
	size_t from = m->pairs.n > MEMO_MAX ? m->pairs.n - MEMO_MAX : 0;

	if (!m->changed || !m->file)
		return 0;
	head.n = m->pairs.n - from;
	head.sum = xxh_bytes(m->pairs.v + from, head.n * sizeof(*m->pairs.v));
	buf_add(&out, &head, sizeof(head));
	buf_add(&out, m->pairs.v + from, head.n * sizeof(*m->pairs.v));
	if (file_write(AT_FDCWD, m->file, buf_view(&out), 0600, err) < 0)
		return -1;
	m->changed = false;
	return 0;
}

void memo_release(struct memo *m) { vec_free(&m->pairs); }
