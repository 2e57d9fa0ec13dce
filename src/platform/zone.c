#include "platform/zone.h"

#include "base/own.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *folder(void)
{
        const char *own = getenv("TZDIR");
        return own && *own ? own : "/usr/share/zoneinfo";
}

/* libc takes any text for a zone, files of anywhere included; what it does not understand is UTC. */
static bool is_name(const char *name)
{
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-";
        size_t length = strlen(name);
        if (!length || length > 63 || strstr(name, "//") || name[length - 1] == '/' || name[0] == '/')
                return false;
        for (size_t i = 0; i < length; i++)
                if (name[i] != '/' && !strchr(letters, name[i]))
                        return false;
        return true;
}

static void stdio_close(FILE *file)
{
        if (file)
                fclose(file);
}
OWN_DEFINE(stdio, FILE *, stdio_close)

enum err zone_check(const char *name, struct why *why)
{
        char path[512], magic[4] = "";
        if (!is_name(name))
                return FAIL(why, ERR_USAGE, "`%.64s` is no time zone; write an IANA name, as Europe/Berlin", name);
        if (access(folder(), R_OK) != 0)
                return FAIL(why, ERR_UNAVAILABLE, "%.200s is not there: this machine knows no time zones; install tzdata", folder());
        snprintf(path, sizeof(path), "%.400s/%s", folder(), name);
        OWN(stdio) FILE *file = fopen(path, "re");
        if (!file || fread(magic, sizeof(magic), 1, file) != 1 || memcmp(magic, "TZif", sizeof(magic)) != 0)
                return FAIL(why, ERR_USAGE, "there is no time zone `%.64s`; write an IANA name, as Europe/Berlin", name);
        return OK;
}

static int32_t offset_at(int64_t unix_s)
{
        time_t at = (time_t)unix_s;
        struct tm tm = { 0 };
        return localtime_r(&at, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

/* The first moment after `before_s`, up to `after_s`, with the offset of `after_s`. */
static int64_t find_shift(int64_t before_s, int64_t after_s)
{
        int32_t offset = offset_at(after_s);
        while (after_s - before_s > 1) {
                int64_t middle = before_s + (after_s - before_s) / 2;
                if (offset_at(middle) == offset)
                        after_s = middle;
                else
                        before_s = middle;
        }
        return after_s;
}

/* No zone was ever changed twice in so short a time. */
enum { STEP_S = 6 * 3600 };

static size_t walk(int64_t from_s, int64_t to_s, size_t most, struct utc_shift *shifts)
{
        size_t count = 0;
        if (!most)
                return 0;
        shifts[count++] = (struct utc_shift){ from_s, offset_at(from_s) };
        for (int64_t at = from_s; at < to_s && count < most; at += STEP_S)
                if (offset_at(at + STEP_S) != shifts[count - 1].offset_s) {
                        shifts[count] = (struct utc_shift){ find_shift(at, at + STEP_S), offset_at(at + STEP_S) };
                        count++;
                }
        return count;
}

enum err zone_shifts(const char *name, int64_t from_s, int64_t to_s, size_t most, struct utc_shift *shifts, size_t *ret_count, struct why *why)
{
        enum err e = zone_check(name, why);
        if (e)
                return e;
        const char *own = getenv("TZ");
        char before[1024];
        snprintf(before, sizeof(before), "%s", own ? own : "");
        if (setenv("TZ", name, 1) != 0)
                return FAIL(why, ERR_NOMEM, "out of memory for a time zone");
        tzset();
        *ret_count = walk(from_s, to_s, most, shifts);
        if (own ? setenv("TZ", before, 1) : unsetenv("TZ"))
                return FAIL(why, ERR_NOMEM, "out of memory for a time zone");
        tzset();
        return OK;
}

void zone_local_shifts(int64_t from_s, int64_t to_s, size_t most, struct utc_shift *shifts, size_t *ret_count)
{
        tzset();
        *ret_count = walk(from_s, to_s, most, shifts);
}
