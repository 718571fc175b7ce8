/* entry.h: one file-system object as keys and results see it. */
#pragma once

#include "base/digest.h"

enum entry_type { ENTRY_ABSENT, ENTRY_FILE, ENTRY_LINK, ENTRY_DIR };

struct entry {
	struct str path;                /* workspace-relative; absolute for host inputs */
	uint8_t type;                   /* enum entry_type */
	uint16_t mode;                  /* permission bits 07777 of a file or folder; a key holds only mode & 0100 */
	uint64_t size;                  /* FILE */
	struct digest digest;           /* FILE: content. LINK: what it points to (DIGEST_NONE: dangling) */
	struct str link;                /* LINK: its text */
};

struct entries { struct entry *v; size_t n; };

int entry_cmp(const void *a, const void *b);            /* by path, for qsort */
/* Same type, executable bit, link text and content? (What a key sees.) */
bool entry_same(const struct entry *, const struct entry *);
