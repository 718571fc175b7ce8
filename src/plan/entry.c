#include "plan/entry.h"

int entry_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

bool entry_same(const struct entry *a, const struct entry *b)
{
	if (a->type != b->type)
		return false;
	switch ((enum entry_type)a->type) {
	case ENTRY_FILE:
		return (a->mode & 0100) == (b->mode & 0100) && digest_eq(&a->digest, &b->digest);
	case ENTRY_LINK:
		return str_eq(a->link, b->link) && digest_eq(&a->digest, &b->digest);
	case ENTRY_ABSENT:
	case ENTRY_DIR:
		break;
	}
	return true;
}
