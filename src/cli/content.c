#include "cli/content.h"

#include "base/limits.h"
#include "platform/disk.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32 };       /* LIMIT_PATH_BYTES allows 128; nobody has more than a few */

struct walk {
        struct disk *disk;
        struct arena *arena;
        struct content *content;
        size_t capacity;
        const char *folder;    /* "" at the top */
        unsigned depth;
        size_t entries;        /* seen so far */
};

static bool is_description(const char *path)
{
        return strcmp(path, "dossier.yaml") == 0 || strcmp(path, "release.yaml") == 0;
}

static enum err check_name(const char *folder, const char *name, struct why *why)
{
        static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+@-";
        if (strspn(name, good) == strlen(name))
                return OK;
        return FAIL(why, ERR_REFUSED, "%.80s%s%.80s: rename it; letters, digits and ._+@- are taken", folder, folder[0] ? "/" : "", name);
}

static enum err add_file(struct walk *walk, const char *path, uint64_t length, struct why *why)
{
        struct content *content = walk->content;
        if (length > LIMIT_ARTIFACT_BYTES)
                return FAIL(why, ERR_LIMIT, "%.120s has %llu bytes; at most %d are taken", path, (unsigned long long)length, LIMIT_ARTIFACT_BYTES);
        if (content->count == LIMIT_RELEASE_FILES)
                return FAIL(why, ERR_LIMIT, "more than %d files; pack many small ones into one", LIMIT_RELEASE_FILES);
        if (content->count == walk->capacity) {
                size_t capacity = walk->capacity ? walk->capacity * 2 : 64;
                struct content_file *more = arena_alloc(walk->arena, capacity, sizeof(*more));
                if (!more)
                        return FAIL(why, ERR_NOMEM, "listing the content");
                if (content->count)
                        memcpy(more, content->files, content->count * sizeof(*more));
                content->files = more;
                walk->capacity = capacity;
        }
        content->files[content->count++] = (struct content_file){ .path = path, .length = length };
        content->bytes += length;
        return OK;
}

static enum err walk_folder(struct walk *walk, const char *folder, struct why *why);

static enum err visit(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        struct walk *walk = user;
        char path[LIMIT_PATH_BYTES + 1];
        walk->entries++;
        enum err e = check_name(walk->folder, name, why);
        if (e)
                return e;
        if ((size_t)snprintf(path, sizeof(path), "%s%s%s", walk->folder, walk->folder[0] ? "/" : "", name) >= sizeof(path))
                return FAIL(why, ERR_LIMIT, "%.120s...: a path of more than %d bytes", path, LIMIT_PATH_BYTES);
        if (kind == DISK_LINK)
                return FAIL(why, ERR_REFUSED, "%s is a symbolic link; put the file itself there", path);
        if (kind == DISK_OTHER)
                return FAIL(why, ERR_REFUSED, "%s is a device, pipe or socket; a release has only files", path);
        if (kind == DISK_FILE && is_description(path))
                return OK;
        char *kept = arena_strdup(walk->arena, path);
        if (!kept)
                return FAIL(why, ERR_NOMEM, "listing the content");
        return kind == DISK_FOLDER ? walk_folder(walk, kept, why) : add_file(walk, kept, length, why);
}

static enum err walk_folder(struct walk *walk, const char *folder, struct why *why)
{
        const char *above = walk->folder;
        size_t before = walk->entries;
        if (walk->depth == DEPTH_MAX)
                return FAIL(why, ERR_LIMIT, "%.120s: folders more than %d deep", folder, DEPTH_MAX);
        walk->folder = folder;
        walk->depth++;
        enum err e = walk->disk->ops->list(walk->disk, folder, visit, walk, why);
        walk->depth--;
        walk->folder = above;
        if (!e && folder[0] && walk->entries == before)
                return FAIL(why, ERR_REFUSED, "%s is an empty folder, and a release has only files; put one there, or remove it", folder);
        return e;
}

static int by_path(const void *a, const void *b)
{
        return strcmp(((const struct content_file *)a)->path, ((const struct content_file *)b)->path);
}

enum err content_list(struct disk *disk, struct arena *arena, struct content *ret_content, struct why *why)
{
        struct content content = { 0 };
        struct walk walk = { .disk = disk, .arena = arena, .content = &content };
        enum err e = walk_folder(&walk, "", why);
        if (e)
                return e;
        if (!content.count)
                return FAIL(why, ERR_REFUSED, "the folder holds no content");
        if (content.bytes > LIMIT_ARTIFACT_BYTES)
                return FAIL(why, ERR_LIMIT, "%llu bytes in all; at most %d are taken", (unsigned long long)content.bytes, LIMIT_ARTIFACT_BYTES);
        qsort(content.files, content.count, sizeof(content.files[0]), by_path);
        *ret_content = content;
        return OK;
}
