/* owners.h - which paths the platform's packages brought, and the MD5 of their content, as one sorted file.
 *
 * It is searched on the disk, so a process that has it open needs no memory for it. Paths stand in it as half their SHA-256: nobody
 * can name a file of his own so that it passes for one of the platform's. The file is our own, made anew from the package database at any
 * time (platform_index.h); one that is damaged counts as absent.
 *
 *      head: "FBPF", version, count, mark of the database, SHA-256 of what follows; then `count` entries, sorted by their bytes */
#pragma once

#include "base/err.h"
#include "base/own.h"
#include "platform/disk.h"

#include <stddef.h>
#include <stdint.h>

enum { OWNERS_VERSION = 1, OWNERS_MD5_BYTES = 16, OWNERS_SUMS_MAX = 4 };

struct owners_entry {
        uint8_t path[16];
        uint8_t md5[OWNERS_MD5_BYTES];           /* zeros: the package says nothing of its content */
};

struct owners_head {
        char magic[4];
        uint32_t version;
        uint64_t count, mark, unused;
        uint8_t digest[32];
};

_Static_assert(sizeof(struct owners_entry) == 32, "on-disk format");
_Static_assert(sizeof(struct owners_head) == 64, "on-disk format");

/* In the making. */
struct owners_list;
MUST_CHECK enum err owners_list_new(struct owners_list **ret_list, struct why *why);
void owners_list_free(struct owners_list *list);
OWN_DEFINE(owners_list, struct owners_list *, owners_list_free)
/* `md5` NULL: none. ERR_LIMIT: more than LIMIT_OWNED_FILES; ERR_NOMEM. */
MUST_CHECK enum err owners_list_add(struct owners_list *list, const char *path, const uint8_t *md5, struct why *why);
/* Sorts, and replaces the file `name` at the disk's root. Returns how many paths there are. */
MUST_CHECK enum err owners_list_write(struct owners_list *list, struct disk *disk, const char *name, uint64_t mark, size_t *ret_count, struct why *why);

/* Read. */
struct owners;
/* ERR_NOT_FOUND; ERR_SYNTAX: damaged, or another version's. */
MUST_CHECK enum err owners_open(const char *path, struct owners **ret_owners, struct why *why);
void owners_close(struct owners *owners);                                /* NULL is fine */
OWN_DEFINE(owners, struct owners *, owners_close)
uint64_t owners_mark(const struct owners *owners);
size_t owners_count(const struct owners *owners);

/* `sums` are of the contents that packages brought under this path: more than one where several did. */
struct owners_found { bool is_owned; size_t sum_count; uint8_t sums[OWNERS_SUMS_MAX][OWNERS_MD5_BYTES]; };
/* ERR_IO: it cannot be read. */
MUST_CHECK enum err owners_find(const struct owners *owners, const char *path, struct owners_found *ret_found, struct why *why);
