/* prune.h - a folder left with nothing but what stays.
 *
 * Durable only after sync_system(); cut short, any part of the rest may be there still. What a disk does not list (DISK_PENDING) stays in
 * folders that stay. */
#pragma once

#include "base/err.h"
#include "platform/disk.h"

#include <stdbool.h>

/* Asked of each file below with its length, and of each folder, by its path below `folder`. Of a folder that stays, what is in it is asked. */
struct prune {
        struct disk *disk;
        const char *folder;
        bool (*stays)(const void *user, const char *path, enum disk_kind kind, uint64_t length);
        const void *user;
};
/* ERR_LIMIT: a path below is longer than a release can have. */
MUST_CHECK enum err prune_folder(const struct prune *prune, struct why *why);
