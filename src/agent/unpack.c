#include "agent/unpack.h"

#include "agent/content.h"
#include "base/mem.h"
#include "format/hex.h"
#include "trust/sha.h"

#include <string.h>

enum { BLOCK_BYTES = 64 << 10, STEP_BLOCKS = 16, TARGET_BYTES = CONTENT_PATH_BYTES + LIMIT_PATH_BYTES + 1 };

struct unpack {
        struct unpack_job job;
        char into[CONTENT_PATH_BYTES];
        size_t next;                     /* file to open */
        int in, out;                     /* -1: none */
        uint64_t left;
        struct unpack_file file;
        struct sha256 sha;
        uint8_t block[BLOCK_BYTES];
};

struct spool_path spool_artifact(const uint8_t digest[32])
{
        struct spool_path path;
        char hex[65];
        hex_encode(digest, 32, hex);
        snprintf(path.text, sizeof(path.text), "spool/%s", hex);
        return path;
}

static void close_both(struct unpack *unpack)
{
        struct disk *disk = unpack->job.disk;
        if (unpack->in >= 0)
                disk->ops->file_close(disk, unpack->in);
        if (unpack->out >= 0)
                disk->ops->file_close(disk, unpack->out);
        unpack->in = unpack->out = -1;
}

void unpack_close(struct unpack *unpack)
{
        if (!unpack)
                return;
        close_both(unpack);
        mem_free(unpack);
}

enum err unpack_open(const struct unpack_job *job, struct unpack **ret_unpack, struct why *why)
{
        OWN(unpack) struct unpack *unpack = mem_new(1, sizeof(*unpack));
        if (!unpack)
                return FAIL(why, ERR_NOMEM, "unpacking");
        unpack->job = *job;
        unpack->in = unpack->out = -1;
        snprintf(unpack->into, sizeof(unpack->into), "%s", job->into);
        unpack->job.into = unpack->into;
        enum err e = job->disk->ops->remove_tree(job->disk, unpack->into, why);
        if (!e)
                e = job->disk->ops->make_folder(job->disk, unpack->into, why);
        if (e)
                return DURING(why, e, "emptying %s", unpack->into);
        *ret_unpack = GIVE(unpack);
        return OK;
}

/* How much of two paths is the same folders. */
static size_t common_folders(const char *a, const char *b)
{
        size_t same = 0;
        for (size_t i = 0; a[i] && a[i] == b[i]; i++)
                if (a[i] == '/')
                        same = i + 1;
        return same;
}

/* Calls `each` for the folders of `path` that the path before it, in sorted order, did not have. */
typedef enum err each_folder(struct disk *disk, const char *path, struct why *why);
static enum err new_folders(struct unpack *unpack, size_t index, each_folder *each, struct why *why)
{
        const char *path = unpack->job.file(unpack->job.user, index).path;
        size_t from = index ? common_folders(unpack->job.file(unpack->job.user, index - 1).path, path) : 0;
        for (size_t i = from; path[i]; i++) {
                if (path[i] != '/')
                        continue;
                char folder[TARGET_BYTES];
                snprintf(folder, sizeof(folder), "%s/%.*s", unpack->into, (int)i, path);
                enum err e = each(unpack->job.disk, folder, why);
                if (e)
                        return e;
        }
        return OK;
}

static enum err make_folder(struct disk *disk, const char *path, struct why *why)
{
        return disk->ops->make_folder(disk, path, why);
}

static enum err sync_folder(struct disk *disk, const char *path, struct why *why)
{
        return disk->ops->sync_folder(disk, path, why);
}

static enum err open_next(struct unpack *unpack, struct why *why)
{
        struct disk *disk = unpack->job.disk;
        struct unpack_file file = unpack->job.file(unpack->job.user, unpack->next);
        uint64_t length;
        enum err e = new_folders(unpack, unpack->next, make_folder, why);
        if (!e)
                e = disk->ops->open(disk, spool_artifact(file.sha256).text, &unpack->in, &length, why);
        if (e)
                return e;
        if (length != file.length)
                return FAIL(why, ERR_CONTENT, "%s: %llu bytes in the spool, the note says %llu", file.path, (unsigned long long)length,
                            (unsigned long long)file.length);
        char target[TARGET_BYTES];
        snprintf(target, sizeof(target), "%s/%s", unpack->into, file.path);
        e = disk->ops->create(disk, target, file.is_program ? 0755 : 0644, &unpack->out, why);
        if (e)
                return e;
        unpack->file = file;
        unpack->left = file.length;
        sha256_init(&unpack->sha);
        return OK;
}

static enum err finish_file(struct unpack *unpack, struct why *why)
{
        struct disk *disk = unpack->job.disk;
        uint8_t digest[32];
        sha256_final(&unpack->sha, digest);
        if (memcmp(digest, unpack->file.sha256, sizeof(digest)) != 0)
                return FAIL(why, ERR_CONTENT, "%s: other bytes than the note says", unpack->file.path);
        enum err e = disk->ops->file_sync(disk, unpack->out, why);
        if (e)
                return e;
        close_both(unpack);
        unpack->next++;
        return OK;
}

/* Never more than the note's length is read, so a file that grows meanwhile changes nothing. */
static enum err copy_block(struct unpack *unpack, struct why *why)
{
        struct disk *disk = unpack->job.disk;
        size_t most = unpack->left < BLOCK_BYTES ? (size_t)unpack->left : BLOCK_BYTES, length = 0;
        enum err e = disk->ops->file_read(disk, unpack->in, unpack->block, most, &length, why);
        if (!e && !length)
                e = FAIL(why, ERR_CONTENT, "%s: ends early", unpack->file.path);
        if (e)
                return e;
        sha256_update(&unpack->sha, unpack->block, length);
        unpack->left -= length;
        return disk->ops->file_write(disk, unpack->out, unpack->block, length, why);
}

/* Names are durable only when their folders are: deepest or not, each once, then the slot and its parent. */
static enum err sync_all(struct unpack *unpack, struct why *why)
{
        struct disk *disk = unpack->job.disk;
        enum err e = OK;
        for (size_t i = 0; !e && i < unpack->job.count; i++)
                e = new_folders(unpack, i, sync_folder, why);
        if (!e)
                e = disk->ops->sync_folder(disk, unpack->into, why);
        char above[CONTENT_PATH_BYTES];
        snprintf(above, sizeof(above), "%.*s", (int)(strrchr(unpack->into, '/') - unpack->into), unpack->into);
        return e ? e : disk->ops->sync_folder(disk, above, why);
}

enum err unpack_step(struct unpack *unpack, bool *ret_is_done, struct why *why)
{
        enum err e = OK;
        for (int blocks = 0; !e && blocks < STEP_BLOCKS; blocks++) {
                if (unpack->out < 0 && unpack->next == unpack->job.count) {
                        e = sync_all(unpack, why);
                        *ret_is_done = !e;
                        break;
                }
                if (unpack->out < 0)
                        e = open_next(unpack, why);
                if (!e && unpack->left)
                        e = copy_block(unpack, why);
                if (!e && !unpack->left)
                        e = finish_file(unpack, why);
        }
        return e ? DURING(why, e, "unpacking to %s", unpack->into) : OK;
}
