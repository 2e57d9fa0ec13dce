/* small_disk.h - a disk with room for one file, the slot record: ten thousand of them fit in memory. Copies share the record until they write. */
#pragma once

#include "platform/disk.h"

struct small_disk {
        struct disk disk;
        const void *record;              /* as it was when this was copied, borrowed; or `own` */
        void *own;
        size_t length;
};

void small_disk_init(struct small_disk *small);
void small_disk_copy(const struct small_disk *from, struct small_disk *into);    /* `from` outlives it */
void small_disk_done(struct small_disk *small);
