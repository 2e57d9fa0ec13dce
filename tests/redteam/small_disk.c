#include "redteam/small_disk.h"

#include "base/mem.h"

#include <string.h>

static struct small_disk *small_of(struct disk *disk)
{
        return (struct small_disk *)((char *)disk - offsetof(struct small_disk, disk));
}

static enum err replace(struct disk *disk, const char *path, const void *bytes, size_t length, struct why *why)
{
        struct small_disk *small = small_of(disk);
        if (strcmp(path, "slots") != 0)
                return OK;
        if (!small->own || small->length != length) {
                mem_free(small->own);
                small->own = mem_new(1, length);
        }
        if (!small->own)
                return FAIL(why, ERR_NOMEM, "the slot record");
        memcpy(small->own, bytes, length);
        small->record = small->own;
        small->length = length;
        return OK;
}

static enum err read_file(struct disk *disk, const char *path, struct buf *into, struct why *why)
{
        const struct small_disk *small = small_of(disk);
        if (strcmp(path, "slots") != 0 || !small->record)
                return FAIL(why, ERR_NOT_FOUND, "%s", path);
        buf_add(into, small->record, small->length);
        return buf_check(into, why);
}

static enum err open_file(struct disk *disk, const char *path, int *ret_file, uint64_t *ret_length, struct why *why)
{
        (void)disk, (void)ret_file, (void)ret_length;
        return FAIL(why, ERR_NOT_FOUND, "%s", path);
}

static enum err remove_tree(struct disk *disk, const char *path, struct why *why)
{
        (void)disk, (void)path, (void)why;
        return OK;
}

static enum err list(struct disk *disk, const char *path, disk_visit *visit, void *user, struct why *why)
{
        (void)disk, (void)visit, (void)user;
        return FAIL(why, ERR_NOT_FOUND, "%s", path);
}

static const struct disk_ops ops = { .replace = replace, .read = read_file, .open = open_file, .remove_tree = remove_tree, .list = list };

void small_disk_init(struct small_disk *small)
{
        *small = (struct small_disk){ .disk.ops = &ops };
}

void small_disk_copy(const struct small_disk *from, struct small_disk *into)
{
        small_disk_init(into);
        into->record = from->record;
        into->length = from->length;
}

void small_disk_done(struct small_disk *small)
{
        mem_free(small->own);
        small->own = NULL;
        small->record = NULL;
}
