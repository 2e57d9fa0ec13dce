#include "cli/release_folder.h"

#include "base/limits.h"
#include "cli/publisher.h"
#include "platform/disk.h"
#include "trust/sha.h"

#include <string.h>

enum { PART_BYTES = 1 << 16, DEPTH_MAX = LIMIT_PATH_BYTES / 2 + 1 };

void release_folder_done(struct release_folder *folder)
{
        buf_done(&folder->note);
        release_note_free(folder->manifest);
        *folder = (struct release_folder){ 0 };
}

static enum err read_note(struct release_folder *folder, struct why *why)
{
        char path[PUBLISHER_PATH_MAX];
        publisher_release_path(&folder->id, "/note", path);
        enum err e = folder->disk->ops->read(folder->disk, path, &folder->note, why);
        if (e == ERR_NOT_FOUND)
                return FAIL(why, e, "there is no release %s/%lld in this folder; `firebreak release pack` makes one", folder->id.stream, (long long)folder->id.counter);
        if (e)
                return e;
        const char *text = buf_text(&folder->note);
        size_t length = note_signed_length(text, folder->note.length);
        folder->is_signed = length < folder->note.length;
        e = release_note_parse(text, length, &folder->manifest, why);
        if (e)
                return DURING(why, e, "%.200s", path);
        if (strcmp(folder->manifest->stream, folder->id.stream) != 0 || (int64_t)folder->manifest->counter != folder->id.counter)
                return FAIL(why, ERR_CONTENT, "%.120s is the note of %s/%llu; pack the content again", path, folder->manifest->stream,
                            (unsigned long long)folder->manifest->counter);
        return OK;
}

enum err release_folder_open(struct disk *disk, const struct release_id *id, struct release_folder *ret_folder, struct why *why)
{
        OWN(release_folder) struct release_folder folder = { .disk = disk, .id = *id };
        buf_init(&folder.note, LIMIT_NOTE_BYTES);
        enum err e = read_note(&folder, why);
        if (e)
                return e;
        *ret_folder = folder;
        folder = (struct release_folder){ 0 };
        return OK;
}

enum err release_folder_path(const struct release_folder *folder, const char *below, struct buf *into, struct why *why)
{
        char path[PUBLISHER_PATH_MAX];
        publisher_release_path(&folder->id, "/files/", path);
        buf_clear(into);
        buf_addf(into, "%s%s", path, below);
        return buf_check(into, why);
}

/* ---- is it still what was packed? ---- */

static enum err digest_file(struct disk *disk, const char *path, struct release_file *ret_file, struct why *why)
{
        char part[PART_BYTES];
        struct release_file found = { .length = 0 };
        struct sha256 sha;
        int file;
        uint64_t length;
        enum err e = disk->ops->open(disk, path, &file, &length, why);
        if (e)
                return e;
        sha256_init(&sha);
        for (size_t got = 1; !e && got;) {
                e = disk->ops->file_read(disk, file, part, sizeof(part), &got, why);
                if (!e)
                        sha256_update(&sha, part, got);
                found.length += e ? 0 : got;
        }
        disk->ops->file_close(disk, file);
        sha256_final(&sha, found.sha256);
        *ret_file = found;
        return e;
}

static enum err changed(const char *path, struct why *why)
{
        return FAIL(why, ERR_CONTENT, "%.160s is not what was packed; pack the content again, as a release of its own", path);
}

static enum err check_file(const struct release_folder *folder, const struct release_file *file, struct why *why)
{
        OWN(buf) struct buf path;
        struct release_file found;
        buf_init(&path, DISK_PATH_MAX);
        enum err e = release_folder_path(folder, file->path, &path, why);
        if (!e)
                e = digest_file(folder->disk, buf_text(&path), &found, why);
        if (e == ERR_NOT_FOUND || (!e && (found.length != file->length || memcmp(found.sha256, file->sha256, sizeof(found.sha256)) != 0)))
                return changed(file->path, why);
        return e;
}

static enum err check_dossier(const struct release_folder *folder, struct why *why)
{
        char path[PUBLISHER_PATH_MAX];
        struct release_file found;
        publisher_release_path(&folder->id, "/dossier.json", path);
        enum err e = digest_file(folder->disk, path, &found, why);
        if (e == ERR_NOT_FOUND || (!e && memcmp(found.sha256, folder->manifest->dossier, sizeof(found.sha256)) != 0))
                return changed("dossier.json", why);
        return e;
}

struct walk {
        struct disk *disk;
        const char *folder;
        size_t files;
        unsigned depth;
};

static enum err count(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        struct walk *walk = user;
        OWN(buf) struct buf path;
        const char *above = walk->folder;
        (void)length;
        buf_init(&path, DISK_PATH_MAX);
        if (kind != DISK_FOLDER) {
                walk->files++;
                return kind == DISK_FILE ? OK : changed(name, why);
        }
        buf_addf(&path, "%s/%s", above, name);
        enum err e = buf_check(&path, why);
        if (e || walk->depth == DEPTH_MAX)
                return e ? e : changed(name, why);
        walk->folder = buf_text(&path);
        walk->depth++;
        e = walk->disk->ops->list(walk->disk, buf_text(&path), count, walk, why);
        walk->depth--;
        walk->folder = above;
        return e;
}

static enum err check_count(const struct release_folder *folder, struct why *why)
{
        char path[PUBLISHER_PATH_MAX];
        publisher_release_path(&folder->id, "/files", path);
        struct walk walk = { .disk = folder->disk, .folder = path };
        enum err e = folder->disk->ops->list(folder->disk, path, count, &walk, why);
        if (!e && walk.files != folder->manifest->file_count)
                e = FAIL(why, ERR_CONTENT, "%.160s has %zu files, packed were %zu; pack the content again, as a release of its own", path, walk.files,
                         folder->manifest->file_count);
        return e;
}

enum err release_folder_check(const struct release_folder *folder, struct why *why)
{
        enum err e = check_dossier(folder, why);
        for (size_t i = 0; !e && i < folder->manifest->file_count; i++)
                e = check_file(folder, &folder->manifest->files[i], why);
        return e ? e : check_count(folder, why);
}
