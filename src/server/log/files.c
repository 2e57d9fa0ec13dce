#include "server/log/files.h"

#include "format/hex.h"

#include <string.h>

/* Each folder is synced also when it is there: the one who made it may have been killed before he did. */
static enum err make_way(struct disk *disk, const char *path, struct why *why)
{
        char folder[FILES_PATH_MAX] = "", parent[FILES_PATH_MAX] = "";
        enum err e = OK;
        for (const char *at = strchr(path, '/'); at && !e; at = strchr(at + 1, '/')) {
                snprintf(folder, sizeof(folder), "%.*s", (int)(at - path), path);
                e = disk->ops->make_folder(disk, folder, why);
                if (!e)
                        e = disk->ops->sync_folder(disk, parent, why);
                memcpy(parent, folder, sizeof(parent));
        }
        return e;
}

static enum err put(struct disk *disk, const char *path, const void *bytes, size_t length, struct why *why)
{
        enum err e = make_way(disk, path, why);
        return e ? e : disk->ops->replace(disk, path, bytes, length, why);
}

enum err files_put(struct disk *disk, const char *path, const struct buf *bytes, struct why *why)
{
        enum err e = put(disk, path, buf_text(bytes), bytes->length, why);
        return e ? DURING(why, e, "writing %s", path) : OK;
}

static enum err read_tile(void *context, const struct tile *tile, struct buf *into, struct why *why)
{
        struct disk *disk = context;
        char path[TILE_PATH_MAX];
        tile_path(tile, path);
        return disk->ops->read(disk, path, into, why);
}

static enum err write_tile(void *context, const struct tile *tile, const void *bytes, size_t length, struct why *why)
{
        char path[TILE_PATH_MAX];
        tile_path(tile, path);
        return put(context, path, bytes, length, why);
}

struct tile_store files_tiles(struct disk *disk)
{
        return (struct tile_store){ disk, read_tile, write_tile };
}

enum err files_check(struct disk *disk, const char *path, struct why *why)
{
        uint64_t length = 0;
        int file = -1;
        enum err e = disk->ops->open(disk, path, &file, &length, why);
        if (!e)
                disk->ops->file_close(disk, file);
        return e;
}

static enum err check_tile(struct disk *disk, const struct tile *tile, struct why *why)
{
        char path[TILE_PATH_MAX];
        tile_path(tile, path);
        return files_check(disk, path, why);
}

enum err files_check_tiles(struct disk *disk, uint64_t size, struct why *why)
{
        enum err e = OK;
        for (int level = TILE_ENTRIES; level < TILE_LEVELS; level++)
                for (uint64_t index = 0; !e && tile_width(size, level, index) == TILE_WIDTH; index++)
                        e = check_tile(disk, &(struct tile){ level, TILE_WIDTH, index }, why);
        return e;
}

void files_proof_path(const uint8_t target[32], char path[FILES_PATH_MAX])
{
        char hex[65];
        hex_encode(target, 32, hex);
        snprintf(path, FILES_PATH_MAX, "proof/%s", hex);
}

void files_approval_path(const uint8_t target[32], const char *name, char path[FILES_PATH_MAX])
{
        char hex[65];
        hex_encode(target, 32, hex);
        snprintf(path, FILES_PATH_MAX, "approval/%s/%.64s", hex, name);
}
