/* disk_dry.h - a disk that is read, and on which every change is said to have worked and did not happen. */
#pragma once

#include "platform/disk.h"

/* Of replace, point, remove_tree, rename, make_folder and sync_folder; it makes no files. */
struct disk_dry { struct disk disk, *real; };
void disk_dry_init(struct disk_dry *dry, struct disk *real);
