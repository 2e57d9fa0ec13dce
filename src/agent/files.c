#include "agent/files.h"

#include "base/limits.h"

#include <string.h>

/* One level of the tree: names first, because a disk is not changed or walked while it is listed. */
struct level {
        const struct files_copy *copy;
        unsigned *files;
        char from[LIMIT_PATH_BYTES + 1], to[LIMIT_PATH_BYTES + 1];
};

static enum err copy_bytes(const struct level *level, int in, int out, struct why *why)
{
        struct disk *from = level->copy->from_disk, *to = level->copy->to_disk;
        char block[16384];
        for (;;) {
                size_t length;
                enum err e = from->ops->file_read(from, in, block, sizeof(block), &length, why);
                if (e || !length)
                        return e ? e : to->ops->file_sync(to, out, why);
                e = to->ops->file_write(to, out, block, length, why);
                if (e)
                        return e;
        }
}

static enum err copy_file(const struct level *level, struct why *why)
{
        struct disk *from = level->copy->from_disk, *to = level->copy->to_disk;
        int in, out;
        uint64_t length;
        enum err e = from->ops->open(from, level->from, &in, &length, why);
        if (e)
                return e;
        e = to->ops->create(to, level->to, from->ops->file_is_program(from, in) ? 0755 : 0644, &out, why);
        if (!e) {
                e = copy_bytes(level, in, out, why);
                to->ops->file_close(to, out);
        }
        from->ops->file_close(from, in);
        return e;
}

static enum err copy_folder(const struct level *level, struct why *why);

static enum err copy_entry(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)length;
        const struct level *above = user;
        struct level level = { .copy = above->copy, .files = above->files };
        int from = snprintf(level.from, sizeof(level.from), "%s%s%s", above->from, above->from[0] ? "/" : "", name);
        int to = snprintf(level.to, sizeof(level.to), "%s/%s", above->to, name);
        if (from >= (int)sizeof(level.from) || to >= (int)sizeof(level.to))
                return FAIL(why, ERR_LIMIT, "the path of %s is longer than %d bytes", name, LIMIT_PATH_BYTES);
        if (++*level.files > LIMIT_RELEASE_FILES)
                return FAIL(why, ERR_LIMIT, "more than %d files", LIMIT_RELEASE_FILES);
        if (kind == DISK_FOLDER)
                return copy_folder(&level, why);
        if (kind != DISK_FILE)
                return FAIL(why, ERR_CONTENT, "%s is neither a file nor a folder", level.from);
        return copy_file(&level, why);
}

static enum err copy_folder(const struct level *level, struct why *why)
{
        struct disk *from = level->copy->from_disk, *to = level->copy->to_disk;
        enum err e = to->ops->make_folder(to, level->to, why);
        if (!e)
                e = from->ops->list(from, level->from, copy_entry, (void *)level, why);
        if (!e)
                e = to->ops->sync_folder(to, level->to, why);
        return e;
}

enum err files_copy(const struct files_copy *copy, struct why *why)
{
        unsigned files = 0;
        struct level top = { .copy = copy, .files = &files };
        snprintf(top.from, sizeof(top.from), "%s", copy->from);
        snprintf(top.to, sizeof(top.to), "%s", copy->to);
        enum err e = copy_folder(&top, why);
        return e ? DURING(why, e, "copying %s to %s", copy->from[0] ? copy->from : "a folder", copy->to) : OK;
}
