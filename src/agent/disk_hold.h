/* disk_hold.h - a disk that holds one file back: what would be written there is known before it is.
 *
 * Everything else is done at once. */
#pragma once

#include "platform/disk.h"

/* Until `lets_go`, replacing `path` fails with ERR_BUSY, and `digest` is the SHA-256 of what it was to have last. */
struct disk_hold {
        struct disk disk, *real;
        const char *path;
        const struct buf *instead;
        uint8_t digest[32];
        bool lets_go;
};
/* Borrows all. `instead`: what is read at `path`; NULL: what is there. It opens and makes no files by handle but to look how long they are. */
void disk_hold_init(struct disk_hold *hold, struct disk *real, const char *path, const struct buf *instead);
