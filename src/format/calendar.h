/* calendar.h - freeze windows: when nothing new may start.
 *
 *      fri 16:00 - mon 06:00 Europe/Berlin             every week
 *      2026-12-24 00:00 - 2027-01-02 06:00 device      once; in each device's own zone
 *
 * Pure: what a zone adds to UTC, and from when on, the caller finds out (platform/zone.h).
 *
 * A moment is inside if the clock on the wall is: from the first minute up to, not including, the last one. So a window whose
 * edge is skipped when summer begins opens or shuts with the skip, and one whose edge comes twice when summer ends does so twice. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/utc.h"

#include <stdbool.h>
#include <stddef.h>

enum {
        CALENDAR_WINDOWS_MAX = 16,               /* a year's holidays and the weekly ones; people still read it */
        CALENDAR_ZONE_BYTES = 64,                /* the longest IANA name has 32 */
        CALENDAR_TEXT_BYTES = 160,
        CALENDAR_AHEAD_S = 400 * 86400,          /* so far a change is looked for: a year and a holiday */
};
#define CALENDAR_NEVER INT64_MAX
#define CALENDAR_DEVICE "device"                 /* in place of a zone: each device's own */

struct calendar_window {
        bool is_dated;
        int64_t from_min, to_min;                /* on the wall: minutes since monday 00:00, or since 1970 */
        char zone[CALENDAR_ZONE_BYTES];
};

struct calendar {
        size_t count;
        struct calendar_window windows[CALENDAR_WINDOWS_MAX];
};

/* One window more, from a text as above. ERR_USAGE says what to write; ERR_LIMIT. Whether there is such a zone the caller checks. */
MUST_CHECK enum err calendar_add(struct calendar *calendar, const char *text, struct why *why);
/* The text that makes the same window again. */
void calendar_print(const struct calendar_window *window, char text[CALENDAR_TEXT_BYTES]);
bool calendar_is_of_devices(const struct calendar_window *window);
bool calendar_has_device_windows(const struct calendar *calendar);

struct calendar_zone { const struct utc_shift *shifts; size_t count; };      /* none: UTC */

bool calendar_is_inside(const struct calendar_window *window, int64_t unix_s, int32_t offset_s);

/* Is any of the windows in force, and when is it that none is, or that one is again? zones[i] is that of windows[i].
 * CALENDAR_NEVER: not within CALENDAR_AHEAD_S. */
struct calendar_answer { bool is_inside; int64_t until_s; };
struct calendar_answer calendar_look(const struct calendar *calendar, const struct calendar_zone *zones, int64_t unix_s);
