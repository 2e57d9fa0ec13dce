#include "agent/disk_hold.h"

#include "trust/sha.h"

#include <string.h>

static struct disk_hold *hold_of(struct disk *disk)
{
        return (struct disk_hold *)((char *)disk - offsetof(struct disk_hold, disk));
}

static enum err hold_replace(struct disk *disk, const char *path, const void *bytes, size_t length, struct why *why)
{
        struct disk_hold *hold = hold_of(disk);
        if (hold->lets_go || strcmp(path, hold->path) != 0)
                return hold->real->ops->replace(hold->real, path, bytes, length, why);
        sha256(bytes, length, hold->digest);
        return FAIL(why, ERR_BUSY, "%.100s is held back", path);
}

static enum err hold_read(struct disk *disk, const char *path, struct buf *into, struct why *why)
{
        struct disk_hold *hold = hold_of(disk);
        if (!hold->instead || strcmp(path, hold->path) != 0)
                return hold->real->ops->read(hold->real, path, into, why);
        buf_add(into, hold->instead->bytes, hold->instead->length);
        return buf_check(into, why);
}

static enum err hold_make_folder(struct disk *disk, const char *path, struct why *why)
{
        struct disk *real = hold_of(disk)->real;
        return real->ops->make_folder(real, path, why);
}

static enum err hold_sync_folder(struct disk *disk, const char *path, struct why *why)
{
        struct disk *real = hold_of(disk)->real;
        return real->ops->sync_folder(real, path, why);
}

static enum err hold_rename(struct disk *disk, const char *from, const char *to, struct why *why)
{
        struct disk *real = hold_of(disk)->real;
        return real->ops->rename(real, from, to, why);
}

static enum err hold_remove_tree(struct disk *disk, const char *path, struct why *why)
{
        struct disk *real = hold_of(disk)->real;
        return real->ops->remove_tree(real, path, why);
}

static enum err hold_list(struct disk *disk, const char *path, disk_visit *visit, void *user, struct why *why)
{
        struct disk *real = hold_of(disk)->real;
        return real->ops->list(real, path, visit, user, why);
}

static enum err hold_point(struct disk *disk, const char *path, const char *target, struct why *why)
{
        struct disk *real = hold_of(disk)->real;
        return real->ops->point(real, path, target, why);
}

static enum err hold_pointed(struct disk *disk, const char *path, char target[DISK_NAME_MAX + 1], struct why *why)
{
        struct disk *real = hold_of(disk)->real;
        return real->ops->pointed(real, path, target, why);
}

static enum err hold_open(struct disk *disk, const char *path, int *ret_file, uint64_t *ret_length, struct why *why)
{
        struct disk *real = hold_of(disk)->real;
        return real->ops->open(real, path, ret_file, ret_length, why);
}

static void hold_close(struct disk *disk, int file)
{
        struct disk *real = hold_of(disk)->real;
        real->ops->file_close(real, file);
}

void disk_hold_init(struct disk_hold *hold, struct disk *real, const char *path, const struct buf *instead)
{
        static const struct disk_ops ops = {
                .replace = hold_replace, .read = hold_read, .make_folder = hold_make_folder, .sync_folder = hold_sync_folder, .rename = hold_rename,
                .remove_tree = hold_remove_tree, .list = hold_list, .point = hold_point, .pointed = hold_pointed, .open = hold_open, .file_close = hold_close,
        };
        *hold = (struct disk_hold){ .disk = { &ops }, .real = real, .path = path, .instead = instead };
}
