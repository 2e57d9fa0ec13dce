#include "trust/tuf_match.h"

#include "format/hex.h"
#include "trust/sha.h"

#include <stddef.h>
#include <string.h>

/* The end of a set that begins at `[`, NULL when it is none: then the bracket is itself. A `]` that comes first is in the set. */
static const char *set_end(const char *set)
{
        const char *at = set + 1;
        if (*at == '!')
                at++;
        if (*at == ']')
                at++;
        while (*at && *at != ']' && *at != '/')
                at++;
        return *at == ']' ? at : NULL;
}

static bool is_in_set(const char *set, const char *end, unsigned char byte)
{
        const char *at = set + 1;
        bool is_not = *at == '!', is_in = false;
        if (is_not)
                at++;
        while (at < end) {
                unsigned char low = (unsigned char)*at++, high = low;
                if (at + 1 < end && *at == '-') {
                        high = (unsigned char)at[1];
                        at += 2;
                }
                is_in |= byte >= low && byte <= high;
        }
        return is_in != is_not;
}

/* One byte of the path by one element of the pattern, which ends at *ret_next. */
static bool match_one(const char *pattern, unsigned char byte, const char **ret_next)
{
        const char *end = *pattern == '[' ? set_end(pattern) : NULL;
        *ret_next = (end ? end : pattern) + 1;
        if (byte == '/')
                return *pattern == '/';
        if (end)
                return is_in_set(pattern, end, byte);
        return *pattern == '?' || *pattern == (char)byte;
}

/* Only the last star is ever tried again: an earlier one cannot match more than up to where the later began. So the time is at most
 * the product of both lengths. */
bool tuf_match_pattern(const char *pattern, const char *path)
{
        const char *star = NULL, *star_path = NULL, *next;
        while (*path) {
                if (*pattern == '*') {
                        star = ++pattern;
                        star_path = path;
                } else if (*pattern && match_one(pattern, (unsigned char)*path, &next)) {
                        pattern = next;
                        path++;
                } else if (star && *star_path != '/') {
                        pattern = star;
                        path = ++star_path;
                } else {
                        return false;
                }
        }
        while (*pattern == '*')
                pattern++;
        return !*pattern;
}

bool tuf_match_prefix(const char *prefix, const char *path)
{
        uint8_t digest[32];
        char hex[65];
        sha256(path, strlen(path), digest);
        hex_encode(digest, sizeof(digest), hex);
        return strncmp(hex, prefix, strlen(prefix)) == 0;
}
