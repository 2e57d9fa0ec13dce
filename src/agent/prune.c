#include "agent/prune.h"

#include "agent/content.h"
#include "base/limits.h"

#include <string.h>

/* A folder is not changed while it is listed, so names are gathered in rounds. Few a round: each level of folders has its own on the stack. */
enum { ROUND_NAMES = 8, WHOLE_BYTES = CONTENT_PATH_BYTES + LIMIT_PATH_BYTES + 1 + DISK_NAME_MAX + 1 };

struct level {
        const struct prune *prune;
        char path[LIMIT_PATH_BYTES + 1];         /* below the folder; "": itself */
        char names[ROUND_NAMES][DISK_NAME_MAX + 1];
        bool is_folder[ROUND_NAMES];
        size_t count;
};

static void whole_path(const struct level *level, const char *name, char whole[WHOLE_BYTES])
{
        const char *const parts[] = { level->prune->folder, level->path, name };
        size_t used = 0;
        whole[0] = 0;
        for (size_t i = 0; i < 3; i++)
                if (parts[i][0] && used < WHOLE_BYTES)
                        used += (size_t)snprintf(whole + used, WHOLE_BYTES - used, "%s%s", used ? "/" : "", parts[i]);
}

static enum err prune_level(struct level *level, struct why *why);

/* Its content changes while the folder above is listed, and that one does not. */
static enum err visit(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        struct level *level = user;
        struct level below = { .prune = level->prune };
        int used = snprintf(below.path, sizeof(below.path), "%s%s%s", level->path, level->path[0] ? "/" : "", name);
        /* What is longer than any path of a release is none that stays. */
        if (used < (int)sizeof(below.path) && (kind == DISK_FILE || kind == DISK_FOLDER) && level->prune->stays(level->prune->user, below.path, kind, length))
                return kind == DISK_FOLDER ? prune_level(&below, why) : OK;
        level->is_folder[level->count] = kind == DISK_FOLDER;
        snprintf(level->names[level->count++], sizeof(level->names[0]), "%s", name);
        return level->count == ROUND_NAMES ? FAIL(why, ERR_BUSY, "a full round") : OK;
}

static enum err remove_round(const struct level *level, struct why *why)
{
        struct disk *disk = level->prune->disk;
        enum err e = OK;
        for (size_t i = 0; !e && i < level->count; i++) {
                char whole[WHOLE_BYTES];
                whole_path(level, level->names[i], whole);
                e = (level->is_folder[i] ? disk->ops->remove_tree : disk->ops->remove)(disk, whole, why);
        }
        return e;
}

static enum err prune_level(struct level *level, struct why *why)
{
        char whole[WHOLE_BYTES];
        struct disk *disk = level->prune->disk;
        enum err e = OK;
        whole_path(level, "", whole);
        do {
                level->count = 0;
                e = disk->ops->list(disk, whole, visit, level, why);
                if (e == ERR_BUSY && level->count == ROUND_NAMES)
                        e = OK;
                if (!e)
                        e = remove_round(level, why);
        } while (!e && level->count == ROUND_NAMES);
        return e;
}

enum err prune_folder(const struct prune *prune, struct why *why)
{
        struct level level = { .prune = prune };
        return prune_level(&level, why);
}
