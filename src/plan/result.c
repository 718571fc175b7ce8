#include "plan/result.h"

#include "plan/codec.h"

#define RESULT_HEAD "cairn result 1\n"
#define PATHSETS_HEAD "cairn paths 1\n"

void result_encode(const struct result *r, struct buf *b)
{
	buf_clear(b);
	buf_z(b, RESULT_HEAD);
	codec_put_digest(b, &r->key);
	codec_put_str(b, r->step);
	codec_put_str(b, r->root);
	codec_put_str(b, r->bound_file);
	codec_put_u64(b, (uint64_t)r->started_ns);
	codec_put_u64(b, r->duration_ns);
	codec_put_entries(b, &r->outputs);
	codec_put_digest(b, &r->log);
	codec_put_u64(b, r->log_size);
	codec_put_entries(b, &r->found);
	codec_put_str(b, r->manifest);
	codec_put_str(b, r->discovered);
	codec_put_sum(b);
}

/* What a restore would write must lie in the workspace, whoever wrote the record. */
static bool outputs_sound(const struct entries *outputs)
{
	for (size_t i = 0; i < outputs->n; i++) {
		const struct entry *e = &outputs->v[i];

		if (!codec_path_inside(e->path) || e->type == ENTRY_ABSENT ||
		    (e->type == ENTRY_LINK && !e->link.n) ||
		    (e->type == ENTRY_FILE && e->digest.algo == DIGEST_NONE))
			return false;
	}
	return true;
}

int result_decode(struct arena *a, struct str bytes, struct result *r, struct err *err)
{
	struct codec_in in;

	*r = (struct result){0};
	if (bytes.n > RESULT_MAX)
		return err_set(err, ERR_SYSTEM, "unable to read a result of more than %u MiB",
			       RESULT_MAX >> 20);
	if (!codec_open(&in, bytes, S(RESULT_HEAD)))
		return err_set(err, ERR_SYSTEM,
			       "unable to read a result: it is damaged or of another format");
	r->key = codec_get_digest(&in);
	r->step = codec_get_str(&in);
	r->root = codec_get_str(&in);
	r->bound_file = codec_get_str(&in);
	r->started_ns = (int64_t)codec_get_u64(&in);
	r->duration_ns = codec_get_u64(&in);
	r->outputs = codec_get_entries(&in, a);
	r->log = codec_get_digest(&in);
	r->log_size = codec_get_u64(&in);
	r->found = codec_get_entries(&in, a);
	r->manifest = codec_get_str(&in);
	r->discovered = codec_get_str(&in);
	if (in.bad || in.rest.n || !outputs_sound(&r->outputs))
		return err_set(err, ERR_SYSTEM, "unable to read a result: it is malformed");
	return 0;
}

void pathsets_encode(const struct pathsets *sets, struct buf *b)
{
	buf_clear(b);
	buf_z(b, PATHSETS_HEAD);
	codec_put_u32(b, sets->n);
	for (size_t i = 0; i < sets->n; i++) {
		codec_put_u32(b, sets->v[i].n);
		for (size_t k = 0; k < sets->v[i].n; k++)
			codec_put_str(b, sets->v[i].paths[k]);
	}
	codec_put_sum(b);
}

/* Paths sorted, each once; absolute ones are host inputs. */
static void pathset_get(struct codec_in *in, struct arena *a, struct pathset *set)
{
	uint32_t n = codec_get_count(in, 6);

	set->paths = arena_array(a, n + 1, struct str);
	for (; set->n < n && !in->bad; set->n++) {
		struct str path = codec_get_str(in);

		in->bad |= !codec_path_sound(path) || (set->n && str_cmp(set->paths[set->n - 1], path) >= 0);
		set->paths[set->n] = path;
	}
}

int pathsets_decode(struct arena *a, struct str bytes, struct pathsets *sets, struct err *err)
{
	struct codec_in in;
	uint32_t n;

	*sets = (struct pathsets){0};
	if (bytes.n > RESULT_MAX || !codec_open(&in, bytes, S(PATHSETS_HEAD)))
		return err_set(err, ERR_SYSTEM,
			       "unable to read discovered paths: they are damaged or of another format");
	n = codec_get_u32(&in);
	if (n > PATHSETS_MAX)
		in.bad = true;
	for (; sets->n < n && !in.bad; sets->n++)
		pathset_get(&in, a, &sets->v[sets->n]);
	if (in.bad || in.rest.n)
		return err_set(err, ERR_SYSTEM, "unable to read discovered paths: they are malformed");
	return 0;
}
