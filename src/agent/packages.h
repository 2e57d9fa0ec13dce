/* packages.h - Debian's package database as dpkg(1) keeps it: which paths packages brought, and the MD5 of their content.
 *
 * Read defensively: a line that is none is passed over, as it takes nothing from the others; sizes and counts have ceilings.
 * Configuration files, links and folders stand there without an MD5. A path that dpkg-divert(1) moved is told under the name that the file has. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `path` is absolute and ended by NUL; `md5` has 16 bytes, or is NULL. */
typedef enum err packages_visit(void *user, const char *path, const uint8_t *md5, struct why *why);

/* All packages below `database` (/var/lib/dpkg). ERR_NOT_FOUND: there is no such database, or no package in it. ERR_LIMIT; or what `visit` returned. */
MUST_CHECK enum err packages_each(const char *database, packages_visit *visit, void *user, struct why *why);
/* Another number whenever packages came, went or were replaced; 0: no database. */
uint64_t packages_mark(const char *database);
/* Is dpkg at work? Files are replaced then before the database says so. Known to who may read its lock, as root may. */
bool packages_is_busy(const char *database);

/* One file of it. `package`: whose it is; for diversions. */
struct packages_diversions;
struct packages_file {
        const char *bytes;
        size_t length;
        const char *package;
        const struct packages_diversions *diversions;    /* NULL: none */
};
MUST_CHECK enum err packages_list(const struct packages_file *file, packages_visit *visit, void *user, struct why *why);      /* PACKAGE.list */
MUST_CHECK enum err packages_sums(const struct packages_file *file, packages_visit *visit, void *user, struct why *why);      /* PACKAGE.md5sums */

/* The file `diversions`: three lines each: from, to, whose. Borrows `bytes`, in which it ends each line by NUL. */
MUST_CHECK enum err packages_diversions_new(char *bytes, size_t length, struct packages_diversions **ret_diversions, struct why *why);
void packages_diversions_free(struct packages_diversions *diversions);   /* NULL is fine */
