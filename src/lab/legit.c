#include "lab/legit.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "format/hex.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "platform/paths.h"
#include "trust/sha.h"

#include <openssl/evp.h>
#include <string.h>

enum { ARENA_BYTES = 8 << 20, PACKAGE_BYTES = 1 << 20, MD5_HEX = 32 };

static enum err add(struct legit *legit, const char *path, const char *md5, struct why *why)
{
        char real[PATH_MAX];
        if (paths_real(path, real, NULL) || file_kind(real) != FILE_REGULAR)
                return OK;                /* not on this machine */
        if (legit->count == LIMIT_CORPUS_FILES)
                return FAIL(why, ERR_LIMIT, "more than %d boot-critical files", LIMIT_CORPUS_FILES);
        if (legit->count == legit->room) {
                size_t room = legit->room ? 2 * legit->room : 256;
                struct legit_file *files = arena_alloc(legit->arena, room, sizeof(*files));
                if (!files)
                        return FAIL(why, ERR_NOMEM, "the list of boot-critical files");
                if (legit->count)
                        memcpy(files, legit->files, legit->count * sizeof(*files));
                legit->files = files;
                legit->room = room;
        }
        struct legit_file file = { .path = arena_strdup(legit->arena, real), .md5 = md5 ? arena_strdup(legit->arena, md5) : NULL };
        if (!file.path || (md5 && !file.md5))
                return FAIL(why, ERR_NOMEM, "the list of boot-critical files");
        legit->files[legit->count++] = file;
        return OK;
}

static enum err add_found(void *user, const char *path, struct why *why)
{
        return add(user, path, NULL, why);
}

/* Programs and libraries; not their manuals, and not the many parts that no boot needs. */
static bool is_needed(const char *path)
{
        static const char *const below[] = { "bin/", "sbin/", "lib/", "lib64/", "boot/" }, *const not_below[] = { "lib/modules/", "lib/locale/", "lib/python", "lib/perl" };
        path += strncmp(path, "usr/", 4) == 0 ? 4 : 0;
        for (size_t i = 0; i < sizeof(not_below) / sizeof(not_below[0]); i++)
                if (strncmp(path, not_below[i], strlen(not_below[i])) == 0)
                        return false;
        for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++)
                if (strncmp(path, below[i], strlen(below[i])) == 0)
                        return true;
        return false;
}

/* `MD5  PATH`, the path without its first slash. */
static enum err add_line(struct legit *legit, char *line, struct why *why)
{
        char path[PATH_MAX];
        if (strlen(line) < MD5_HEX + 3 || line[MD5_HEX] != ' ' || !is_needed(line + MD5_HEX + 2))
                return OK;
        line[MD5_HEX] = 0;
        if (snprintf(path, sizeof(path), "/%s", line + MD5_HEX + 2) >= (int)sizeof(path))
                return OK;
        return add(legit, path, line, why);
}

static enum err add_package(void *user, const char *list, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, PACKAGE_BYTES);
        enum err e = file_read(list, &text, why);
        for (char *line = text.bytes, *end; !e && line && *line; line = end) {
                end = line + strcspn(line, "\n");
                end += *end ? (*end = 0, 1) : 0;
                e = add_line(user, line, why);
        }
        return e;
}

static enum err gather(struct legit *legit, const struct legit_lists *lists, const char *const *extra, struct why *why)
{
        enum err e = OK;
        char pattern[PATH_MAX];
        for (size_t i = 0; !e && lists->patterns[i]; i++)
                e = paths_like(lists->patterns[i], add_found, legit, why);
        for (size_t i = 0; !e && lists->packages[i]; i++) {
                snprintf(pattern, sizeof(pattern), "%s/%s.md5sums", lists->dpkg_info, lists->packages[i]);
                e = paths_like(pattern, add_package, legit, why);
                snprintf(pattern, sizeof(pattern), "%s/%s:*.md5sums", lists->dpkg_info, lists->packages[i]);
                if (!e)
                        e = paths_like(pattern, add_package, legit, why);
        }
        for (size_t i = 0; !e && extra[i]; i++)
                e = add(legit, extra[i], NULL, why);
        return e;
}

/* Those with a digest first, so that they are the ones that stay. */
static int by_path(const void *a, const void *b)
{
        const struct legit_file *left = a, *right = b;
        int order = strcmp(left->path, right->path);
        return order ? order : !left->md5 - !right->md5;
}

