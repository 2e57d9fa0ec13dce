#include "server/store/artifacts.h"

#include "format/hex.h"
#include "trust/note.h"
#include "trust/sha.h"

#include <inttypes.h>

void artifact_path(const uint8_t digest[32], char path[ARTIFACT_PATH_MAX])
{
        char hex[65];
        hex_encode(digest, 32, hex);
        snprintf(path, ARTIFACT_PATH_MAX, "%.2s/%s", hex, hex);
}

enum err artifact_check(struct disk *disk, const uint8_t digest[32], uint64_t length, struct why *why)
{
        char path[ARTIFACT_PATH_MAX];
        int file = -1;
        uint64_t found = 0;
        artifact_path(digest, path);
        enum err e = disk->ops->open(disk, path, &file, &found, why);
        if (e)
                return e;
        disk->ops->file_close(disk, file);
        if (found != length)
                return FAIL(why, ERR_CONTENT, "artifact %s has %" PRIu64 " bytes, not %" PRIu64, path + 3, found, length);
        return OK;
}

static enum err make_folder(struct disk *disk, const char *path, struct why *why)
{
        char folder[3];
        snprintf(folder, sizeof(folder), "%.2s", path);
        enum err e = disk->ops->make_folder(disk, folder, why);
        return e ? e : disk->ops->sync_folder(disk, "", why);
}

enum err artifact_make_folders(struct disk *disk, struct why *why)
{
        enum err e = OK;
        for (unsigned i = 0; !e && i < 256; i++) {
                char folder[3];
                snprintf(folder, sizeof(folder), "%02x", i);
                e = disk->ops->make_folder(disk, folder, why);
        }
        return e ? e : disk->ops->sync_folder(disk, "", why);
}

enum err artifact_put(struct disk *disk, const void *bytes, size_t length, uint8_t ret_digest[32], struct why *why)
{
        char path[ARTIFACT_PATH_MAX];
        sha256(bytes, length, ret_digest);
        artifact_path(ret_digest, path);
        if (artifact_check(disk, ret_digest, length, NULL) == OK)
                return OK;
        enum err e = make_folder(disk, path, why);
        return e ? e : disk->ops->replace(disk, path, bytes, length, why);
}

static void note_path(const uint8_t target[32], const char *kind, char path[ARTIFACT_PATH_MAX])
{
        char hex[65];
        hex_encode(target, 32, hex);
        snprintf(path, ARTIFACT_PATH_MAX, "%.2s/%s.%s", hex, hex, kind);
}

enum err artifact_put_note(struct disk *disk, const uint8_t target[32], const struct buf *note, struct why *why)
{
        char path[ARTIFACT_PATH_MAX];
        note_path(target, "text", path);
        enum err e = make_folder(disk, path, why);
        if (!e)
                e = disk->ops->replace(disk, path, note->bytes, note_signed_length(note->bytes, note->length), why);
        note_path(target, "note", path);
        return e ? e : disk->ops->replace(disk, path, note->bytes, note->length, why);
}

enum err artifact_read_note(struct disk *disk, const uint8_t target[32], struct buf *into, struct why *why)
{
        char path[ARTIFACT_PATH_MAX];
        note_path(target, "note", path);
        enum err e = disk->ops->read(disk, path, into, why);
        if (e != ERR_NOT_FOUND)
                return e;
        artifact_path(target, path);
        return disk->ops->read(disk, path, into, why);
}
