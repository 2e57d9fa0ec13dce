#include "agent/spool.h"

#include "agent/unpack.h"
#include "format/hex.h"

#include <string.h>

enum { ROUND_NAMES = 64, DIGEST_TEXT = 64, PATH_BYTES = 6 + DISK_NAME_MAX + 1 };

static const char *const metadata_names[] = { "wanted", "anchor", "vouch" };      /* where metadata arrives: refresh.c, follow.c, stream_vouch.c */

/* A folder is not changed while it is listed, so names are gathered in rounds; a round ends when it is full, or many names would
 * take the square of their time. */
struct sweep {
        const struct spool_needs *needs;
        char names[ROUND_NAMES][DISK_NAME_MAX + 1];
        size_t count;
};

static bool is_needed(const struct sweep *sweep, const uint8_t digest[32])
{
        const struct spool_needs *needs = sweep->needs;
        if (!needs)
                return false;
        if (memcmp(digest, needs->target, 32) == 0 || (needs->delta && memcmp(digest, needs->delta, 32) == 0))
                return true;
        for (size_t i = 0; i < needs->note->file_count; i++)
                if (memcmp(digest, needs->note->files[i].sha256, 32) == 0)
                        return true;
        return false;
}

/* What is named otherwise than a download was left by a fetcher that was taken over, or by somebody who may write here. */
static bool is_wanted(const struct sweep *sweep, const char *name)
{
        uint8_t digest[32];
        if (strlen(name) == DIGEST_TEXT && hex_decode(name, digest, sizeof(digest), NULL) == OK)
                return is_needed(sweep, digest);
        for (size_t i = 0; i < sizeof(metadata_names) / sizeof(metadata_names[0]); i++)
                if (strcmp(name, metadata_names[i]) == 0)
                        return true;
        return false;
}

static enum err add_name(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)kind, (void)length;
        struct sweep *sweep = user;
        if (!is_wanted(sweep, name))
                snprintf(sweep->names[sweep->count++], sizeof(sweep->names[0]), "%s", name);
        return sweep->count == ROUND_NAMES ? FAIL(why, ERR_LIMIT, "a full round") : OK;
}

static enum err list_round(struct disk *disk, struct sweep *sweep, struct why *why)
{
        sweep->count = 0;
        enum err e = disk->ops->list(disk, "spool", add_name, sweep, why);
        return e == ERR_LIMIT && sweep->count == ROUND_NAMES ? OK : e;
}

enum err spool_sweep(struct disk *disk, const struct spool_needs *needs, struct why *why)
{
        struct sweep sweep = { .needs = needs, .count = ROUND_NAMES };
        enum err e = OK;
        while (!e && sweep.count == ROUND_NAMES) {
                e = list_round(disk, &sweep, why);
                for (size_t i = 0; !e && i < sweep.count; i++)
                        e = spool_remove(disk, sweep.names[i], why);
        }
        return e ? DURING(why, e, "tidying the spool") : OK;
}

enum err spool_remove(struct disk *disk, const char *name, struct why *why)
{
        char path[PATH_BYTES];
        snprintf(path, sizeof(path), "spool/%s", name);
        return disk->ops->remove_tree(disk, path, why);
}

enum err spool_make_way(struct disk *disk, const char *name, struct why *why)
{
        char path[PATH_BYTES];
        int fd;
        uint64_t length;
        snprintf(path, sizeof(path), "spool/%s", name);
        enum err e = disk->ops->open(disk, path, &fd, &length, why);
        if (!e)
                disk->ops->file_close(disk, fd);
        /* Any other failure says nothing about what is there: it may well be a part that is worth going on with. */
        return e == ERR_REFUSED ? spool_remove(disk, name, why) : OK;
}

bool spool_has(struct disk *disk, const struct release_file *file)
{
        struct why why;
        int fd;
        uint64_t length;
        if (disk->ops->open(disk, spool_artifact(file->sha256).text, &fd, &length, &why))
                return false;
        disk->ops->file_close(disk, fd);
        return length == file->length;
}
