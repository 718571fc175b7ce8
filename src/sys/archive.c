#include "sys/archive.h"

#include "sys/module.h"

static const struct archive_ops *ops;

static int need_ops(struct err *err)
{
	if (!ops)
		ops = module_load("archive", err);
	return ops ? 0 : -1;
}

int tar_create(const struct tar_options *options, tar_sink *sink, void *ctx, struct tar_writer **out, struct err *err)
{
	*out = NULL;
	return need_ops(err) < 0 ? -1 : ops->create(options, sink, ctx, out, err);
}

static int check_entry(const struct tar_entry *e, struct err *err)
{
	if (!tar_name_clean(e->name))
		return err_set(err, ERR_SYSTEM, "unable to pack \"" STR_FMT "\": it is not a clean relative path", STR_ARG(e->name));
	if (e->type != TAR_FILE && e->type != TAR_DIR && e->type != TAR_LINK)
		return err_set(err, ERR_SYSTEM, "unable to pack " STR_FMT ": it is neither a file, a folder nor a link", STR_ARG(e->name));
	if (e->type == TAR_LINK && (!e->link.n || memchr(e->link.s, '\0', e->link.n)))
		return err_set(err, ERR_SYSTEM, "unable to pack " STR_FMT ": it is a link to nothing", STR_ARG(e->name));
	return 0;
}

int tar_add(struct tar_writer *w, const struct tar_entry *e, int fd, struct err *err)
{
	return check_entry(e, err) < 0 ? -1 : ops->add(w, e, fd, NULL, err);
}

int tar_add_bytes(struct tar_writer *w, const struct tar_entry *e, const void *bytes, struct err *err)
{
	return check_entry(e, err) < 0 ? -1 : ops->add(w, e, -1, bytes ? bytes : "", err);
}

int tar_finish(struct tar_writer *w, struct err *err)
{
	return ops->finish(w, err);
}

void tar_drop(struct tar_writer *w)
{
	if (w)
		ops->drop(w);
}

int tar_walk(tar_source *source, void *ctx, const struct tar_limits *limits, const struct tar_visitor *visitor, struct err *err)
{
	return need_ops(err) < 0 ? -1 : ops->walk(source, ctx, limits, visitor, err);
}

ptrdiff_t tar_read(struct tar_data *data, void *into, size_t max, struct err *err)
{
	return ops->read(data, into, max, err);
}