static void keep_each_once(struct legit *legit)
{
        size_t kept = 0;
        if (legit->count)
                qsort(legit->files, legit->count, sizeof(legit->files[0]), by_path);
        for (size_t i = 0; i < legit->count; i++)
                if (!kept || strcmp(legit->files[kept - 1].path, legit->files[i].path) != 0)
                        legit->files[kept++] = legit->files[i];
        legit->count = kept;
}

static void md5_release(EVP_MD_CTX **context)
{
        EVP_MD_CTX_free(*context);
}

struct reading { struct sha256 sha; EVP_MD_CTX *md5; uint64_t length; };

static enum err read_file(struct disk *disk, const char *path, struct reading *reading, struct why *why)
{
        uint8_t part[65536];
        uint64_t declared;
        int file;
        enum err e = disk->ops->open(disk, path, &file, &declared, why);
        if (e)
                return e;
        for (size_t got = 1; !e && got;) {
                e = disk->ops->file_read(disk, file, part, sizeof(part), &got, why);
                if (e || !got)
                        break;
                sha256_update(&reading->sha, part, got);
                reading->length += got;
                if (reading->md5)
                        EVP_DigestUpdate(reading->md5, part, got);
        }
        disk->ops->file_close(disk, file);
        return e;
}

/* Of one file: its line in the digest of all, and whether it is as shipped. MD5 tells accidents from shipped files, not attackers. */
static enum err measure(struct disk *disk, struct legit_file *file, struct sha256 *all, struct why *why)
{
        OWN(md5) EVP_MD_CTX *md5 = file->md5 ? EVP_MD_CTX_new() : NULL;
        struct reading reading = { .md5 = md5 && EVP_DigestInit_ex(md5, EVP_md5(), NULL) == 1 ? md5 : NULL };
        uint8_t digest[EVP_MAX_MD_SIZE];
        char hex[DIGEST_TEXT_MAX], line[PATH_MAX + 100];
        sha256_init(&reading.sha);
        enum err e = read_file(disk, file->path + 1, &reading, why);
        if (e)
                return e;
        sha256_final(&reading.sha, digest);
        hex_encode(digest, SHA256_BYTES, hex);
        int length = snprintf(line, sizeof(line), "%llu %s %s\n", (unsigned long long)reading.length, hex, file->path);
        sha256_update(all, line, (size_t)length);
        if (!reading.md5 || EVP_DigestFinal_ex(reading.md5, digest, NULL) != 1)
                return OK;
        hex_encode(digest, MD5_HEX / 2, hex);
        file->is_changed = strcmp(hex, file->md5) != 0;
        return OK;
}

static enum err measure_all(struct legit *legit, struct why *why)
{
        OWN(disk_folder) struct disk *root = NULL;
        struct sha256 all;
        uint8_t digest[SHA256_BYTES];
        sha256_init(&all);
        enum err e = disk_folder_open("/", &root, why);
        for (size_t i = 0; !e && i < legit->count; i++)
                e = measure(root, &legit->files[i], &all, why);
        if (e)
                return e;
        sha256_final(&all, digest);
        hex_encode(digest, sizeof(digest), legit->digest);
        return OK;
}

enum err legit_open(const struct legit_lists *lists, const char *const *extra, struct legit **ret_legit, struct why *why)
{
        OWN(legit) struct legit *legit = mem_new(1, sizeof(*legit));
        if (!legit || !(legit->arena = arena_new(ARENA_BYTES)))
                return FAIL(why, ERR_NOMEM, "the list of boot-critical files");
        enum err e = gather(legit, lists, extra, why);
        if (!e) {
                keep_each_once(legit);
                e = measure_all(legit, why);
        }
        if (e)
                return DURING(why, e, "listing boot-critical files");
        *ret_legit = GIVE(legit);
        return OK;
}

void legit_close(struct legit *legit)
{
        if (!legit)
                return;
        arena_free(legit->arena);
        mem_free(legit);
}

const struct legit_file *legit_find(const struct legit *legit, const char *path)
{
        struct legit_file key = { .path = path };
        size_t low = 0, high = legit->count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(legit->files[middle].path, key.path);
                if (order == 0)
                        return &legit->files[middle];
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}
