#include "agent/prune.h"

#include "agent/content.h"
#include "base/limits.h"

#include <string.h>

/* A folder is not changed while it is listed, so names are gathered in rounds, a level of folders its own. Each round lists what stays again:
 * of few names a round, a release's 8,192 files in one folder would take the square of their time, and the supervisor waits. */
enum { ROUND_BYTES = 64 << 10, WHOLE_BYTES = CONTENT_PATH_BYTES + LIMIT_PATH_BYTES + 1 + DISK_NAME_MAX + 1, IS_FOLDER = 'd', IS_OTHER = '-' };

struct level {
        const struct prune *prune;
        char path[LIMIT_PATH_BYTES + 1];         /* below the folder; "": itself */
        struct buf *gone;                        /* of each: its kind, its name, a NUL */
        bool is_full;
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
        size_t length_with_nul = strlen(name) + 1;
        level->is_full = level->gone->length + 1 + length_with_nul > ROUND_BYTES;
        if (level->is_full)
                return FAIL(why, ERR_BUSY, "a full round");
        buf_add(level->gone, &(char){ kind == DISK_FOLDER ? IS_FOLDER : IS_OTHER }, 1);
        buf_add(level->gone, name, length_with_nul);
        return buf_check(level->gone, why);
}

static enum err remove_round(const struct level *level, struct why *why)
{
        struct disk *disk = level->prune->disk;
        enum err e = OK;
        for (size_t at = 0; !e && at < level->gone->length;) {
                const char *entry = level->gone->bytes + at;
                char whole[WHOLE_BYTES];
                whole_path(level, entry + 1, whole);
                e = (*entry == IS_FOLDER ? disk->ops->remove_tree : disk->ops->remove)(disk, whole, why);
                at += strlen(entry) + 1;
        }
        return e;
}

static enum err prune_level(struct level *level, struct why *why)
{
        OWN(buf) struct buf gone;
        char whole[WHOLE_BYTES];
        struct disk *disk = level->prune->disk;
        enum err e = OK;
        buf_init(&gone, ROUND_BYTES);
        level->gone = &gone;
        whole_path(level, "", whole);
        do {
                buf_clear(&gone);
                level->is_full = false;
                e = disk->ops->list(disk, whole, visit, level, why);
                if (e == ERR_BUSY && level->is_full)
                        e = OK;
                if (!e)
                        e = remove_round(level, why);
        } while (!e && level->is_full);
        return e;
}

enum err prune_folder(const struct prune *prune, struct why *why)
{
        struct level level = { .prune = prune };
        return prune_level(&level, why);
}
