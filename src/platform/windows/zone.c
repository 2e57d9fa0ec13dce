#include "platform/zone.h"

#include <time.h>

/* Windows has other names for its zones; a window is in UTC there, or in the machine's own time. */
enum err zone_check(const char *name, struct why *why)
{
        return FAIL(why, ERR_UNAVAILABLE, "`%.64s`: zones have no such names on Windows; write `zone: UTC`, or `device` for its own", name);
}

enum err zone_shifts(const char *name, int64_t from_s, int64_t to_s, size_t most, struct utc_shift *shifts, size_t *ret_count, struct why *why)
{
        (void)from_s;
        (void)to_s;
        (void)most;
        (void)shifts;
        *ret_count = 0;
        return zone_check(name, why);
}

static int32_t offset_at(int64_t unix_s)
{
        const time_t at = (time_t)unix_s;
        struct tm local;
        return _localtime64_s(&local, &at) == 0 ? (int32_t)(_mkgmtime64(&local) - at) : 0;
}

/* To the minute: no zone changes in between. */
enum { STEP_S = 60 };

void zone_local_shifts(int64_t from_s, int64_t to_s, size_t most, struct utc_shift *shifts, size_t *ret_count)
{
        *ret_count = 0;
        for (int64_t at = from_s; at <= to_s && *ret_count < most; at += STEP_S)
                if (!*ret_count || shifts[*ret_count - 1].offset_s != offset_at(at))
                        shifts[(*ret_count)++] = (struct utc_shift){ at, offset_at(at) };
}
