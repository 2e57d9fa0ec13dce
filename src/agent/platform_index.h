/* platform_index.h - makes the list of the platform's files (owners.h) from the package database.
 *
 * Each path stands there as its package names it, and as it is with the links in its folders followed: /bin/ls is /usr/bin/ls, too. With them
 * stand some files that no package brings and without which the platform is none either (passwd, the initial file systems of its kernels). */
#pragma once

#include "base/err.h"
#include "platform/disk.h"

/* Where dpkg has it. */
extern const char platform_database[];

struct platform_index { const char *database; struct disk *disk; const char *name; };
/* ERR_NOT_FOUND: there is no package database. */
MUST_CHECK enum err platform_index_make(const struct platform_index *index, size_t *ret_count, struct why *why);
