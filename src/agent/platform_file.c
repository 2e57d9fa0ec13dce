/* OpenSSL's older calls, as in trust/sha.c: MD5 is what package databases have, and the newer ones may refuse it. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "agent/platform_file.h"

#include "agent/packages.h"
#include "base/limits.h"
#include "platform/channel.h"
#include "platform/file_at.h"
#include "platform/mounts.h"
#include "platform/paths.h"

#include <openssl/md5.h>
#include <string.h>

enum { PLACES = 16, PART_BYTES = 64 << 10 };

/* The names of one file. */
struct places {
        char path[PLACES][PATH_MAX];
        size_t count;
        bool is_hidden;                          /* where its links lead could not be found out, or it has more names */
};

/* Without `//`, `/./` and a `/` at the end. */
static bool tidy(const char *path, char *text)
{
        size_t length = 0;
        for (const char *at = path; *at;) {
                at += strspn(at, "/");
                size_t part = strcspn(at, "/");
                if (part && !(part == 1 && at[0] == '.')) {
                        if (length + part + 2 > PATH_MAX)
                                return false;
                        text[length++] = '/';
                        memcpy(text + length, at, part);
                        length += part;
                }
                at += part;
        }
        if (!length)
                text[length++] = '/';
        text[length] = 0;
        return true;
}

static void add_place(struct places *places, const char *path)
{
        for (size_t i = 0; i < places->count; i++)
                if (strcmp(places->path[i], path) == 0)
                        return;
        if (places->count == PLACES) {
                places->is_hidden = true;
                return;
        }
        snprintf(places->path[places->count++], PATH_MAX, "%s", path);
}

/* What is not there has no links to follow; what we may not look at may have some. */
static bool real(const char *path, char *into, struct places *places)
{
        struct why why;
        enum err e = paths_real(path, into, &why);
        places->is_hidden |= e && e != ERR_NOT_FOUND;
        return !e;
}

static enum err add_mounted(void *user, const char *path, struct why *why)
{
        (void)why;
        add_place(user, path);
        return OK;
}

/* Where a folder is mounted at a second place, each of its files has a second name. */
static void find_mounted(struct places *places)
{
        struct why why;
        for (size_t i = 0, count = places->count; i < count; i++)
                places->is_hidden |= mounts_names(places->path[i], add_mounted, places, &why) == ERR_LIMIT;
}

static void find_places(const char *path, struct places *places)
{
        char folder[PATH_MAX], place[PATH_MAX];
        *places = (struct places){ .count = 0 };
        if (!tidy(path, folder)) {
                places->is_hidden = true;
                return;
        }
        add_place(places, folder);
        char *name = strrchr(folder, '/');
        if (name != folder && strcmp(name, "/..") != 0) {
                char base[PATH_MAX];
                snprintf(base, sizeof(base), "%s", name);
                *name = 0;
                if (real(folder, place, places) && strlen(place) + strlen(base) < PATH_MAX) {
                        strncat(place, base, PATH_MAX - strlen(place) - 1);
                        add_place(places, place);
                }
        }
        if (real(path, place, places))
                add_place(places, place);
        find_mounted(places);
}

/* Is `path` the folder, or in it? */
static bool is_below(const char *path, const char *folder)
{
        size_t length = strlen(folder);
        while (length > 1 && folder[length - 1] == '/')
                length--;
        return strncmp(path, folder, length) == 0 && (length == 1 || path[length] == '/' || !path[length]);
}

static bool is_protected(const struct platform *platform, const struct places *places)
{
        for (size_t i = 0; i < places->count; i++)
                for (size_t k = 0; k < platform->protect_count; k++)
                        if (is_below(places->path[i], platform->protect[k]))
                                return true;
        return false;
}

static bool is_ours(const struct platform *platform, const struct places *places)
{
        for (size_t i = 0; i < places->count; i++)
                for (size_t k = 0; k < platform->own_count; k++)
                        if (is_below(places->path[i], platform->own[k]) || is_below(platform->own[k], places->path[i]))
                                return true;
        return false;
}

enum content { CONTENT_ABSENT, CONTENT_OTHER, CONTENT_UNREAD, CONTENT_SUMMED };

static enum content read_sum(const char *path, uint8_t md5[static OWNERS_MD5_BYTES])
{
        static char part[PART_BYTES];
        int file = -1;
        uint64_t length = 0;
        struct why why;
        enum err e = file_at_open(path, FILE_AT_NO_LINK, &file, &length, &why);
        if (e)
                return e == ERR_NOT_FOUND ? CONTENT_ABSENT : e == ERR_REFUSED ? CONTENT_OTHER : CONTENT_UNREAD;
        MD5_CTX sum;
        MD5_Init(&sum);
        bool is_read = length <= LIMIT_BREAKER_FILE_BYTES;
        for (uint64_t at = 0; is_read && at < length; at += PART_BYTES) {
                size_t size = length - at < PART_BYTES ? (size_t)(length - at) : PART_BYTES;
                is_read = file_at_read(file, at, part, size);
                MD5_Update(&sum, part, is_read ? size : 0);
        }
        MD5_Final(md5, &sum);
        channel_close(file);
        return is_read ? CONTENT_SUMMED : CONTENT_UNREAD;
}

static bool is_as_brought(const struct owners_found *found, const char *path)
{
        uint8_t md5[OWNERS_MD5_BYTES];
        enum content content = read_sum(path, md5);
        if (content != CONTENT_SUMMED)
                return content == CONTENT_UNREAD;
        for (size_t i = 0; i < found->sum_count; i++)
                if (memcmp(found->sums[i], md5, sizeof(md5)) == 0)
                        return true;
        return false;
}

/* To be asked after the file was read: dpkg has its lock from before the first file is replaced until its database says so. */
static bool is_fresh(const struct platform *platform)
{
        return platform->owners && !packages_is_busy(platform->database) && owners_mark(platform->owners) == packages_mark(platform->database);
}

enum breaker_file platform_file(const struct platform *platform, const char *path)
{
        struct places places;
        struct why why;
        find_places(path, &places);
        if (is_ours(platform, &places))
                return BREAKER_OWN;
        bool is_known = !places.is_hidden;
        for (size_t i = 0; platform->owners && i < places.count; i++) {
                struct owners_found found;
                if (owners_find(platform->owners, places.path[i], &found, &why))
                        is_known = false;
                else if (found.is_owned && (!found.sum_count || is_as_brought(&found, places.path[i])))
                        return BREAKER_PLATFORM;
        }
        return (is_known && is_fresh(platform)) || (!places.is_hidden && !is_protected(platform, &places)) ? BREAKER_ORDINARY : BREAKER_UNKNOWN;
}
