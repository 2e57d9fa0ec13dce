/* OpenSSL's older calls, as in trust/sha.c: MD5 is what package databases have, and the newer ones may refuse it. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "agent/platform_file.h"

#include "agent/packages.h"
#include "base/limits.h"
#include "platform/channel.h"
#include "platform/file_at.h"
#include "platform/places.h"

#include <openssl/md5.h>
#include <string.h>

enum { PART_BYTES = 64 << 10 };

static bool is_protected(const struct platform *platform, const struct places *places)
{
        for (size_t i = 0; i < places->count; i++)
                for (size_t k = 0; k < platform->protect_count; k++)
                        if (places_is_below(places->path[i], platform->protect[k]))
                                return true;
        return false;
}

static bool is_ours(const struct platform *platform, const struct places *places)
{
        for (size_t i = 0; i < places->count; i++)
                for (size_t k = 0; k < platform->own_count; k++)
                        if (places_is_below(places->path[i], platform->own[k]) || places_is_below(platform->own[k], places->path[i]))
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
        places_find(path, &places);
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
