#include "agent/unpack.h"

#include "agent/content.h"
#include "agent/prune.h"
#include "base/mem.h"
#include "format/hex.h"
#include "trust/sha.h"

#include <string.h>

enum {
        BLOCK_BYTES = 64 << 10, STEP_BYTES = 1 << 20, STEP_FILES = 64, PATH_BYTES = CONTENT_PATH_BYTES + LIMIT_PATH_BYTES + 1,
        FOLDER_MODE = 0755,              /* make_folder()'s */
        SYNCED_ALONE_MAX = 32,           /* files: past it, one sync of the file system is quicker, also where others write to it (024-delta.md) */
};

struct unpack {
        struct unpack_job job;
        char into[CONTENT_PATH_BYTES];
        size_t next;                     /* file to open */
        size_t written;                  /* files that did not stand there */
        int system;                      /* open since before the first change; -1: not yet, or the system cannot sync as a whole */
        int in, out;                     /* -1: none; `out` is none where the file stays as it is */
        bool is_held;                    /* `in` is what this device has; ... */
        bool was_held;                   /* ... and has failed as such */
        bool has_system_failed;
        uint64_t left;
        struct unpack_file file;         /* without `held` */
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

static void close_file(struct disk *disk, int *file)
{
        if (*file >= 0)
                disk->ops->file_close(disk, *file);
        *file = -1;
}

static void close_both(struct unpack *unpack)
{
        close_file(unpack->job.disk, &unpack->in);
        close_file(unpack->job.disk, &unpack->out);
}

void unpack_close(struct unpack *unpack)
{
        if (!unpack)
                return;
        close_both(unpack);
        close_file(unpack->job.disk, &unpack->system);
        mem_free(unpack);
}

bool unpack_was_held(const struct unpack *unpack, size_t *ret_index)
{
        *ret_index = unpack->next;
        return unpack->was_held;
}

bool unpack_system_failed(const struct unpack *unpack)
{
        return unpack->has_system_failed;
}

static struct unpack_file file_at(const struct unpack *unpack, size_t index)
{
        return unpack->job.file(unpack->job.user, index);
}

/* In its place already, so that it need not be written again. */
static bool is_standing(const struct unpack *unpack, const struct unpack_file *file)
{
        size_t length = strlen(unpack->into);
        return file->held && strncmp(file->held, unpack->into, length) == 0 && file->held[length] == '/' && strcmp(file->held + length + 1, file->path) == 0;
}

/* The first file that does not sort before `path`. */
static size_t find(const struct unpack *unpack, const char *path)
{
        size_t from = 0, to = unpack->job.count;
        while (from < to) {
                size_t middle = from + (to - from) / 2;
                if (strcmp(file_at(unpack, middle).path, path) < 0)
                        from = middle + 1;
                else
                        to = middle;
        }
        return from;
}

static unsigned mode_of(const struct unpack_file *file)
{
        return file->is_program ? 0755 : 0644;
}

static bool is_as_made(const struct unpack *unpack, const char *below, unsigned mode)
{
        char path[PATH_BYTES];
        struct disk *disk = unpack->job.disk;
        snprintf(path, sizeof(path), "%s/%s", unpack->into, below);
        return disk->ops->is_as_made(disk, path, mode);
}

/* What others have made of a file or folder, by its mode, its owner or another name of it, would be the next release's. */
static bool stays(const void *user, const char *path, enum disk_kind kind, uint64_t length)
{
        const struct unpack *unpack = user;
        char below[LIMIT_PATH_BYTES + 2];
        int used = snprintf(below, sizeof(below), "%s%s", path, kind == DISK_FOLDER ? "/" : "");
        size_t index = find(unpack, below);
        if (index == unpack->job.count)
                return false;
        const struct unpack_file file = file_at(unpack, index);
        if (kind == DISK_FOLDER)
                return strncmp(file.path, below, (size_t)used) == 0 && is_as_made(unpack, path, FOLDER_MODE);
        return strcmp(file.path, below) == 0 && file.length == length && is_standing(unpack, &file) && is_as_made(unpack, path, mode_of(&file));
}

/* Only what the record vouched for stays: what an unpacking that was cut short left may never have reached the disk, although it reads as if. */
static enum err make_way(struct unpack *unpack, struct why *why)
{
        struct disk *disk = unpack->job.disk;
        bool has_standing = false;
        enum err e = OK;
        for (size_t i = 0; i < unpack->job.count && !has_standing; i++) {
                const struct unpack_file file = file_at(unpack, i);
                has_standing = is_standing(unpack, &file);
        }
        if (!has_standing || !disk->ops->is_as_made(disk, unpack->into, FOLDER_MODE))
                e = disk->ops->remove_tree(disk, unpack->into, why);
        if (!e)
                e = disk->ops->make_folder(disk, unpack->into, why);
        if (!e && !unpack->job.syncs_alone)
                e = disk->ops->open_system(disk, unpack->into, &unpack->system, why);
        if (!e && has_standing)
                e = prune_folder(&(struct prune){ disk, unpack->into, stays, unpack }, why);
        return e ? DURING(why, e, "emptying %s", unpack->into) : OK;
}

enum err unpack_open(const struct unpack_job *job, struct unpack **ret_unpack, struct why *why)
{
        OWN(unpack) struct unpack *unpack = mem_new(1, sizeof(*unpack));
        if (!unpack)
                return FAIL(why, ERR_NOMEM, "unpacking");
        unpack->job = *job;
        unpack->in = unpack->out = unpack->system = -1;
        snprintf(unpack->into, sizeof(unpack->into), "%s", job->into);
        unpack->job.into = unpack->into;
        enum err e = make_way(unpack, why);
        if (!e)
                *ret_unpack = GIVE(unpack);
        return e;
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

/* Calls `each` for the folders of a path that the one before it, in sorted order, did not have. */
typedef enum err each_folder(struct disk *disk, const char *path, struct why *why);
static enum err new_folders(const struct unpack *unpack, size_t index, each_folder *each, struct why *why)
{
        const char *path = file_at(unpack, index).path;
        size_t from = index ? common_folders(file_at(unpack, index - 1).path, path) : 0;
        for (size_t i = from; path[i]; i++) {
                if (path[i] != '/')
                        continue;
                char folder[PATH_BYTES];
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

/* What cannot be read of what this device has is not there, unless it is we who lack something. */
static enum err judged(struct unpack *unpack, enum err e, struct why *why)
{
        if (!e || !unpack->is_held || e == ERR_LIMIT || e == ERR_NOMEM)
                return e;
        unpack->was_held = true;
        if (e == ERR_CONTENT)
                return e;
        char text[WHY_TEXT_MAX];
        snprintf(text, sizeof(text), "%s", why ? why->text : "");
        return FAIL(why, ERR_CONTENT, "%s: what is here of it cannot be read: %.200s", unpack->file.path, text);
}

static enum err open_source(struct unpack *unpack, const struct unpack_file *file, struct why *why)
{
        struct disk *disk = unpack->job.disk;
        uint64_t length;
        enum err e = disk->ops->open(disk, file->held ? file->held : spool_artifact(file->sha256).text, &unpack->in, &length, why);
        if (!e && length != file->length)
                e = FAIL(why, ERR_CONTENT, "%s: %llu bytes %s, the note says %llu", file->path, (unsigned long long)length, file->held ? "here" : "in the spool",
                         (unsigned long long)file->length);
        return judged(unpack, e, why);
}

static enum err open_next(struct unpack *unpack, struct why *why)
{
        struct disk *disk = unpack->job.disk;
        const struct unpack_file file = file_at(unpack, unpack->next);
        const bool stays_here = is_standing(unpack, &file);
        char target[PATH_BYTES];
        unpack->file = file;
        unpack->file.held = NULL;
        unpack->is_held = file.held != NULL;
        unpack->left = file.length;
        sha256_init(&unpack->sha);
        snprintf(target, sizeof(target), "%s/%s", unpack->into, file.path);
        enum err e = open_source(unpack, &file, why);
        if (!e && !stays_here)
                e = new_folders(unpack, unpack->next, make_folder, why);
        if (!e && !stays_here)
                e = disk->ops->create(disk, target, mode_of(&file), &unpack->out, why);
        return e;
}

static enum err finish_file(struct unpack *unpack, struct why *why)
{
        uint8_t digest[32];
        sha256_final(&unpack->sha, digest);
        if (memcmp(digest, unpack->file.sha256, sizeof(digest)) != 0)
                return judged(unpack, FAIL(why, ERR_CONTENT, "%s: other bytes than the note says", unpack->file.path), why);
        enum err e = OK;
        if (unpack->out >= 0 && (++unpack->written <= SYNCED_ALONE_MAX || unpack->system < 0))
                e = unpack->job.disk->ops->file_sync(unpack->job.disk, unpack->out, why);
        if (e)
                return e;
        close_both(unpack);
        unpack->next++;
        return OK;
}

/* Never more than the note's length is read, so a file that grows meanwhile changes nothing. */
static enum err copy_block(struct unpack *unpack, size_t *bytes, struct why *why)
{
        struct disk *disk = unpack->job.disk;
        size_t most = unpack->left < BLOCK_BYTES ? (size_t)unpack->left : BLOCK_BYTES, length = 0;
        enum err e = disk->ops->file_read(disk, unpack->in, unpack->block, most, &length, why);
        if (!e && !length)
                e = FAIL(why, ERR_CONTENT, "%s: ends early", unpack->file.path);
        if (e)
                return judged(unpack, e, why);
        sha256_update(&unpack->sha, unpack->block, length);
        unpack->left -= length;
        *bytes += length;
        return unpack->out < 0 ? OK : disk->ops->file_write(disk, unpack->out, unpack->block, length, why);
}

/* Names are durable only when their folders are: each once, then the slot and the one above. */
static enum err sync_folders(const struct unpack *unpack, struct why *why)
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

static enum err sync_all(struct unpack *unpack, struct why *why)
{
        struct disk *disk = unpack->job.disk;
        if (unpack->written <= SYNCED_ALONE_MAX || unpack->system < 0)
                return sync_folders(unpack, why);
        enum err e = disk->ops->sync_system(disk, unpack->system, why);
        unpack->has_system_failed = e != OK;
        return e;
}

enum err unpack_step(struct unpack *unpack, bool *ret_is_done, struct why *why)
{
        enum err e = OK;
        size_t bytes = 0, files = 0;
        while (!e && bytes < STEP_BYTES && files < STEP_FILES) {
                if (unpack->in < 0 && unpack->next == unpack->job.count) {
                        e = sync_all(unpack, why);
                        *ret_is_done = !e;
                        break;
                }
                if (unpack->in < 0)
                        e = open_next(unpack, why);
                if (!e && unpack->left)
                        e = copy_block(unpack, &bytes, why);
                if (!e && !unpack->left) {
                        e = finish_file(unpack, why);
                        files++;
                }
        }
        return e ? DURING(why, e, "unpacking to %s", unpack->into) : OK;
}
