/* disk_folder.h - struct disk on a real folder (part by part with O_NOFOLLOW: never leaves it). */
#pragma once

#include "base/own.h"
#include "platform/disk.h"

/* The folder is made (mode 0700) if absent, its parent must exist. */
MUST_CHECK enum err disk_folder_open(const char *root, struct disk **ret_disk, struct why *why);
void disk_folder_close(struct disk *disk);
OWN_DEFINE(disk_folder, struct disk *, disk_folder_close)
