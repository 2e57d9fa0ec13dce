#include "agent/disk_dry.h"

#include <stddef.h>

static struct disk *real_of(struct disk *disk)
{
        return ((struct disk_dry *)((char *)disk - offsetof(struct disk_dry, disk)))->real;
}

static enum err dry_replace(struct disk *disk, const char *path, const void *bytes, size_t length, struct why *why)
{
        (void)disk, (void)bytes, (void)length;
        return disk_path_check(path, why);
}

static enum err dry_path(struct disk *disk, const char *path, struct why *why)
{
        (void)disk;
        return disk_path_check(path, why);
}

static enum err dry_sync(struct disk *disk, const char *path, struct why *why)
{
        (void)disk, (void)path, (void)why;
        return OK;
}

static enum err dry_two(struct disk *disk, const char *path, const char *other, struct why *why)
{
        (void)disk, (void)other;
        return disk_path_check(path, why);
}

static enum err dry_read(struct disk *disk, const char *path, struct buf *into, struct why *why)
{
        struct disk *real = real_of(disk);
        return real->ops->read(real, path, into, why);
}

static enum err dry_list(struct disk *disk, const char *path, disk_visit *visit, void *user, struct why *why)
{
        struct disk *real = real_of(disk);
        return real->ops->list(real, path, visit, user, why);
}

static enum err dry_pointed(struct disk *disk, const char *path, char target[DISK_NAME_MAX + 1], struct why *why)
{
        struct disk *real = real_of(disk);
        return real->ops->pointed(real, path, target, why);
}

static enum err dry_open(struct disk *disk, const char *path, int *ret_file, uint64_t *ret_length, struct why *why)
{
        struct disk *real = real_of(disk);
        return real->ops->open(real, path, ret_file, ret_length, why);
}

static void dry_close(struct disk *disk, int file)
{
        struct disk *real = real_of(disk);
        real->ops->file_close(real, file);
}

static bool dry_is_program(struct disk *disk, int file)
{
        struct disk *real = real_of(disk);
        return real->ops->file_is_program(real, file);
}

static enum err dry_create(struct disk *disk, const char *path, unsigned mode, int *ret_file, struct why *why)
{
        (void)disk, (void)mode, (void)ret_file;
        return FAIL(why, ERR_REFUSED, "%.100s: nothing is made in a dry run", path);
}

void disk_dry_init(struct disk_dry *dry, struct disk *real)
{
        static const struct disk_ops ops = {
                .replace = dry_replace, .read = dry_read, .create = dry_create, .make_folder = dry_path, .sync_folder = dry_sync, .rename = dry_two,
                .remove_tree = dry_path, .list = dry_list, .point = dry_two, .pointed = dry_pointed,
                .open = dry_open, .file_close = dry_close, .file_is_program = dry_is_program,
        };
        *dry = (struct disk_dry){ .disk = { &ops }, .real = real };
}
