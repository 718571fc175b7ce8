/* Where an instruction reads from: --from, and the mounts of RUN. */
#include "resolve/cfparts.h"

static int from_number(struct cf_reach *r, size_t stage, struct loc loc, struct str word, size_t *out)
{
	uint64_t number;

	if (!str_u64(word, &number))
		return 0;
	if (number >= stage)
		return err_at(r->err, loc, NULL, "there is no stage " STR_FMT " before this one", STR_ARG(word));
	*out = number;
	return 1;
}

int cf_from(struct cf_reach *r, size_t stage, const struct cf_instruction *in, struct cfword word, size_t *out)
{
	struct loc loc = cf_loc(r->file, in->line, word.at);
	struct str lower;
	ptrdiff_t found;
	int got;

	if (!word.s.n)
		return err_at(r->err, loc, NULL, "it does not say from where");
	lower = cf_lower(r->arena, word.s);
	found = cf_stage(r->file, lower, r->file->nstages);
	if (str_chr(word.s, '$') >= 0)
		return err_at(r->err, loc, "Put \"FROM IMAGE AS NAME\" before it and name that stage.",
			      "not every engine expands variables here");
	if (str_is(lower, "scratch"))
		return CF_FROM_SCRATCH;
	if ((got = from_number(r, stage, loc, word.s, out)) < 0)
		return -1;
	if (got && in->kind == CF_RUN)
		return err_at(r->err, loc, NULL, "not every engine takes a stage's number in a mount; give the stage a name");
	if (got)
		return CF_FROM_STAGE;
	if (found < 0)
		return CF_FROM_IMAGE;
	if ((size_t)found >= stage)
		return err_at(r->err, loc, NULL, "the stage " STR_FMT " does not stand before this one", STR_ARG(lower));
	*out = found;
	return CF_FROM_STAGE;
}

static void mount_field(struct cf_mount *m, struct str key, struct cfword value)
{
	if (str_is(key, "type"))
		m->type = value.s;
	else if (str_is(key, "from"))
		m->from = value;
	else if (str_is(key, "source") || str_is(key, "src"))
		m->source = value.s;
	else if (str_is(key, "target") || str_is(key, "dst") || str_is(key, "destination"))
		m->target = value.s;
	else if (str_is(key, "id"))
		m->id = value.s;
	else if (str_is(key, "required"))
		m->required = !str_is(value.s, "false") && !str_is(value.s, "0");
}

int cf_mount_read(struct cf_reach *r, const struct cf_instruction *in, const struct cf_flag *flag, struct cf_mount *m)
{
	static const char *const types[] = {"bind", "cache", "tmpfs", "secret", "ssh"};
	struct loc loc = cf_loc(r->file, in->line, flag->at);
	struct cfwords fields;

	*m = (struct cf_mount){.type = S("bind"), .source = S(""), .id = S(""), .target = S("")};
	cfword_fields(r->arena, flag->value, &fields);
	for (size_t i = 0; i < fields.n; i++) {
		struct str field = fields.v[i].s;
		ptrdiff_t equals = str_chr(field, '=');
		struct str key = cf_lower(r->arena, equals < 0 ? field : str_head(field, equals));

		mount_field(m, key, (struct cfword){equals < 0 ? S("") : str_from(field, equals + 1), flag->at});
	}
	m->type = cf_lower(r->arena, m->type);
	for (size_t i = 0; i < countof(types); i++)
		if (str_is(m->type, types[i]))
			return 0;
	return err_at(r->err, loc, NULL, "there is no mount of type \"" STR_FMT "\"; there are bind, cache, tmpfs, secret and ssh",
		      STR_ARG(m->type));
}
