/* disk_folder.h - struct disk on a real folder (part by part with O_NOFOLLOW: never leaves it). */
#pragma once

#include "base/own.h"
#include "platform/disk.h"

/* The folder is made (mode 0700, durable) if absent, its parent must exist. */
MUST_CHECK enum err disk_folder_open(const char *root, struct disk **ret_disk, struct why *why);
/* It must be there: ERR_NOT_FOUND. `below` NULL: `root` itself; else a folder of a disk that is mounted at `root`, whose symbolic links
 * mean what they mean there: none leads out. */
MUST_CHECK enum err disk_folder_find(const char *root, const char *below, struct disk **ret_disk, struct why *why);
/* Whether replace() could begin: its new file is made in the path's folder, and taken away again. Nothing else changes, and of room it says nothing. */
MUST_CHECK enum err disk_folder_try(struct disk *disk, const char *path, struct why *why);
/* Are both one folder, under whatever names? */
bool disk_folder_is(const struct disk *disk, const struct disk *other);
/* A file of the root folder to download into: empty, and this process' alone until it is closed with channel_close(), also when it has another name by then.
 * ERR_BUSY: another one is at it. ERR_REFUSED: a link or something else is in the way. */
MUST_CHECK enum err disk_folder_part(struct disk *disk, const char *name, int *ret_file, struct why *why);
/* For one process alone until it is closed, by the file `lock` in it. ERR_BUSY. */
MUST_CHECK enum err disk_folder_lock(struct disk *disk, struct why *why);
void disk_folder_close(struct disk *disk);
OWN_DEFINE(disk_folder, struct disk *, disk_folder_close)
